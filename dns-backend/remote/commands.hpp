// `pdnsutil backend-cmd remote TEXT`: questions an operator asks where PowerDNS is, answered in short text.
//
// Threads: pure; any loop.
#pragma once

#include "dns-backend/snapshot/snapshot.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace remote {

// One command line; what it does not know is answered with the list of what it does. At most 1,000 lines.
[[nodiscard]] std::string run_command(std::string_view line, store::Snapshot const& snapshot, std::int64_t now_s);

}  // namespace remote
