// Challenge values beside what the zones have, and which endpoints proved to serve a tenant's certificate.
//
// Threads: the store thread.
#pragma once

#include "dns-backend/writes/write.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace store {

// Each value becomes one TXT string at its name; `owner` is who may remove it. not_found: no zone of the store holds
// the name; refused: the name is a CNAME.
base::Result<void> add_challenges(Write const& write, std::vector<std::pair<dns::Name, std::string>> const& values,
                                  std::string const& owner);
base::Result<void> remove_challenges(Write const& write, std::string const& owner);
// Of the owner and of every "owner/...".
// Who they are: one range of the table's key, since '0' is what follows '/'.
inline constexpr std::string_view owners_below_sql =
    "SELECT DISTINCT owner FROM challenge WHERE owner >= ?1 AND owner < ?1 || '0' AND (owner = ?1 OR owner >= ?1 || "
    "'/')";
base::Result<void> remove_challenges_below(Write const& write, std::string const& owner);
// Of every "...INFIX/X" whose X is not among `keep`.
base::Result<void> sweep_challenges(Write const& write, std::string const& infix, std::set<std::string> const& keep);
// The owner has exactly these afterwards, in one write.
base::Result<void> set_challenges(Write const& write, std::vector<std::pair<dns::Name, std::string>> const& values,
                                  std::string const& owner);

// nullopt: no restriction. not_found: no such tenant.
base::Result<void> set_ready(Write const& write, std::int64_t tenant_id,
                             std::optional<std::vector<std::string>> const& endpoints);

}  // namespace store
