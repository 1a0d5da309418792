// What the model says about the load balancers that operators declare.
#include "dns-backend/steering/reading/read.hpp"
#include "dns-backend/tables/model.hpp"

namespace store {

std::uint32_t Model::slot_of(std::string const& endpoint) const {
  auto const found = slots_.find(endpoint);
  ASSERT(found != slots_.end());
  return found->second;
}

steering::PoolValues Model::topology_pools() const {
  steering::PoolValues values;
  for (auto const& [name, state] : pools_) {
    values[name] = state.shared;
  }
  return values;
}

// While it is there the names of the tenant's pools are taken out of the index: they may differ afterwards.
class Model::OwnPool {
 public:
  OwnPool(Model& model, std::optional<std::int64_t> tenant, Dirty& dirty)
      : model_(model), tenant_(tenant), dirty_(dirty) {
    renew(false);
  }
  ~OwnPool() { renew(true); }
  OwnPool(OwnPool const&) = delete;
  OwnPool& operator=(OwnPool const&) = delete;

 private:
  void renew(bool add) {
    auto const found = tenant_ ? model_.tenants_.find(*tenant_) : model_.tenants_.end();
    if (found == model_.tenants_.end()) {
      return;
    }
    model_.touch_tenant(*tenant_, dirty_);
    model_.index_tenant(found->second, add);
    if (add) {
      model_.touch_tenant(*tenant_, dirty_);
    }
  }

  Model& model_;
  std::optional<std::int64_t> tenant_;
  Dirty& dirty_;
};

std::vector<std::pair<std::string, std::string>> Model::own_pools(std::int64_t tenant) const {
  std::vector<std::pair<std::string, std::string>> out;
  std::string const head = "tenant-" + std::to_string(tenant) + "/";
  for (auto at = steering_.pools.lower_bound(head); at != steering_.pools.end() && at->first.starts_with(head); ++at) {
    for (std::string const& name : at->second.names) {
      out.emplace_back(name, at->first);
    }
  }
  return out;
}

std::shared_ptr<pool::LoadBalancer const> Model::own_balancer(dns::Name const& name) const {
  auto const own = own_names_.find(name);
  auto const found = own == own_names_.end() ? steering_pools_.end() : steering_pools_.find(own->second);
  if (found == steering_pools_.end()) {
    return nullptr;
  }
  auto balancer = std::make_shared<pool::LoadBalancer>();
  balancer->name = name.text();
  balancer->ttl = tenant_ttl;
  balancer->pools = {found->second};
  return balancer;
}

bool Model::take_steering(Columns const& key, Columns const& values, Dirty& dirty) {
  auto const text_of = [](Columns const& columns, char const* name) {
    auto const found = columns.find(name);
    bool const is_text = found != columns.end() && std::holds_alternative<std::string>(found->second);
    return is_text ? database::text(found->second) : std::string();
  };
  auto const kind = steering::kind_of(text_of(key, "kind"));
  std::string const name = text_of(key, "name");
  if (!kind) {
    return false;
  }
  // How to check concerns the monitors of this process, not the answers.
  dirty.steering = dirty.steering || *kind != steering::Kind::monitor;
  auto const owner = dns::Name::parse(name);
  OwnPool const own(*this, *kind == steering::Kind::pool ? steering::tenant_of(name) : std::nullopt, dirty);
  if (*kind == steering::Kind::load_balancer && owner) {
    balancer_names_.erase(*owner);
  }
  steering::erase(steering_, *kind, name);
  if (values.empty()) {
    return true;
  }
  auto object = steering::read_json_row(text_of(values, "body"), *kind, name);
  if (!object || (*kind == steering::Kind::load_balancer && !owner)) {
    return false;
  }
  if (*kind == steering::Kind::load_balancer) {
    balancer_names_[*owner] = name;
  }
  steering::put(steering_, std::move(*object));
  return true;
}

void Model::rebuild_steering(Dirty& dirty) {
  steering::PoolValues const topology = topology_pools();
  auto const slot = [this](std::string const& endpoint) { return slot_of(endpoint); };
  steering_pools_ = steering::build_pools(steering_, topology, slot, steering_pools_);
  steering::BalancerValues next = steering::balancers(steering_, steering_pools_, topology);
  for (auto& [name, value] : next) {
    auto const old = balancers_.find(name);
    if (old != balancers_.end() && steering::same(*old->second, *value)) {
      value = old->second;
    } else {
      dirty.names.insert(dns::Name::parse(name).value());
    }
  }
  for (auto const& [name, value] : balancers_) {
    if (!next.contains(name)) {
      dirty.names.insert(dns::Name::parse(name).value());
    }
  }
  balancers_ = std::move(next);
}

std::vector<dns::Name> Model::names_changed_by(steering::Objects const& wanted) const {
  Model after;
  after.steering_ = wanted;
  after.slots_ = slots_;
  after.pools_ = pools_;
  after.steering_pools_ = steering_pools_;
  after.balancers_ = balancers_;
  Dirty dirty;
  after.rebuild_steering(dirty);
  return {dirty.names.begin(), dirty.names.end()};
}

steering::Balancer const* Model::balancer_at(dns::Name const& name) const {
  auto const found = balancer_names_.find(name);
  return found == balancer_names_.end() ? nullptr : &steering_.load_balancers.at(found->second);
}

std::vector<dns::Name> Model::balancer_names(dns::Name const& apex) const {
  std::vector<dns::Name> names;
  for (auto at = balancer_names_.lower_bound(apex); at != balancer_names_.end() && at->first.is_within(apex); ++at) {
    names.push_back(at->first);
  }
  return names;
}

}  // namespace store
