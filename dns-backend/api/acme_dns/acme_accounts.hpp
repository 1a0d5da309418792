// Accounts of the acme-dns protocol in the store: each may set the values of one name below the challenge zone.
//
// Threads: coroutines may be awaited from any loop; the rest is pure.
#pragma once

#include "dns-backend/store/store.hpp"
#include "dns-backend/tenants/life_cycle.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace api {

struct AcmeAccount {
  std::string username;
  std::int64_t tenant_id = 0;
  std::string slug;
  std::vector<std::string> allow_from;  // "192.0.2.0/24"; empty: from anywhere
  std::int64_t created_at_ms = 0;
};

struct NewAcmeAccount {
  AcmeAccount account;
  std::string password;  // never to be had again
};

inline constexpr std::size_t acme_values_max = 16;  // of one name; the oldest goes

// As its tenant sees it.
struct AcmeRegistration {
  AcmeAccount account;
  std::int64_t values = 0;     // that are served
  std::int64_t set_at_ms = 0;  // the last of them; 0: none is
};

// refused: the tenant is suspended, or its plan has no more (they count as its domains); not_found: the tenant is gone;
// too_many: of a day's, and `wait_ms` gets how long to wait.
net::Task<base::Result<NewAcmeAccount>> make_acme_account(store::Store& store, AcmeAccount account,
                                                          tenants::Policy policy,
                                                          std::shared_ptr<std::int64_t> wait_ms);
// In the order of their names.
net::Task<base::Result<std::vector<AcmeRegistration>>> acme_registrations(store::Store& store, std::int64_t tenant_id);
// Its values are no longer served; nobody gets its name again. not_found: the tenant has none of this name.
net::Task<base::Result<store::Revision>> remove_acme_account(store::Store& store, std::string label, std::string slug,
                                                             tenants::Circumstances when);
// nullopt: no such account, or another password, or its tenant is suspended.
net::Task<base::Result<std::optional<AcmeAccount>>> find_acme_account(store::Store& store, std::string username,
                                                                      std::string password);
// not_found: the account is no longer there, or its tenant is no longer active.
net::Task<base::Result<store::Revision>> set_acme_value(store::Store& store, AcmeAccount account, std::string value,
                                                        std::string challenge_zone, std::int64_t now_ms);

// An address or a prefix in CIDR notation.
bool is_network(std::string const& text);
// `peer` is "address:port", the address perhaps in brackets. An address that cannot be read is allowed only where
// everybody is.
bool allows_from(std::vector<std::string> const& networks, std::string const& peer);

}  // namespace api
