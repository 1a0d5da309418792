// What the small table of tenants, their former labels and their domains say.
#include "dns-backend/tables/rows/columns.hpp"

#include "dns-backend/tables/model.hpp"

#include <algorithm>

namespace store {
namespace {

// What of a tenant decides its answers.
bool same_answers(Tenant const& a, Tenant const& b) {
  return a.label == b.label && a.zone == b.zone && a.primary == b.primary && a.backups == b.backups &&
         a.state == b.state;
}

}  // namespace

bool Model::take_tenant(Columns const& key, Columns const& values, Dirty& dirty) {
  std::int64_t const id = number(key, "id");
  std::optional<Tenant> before;
  if (auto const present = tenants_.find(id); present != tenants_.end()) {
    before = present->second;
  }
  auto const forget = [&] {
    touch_tenant(id, dirty);
    if (before) {
      index_tenant(*before, false);
      tenants_.erase(id);
    }
  };
  if (values.empty()) {
    forget();
    return true;
  }
  auto const backups = from_json(word(values, "backups"));
  Tenant tenant{id,
                word(values, "label"),
                word(values, "zone"),
                word(values, "plan"),
                word(values, "primary_pool"),
                backups.value_or(std::vector<std::string>{}),
                word(values, "state"),
                number(values, "created_at_ms"),
                number(values, "changed_at"),
                {}};
  if (!backups || !tenant_name(tenant.label, tenant.zone)) {
    forget();
    return false;
  }
  if (before && same_answers(*before, tenant)) {
    tenant.former = before->former;
    tenants_[id] = std::move(tenant);
    return true;
  }
  forget();
  if (auto const labels = former_of_tenants_.find(id); labels != former_of_tenants_.end()) {
    for (std::string const& label : labels->second) {
      tenant.former.push_back(former_.at(label).row);
    }
  }
  index_tenant(tenant, true);
  tenants_.emplace(id, std::move(tenant));
  touch_tenant(id, dirty);
  return true;
}

bool Model::take_former_label(Columns const& key, Columns const& values, Dirty& dirty) {
  std::string const label = word(key, "label");
  auto const forget = [&](std::int64_t id) {
    touch_tenant(id, dirty);
    if (auto const found = tenants_.find(id); found != tenants_.end()) {
      std::erase_if(found->second.former, [&label](FormerLabel const& one) { return one.label == label; });
    }
  };
  if (auto const present = former_.find(label); present != former_.end()) {
    forget(present->second.tenant);
    FormerState const gone = present->second;
    former_.erase(present);
    if (auto const labels = former_of_tenants_.find(gone.tenant); labels != former_of_tenants_.end()) {
      labels->second.erase(label);
      if (labels->second.empty()) {
        former_of_tenants_.erase(labels);
      }
    }
    index_names(gone.tenant, label, gone.row.zone, false);
    // Back to a label it had: the name is the present one's again.
    if (auto const found = tenants_.find(gone.tenant); found != tenants_.end()) {
      index_tenant(found->second, true);
    }
  }
  if (values.empty()) {
    return true;
  }
  FormerState state{number(values, "tenant_id"), {label, word(values, "zone"), number(values, "until_ms")}};
  if (!tenant_name(label, state.row.zone)) {
    return false;
  }
  if (auto const found = tenants_.find(state.tenant); found != tenants_.end()) {
    auto& former = found->second.former;
    former.insert(std::ranges::upper_bound(former, label, {}, &FormerLabel::label), state.row);
    index_names(state.tenant, label, state.row.zone, true);
  }
  std::int64_t const id = state.tenant;
  former_of_tenants_[id].insert(label);
  former_.emplace(label, std::move(state));
  touch_tenant(id, dirty);
  return true;
}

bool Model::take_domain(Columns const& key, Columns const& values, Dirty& dirty) {
  std::int64_t const id = number(key, "id");
  if (auto const present = domains_.find(id); present != domains_.end()) {
    if (auto const name = dns::Name::parse(present->second.name); name && present->second.owned()) {
      dirty.names.insert(*name);
      if (auto const at = domain_names_.find(*name); at != domain_names_.end() && at->second == id) {
        domain_names_.erase(at);
        names_of_tenants_[present->second.tenant_id].erase(*name);
      }
    }
    forget_domain_id(present->second);
    domains_.erase(present);
  }
  if (values.empty()) {
    return true;
  }
  Domain domain{id,
                number(values, "tenant_id"),
                word(values, "name"),
                word(values, "slug"),
                word(values, "proof"),
                word(values, "state"),
                number(values, "created_at_ms"),
                number(values, "expires_at_ms"),
                number(values, "verified_at_ms")};
  auto const name = dns::Name::parse(domain.name);
  if (!name) {
    return false;
  }
  if (domain.owned()) {
    domain_names_[*name] = id;
    names_of_tenants_[domain.tenant_id].insert(*name);
    dirty.names.insert(*name);
  }
  domain_ids_[domain.tenant_id][domain.name] = id;
  domains_.emplace(id, std::move(domain));
  return true;
}

// Rows of one commit come in any order: the name may be another row's by now.
void Model::forget_domain_id(Domain const& domain) {
  auto const ids = domain_ids_.find(domain.tenant_id);
  if (ids == domain_ids_.end()) {
    return;
  }
  if (auto const at = ids->second.find(domain.name); at != ids->second.end() && at->second == domain.id) {
    ids->second.erase(at);
  }
  if (ids->second.empty()) {
    domain_ids_.erase(ids);
  }
}

std::map<std::string, std::int64_t> const& Model::domain_ids_of(std::int64_t tenant) const {
  static std::map<std::string, std::int64_t> const none;
  auto const found = domain_ids_.find(tenant);
  return found == domain_ids_.end() ? none : found->second;
}

bool Model::take_readiness(Columns const& key, Columns const& values, Dirty& dirty) {
  std::int64_t const id = number(key, "tenant_id");
  touch_tenant(id, dirty);
  if (values.empty()) {
    ready_.erase(id);
    return true;
  }
  auto const endpoints = from_json(word(values, "endpoints"));
  if (endpoints) {
    ready_[id] = *endpoints;
  }
  return endpoints.has_value();
}

// It is in every tenant's CAA RRset.
bool Model::take_caa_issuer(Columns const& key, Columns const& values, Dirty& dirty) {
  std::string const directory = word(key, "directory_url");
  caa_issuers_.erase(directory);
  if (!values.empty()) {
    caa_issuers_.emplace(directory, word(values, "value"));
  }
  for (auto const& [name, id] : tenant_names_) {
    dirty.names.insert(name);
  }
  return true;
}

void Model::touch_tenant(std::int64_t id, Dirty& dirty) const {
  auto const found = tenants_.find(id);
  if (found == tenants_.end()) {
    return;
  }
  auto const touch = [this, id, &dirty](std::string const& label, std::string const& zone) {
    auto const name = tenant_name(label, zone);
    dirty.names.insert(*name);
    if (auto const below = name->child("*")) {
      dirty.names.insert(*below);
    }
    for (auto const& [relative, pool] : own_pools(id)) {
      if (auto const own = name_within(*name, relative)) {
        dirty.names.insert(*own);
      }
    }
  };
  touch(found->second.label, found->second.zone);
  for (FormerLabel const& former : found->second.former) {
    touch(former.label, former.zone);
  }
  if (auto const domains = names_of_tenants_.find(id); domains != names_of_tenants_.end()) {
    dirty.names.insert(domains->second.begin(), domains->second.end());
  }
}

// Another tenant may have taken the label meanwhile; rows of one commit come in any order.
void Model::index_names(std::int64_t tenant, std::string const& label, std::string const& zone, bool add) {
  dns::Name const name = *tenant_name(label, zone);
  std::vector<dns::Name> names{name};
  if (auto const below = name.child("*")) {
    names.push_back(*below);
  }
  for (auto const& [relative, pool] : own_pools(tenant)) {
    if (auto const own = name_within(name, relative)) {
      names.push_back(*own);
      if (add) {
        own_names_[*own] = pool;
      } else if (auto const at = own_names_.find(*own); at != own_names_.end() && at->second == pool) {
        own_names_.erase(at);
      }
    }
  }
  for (dns::Name const& one : names) {
    if (add) {
      tenant_names_[one] = tenant;
    } else if (auto const found = tenant_names_.find(one); found != tenant_names_.end() && found->second == tenant) {
      tenant_names_.erase(found);
    }
  }
}

void Model::index_tenant(Tenant const& tenant, bool add) {
  index_names(tenant.id, tenant.label, tenant.zone, add);
  for (FormerLabel const& former : tenant.former) {
    index_names(tenant.id, former.label, former.zone, add);
  }
  if (add) {
    labels_[tenant.label] = tenant.id;
  } else if (auto const found = labels_.find(tenant.label); found != labels_.end() && found->second == tenant.id) {
    labels_.erase(found);
  }
}

Tenant const* Model::tenant(std::string const& label) const {
  auto const found = labels_.find(label);
  return found == labels_.end() ? nullptr : &tenants_.at(found->second);
}

Tenant const* Model::tenant_by_any(std::string const& label) const {
  if (Tenant const* const present = tenant(label)) {
    return present;
  }
  auto const found = former_.find(label);
  auto const owner = found == former_.end() ? tenants_.end() : tenants_.find(found->second.tenant);
  return owner == tenants_.end() ? nullptr : &owner->second;
}

Tenant const* Model::tenant_at(dns::Name const& name) const {
  auto const found = tenant_names_.find(name);
  auto const tenant = found == tenant_names_.end() ? tenants_.end() : tenants_.find(found->second);
  return tenant == tenants_.end() ? nullptr : &tenant->second;
}

Domain const* Model::domain_at(dns::Name const& name) const {
  auto const found = domain_names_.find(name);
  return found == domain_names_.end() ? nullptr : &domains_.at(found->second);
}

// A domain that changed hands within one commit may still be noted for its former owner.
std::vector<Domain const*> Model::domains_of(std::int64_t tenant) const {
  std::vector<Domain const*> list;
  auto const names = names_of_tenants_.find(tenant);
  if (names == names_of_tenants_.end()) {
    return list;
  }
  for (dns::Name const& name : names->second) {
    if (Domain const* const domain = domain_at(name); domain != nullptr && domain->tenant_id == tenant) {
      list.push_back(domain);
    }
  }
  return list;
}

std::vector<std::string> const* Model::ready(std::int64_t tenant) const {
  auto const found = ready_.find(tenant);
  return found == ready_.end() ? nullptr : &found->second;
}

}  // namespace store
