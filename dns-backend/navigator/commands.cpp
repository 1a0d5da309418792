#include "dns-backend/navigator/commands.hpp"

#include "acme/vault/schema.hpp"
#include "base/net/task.hpp"
#include "base/process/service.hpp"
#include "dns-backend/dns/rrset.hpp"
#include "dns-backend/navigator/client.hpp"
#include "dns-backend/navigator/table.hpp"
#include "dns-backend/store/store.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include <cstdio>
#include <optional>

namespace navigator {

namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds deadline{60000};

int say(std::string const& sentence, int exit_code) {
  std::fprintf(stderr, "navigator: %s\n", sentence.c_str());
  return exit_code;
}

// The daemon's refusal as people want it: the detail alone; wrong input is exit code 2.
int say_refusal(ApiAnswer const& answer) {
  boost::system::error_code bad;
  json::value const value = json::parse(answer.body, bad);
  std::string detail = "status " + std::to_string(answer.status);
  if (!bad && value.is_object()) {
    auto const* const text = value.get_object().if_contains("detail");
    detail = text != nullptr && text->is_string() ? std::string(text->get_string()) : detail;
  }
  while (!detail.empty() && detail.back() == '\n') {
    detail.pop_back();
  }
  return say(detail, answer.status == 422 || answer.status == 400 ? 2 : 1);
}

bool no_daemon(base::Failure const& failure) {
  return failure.code == net::errc::refused || failure.code == net::errc::unresolved ||
         failure.code == boost::system::errc::no_such_file_or_directory;
}

int say_failure(Settings const& settings, base::Failure const& failure) {
  if (no_daemon(failure)) {
    return say("no daemon answers on " + settings.api_unix + "; start it with 'navigator serve'", 1);
  }
  return say(failure.what(), 1);
}


// GETs `path` and prints member `list` as a table, or the JSON itself.
int print_list(Settings const& settings, Output output, std::string const& path, char const* list,
               std::vector<std::pair<std::string, std::string>> const& columns) {
  auto const answer = call_api(settings.api_unix, "GET", path, "", deadline);
  if (!answer) {
    return say_failure(settings, answer.error());
  }
  if (answer->status != 200) {
    return say_refusal(*answer);
  }
  if (output.json) {
    std::printf("%s\n", answer->body.c_str());
    return 0;
  }
  boost::system::error_code bad;
  json::value const value = json::parse(answer->body, bad);
  auto const* const rows = bad || !value.is_object() ? nullptr : value.get_object().if_contains(list);
  if (rows == nullptr || !rows->is_array()) {
    return say("the daemon's answer to " + path + " cannot be read", 1);
  }
  std::fputs(table(rows->get_array(), columns).c_str(), stdout);
  return 0;
}

using Work = std::function<net::Task<int>(store::Store&)>;

net::Task<void> run_into(std::shared_ptr<int> exit_code, Work work, store::Store& store) {
  *exit_code = co_await work(store);
}

// Opens the store in this process: for zones while no daemon runs. The store's lock keeps a daemon out meanwhile.
int with_store(Settings const& settings, Work const& work) {
  net::asio::io_context loop(1);
  pool::HealthTable health;
  auto store = store::Store::open(settings.store_url, {vault::schema()}, health, loop.get_executor());
  if (!store) {
    return say(store.error().what(), 1);
  }
  auto exit_code = std::make_shared<int>(1);
  net::spawn(loop.get_executor(), "command", run_into(exit_code, work, **store));
  loop.run();
  return *exit_code;
}

net::Task<int> import_into(store::Store& store, dns::Name apex, std::vector<dns::OwnedRRset> rrsets) {
  auto const imported = co_await store.import_zone(std::move(apex), std::move(rrsets));
  if (!imported) {
    co_return say(imported.error().what(), imported.error().code == store::errc::refused ? 2 : 1);
  }
  co_return 0;
}

net::Task<int> export_from(store::Store& store, dns::Name apex) {
  auto const zone = store.published().copy()->zone(apex);
  if (zone == nullptr) {
    co_return say("there is no zone " + apex.text(), 1);
  }
  std::vector<dns::OwnedRRset> rrsets;
  auto const collect = [&rrsets](std::string const&, store::EntryPtr const& entry) {
    for (auto const& rrset : entry->rrsets) {
      rrsets.push_back({entry->name, rrset});
    }
  };
  zone->entries.for_each(collect);
  std::fputs(dns::to_zone_file(apex, rrsets).c_str(), stdout);
  co_return 0;
}

net::Task<int> delete_from(store::Store& store, dns::Name apex) {
  auto const deleted = co_await store.delete_zone(std::move(apex));
  if (!deleted) {
    co_return say(deleted.error().what(), 1);
  }
  co_return 0;
}

net::Task<int> list_of(store::Store& store, Output output) {
  json::array rows;
  for (auto const& zone : store.zones()) {
    rows.push_back(json::object{{"name", zone.apex.text()},
                                {"serial", zone.serial},
                                {"kind", zone.kind},
                                {"names", zone.names},
                                {"secured", zone.secured}});
  }
  if (output.json) {
    std::printf("%s\n", json::serialize(json::object{{"zones", rows}}).c_str());
  } else {
    std::fputs(table(rows, {{"name", "ZONE"}, {"kind", "KIND"}, {"serial", "SERIAL"}, {"names", "NAMES"}, {"secured", "DNSSEC"}})
                   .c_str(),
               stdout);
  }
  co_return 0;
}

// The daemon's way when one runs, the store's way when none does.
int by_daemon_or_store(Settings const& settings, std::string const& method, std::string const& path, std::string const& body,
                       bool print_body, Work const& work) {
  auto const answer = call_api(settings.api_unix, method, path, body, deadline);
  if (!answer) {
    return no_daemon(answer.error()) ? with_store(settings, work) : say_failure(settings, answer.error());
  }
  if (answer->status / 100 != 2) {
    return say_refusal(*answer);
  }
  if (print_body) {
    std::fputs(answer->body.c_str(), stdout);
  }
  return 0;
}

std::optional<dns::Name> apex_of(std::string const& zone) {
  auto const apex = dns::Name::parse(zone);
  if (!apex) {
    say(apex.error().what(), 2);
    return std::nullopt;
  }
  return *apex;
}

}  // namespace

