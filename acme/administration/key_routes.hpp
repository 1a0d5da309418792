// The keys that seal, as administrators see and change them.
//
//   GET  /v1/acme/keys          {"master":"ID","data_keys":N,"oldest_ms":T,"rotates_itself":true,"damaged":0}; with
//   damaged
//                             ones "first_damaged" says whose
//   POST /v1/acme/keys/rotate   {"what":"master"}: a fresh master key, every data key sealed by it
//                               {"what":"tenant","tenant":"LABEL"}, {"what":"tenants"}, {"what":"accounts"}: fresh data
//                               keys, everything sealed anew; {"sealed":N} says how many texts that were
//
// 403: administrators only, 404: no such tenant, 409: the master key is a credential, or damaged texts are in the way,
// 422: the body makes no sense, 503: the store.
//
// Threads: belongs to the control loop; what it is given must outlive the router.
#pragma once

#include "acme/vault/vault.hpp"
#include "base/http/http.hpp"
#include "dns-backend/store/store.hpp"

#include <functional>

namespace acme {

struct KeyRoutes {
  vault::Vault& vault;
  store::Store& store;
  std::function<bool(net::HttpRequest const&)> is_admin;
};

void add_key_routes(net::Router& router, KeyRoutes const& routes);

}  // namespace acme
