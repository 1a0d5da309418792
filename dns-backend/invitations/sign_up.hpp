// A sign-up: a tenant with its first token, made by somebody whom nobody knows yet, in one transaction with the use of
// his invitation. A repeat under the same key makes no second tenant: the token that may have been lost with its answer
// is revoked, and another one takes its place.
//
// Threads: place() is pure; sign_up() the store thread; the structs are values.
#pragma once

#include "dns-backend/invitations/invitations.hpp"
#include "dns-backend/tenants/life_cycle.hpp"
#include "dns-backend/tokens/tokens.hpp"

#include <string>
#include <vector>

namespace invitations {

// What the settings offer.
struct Terms {
  enum class Door { closed, invited, open };
  Door door = Door::closed;
  std::string zone;                   // apex that newcomers live in
  std::string plan;                   // unless the invitation names one
  std::vector<std::string> clusters;  // the first is a newcomer's primary unless he asks for another; the rest backups
  std::int64_t per_day = 0;           // sign-ups within 24 hours; 0: any number
};

struct Wish {
  std::string label;       // as tenants::read_label() has it
  std::string primary;     // empty: the first of the clusters
  std::string invitation;  // digest of its secret; empty: none was shown
  std::string key;         // digest of the Idempotency-Key; empty: there was none
  std::string request;     // digest of the body: a repeat has the same
  std::int64_t now_ms = 0;
};

struct Outcome {
  store::Tenant tenant;
  std::string invitation;    // id; empty: without one
  std::string former_token;  // of a repeat: the id of the one that ended
  std::int64_t wait_ms = 0;  // after errc::too_many: until there is room again
};

// A repeat is answered for so long.
inline constexpr std::int64_t repeat_ms = 3600 * 1000;

struct Placement {
  std::string primary;
  std::vector<std::string> backups;
};
// Of the clusters those that the plan has; as many backups as it allows. refused: `primary` is none of them, or none is
// left.
base::Result<Placement> place(Terms const& terms, tenants::Policy const& policy, std::string const& plan,
                              std::string const& primary);

// `token` (tokens::draw()) becomes the new tenant's. Failures: invitations::errc; those of tenants::create().
base::Result<void> sign_up(store::Write const& write, tenants::Policy const& policy, Terms const& terms,
                           Wish const& wish, tokens::Made& token, Outcome& outcome);

}  // namespace invitations
