// The failures of each subject since its last certificate.
//
// Threads: plain data; pure functions.
#pragma once

#include "acme/vault/vault.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace acme {

using Attempts = std::map<std::pair<std::int64_t, std::string>, vault::Attempt>;  // by subject and directory ("": all)

// The one that holds longest, which says why nothing happens; nullptr: none.
vault::Attempt const* last_attempt(Attempts const& attempts, std::int64_t subject_id);
void forget_attempts(Attempts& attempts, std::int64_t subject_id);

}  // namespace acme
