// What was known about endpoints, kept over a restart in one small JSON file, so that a restart neither answers with
// everything nor flaps: a restored health takes its full threshold to change.
//
// Threads: blocks for the time of a file; any thread.
#pragma once

#include "base/probe/health_state.hpp"
#include "base/result/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace monitor {

struct Warm {
  std::string endpoint;
  probe::Health observed = probe::Health::unknown;  // up or down; unknown only where the sites decided something
  std::int64_t since_ms = 0;                        // Unix time
  std::string reason = {};                          // of its last check
  std::uint64_t sequence = 0;                       // of its last report (push)
  // What the sites decided together; unknown: they decided nothing, or the checks here decide alone.
  probe::Health decided = probe::Health::unknown;
  std::int64_t left_up_ms = 0;  // Unix time; 0: it is up, or never was
  bool operator==(Warm const&) const = default;
};

inline constexpr std::int64_t warm_age_ms_max = 300'000;

// Atomically, mode 0600. Fails as process::write_file_atomically does.
base::Result<void> save_warm(std::string const& path, std::vector<Warm> const& endpoints, std::int64_t now_ms);

// Nothing when there is no file, it is more than 300 s old (or dated in the future by more than a minute), or it cannot
// be understood; the last is logged. At most 65,536 endpoints and 32 MiB.
std::vector<Warm> load_warm(std::string const& path, std::int64_t now_ms);

}  // namespace monitor
