#include "dns-backend/commands/steering/sending.hpp"

#include "dns-backend/commands/connection.hpp"
#include "dns-backend/steering/reading/read.hpp"

#include <boost/json.hpp>

#include <cstdio>

namespace commands {

namespace {

namespace json = boost::json;

std::string member(json::object const& object, char const* name) {
  auto const* const found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

}  // namespace

int say_problems(base::Problems const& problems) {
  std::fputs(base::text(problems).c_str(), stderr);
  return 2;
}

int send_file(Place const& place, std::string const& target, std::string const& body, config::Document const& document,
              net::HttpResponse& answer) {
  auto const connection = Connection::open(place, Without::open_store);
  if (!connection) {
    return say(connection.error().what(), 1);
  }
  auto given = (*connection)->call("PUT", target, body);
  if (!given) {
    return say(given.error().what(), 1);
  }
  answer = std::move(*given);
  if (answer.status / 100 == 2) {
    return 0;
  }
  json::value const said = json_of(answer);
  auto const* const errors = said.is_object() ? said.get_object().if_contains("errors") : nullptr;
  if (errors == nullptr || !errors->is_array() || errors->get_array().empty()) {
    return say_refusal(answer);
  }
  base::Problems problems;
  for (json::value const& error : errors->get_array()) {
    if (error.is_object()) {
      std::string const field = member(error.get_object(), "field");
      problems.push_back({steering::place_of(document, field), field, member(error.get_object(), "message"),
                          member(error.get_object(), "hint")});
    }
  }
  return say_problems(problems);
}

}  // namespace commands
