#include "dns-backend/commands/certificates/certificate_commands.hpp"

#include "base/process/service.hpp"
#include "dns-backend/commands/connection.hpp"
#include "dns-backend/commands/health/health_commands.hpp"
#include "dns-backend/commands/table.hpp"

#include <boost/json.hpp>

#include <cstdio>

namespace commands {
namespace {

namespace json = boost::json;

std::string const root = "/v1/acme/certificates";

std::string text(json::object const& object, char const* key) {
  json::value const* const found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::string time(json::object const& object, char const* key) {
  json::value const* const found = object.if_contains(key);
  return utc(found != nullptr && found->is_int64() ? found->get_int64() : 0);
}

json::array list_of(json::value const& value, char const* key) {
  json::value const* const found = value.is_object() ? value.get_object().if_contains(key) : nullptr;
  return found != nullptr && found->is_array() ? found->get_array() : json::array();
}

std::string joined(json::array const& list, char const* between) {
  std::string out;
  for (json::value const& one : list) {
    out += (out.empty() ? "" : between) + (one.is_string() ? std::string(one.get_string()) : json::serialize(one));
  }
  return out.empty() ? "-" : out;
}

// Each object with its times as text beside the numbers.
void with_time(json::array& rows, char const* from, char const* to) {
  for (json::value& one : rows) {
    one.as_object()[to] = time(one.as_object(), from);
  }
}

std::string target_of(std::string const& tenant, std::string const& name) {
  return "/v1/tenants/" + net::percent_encode(tenant) + "/certificates/" + net::percent_encode(name);
}

char const* alarm_of(json::object const& body) {
  auto const is = [&body](char const* key) { return body.contains(key) && body.at(key) == true; };
  return is("missing") ? ", its first certificate is missing"
         : is("alarm") ? ", a fifth of its life or less is left"
                       : "";
}

void print_faults(json::object const& body) {
  json::array const faults = list_of(body, "faults");
  std::printf("%s", faults.empty() ? "  nothing is wrong\n" : "");
  for (json::value const& one : faults) {
    json::object const& fault = one.as_object();
    std::printf("  %s: %s\n    -> %s\n", text(fault, "code").c_str(), text(fault, "what").c_str(),
                text(fault, "fix").c_str());
  }
}

void print_why(json::object const& body) {
  std::printf("%s of %s: %s%s\n", text(body, "name").c_str(), text(body, "tenant").c_str(), text(body, "state").c_str(),
              alarm_of(body));
  print_faults(body);
  std::printf("  names: %s\n", joined(list_of(body, "names"), ", ").c_str());
  std::printf("  authority: %s\n", text(body, "authority").c_str());
  std::printf("  valid until %s, renewal %s (%s), next attempt %s\n", time(body, "not_after_ms").c_str(),
              time(body, "renew_at_ms").c_str(), text(body, "renew_why").c_str(),
              time(body, "next_attempt_ms").c_str());
  std::string const delegated = text(body, "delegated_to");
  std::printf("  challenge: %s%s\n", joined(list_of(body, "challenge"), " -> ").c_str(),
              delegated.empty() ? "" : (", to lead to " + delegated).c_str());
  std::printf("  values now: %s\n", joined(list_of(body, "values"), ", ").c_str());
  json::array const caa = list_of(body, "caa");
  std::printf("  CAA: %s\n", caa.empty() ? "none" : json::serialize(caa).c_str());
  if (std::string const error = text(body, "last_error"); !error.empty()) {
    std::printf("  last error: %s\n", error.c_str());
  }
  json::array hindrances = list_of(body, "hindrances");
  with_time(hindrances, "until_ms", "until");
  if (!hindrances.empty()) {
    std::printf("\n%s",
                table(hindrances, {{"what", "WAITS FOR"}, {"until", "UNTIL"}, {"authority", "AUTHORITY"}}).c_str());
  }
  std::printf(
      "\n%s",
      table(list_of(body, "sites"),
            {{"site", "SITE"}, {"in_service", "IN SERVICE"}, {"behind", "BEHIND"}, {"udp", "UDP"}, {"tcp", "TCP"}})
          .c_str());
  json::array attempts = list_of(body, "attempts");
  with_time(attempts, "at_ms", "at");
  std::printf(
      "\n%s",
      table(attempts, {{"at", "ATTEMPT"}, {"outcome", "OUTCOME"}, {"authority", "AUTHORITY"}, {"detail", "DETAIL"}})
          .c_str());
}

// Data keys that do not open: a line, or nothing.
std::string damaged_of(json::object const& body) {
  json::value const* const count = body.if_contains("damaged");
  if (count == nullptr || *count == 0) {
    return {};
  }
  return json::serialize(*count) + " data keys do not open and were left as they are, the first of " +
         text(body, "first_damaged") + ": order that tenant's certificates anew (navigator cert order)\n";
}

}  // namespace

int list_certificates(Place const& place, std::string const& tenant, bool due, Output output) {
  json::object body;
  std::string const target =
      tenant.empty() ? root + (due ? "?due=1" : "") : "/v1/tenants/" + net::percent_encode(tenant) + "/certificates";
  if (int const failed = get_list(place, Without::refuse, target, "certificates", body); failed != 0) {
    return failed;
  }
  if (output.json) {
    std::printf("%s\n", json::serialize(body).c_str());
    return 0;
  }
  json::array rows = list_of(body, "certificates");
  with_time(rows, "not_after_ms", "until");
  with_time(rows, "renew_at_ms", "renewal");
  with_time(rows, "next_attempt_ms", "next");
  std::printf("%s", table(rows, {{"tenant", "TENANT"},
                                 {"name", "NAME"},
                                 {"state", "STATE"},
                                 {"until", "VALID UNTIL"},
                                 {"renewal", "RENEWAL"},
                                 {"next", "NEXT ATTEMPT"},
                                 {"last_error", "LAST ERROR"}})
                        .c_str());
  return 0;
}

int explain_certificate(Place const& place, std::string const& name, Output output) {
  net::HttpResponse answer;
  std::string const target = root + "/" + net::percent_encode(name);
  if (int const failed = call_once(place, Without::refuse, "GET", target, {}, answer); failed != 0) {
    return failed;
  }
  json::value const body = json_of(answer);
  if (output.json || !body.is_object()) {
    std::printf("%s\n", answer.body.c_str());
  } else {
    print_why(body.get_object());
  }
  return 0;
}

int order_certificate(Place const& place, std::string const& name, bool staging, Output output) {
  net::HttpResponse answer;
  json::object const wish{{"staging", staging}};
  std::string const target = root + "/" + net::percent_encode(name) + "/order";
  if (int const failed = call_once(place, Without::refuse, "POST", target, json::serialize(wish), answer);
      failed != 0) {
    return failed;
  }
  json::value const body = json_of(answer);
  if (output.json || !body.is_object()) {
    std::printf("%s\n", answer.body.c_str());
  } else if (staging) {
    std::printf("%s: %s %s\n", name.c_str(), text(body.get_object(), "outcome").c_str(),
                text(body.get_object(), "detail").c_str());
  }
  bool const good = !staging || (body.is_object() && text(body.get_object(), "outcome") == "issued");
  return good ? 0 : 1;
}

int revoke_certificate(Place const& place, std::string const& name, std::string const& reason) {
  net::HttpResponse answer;
  json::object const wish{{"reason", reason}};
  return call_once(place, Without::refuse, "POST", root + "/" + net::percent_encode(name) + "/revoke",
                   json::serialize(wish), answer);
}

int upload_certificate(Place const& place, UploadWords const& words, Output output) {
  constexpr std::size_t file_max = 512U << 10U;
  std::string const key_file = words.key_file == "-" ? "/dev/stdin" : words.key_file;
  auto const chain = process::read_file(words.chain_file, file_max);
  auto const key = process::read_file(key_file, file_max);
  for (auto const* const read : {&chain, &key}) {
    if (!*read) {
      std::fprintf(stderr, "%s\n", read->error().what().c_str());
    }
  }
  if (!chain || !key) {
    return 2;
  }
  net::HttpResponse answer;
  json::object const wish{{"chain_pem", *chain}, {"key_pem", *key}, {"fallback_to_acme", words.fallback}};
  if (int const failed =
          call_once(place, Without::refuse, "PUT", target_of(words.tenant, words.name), json::serialize(wish), answer);
      failed != 0) {
    return failed;
  }
  json::value const body = json_of(answer);
  if (output.json || !body.is_object()) {
    std::printf("%s", answer.body.c_str());
  } else {
    std::printf("%s: %s until %s\n", words.name.c_str(), text(body.get_object(), "fingerprint").c_str(),
                time(body.get_object(), "not_after_ms").c_str());
  }
  return 0;
}

int remove_certificate(Place const& place, std::string const& tenant, std::string const& name) {
  net::HttpResponse answer;
  return call_once(place, Without::refuse, "DELETE", target_of(tenant, name), {}, answer);
}

int show_keys(Place const& place, Output output) {
  net::HttpResponse answer;
  if (int const code = call_once(place, Without::refuse, "GET", "/v1/acme/keys", {}, answer); code != 0) {
    return code;
  }
  json::object const body = json::parse(answer.body).as_object();
  if (output.json) {
    std::printf("%s\n", answer.body.c_str());
    return 0;
  }
  std::printf("master key %s%s\n%s data keys, the oldest of %s\n", text(body, "master").c_str(),
              body.at("rotates_itself") == true ? "" : ", given as a credential",
              json::serialize(body.at("data_keys")).c_str(), time(body, "oldest_ms").c_str());
  std::printf("%s", damaged_of(body).c_str());
  return 0;
}

int rotate_keys(Place const& place, std::string const& what, std::string const& tenant, Output output) {
  net::HttpResponse answer;
  json::object const wish{{"what", what}, {"tenant", tenant}};
  int const code = call_once(place, Without::refuse, "POST", "/v1/acme/keys/rotate", json::serialize(wish), answer);
  if (code != 0) {
    return code;
  }
  if (output.json) {
    std::printf("%s\n", answer.body.c_str());
    return 0;
  }
  json::object const body = json::parse(answer.body).as_object();
  if (what == "master") {
    std::printf(
        "the master key is %s now; its predecessor lies beside it with the ending .former and its id, for backups from "
        "before\n%s",
        text(body, "master").c_str(), damaged_of(body).c_str());
  } else {
    std::printf("%s keys sealed anew by fresh data keys\n", json::serialize(body.at("sealed")).c_str());
  }
  return 0;
}

int list_accounts(Place const& place, Output output) {
  return print_list(place, output, Without::refuse, "/v1/acme/accounts", "accounts",
                    {{"directory", "AUTHORITY"},
                     {"state", "STATE"},
                     {"account", "ACCOUNT"},
                     {"action_required", "ACTION REQUIRED"},
                     {"last_error", "LAST ERROR"}});
}

int change_account(Place const& place, std::string const& word, std::string const& directory) {
  net::HttpResponse answer;
  json::object const wish{{"directory", directory}};
  return call_once(place, Without::refuse, "POST", "/v1/acme/accounts/" + word, json::serialize(wish), answer);
}

}  // namespace commands
