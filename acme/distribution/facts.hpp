// What is known of tenants in the store and in the vault, read together: what an edge's list and DNS's readiness are
// made of.
//
// Threads: coroutines of the control loop; the reading is done on the store thread. What fails is the store.
#pragma once

#include "acme/fleet/fleet.hpp"
#include "acme/vault/vault.hpp"
#include "base/net/task.hpp"
#include "dns-backend/store/store.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace acme {

struct TenantState {
  TenantFacts facts;
  bool exists = false;
  std::vector<vault::Acknowledgment> acknowledgments;
  std::optional<std::vector<std::string>> ready;  // the endpoints that DNS is restricted to now
};
struct TenantStates {
  store::Revision revision = 0;  // of the store when it was read; certificates may be a moment newer
  std::vector<TenantState> tenants;
};

// Of all these, gone ones too.
net::Task<base::Result<TenantStates>> read_tenants(store::Store& store, vault::Vault& vault,
                                                   std::set<std::int64_t> ids);
// That exist, or have certificates yet.
net::Task<base::Result<std::set<std::int64_t>>> all_tenants(store::Store& store, vault::Vault& vault);
net::Task<base::Result<Fleet::Pools>> read_pools(store::Store& store);

}  // namespace acme
