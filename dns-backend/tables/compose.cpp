// What the model says about pools, tenants and names.
#include "dns-backend/pool/select.hpp"
#include "dns-backend/tables/model.hpp"

#include <algorithm>

namespace store {
namespace {

void add_challenges(std::vector<dns::RRset>& rrsets, std::map<std::string, std::set<std::string>> const& values) {
  auto place =
      std::find_if(rrsets.begin(), rrsets.end(), [](auto const& rrset) { return rrset.type >= dns::type_txt; });
  if (place == rrsets.end() || place->type != dns::type_txt) {
    place = rrsets.insert(place, dns::RRset{dns::type_txt, Model::challenge_ttl, {}});
  }
  place->ttl = std::min(place->ttl, Model::challenge_ttl);
  for (auto const& [value, owners] : values) {
    place->contents.push_back(txt_content(value));
  }
  std::sort(place->contents.begin(), place->contents.end());
  place->contents.erase(std::unique(place->contents.begin(), place->contents.end()), place->contents.end());
}

}  // namespace

ZoneRow const* Model::zone(dns::Name const& apex) const {
  auto const found = zone_ids_.find(apex);
  return found == zone_ids_.end() ? nullptr : &zones_.at(found->second);
}

ZoneRow const* Model::enclosing(dns::Name const& name) const {
  for (dns::Name up = name;; up = up.parent()) {
    ZoneRow const* const row = zone(up);
    if (row != nullptr || up.is_root()) {
      return row;
    }
  }
}

void Model::describe(ZoneRow const& row, Zone& zone) const {
  zone.id = row.id;
  zone.apex = row.apex;
  zone.serial = row.serial;
  zone.notified_serial = row.notified_serial;
  zone.kind = row.kind;
  zone.masters = row.masters;
  zone.account = row.account;
  zone.last_check_s = row.last_check_s;
  zone.metadata.clear();
  zone.keys.clear();
  if (auto const found = metadata_.find(row.id); found != metadata_.end()) {
    zone.metadata = found->second;
  }
  if (auto const found = keys_.find(row.id); found != keys_.end()) {
    for (auto const& [id, key] : found->second) {
      zone.keys.push_back(key);
    }
  }
}

std::vector<TsigKey> Model::tsig_keys() const {
  std::vector<TsigKey> keys;
  for (auto const& [name, key] : tsig_) {
    keys.push_back(key);
  }
  return keys;
}

std::vector<Autoprimary> Model::autoprimaries() const {
  std::vector<Autoprimary> list;
  for (auto const& [pair, autoprimary] : autoprimaries_) {
    list.push_back(autoprimary);
  }
  return list;
}

std::vector<Model::EndpointState> Model::endpoints_of(std::string const& pool) const {
  std::vector<EndpointState> endpoints;
  if (auto const found = endpoints_.find(pool); found != endpoints_.end()) {
    for (auto const& [name, endpoint] : found->second) {
      endpoints.push_back(endpoint);
    }
  }
  std::stable_sort(endpoints.begin(), endpoints.end(),
                   [](auto const& a, auto const& b) { return a.position < b.position; });
  return endpoints;
}

std::vector<PoolRow> Model::pools() const {
  std::vector<std::pair<std::int64_t, PoolRow>> rows;
  for (auto const& [name, state] : pools_) {
    PoolRow row = state.row;
    for (EndpointState const& endpoint : endpoints_of(name)) {
      row.endpoints.push_back(endpoint.row);
    }
    rows.emplace_back(state.position, std::move(row));
  }
  std::stable_sort(rows.begin(), rows.end(), [](auto const& a, auto const& b) { return a.first < b.first; });
  std::vector<PoolRow> result;
  for (auto& [position, row] : rows) {
    result.push_back(std::move(row));
  }
  return result;
}

std::set<dns::Name> Model::derived_names(dns::Name const& apex) const {
  std::set<dns::Name> names;
  auto const collect = [&names, &apex](auto const& map) {
    for (auto at = map.lower_bound(apex); at != map.end() && at->first.is_within(apex); ++at) {
      names.insert(at->first);
    }
  };
  collect(tenant_names_);
  collect(domain_names_);
  collect(challenges_);
  collect(balancer_names_);
  return names;
}

std::shared_ptr<pool::Pool const> Model::make_pool(PoolState const& state) const {
  auto pool = std::make_shared<pool::Pool>();
  pool->name = state.row.name;
  pool->site = state.row.site;
  pool->minimum_origins = state.row.minimum_origins;
  constexpr std::uint32_t whole = 1000;  // rows weigh in whole numbers, pools in thousandths
  for (EndpointState const& endpoint : endpoints_of(state.row.name)) {
    pool->endpoints.push_back({endpoint.row.name,
                               endpoint.row.address4,
                               endpoint.row.address6,
                               {},
                               slot_of(endpoint.row.name),
                               endpoint.row.enabled,
                               endpoint.row.weight * whole});
  }
  return pool;
}

void Model::finish(Dirty& dirty) {
  std::set<std::string> changed;
  for (std::string const& name : dirty.pools) {
    auto const found = pools_.find(name);
    if (found == pools_.end()) {
      changed.insert(name);
      continue;
    }
    auto next = make_pool(found->second);
    // A change of how to check concerns the monitor, not the answers.
    if (found->second.shared == nullptr || !(*found->second.shared == *next)) {
      found->second.shared = std::move(next);
      changed.insert(name);
    }
  }
  if (!changed.empty() || dirty.steering) {
    rebuild_steering(dirty);
  }
  if (changed.empty()) {
    return;
  }
  for (auto const& [id, tenant] : tenants_) {
    bool const uses = changed.contains(tenant.primary) ||
                      std::any_of(tenant.backups.begin(), tenant.backups.end(),
                                  [&changed](std::string const& name) { return changed.contains(name); });
    if (uses) {
      touch_tenant(id, dirty);
    }
  }
}

std::shared_ptr<pool::LoadBalancer const> Model::balancer_of(Tenant const& tenant) const {
  auto balancer = std::make_shared<pool::LoadBalancer>();
  balancer->name = tenant.label + "." + tenant.zone;
  balancer->ttl = tenant_ttl;
  auto const add = [this, &balancer](std::string const& name) {
    auto const found = pools_.find(name);
    if (found != pools_.end()) {
      balancer->pools.push_back(found->second.shared);
    }
  };
  add(tenant.primary);
  for (std::string const& backup : tenant.backups) {
    add(backup);
  }
  if (auto const found = ready_.find(tenant.id); found != ready_.end()) {
    balancer->ready.emplace(found->second.begin(), found->second.end());
  }
  return balancer;
}

// At the present and the former names alone: what is below has theirs (RFC 8659 section 3). What the tenant says
// himself stands, and where the name answers a CNAME, CAA is found at its end.
void Model::add_caa(Tenant const& tenant, dns::Name const& name, Node& node) const {
  if (caa_issuers_.empty()) {
    return;
  }
  auto const is_name = [&](std::string const& label, std::string const& in) { return tenant_name(label, in) == name; };
  bool const named = is_name(tenant.label, tenant.zone) ||
                     std::ranges::any_of(tenant.former, [&](auto const& one) { return is_name(one.label, one.zone); });
  bool const taken = std::ranges::any_of(
      node.rrsets, [](dns::RRset const& one) { return one.type == dns::type_caa || one.type == dns::type_cname; });
  if (!named || taken || node.has_target) {
    return;
  }
  dns::RRset rrset{dns::type_caa, caa_ttl, {}};
  for (auto const& [directory, value] : caa_issuers_) {
    rrset.contents.push_back("0 issue \"" + value + "\"");
    rrset.contents.push_back("0 issuewild \"" + value + "\"");
  }
  std::ranges::sort(rrset.contents);
  auto const same = std::ranges::unique(rrset.contents);
  rrset.contents.erase(same.begin(), same.end());
  node.rrsets.insert(std::ranges::upper_bound(node.rrsets, rrset.type, {}, &dns::RRset::type), std::move(rrset));
}

Node Model::compose(ZoneRow const& zone, dns::Name const& name, std::vector<dns::RRset> rrsets) const {
  Node node;
  node.rrsets = std::move(rrsets);
  if (name == zone.apex) {
    for (dns::RRset& rrset : node.rrsets) {
      if (rrset.type == dns::type_soa) {
        rrset.contents.front() = dns::with_soa_serial(rrset.contents.front(), zone.serial);
      }
    }
  }
  Tenant const* const tenant = tenant_at(name);
  if (tenant != nullptr && tenant->state == "active" && tenant->zone == zone.apex.text()) {
    node.balancer = own_balancer(name);
    node.balancer = node.balancer != nullptr ? node.balancer : balancer_of(*tenant);
  }
  // A tenant's own domain that is served here answers as its name does: what ALIAS is for elsewhere.
  if (Domain const* const domain = tenant == nullptr ? domain_at(name) : nullptr; domain != nullptr) {
    auto const owner = tenants_.find(domain->tenant_id);
    bool const taken = std::ranges::any_of(node.rrsets, [](dns::RRset const& one) {
      return one.type == dns::type_a || one.type == dns::type_aaaa || one.type == dns::type_cname;
    });
    if (owner != tenants_.end() && owner->second.state == "active" && !taken &&
        enclosing(name) == &zones_.at(zone.id)) {
      node.balancer = own_balancer(*tenant_name(owner->second.label, owner->second.zone));
      node.balancer = node.balancer != nullptr ? node.balancer : balancer_of(owner->second);
    }
  }
  // Asked of a million names at start, so only where there is something to put.
  auto const is_here = [&] { return enclosing(name) == &zones_.at(zone.id); };
  if (auto const named = balancer_names_.find(name); named != balancer_names_.end() && is_here()) {
    if (auto const found = balancers_.find(named->second); found != balancers_.end()) {
      node.balancer = found->second;
    }
  }
  if (node.balancer != nullptr) {
    node.has4 = pool::serves(*node.balancer, pool::Family::ipv4);
    node.has6 = pool::serves(*node.balancer, pool::Family::ipv6);
    node.has_target = pool::serves(*node.balancer, pool::Family::name);
  }
  if (tenant != nullptr && tenant->state == "active" && tenant->zone == zone.apex.text()) {
    add_caa(*tenant, name, node);
  }
  auto const challenge = challenges_.find(name);
  if (challenge != challenges_.end() && is_here()) {
    add_challenges(node.rrsets, challenge->second);
  }
  return node;
}

}  // namespace store
