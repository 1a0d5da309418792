#include "dns-backend/commands/tenants/calls.hpp"

#include "dns-backend/commands/connection.hpp"
#include "dns-backend/commands/table.hpp"

#include <boost/json.hpp>

#include <cstdio>

namespace commands {

namespace json = boost::json;

std::string tenant_path(std::string const& label) {
  return "/v1/tenants/" + net::percent_encode(label);
}

int print_pages(Place const& place, Output output, std::string const& target, char const* name,
                Columns const& columns) {
  json::array rows;
  std::string cursor;
  do {
    net::HttpResponse answer;
    std::string const page = target + (cursor.empty() ? "" : "&cursor=" + net::percent_encode(cursor));
    if (int const failed = call_once(place, Without::refuse, "GET", page, {}, answer); failed != 0) {
      return failed;
    }
    json::value const value = json_of(answer);
    auto const* const list = value.is_object() ? value.get_object().if_contains(name) : nullptr;
    if (list == nullptr || !list->is_array()) {
      return say("the answer to " + target + " cannot be read", 1);
    }
    rows.insert(rows.end(), list->get_array().begin(), list->get_array().end());
    auto const* const next = value.get_object().if_contains("next");
    cursor = next != nullptr && next->is_string() ? std::string(next->get_string()) : "";
  } while (!cursor.empty());
  if (output.json) {
    std::printf("%s\n", json::serialize(json::object{{name, std::move(rows)}}).c_str());
    return 0;
  }
  std::fputs(table(rows, columns).c_str(), stdout);
  return 0;
}

int call_and_print(Place const& place, std::string const& method, std::string const& target, json::object const& body,
                   Output output, char const* shown) {
  net::HttpResponse answer;
  if (int const failed = call_once(place, Without::refuse, method, target, json::serialize(body), answer);
      failed != 0) {
    return failed;
  }
  if (output.json) {
    std::printf("%s\n", answer.body.c_str());
    return 0;
  }
  json::value const value = json_of(answer);
  auto const* const member = value.is_object() ? value.get_object().if_contains(shown) : nullptr;
  if (member != nullptr) {
    std::string const text = member->is_string() ? std::string(member->get_string()) : json::serialize(*member);
    std::printf("%s\n", text.c_str());
  }
  return 0;
}

int remove(Place const& place, std::string const& target) {
  net::HttpResponse answer;
  return call_once(place, Without::refuse, "DELETE", target, {}, answer);
}

}  // namespace commands
