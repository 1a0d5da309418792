#include "dns-backend/commands/connection.hpp"
#include "dns-backend/commands/steering/sending.hpp"
#include "dns-backend/commands/steering/steering_commands.hpp"
#include "dns-backend/commands/steering/yaml.hpp"
#include "dns-backend/steering/reading/read.hpp"

#include <boost/json.hpp>

#include <cstdio>

namespace commands {

namespace {

namespace json = boost::json;

// The names under `member`, a line each; how many.
std::size_t print_names(json::value const& said, char const* member, char sign) {
  auto const* const names = said.is_object() ? said.get_object().if_contains(member) : nullptr;
  std::size_t count = 0;
  for (json::value const& name : names != nullptr && names->is_array() ? names->get_array() : json::array()) {
    std::printf("%c %s\n", sign, name.is_string() ? name.get_string().c_str() : "");
    ++count;
  }
  return count;
}

}  // namespace

int steering_apply(Place const& place, std::string const& file, bool dry_run) {
  auto const document = config::Document::load(file);
  if (!document) {
    return say_problems(document.error());
  }
  auto const objects = steering::read_objects(*document);
  if (!objects) {
    return say_problems(objects.error());
  }
  std::string const target = dry_run ? "/v1/steering?dry_run=true" : "/v1/steering";
  net::HttpResponse answer;
  int const failed = send_file(place, target, json::serialize(steering::to_json(*objects)), *document, answer);
  if (failed != 0) {
    return failed;
  }
  json::value const said = json_of(answer);
  std::size_t count = print_names(said, "added", '+');
  count += print_names(said, "changed", '~');
  count += print_names(said, "removed", '-');
  if (count == 0) {
    std::printf("nothing changes\n");
  }
  return 0;
}

int steering_show(Place const& place, Output output) {
  net::HttpResponse answer;
  if (int const failed = call_once(place, Without::open_store, "GET", "/v1/steering", {}, answer); failed != 0) {
    return failed;
  }
  std::fputs(output.json ? answer.body.c_str() : yaml(json_of(answer)).c_str(), stdout);
  return 0;
}

}  // namespace commands
