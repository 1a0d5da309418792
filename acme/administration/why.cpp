#include "acme/administration/why.hpp"

#include "acme/distribution/facts.hpp"
#include "base/probe/probe.hpp"
#include "dns-backend/domains/domains.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace acme {
namespace {

namespace json = boost::json;

constexpr std::size_t links_max = 8;
constexpr std::chrono::milliseconds site_timeout{1000};

std::vector<std::string> contents_of(store::Snapshot const& snapshot, std::string const& name, dns::RRType type) {
  auto const parsed = dns::Name::parse(name);
  auto const zone = parsed ? snapshot.enclosing(*parsed) : nullptr;
  auto const entry = zone == nullptr ? nullptr : zone->find(*parsed);
  for (std::size_t i = 0; entry != nullptr && i < entry->rrsets.size(); ++i) {
    if (entry->rrsets[i].type == type) {
      return entry->rrsets[i].contents;
    }
  }
  return {};
}

std::string parent_of(std::string const& name) {
  auto const dot = name.find('.');
  return dot == std::string::npos ? std::string() : name.substr(dot + 1);
}

// --- looks ---

net::Task<ChainSight> look_at_chain(Administration const& of, SubjectStatus const& status) {
  ChainSight own{cname_chain(*of.store.published().copy(), status.challenge_at), {}, {}};
  std::string const& last = own.names.back();
  if (std::ranges::count(own.names, last) > 1) {
    own.trouble = "cname_loop";
    own.reason = "the CNAMEs at '" + own.names.front() + "' lead back to '" + last + "'";
  }
  if (status.challenge_name.empty() || !of.trace) {
    co_return own;
  }
  auto task = of.trace(status.tenant_id, status.challenge_at);
  auto seen = co_await std::move(task);
  if (!seen) {
    co_return ChainSight{{status.challenge_at}, "lookup_failed", seen.error().what()};
  }
  co_return std::move(*seen);
}

net::Task<void> look_at_caa(Administration const& of, Seen& seen) {
  auto const snapshot = of.store.published().copy();
  std::string const& name = seen.status.name;
  for (std::string at = name; !at.empty() && seen.caa.empty(); at = parent_of(at)) {
    if (auto records = caa_contents(*snapshot, at); !records.empty()) {
      seen.caa[at] = std::move(records);  // the closest one governs (RFC 8659)
    }
  }
  bool const domain = seen.status.kind == "domain";
  std::string from = domain ? name : first_elsewhere(*snapshot, name);
  if (!of.caa_look || from.empty()) {
    co_return;
  }
  auto task = of.caa_look(domain ? seen.status.tenant_id : 0, std::move(from));
  auto found = co_await std::move(task);
  if (!found) {
    seen.caa_failure = found.error().detail;
    co_return;
  }
  bool const ours = seen.caa.contains(name);
  for (auto& [at, records] : *found) {
    // What is further up than ours says nothing.
    if (seen.caa.empty() || (!ours && at.size() > seen.caa.begin()->first.size())) {
      seen.caa = {{at, std::move(records)}};
    }
  }
}

probe::Check check_of(Site const& site, std::string const& name, bool tcp) {
  probe::Check check;
  check.type = probe::Type::dns;
  check.address = site.address;
  check.port = site.port;
  check.timeout = site_timeout;
  check.qname = name.ends_with('.') ? name : name + ".";
  check.tcp = tcp;
  return check;
}

// By its own address over both transports: first whether it answers for the zone, then for each value. It is not asked
// for a name without values: a question that comes too early puts "no such name" into its caches.
net::Task<SiteSight> look_at_site(Administration const& of, Site site, std::string name,
                                  std::vector<std::string> values) {
  SiteSight sight;
  sight.site = site.name;
  sight.in_service = site.in_service;
  sight.behind = std::max<std::int64_t>(of.store.revision() - site.acknowledged, 0);
  auto const parsed = dns::Name::parse(name);
  auto const zone = parsed ? of.store.published().copy()->enclosing(*parsed) : nullptr;
  for (bool const tcp : {false, true}) {
    auto check = check_of(site, zone == nullptr ? name : zone->apex.text(), tcp);
    auto const answer = co_await probe::run(check);
    std::string& said = tcp ? sight.tcp : sight.udp;
    said = answer.success ? "" : answer.reason;
    for (std::size_t i = 0; answer.success && i < values.size(); ++i) {
      check.qname = name + ".";
      check.qtype = "TXT";
      check.expected_content = values[i];
      auto const verdict = co_await probe::run(check);
      if (!verdict.success) {
        sight.lacking.emplace_back(values[i], std::string(tcp ? "over TCP " : "over UDP ") + verdict.reason);
      }
    }
  }
  co_return sight;
}

net::Task<void> look_at_edges(Administration const& of, std::int64_t subject_id, Seen& seen) {
  if (of.vault == nullptr || seen.status.fingerprint.empty()) {
    co_return;
  }
  auto const bundle = co_await of.vault->unsealed_bundle(subject_id);
  if (!bundle && bundle.error().code == keyring::errc::sealed) {
    seen.key_problem = bundle.error().what();
  }
  std::set<std::int64_t> tenants{seen.status.tenant_id};
  auto const states = co_await read_tenants(of.store, *of.vault, std::move(tenants));
  auto const pools = co_await read_pools(of.store);
  if (!states || !pools || states->tenants.empty()) {
    co_return;
  }
  TenantState const& state = states->tenants.front();
  std::set<std::string> edges;
  for (std::string const& pool : state.facts.pools) {
    if (auto const found = pools->find(pool); found != pools->end()) {
      edges.insert(found->second.begin(), found->second.end());
    }
  }
  for (vault::Acknowledgment const& one : state.acknowledgments) {
    if (one.subject_id == subject_id && one.fingerprint == seen.status.fingerprint) {
      edges.erase(one.edge);
    }
  }
  seen.edges_without.assign(edges.begin(), edges.end());
}

// --- what was seen, as JSON ---

std::string said(std::string const& problem, bool tcp, SiteSight const& site) {
  if (!problem.empty()) {
    return problem;
  }
  std::string const how = tcp ? "over TCP " : "over UDP ";
  for (auto const& [value, says] : site.lacking) {
    if (says.starts_with(how)) {
      return value + ": " + says.substr(how.size());
    }
  }
  return "answers";
}

json::array json_of(std::vector<Fault> const& faults) {
  json::array out;
  for (Fault const& one : faults) {
    out.push_back(json::object{{"code", one.code}, {"what", one.what}, {"fix", one.fix}});
  }
  return out;
}

json::object json_of(Seen const& seen, std::vector<std::string> const& values, std::vector<Fault> const& faults) {
  json::object body = json_of(seen.status);
  body["faults"] = json_of(faults);
  json::array hindrances, attempts, caa, sites;
  for (auto const& [authority, one] : seen.hindrances) {
    hindrances.push_back(
        json::object{{"authority", authority}, {"what", one.what}, {"until_ms", crypto::to_ms(one.until)}});
  }
  for (vault::Event const& event : seen.events) {
    attempts.push_back(json::object{{"at_ms", crypto::to_ms(event.at)},
                                    {"authority", event.directory_url},
                                    {"outcome", event.outcome},
                                    {"detail", event.detail}});
  }
  for (auto const& [at, records] : seen.caa) {
    caa.push_back(json::object{{"name", at}, {"records", json::value_from(records)}});
  }
  for (SiteSight const& site : seen.sites) {
    sites.push_back(json::object{{"site", site.site},
                                 {"in_service", site.in_service},
                                 {"behind", site.behind},
                                 {"udp", said(site.udp, false, site)},
                                 {"tcp", said(site.tcp, true, site)}});
  }
  body["hindrances"] = std::move(hindrances);
  body["attempts"] = std::move(attempts);
  body["challenge"] = json::value_from(seen.chain.names);
  body["delegated_to"] = seen.status.challenge_name;
  body["values"] = json::value_from(values);
  body["caa"] = std::move(caa);
  body["sites"] = std::move(sites);
  return body;
}

std::string without_dot(std::string text) {
  if (text.ends_with('.')) {
    text.pop_back();
  }
  return text;
}

// A tenant or a domain that wants no certificate now. An administrator's question is rare enough for a walk.
net::Task<base::Result<json::object>> why_none(Administration const& of, std::string asked) {
  std::string name = without_dot(std::move(asked));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  using Found = std::optional<Seen>;
  auto const fault = std::make_shared<Fault>();
  std::function<base::Result<Found>(store::Model const&, database::Database&)> const look =
      [name, fault](store::Model const& model, database::Database& database) -> base::Result<Found> {
    Seen seen;
    seen.status.name = name;
    seen.status.state = "unwanted";
    for (auto const& [id, tenant] : model.tenants()) {
      if (tenant.state == "suspended" &&
          (tenant.label == name || tenant.label + "." + without_dot(tenant.zone) == name)) {
        seen.status.tenant = tenant.label;
        seen.status.kind = "own";
        *fault = suspended(tenant.label);
        return Found(seen);
      }
    }
    for (auto const& [id, domain] : model.domains()) {
      auto const tenant = model.tenants().find(domain.tenant_id);
      if (without_dot(domain.name) != name || tenant == model.tenants().end()) {
        continue;
      }
      auto const all = domains::list(model, database, domain.tenant_id);
      std::string reason;
      for (domains::Seen const& one : all ? *all : std::vector<domains::Seen>()) {
        reason = one.domain.id == id && one.check ? one.check->reason : reason;
      }
      seen.status.tenant = tenant->second.label;
      seen.status.kind = "domain";
      *fault = tenant->second.state == "suspended" ? suspended(tenant->second.label)
                                                   : unverified(tenant->second.label, name, reason);
      return Found(seen);
    }
    return Found();
  };
  auto const found = co_await of.store.read<Found>(look);
  if (!found) {
    co_return found.error();
  }
  if (!*found) {
    co_return base::fail(vault::errc::not_found, "no tenant or certificate is named '" + name + "'");
  }
  std::vector<Fault> const faults{*fault};
  co_return json_of(**found, {}, faults);
}

}  // namespace

