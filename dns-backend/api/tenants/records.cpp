// Records of a tenant's own.
#include "dns-backend/api/tenants/routes.hpp"

#include "dns-backend/tenants/records.hpp"

#include <algorithm>

namespace api {
namespace {

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;
using Records = std::vector<dns::OwnedRRset>;

constexpr std::int64_t ttl_max = 2147483647;  // RFC 2181 8
constexpr std::size_t contents_max = 64;

json::object json_of(dns::OwnedRRset const& one) {
  return {{"name", one.owner.text()},
          {"type", dns::to_text(one.rrset.type)},
          {"ttl", one.rrset.ttl},
          {"contents", json::value_from(one.rrset.contents)}};
}

dns::Name name_of(store::Tenant const& tenant) {
  return store::tenant_name(tenant.label, tenant.zone).value();
}

// "@" and relative names are below the tenant's own; why it cannot be in `problem`.
std::optional<dns::Name> read_owner(store::Tenant const& tenant, std::string const& text, std::string& problem) {
  dns::Name const top = name_of(tenant);
  if (text.find('\\') != std::string::npos) {
    problem = "escapes are not for names of tenants";
    return std::nullopt;
  }
  if (text == "@") {
    return top;
  }
  auto absolute = dns::Name::parse(text);
  bool const within = absolute && absolute->is_within(top);
  if (!within && !text.ends_with('.')) {
    absolute = dns::Name::parse(text, top);
  }
  if (!absolute) {
    problem = absolute.error().detail;
    return std::nullopt;
  }
  if (!absolute->is_within(top)) {
    problem = "it is not within '" + top.text() + "'";
    return std::nullopt;
  }
  std::string const& name = absolute->text();
  if (std::size_t const star = name.find('*'); star != std::string::npos && !(star == 0 && name.starts_with("*."))) {
    problem = "'*' stands alone and in front";
    return std::nullopt;
  }
  return *absolute;
}

// Name and type of the request's path, or the answer that they are wrong.
std::optional<net::HttpResponse> read_key(Caller const& caller, net::HttpRequest const& request, std::string action,
                                          dns::OwnedRRset& out) {
  std::string problem;
  std::string const& text = request.parameters.at("name");
  auto const owner = read_owner(caller.tenant, text, problem);
  if (!owner) {
    return wrong("name", "'" + text.substr(0, 300) + "': " + problem,
                 "relative to the tenant's name, for instance mail");
  }
  auto const type = dns::parse_type(request.parameters.at("type"));
  if (!type || !tenants::is_tenant_type(*type)) {
    return wrong("type", "tenants have no '" + request.parameters.at("type").substr(0, 20) + "' records",
                 "A, AAAA, CAA, CNAME, HTTPS, MX, SRV, SSHFP, SVCB, TLSA or TXT");
  }
  out.owner = *owner;
  out.rrset.type = *type;
  return outside_scope(caller, {std::move(action), caller.tenant.zone, owner->text(), dns::to_text(*type)});
}

net::Task<base::Result<Records>> read_records(TenantDependencies const& own, store::Tenant tenant) {
  auto const snapshot = own.api.store.published().copy();
  auto const zone = snapshot->zone(dns::Name::parse(tenant.zone).value());
  if (zone == nullptr) {
    co_return base::fail(store::errc::not_found, "the tenant's zone is gone");
  }
  dns::Name const top = name_of(tenant);
  std::vector<dns::Name> owners;
  zone->entries.for_each_from(top.key(), [&](store::EntryPtr const& entry) {
    dns::Name const owner = entry->name();
    if (!owner.is_within(top)) {
      return false;
    }
    owners.push_back(owner);
    return true;
  });
  std::function<base::Result<Records>(database::Database&)> const look =
      [owners, id = zone->id](database::Database& database) -> base::Result<Records> {
    Records records;
    for (dns::Name const& owner : owners) {
      auto rrsets = store::read_rrsets(database, id, owner);
      if (!rrsets) {
        return rrsets.error();
      }
      for (dns::RRset& rrset : *rrsets) {
        records.push_back({owner, std::move(rrset)});
      }
    }
    return records;
  };
  co_return co_await own.api.store.thread().run<Records>(look);
}

Answer list_records(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  auto const page = read_page(request, 100);
  if (!page) {
    co_return refusal(page.error());
  }
  auto const records = co_await read_records(own, caller.tenant);
  if (!records) {
    co_return refusal(records.error());
  }
  std::vector<std::pair<std::string, json::value>> items;
  for (dns::OwnedRRset const& one : *records) {
    tokens::Deed const deed{"read", caller.tenant.zone, one.owner.text(), dns::to_text(one.rrset.type)};
    if (!outside_scope(caller, deed)) {
      items.emplace_back(one.owner.text() + " " + dns::to_text(one.rrset.type), json_of(one));
    }
  }
  std::ranges::sort(items, {}, [](auto const& item) -> std::string const& { return item.first; });
  co_return tagged(200, page_of("records", std::move(items), *page), caller.tenant.changed_at);
}

Answer get_record(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  dns::OwnedRRset key;
  if (auto const answer = read_key(caller, request, "read", key)) {
    co_return *answer;
  }
  auto const records = co_await read_records(own, caller.tenant);
  if (!records) {
    co_return refusal(records.error());
  }
  for (dns::OwnedRRset const& one : *records) {
    if (one.owner == key.owner && one.rrset.type == key.rrset.type) {
      co_return tagged(200, json_of(one), caller.tenant.changed_at);
    }
  }
  co_return refusal(base::fail(store::errc::not_found, "there is no such record"));
}

net::Task<net::HttpResponse> write_records(TenantDependencies const& own, net::HttpRequest const& request,
                                           Caller const& caller, dns::OwnedRRset wanted) {
  auto const when = circumstances(own, request);
  if (!when) {
    co_return refusal(when.error());
  }
  store::Body body = [label = caller.tenant.label, list = Records{wanted}, when = *when, policy = own.policy](
                         store::Write const& write) { return tenants::set_records(write, policy, label, list, when); };
  auto const done = co_await own.api.store.write(std::move(body));
  if (!done) {
    co_return refusal(done.error(), About{"name", "another name or type, or first delete what is in the way"});
  }
  auto const after = co_await tenant_by_label(own, caller.tenant.label);
  if (!after) {
    co_return refusal(after.error());
  }
  co_return wanted.rrset.contents.empty() ? reply_nothing() : tagged(200, json_of(wanted), after->changed_at);
}

Answer put_record(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  dns::OwnedRRset wanted;
  if (auto const answer = read_key(caller, request, "records", wanted)) {
    co_return *answer;
  }
  Body reader(request.body);
  if (reader.broken()) {
    co_return refusal(reader.problems());
  }
  wanted.rrset.ttl = static_cast<std::uint32_t>(reader.integer("ttl", 0, ttl_max, 300));
  std::vector<std::string> const given = reader.texts("contents", true);
  if (given.size() > contents_max || (given.empty() && reader.problems().empty())) {
    reader.fail("contents", "must hold 1 to 64 texts", "DELETE takes the record away");
  }
  for (std::size_t i = 0; i < given.size() && i < contents_max; ++i) {
    auto content = dns::normalize_content(wanted.rrset.type, given[i]);
    if (content) {
      wanted.rrset.contents.push_back(std::move(*content));
    } else {
      reader.fail("contents[" + std::to_string(i) + "]", content.error().what(),
                  "as in a master file, for instance \"10 mx.example.org.\"");
    }
  }
  reader.finish();
  if (!reader.problems().empty()) {
    co_return refusal(reader.problems());
  }
  std::ranges::sort(wanted.rrset.contents);
  auto const twice = std::ranges::unique(wanted.rrset.contents);
  wanted.rrset.contents.erase(twice.begin(), twice.end());
  co_return co_await write_records(own, request, caller, std::move(wanted));
}

Answer delete_record(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  dns::OwnedRRset wanted;
  if (auto const answer = read_key(caller, request, "records", wanted)) {
    co_return *answer;
  }
  auto const records = co_await read_records(own, caller.tenant);
  if (!records) {
    co_return refusal(records.error());
  }
  bool const there = std::ranges::any_of(*records, [&wanted](dns::OwnedRRset const& one) {
    return one.owner == wanted.owner && one.rrset.type == wanted.rrset.type;
  });
  if (!there) {
    co_return refusal(base::fail(store::errc::not_found, "there is no such record"));
  }
  co_return co_await write_records(own, request, caller, std::move(wanted));
}

}  // namespace

void add_record_routes(net::Router& router, TenantDependencies const& own) {
  std::string const all = "/v1/tenants/{label}/records";
  std::string const one = all + "/{name}/{type}";
  router.add("GET", all, of_tenant(own, "read", Where::anywhere, list_records));
  router.add("GET", one, of_tenant(own, "read", Where::anywhere, get_record));
  router.add("PUT", one, of_tenant(own, "records", Where::primary, put_record));
  router.add("DELETE", one, of_tenant(own, "records", Where::primary, delete_record));
}

}  // namespace api
