#include "dns-backend/commands/show_commands.hpp"

#include "dns-backend/commands/connection.hpp"

#include <boost/json.hpp>

#include <cstdio>

namespace commands {

namespace json = boost::json;

int show_status(Place const& place, Output output) {
  net::HttpResponse answer;
  if (int const failed = call_once(place, Without::refuse, "GET", "/v1/status", {}, answer); failed != 0) {
    return failed;
  }
  json::value const value = json_of(answer);
  if (output.json || !value.is_object()) {
    std::printf("%s\n", answer.body.c_str());
    return 0;
  }
  // `wg`-like: a line a fact, lists of objects below their heading.
  for (auto const& [key, member] : value.get_object()) {
    std::string const name(key);
    if (member.is_array() && !member.get_array().empty() && member.get_array()[0].is_object()) {
      std::printf("%s:\n", name.c_str());
      for (auto const& item : member.get_array()) {
        std::printf("  %s\n", json::serialize(item).c_str());
      }
      continue;
    }
    std::string const text = member.is_string() ? std::string(member.get_string()) : json::serialize(member);
    std::printf("%s: %s\n", name.c_str(), text.c_str());
  }
  return 0;
}

int show_certificates(Place const& place, Output output) {
  return print_list(
      place, output, Without::refuse, "/v1/certificates", "certificates",
      {{"id", "BUNDLE"}, {"names", "NAMES"}, {"fingerprint", "FINGERPRINT"}, {"not_after_ms", "UNTIL (MS)"}});
}

}  // namespace commands