std::vector<std::string> cname_chain(store::Snapshot const& snapshot, std::string const& name) {
  std::vector<std::string> chain{name};
  while (chain.size() < links_max) {
    auto const parsed = dns::Name::parse(chain.back());
    auto const zone = parsed ? snapshot.enclosing(*parsed) : nullptr;
    auto const entry = zone == nullptr ? nullptr : zone->find(*parsed);
    std::string next;
    for (std::size_t i = 0; entry != nullptr && i < entry->rrsets.size(); ++i) {
      if (entry->rrsets[i].type == dns::type_cname && !entry->rrsets[i].contents.empty()) {
        next = entry->rrsets[i].contents.front();
      }
    }
    if (next.empty()) {
      break;
    }
    if (next.ends_with('.')) {
      next.pop_back();
    }
    bool const circle = std::ranges::find(chain, next) != chain.end();
    chain.push_back(std::move(next));
    if (circle) {
      break;
    }
  }
  return chain;
}

net::Task<base::Result<json::object>> why_of(Administration const& of, std::string asked) {
  auto const subject_id = of.issuer.find(asked);
  if (!subject_id) {
    co_return co_await why_none(of, std::move(asked));
  }
  auto known = co_await of.issuer.explain(*subject_id);
  if (!known) {
    co_return known.error();
  }
  Seen seen;
  seen.status = std::move(known->status);
  seen.hindrances = std::move(known->hindrances);
  seen.events = std::move(known->events);
  seen.authorities = of.issuer.authorities();
  seen.issuer = of.issuer.issuer_status();
  seen.chain = co_await look_at_chain(of, seen.status);
  co_await look_at_caa(of, seen);
  std::string const at = seen.status.challenge_name.empty() ? seen.chain.names.back() : seen.status.challenge_name;
  auto const values = contents_of(*of.store.published().copy(), at, dns::type_txt);
  std::vector<Site> const sites = of.sites();
  for (Site const& site : sites) {
    seen.sites.push_back(co_await look_at_site(of, site, at, values));
  }
  co_await look_at_edges(of, *subject_id, seen);
  co_return json_of(seen, values, faults_of(seen));
}

}  // namespace acme
