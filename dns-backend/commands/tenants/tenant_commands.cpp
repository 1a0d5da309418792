#include "dns-backend/commands/tenants/tenant_commands.hpp"

#include "dns-backend/commands/connection.hpp"
#include "dns-backend/commands/tenants/calls.hpp"

#include <boost/json.hpp>

#include <cstdio>

namespace commands {

namespace json = boost::json;

namespace {

// What a customer must put into its own zone, as a master file has it.
int print_domain(Place const& place, std::string const& method, std::string const& target, json::object const& body,
                 Output output) {
  net::HttpResponse answer;
  if (int const failed = call_once(place, Without::refuse, method, target, json::serialize(body), answer);
      failed != 0) {
    return failed;
  }
  json::value const value = json_of(answer);
  if (output.json || !value.is_object()) {
    std::printf("%s\n", answer.body.c_str());
    return 0;
  }
  auto const word = [](json::object const& object, char const* key) {
    auto const* const found = object.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  json::object const& domain = value.get_object();
  std::string const reason = word(domain, "reason");
  std::printf("%s: %s%s%s\n", word(domain, "name").c_str(), word(domain, "state").c_str(), reason.empty() ? "" : ", ",
              reason.c_str());
  auto const* const records = domain.if_contains("records_to_set");
  if (word(domain, "state") == "verified" || records == nullptr || !records->is_array()) {
    return 0;
  }
  for (json::value const& one : records->get_array()) {
    json::object const& record = one.as_object();
    std::string const type = word(record, "type");
    std::string const quote = type == "TXT" ? "\"" : "";
    std::printf("  %s %s %s%s%s  ; %s\n", word(record, "name").c_str(), type.c_str(), quote.c_str(),
                word(record, "content").c_str(), quote.c_str(), word(record, "why").c_str());
  }
  return 0;
}

}  // namespace

int tenant_create(Place const& place, TenantRequest const& tenant, Output output) {
  json::object body{{"label", tenant.label},
                    {"plan", tenant.plan},
                    {"primary", tenant.primary},
                    {"backups", json::value_from(tenant.backups)}};
  if (!tenant.zone.empty()) {
    body["zone"] = tenant.zone;
  }
  return call_and_print(place, "POST", "/v1/tenants", body, output, "name");
}

int tenant_list(Place const& place, Output output) {
  return print_pages(place, output, "/v1/tenants?limit=1000", "tenants",
                     {{"label", "TENANT"},
                      {"zone", "ZONE"},
                      {"plan", "PLAN"},
                      {"primary", "PRIMARY"},
                      {"backups", "BACKUPS"},
                      {"state", "STATE"}});
}

int tenant_status(Place const& place, std::string const& label, Output output) {
  net::HttpResponse answer;
  std::string const target = tenant_path(label) + "/status";
  if (int const failed = call_once(place, Without::refuse, "GET", target, {}, answer); failed != 0) {
    return failed;
  }
  json::value const value = json_of(answer);
  if (output.json || !value.is_object()) {
    std::printf("%s\n", answer.body.c_str());
    return 0;
  }
  for (auto const& [key, member] : value.get_object()) {
    std::string const text = member.is_string() ? std::string(member.get_string()) : json::serialize(member);
    std::printf("%s: %s\n", std::string(key).c_str(), text.c_str());
  }
  return 0;
}

int tenant_clusters(Place const& place, std::string const& label, Output output) {
  return print_list(place, output, Without::refuse, tenant_path(label) + "/clusters", "clusters",
                    {{"name", "CLUSTER"}, {"role", "ROLE"}, {"site", "SITE"}, {"endpoints", "ENDPOINTS"}});
}

int tenant_change(Place const& place, TenantRequest const& tenant, Output output) {
  json::object body;
  auto const put = [&body](char const* key, std::string const& value) {
    if (!value.empty()) {
      body[key] = value;
    }
  };
  put("label", tenant.new_label);
  put("state", tenant.state);
  put("plan", tenant.plan);
  put("primary", tenant.primary);
  if (!tenant.primary.empty()) {
    body["backups"] = json::value_from(tenant.backups);
  }
  if (tenant.overlap_s >= 0) {
    body["overlap_ms"] = tenant.overlap_s * 1000;
  }
  return call_and_print(place, "PATCH", tenant_path(tenant.label), body, output, "name");
}

int tenant_delete(Place const& place, std::string const& label) {
  return remove(place, tenant_path(label));
}

namespace {

std::string pool_path(PoolRequest const& pool) {
  return tenant_path(pool.tenant) + "/pools/" + net::percent_encode(pool.name);
}

}  // namespace

int pool_list(Place const& place, std::string const& tenant, Output output) {
  return print_pages(
      place, output, tenant_path(tenant) + "/pools?limit=1000", "pools",
      {{"name", "POOL"}, {"names", "ANSWERS AT"}, {"minimum_origins", "MINIMUM"}, {"origins", "ORIGINS"}});
}

int pool_put(Place const& place, PoolRequest const& pool, Output output) {
  json::array origins;
  for (std::string const& address : pool.origins) {
    origins.push_back(json::object{{"address", address}});
  }
  json::object monitor{{"type", pool.type}, {"port", pool.port}};
  if (pool.type != "tcp") {
    monitor["path"] = pool.path;
  }
  json::object const body{
      {"origins", std::move(origins)}, {"names", json::value_from(pool.names)}, {"monitor", std::move(monitor)}};
  return call_and_print(place, "PUT", pool_path(pool), body, output, "name");
}

int pool_delete(Place const& place, PoolRequest const& pool) {
  return remove(place, pool_path(pool));
}

int registration_list(Place const& place, std::string const& tenant, Output output) {
  return print_pages(
      place, output, tenant_path(tenant) + "/registrations?limit=1000", "registrations",
      {{"subdomain", "SUBDOMAIN"}, {"username", "USERNAME"}, {"values", "VALUES"}, {"allowfrom", "FROM"}});
}

int registration_delete(Place const& place, std::string const& tenant, std::string const& subdomain) {
  return remove(place, tenant_path(tenant) + "/registrations/" + net::percent_encode(subdomain));
}

int record_list(Place const& place, std::string const& tenant, Output output) {
  return print_pages(place, output, tenant_path(tenant) + "/records?limit=1000", "records",
                     {{"name", "NAME"}, {"ttl", "TTL"}, {"type", "TYPE"}, {"contents", "CONTENTS"}});
}

namespace {

std::string record_path(RecordRequest const& record) {
  return tenant_path(record.tenant) + "/records/" + net::percent_encode(record.name) + "/" +
         net::percent_encode(record.type);
}

}  // namespace

int record_set(Place const& place, RecordRequest const& record, Output output) {
  json::object const body{{"ttl", record.ttl}, {"contents", json::value_from(record.contents)}};
  return call_and_print(place, "PUT", record_path(record), body, output, "name");
}

int record_delete(Place const& place, RecordRequest const& record) {
  return remove(place, record_path(record));
}

int domain_list(Place const& place, std::string const& tenant, Output output) {
  return print_pages(place, output, tenant_path(tenant) + "/domains?limit=1000", "domains",
                     {{"name", "DOMAIN"}, {"state", "STATE"}, {"reason", "REASON"}});
}

int domain_claim(Place const& place, std::string const& tenant, std::string const& name, Output output) {
  return print_domain(place, "POST", tenant_path(tenant) + "/domains", {{"name", name}}, output);
}

int domain_verify(Place const& place, std::string const& tenant, std::string const& name, Output output) {
  std::string const target = tenant_path(tenant) + "/domains/" + net::percent_encode(name) + "/verify";
  return print_domain(place, "POST", target, {}, output);
}

int domain_remove(Place const& place, std::string const& tenant, std::string const& name) {
  return remove(place, tenant_path(tenant) + "/domains/" + net::percent_encode(name));
}

int token_create(Place const& place, TokenRequest const& token, Output output) {
  json::object body{{"note", token.note}, {"expires_in_s", token.expires_in_s}};
  if (token.tenant.empty()) {
    body["admin"] = true;
  }
  body["actions"] = json::value_from(token.actions);
  body["zones"] = json::value_from(token.zones);
  body["names"] = json::value_from(token.names);
  body["types"] = json::value_from(token.types);
  std::string const target = token.tenant.empty() ? "/v1/tokens" : tenant_path(token.tenant) + "/tokens";
  return call_and_print(place, "POST", target, body, output, "token");
}

int token_list(Place const& place, std::string const& tenant, Output output) {
  std::string const target = tenant.empty() ? "/v1/tokens" : tenant_path(tenant) + "/tokens";
  return print_pages(place, output, target + "?limit=1000", "tokens",
                     {{"id", "ID"},
                      {"tenant_id", "TENANT"},
                      {"admin", "ADMIN"},
                      {"actions", "ACTIONS"},
                      {"names", "NAMES"},
                      {"types", "TYPES"},
                      {"expires_at_ms", "UNTIL (MS)"},
                      {"revoked_at_ms", "REVOKED (MS)"},
                      {"note", "NOTE"}});
}

int token_revoke(Place const& place, std::string const& tenant, std::string const& id) {
  return remove(place, (tenant.empty() ? "/v1" : tenant_path(tenant)) + "/tokens/" + net::percent_encode(id));
}

int show_audit(Place const& place, std::string const& tenant, std::int64_t limit, Output output) {
  std::string const target = tenant.empty() ? "/v1/audit" : tenant_path(tenant) + "/audit";
  return print_list(place, output, Without::refuse, target + "?limit=" + std::to_string(limit), "entries",
                    {{"at_ms", "WHEN (MS)"},
                     {"actor", "WHO"},
                     {"source", "FROM"},
                     {"method", "METHOD"},
                     {"target", "WHAT"},
                     {"status", "STATUS"},
                     {"detail", "WHY NOT"}});
}

}  // namespace commands
