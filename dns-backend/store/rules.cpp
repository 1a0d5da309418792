// Rules between static records and what tenants and challenges derive.
#include "dns-backend/store/state.hpp"

#include <algorithm>
#include <array>

namespace store {

bool takes_addresses(dns::RRType type) {
  static constexpr std::array<dns::RRType, 7> types{dns::type_a,     dns::type_aaaa,  dns::type_cname, dns::type_ns,
                                                    dns::type_dname, dns::type_alias, dns::type_lua};
  return std::find(types.begin(), types.end(), type) != types.end();
}

base::Result<void> check_derived(Write const& write, dns::Name const& name, std::vector<dns::RRset> const& rrsets) {
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

}  // namespace store
