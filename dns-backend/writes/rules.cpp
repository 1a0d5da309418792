#include "dns-backend/writes/rules.hpp"

#include "dns-backend/steering/check.hpp"

#include <algorithm>
#include <array>

namespace store {

namespace {

// What a load balancer forbids: at its own name, and above it whatever takes the name away.
base::Result<void> check_balancers(Write const& write, dns::Name const& apex, dns::Name const& name,
                                   std::vector<dns::RRset> const& rrsets) {
  steering::Balancer const* const balancer = write.model.balancer_at(name);
  bool const cname = balancer != nullptr && steering::answers_cname(write.model.steering(), *balancer);
  for (dns::RRset const& rrset : rrsets) {
    bool const of_apex = rrset.type == dns::type_ns && name == apex;
    bool const bound = balancer != nullptr && steering::binds(*balancer, dns::to_text(rrset.type));
    if (balancer != nullptr && !of_apex && (cname || bound || takes_addresses(rrset.type))) {
      return refused("'" + name.text() + "' is a load balancer: it can have no " + dns::to_text(rrset.type) +
                     " records" + (cname ? ", since it answers with a CNAME" : ""));
    }
    if (of_apex || (rrset.type != dns::type_ns && rrset.type != dns::type_dname)) {
      continue;
    }
    for (dns::Name const& below : write.model.balancer_names(name)) {
      ZoneRow const* const zone = write.model.enclosing(below);
      if (!(below == name) && zone != nullptr && zone->apex == apex) {
        return refused(dns::to_text(rrset.type) + " records at '" + name.text() + "' would hide the load balancer '" +
                       below.text() + "'");
      }
    }
  }
  return {};
}

}  // namespace

bool takes_addresses(dns::RRType type) {
  static constexpr std::array<dns::RRType, 7> types{dns::type_a,     dns::type_aaaa,  dns::type_cname, dns::type_ns,
                                                    dns::type_dname, dns::type_alias, dns::type_lua};
  return std::find(types.begin(), types.end(), type) != types.end();
}

base::Result<void> check_derived(Write const& write, dns::Name const& apex, dns::Name const& name,
                                 std::vector<dns::RRset> const& rrsets) {
  if (auto const fine = check_balancers(write, apex, name, rrsets); !fine) {
    return fine;
  }
  Tenant const* const tenant = write.model.tenant_at(name);
  bool const challenge = write.model.has_challenge(name);
  if (tenant == nullptr && !challenge) {
    return {};
  }
  for (dns::RRset const& rrset : rrsets) {
    if (tenant != nullptr && takes_addresses(rrset.type)) {
      return refused("'" + name.text() + "' belongs to tenant '" + tenant->label + "': it can have no " +
                     dns::to_text(rrset.type) + " records");
    }
    if (challenge && rrset.type == dns::type_cname) {
      return refused("'" + name.text() + "' has challenge values: it cannot become a CNAME");
    }
  }
  return {};
}

// A zone of its own inside a tenant's names would take their answers away.
base::Result<void> check_new_zone(Write const& write, dns::Name const& apex) {
  for (dns::Name up = apex; !up.is_root(); up = up.parent()) {
    if (Tenant const* const tenant = write.model.tenant_at(up)) {
      return refused("the zone " + apex.text() + " would hide names of tenant '" + tenant->label + "'");
    }
  }
  for (dns::Name const& name : write.model.derived_names(apex)) {
    if (Tenant const* const tenant = write.model.tenant_at(name)) {
      return refused("the zone " + apex.text() + " would hide names of tenant '" + tenant->label + "'");
    }
  }
  for (dns::Name const& name : write.model.balancer_names(apex)) {
    ZoneRow const* const zone = write.model.enclosing(name);
    if (zone == nullptr || zone->apex.labels() < apex.labels()) {
      return refused("the zone " + apex.text() + " would hide the load balancer '" + name.text() + "'");
    }
  }
  return {};
}

base::Result<void> raise_serials(Write const& write, std::set<std::string> const& apexes) {
  for (std::string const& apex : apexes) {
    auto const name = dns::Name::parse(apex);
    ZoneRow const* const zone = name ? write.model.zone(*name) : nullptr;
    if (zone != nullptr) {
      if (auto const raised = write.raise_serial(*zone); !raised) {
        return raised;
      }
    }
  }
  return {};
}

}  // namespace store