int zone_import(Settings const& settings, std::string const& zone, std::string const& file) {
  auto const apex = apex_of(zone);
  if (!apex) {
    return 2;
  }
  auto const text = process::read_file(file, 256U << 20U);
  if (!text) {
    return say(text.error().what(), 1);
  }
  // Read here first, so that problems name the file and nothing is sent that cannot be imported.
  auto const parsed = dns::parse_zone_file(*text, file, *apex);
  if (!parsed) {
    std::fputs(base::text(parsed.error()).c_str(), stderr);
    return 2;
  }
  Work const work = [apex = *apex, rrsets = *parsed](store::Store& store) { return import_into(store, apex, rrsets); };
  return by_daemon_or_store(settings, "PUT", "/v1/zones/" + path_segment(apex->text()) + "/import", *text, false, work);
}

int zone_export(Settings const& settings, std::string const& zone) {
  auto const apex = apex_of(zone);
  if (!apex) {
    return 2;
  }
  Work const work = [apex = *apex](store::Store& store) { return export_from(store, apex); };
  return by_daemon_or_store(settings, "GET", "/v1/zones/" + path_segment(apex->text()) + "/export", "", true, work);
}

int zone_delete(Settings const& settings, std::string const& zone) {
  auto const apex = apex_of(zone);
  if (!apex) {
    return 2;
  }
  Work const work = [apex = *apex](store::Store& store) { return delete_from(store, apex); };
  return by_daemon_or_store(settings, "DELETE", "/v1/zones/" + path_segment(apex->text()), "", false, work);
}

int zone_list(Settings const& settings, Output output) {
  auto const answer = call_api(settings.api_unix, "GET", "/healthz", "", deadline);
  if (!answer && no_daemon(answer.error())) {
    Work const work = [output](store::Store& store) { return list_of(store, output); };
    return with_store(settings, work);
  }
  return print_list(settings, output, "/v1/zones", "zones",
                    {{"name", "ZONE"}, {"kind", "KIND"}, {"serial", "SERIAL"}, {"names", "NAMES"}, {"secured", "DNSSEC"}});
}

int tenant_create(Settings const& settings, TenantRequest const& tenant, Output output) {
  json::array backups;
  for (auto const& backup : tenant.backups) {
    backups.push_back(json::value(backup));
  }
  json::object body{{"label", tenant.label}, {"plan", tenant.plan}, {"primary", tenant.primary}, {"backups", backups}};
  if (!tenant.zone.empty()) {
    body["zone"] = tenant.zone;
  }
  auto const answer = call_api(settings.api_unix, "POST", "/v1/tenants", json::serialize(body), deadline);
  if (!answer) {
    return say_failure(settings, answer.error());
  }
  if (answer->status / 100 != 2) {
    return say_refusal(*answer);
  }
  if (output.json) {
    std::printf("%s\n", answer->body.c_str());
    return 0;
  }
  boost::system::error_code bad;
  json::value const value = json::parse(answer->body, bad);
  auto const* const name = bad || !value.is_object() ? nullptr : value.get_object().if_contains("name");
  std::printf("%s\n", name != nullptr && name->is_string() ? name->get_string().c_str() : tenant.label.c_str());
  return 0;
}

int tenant_list(Settings const& settings, Output output) {
  return print_list(
      settings, output, "/v1/tenants", "tenants",
      {{"label", "TENANT"}, {"zone", "ZONE"}, {"plan", "PLAN"}, {"primary", "PRIMARY"}, {"backups", "BACKUPS"}, {"state", "STATE"}});
}

int tenant_delete(Settings const& settings, std::string const& label) {
  auto const answer = call_api(settings.api_unix, "DELETE", "/v1/tenants/" + path_segment(label), "", deadline);
  if (!answer) {
    return say_failure(settings, answer.error());
  }
  return answer->status / 100 == 2 ? 0 : say_refusal(*answer);
}

int show_status(Settings const& settings, Output output) {
  auto const answer = call_api(settings.api_unix, "GET", "/v1/status", "", deadline);
  if (!answer) {
    return say_failure(settings, answer.error());
  }
  if (answer->status != 200) {
    return say_refusal(*answer);
  }
  boost::system::error_code bad;
  json::value const value = json::parse(answer->body, bad);
  if (output.json || bad || !value.is_object()) {
    std::printf("%s\n", answer->body.c_str());
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

int show_health(Settings const& settings, Output output) {
  return print_list(settings, output, "/v1/health", "endpoints",
                    {{"endpoint", "ENDPOINT"}, {"health", "HEALTH"}, {"reason", "LAST CHECK"}, {"elapsed_us", "MICROSECONDS"}});
}

int show_pools(Settings const& settings, Output output) {
  return print_list(settings, output, "/v1/pools", "pools",
                    {{"name", "POOL"}, {"site", "SITE"}, {"minimum_origins", "MINIMUM"}, {"endpoints", "ENDPOINTS"}});
}

int show_certificates(Settings const& settings, Output output) {
  return print_list(settings, output, "/v1/certificates", "certificates",
                    {{"id", "BUNDLE"}, {"names", "NAMES"}, {"fingerprint", "FINGERPRINT"}, {"not_after_ms", "UNTIL (MS)"}});
}

}  // namespace navigator
