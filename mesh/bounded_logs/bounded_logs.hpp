// Keeps what wireguard-go and BIRD write into NAME.log within bounds. They run for months and have the file open, so it
// is not renamed under them: what it holds is copied to NAME.log.old, and it is emptied. They append, and go on at its
// beginning.
//
// Threads: bound() is a function over files; keep_bounded() belongs to one loop.
#pragma once

#include "base/net/task.hpp"
#include "base/result/result.hpp"

#include <cstddef>
#include <string>

namespace bounded_logs {

// BIRD empties its own at half of that.
inline constexpr std::size_t size_max = 2'000'000;

// Of every *.log of the folder that is larger than `limit`, the last `limit` octets go to *.log.old. How many there
// were; errno: of the first that could not be, the others were.
base::Result<std::size_t> bound(std::string const& directory, std::size_t limit);

// Does that each minute. What fails is said once.
net::Task<void> keep_bounded(std::string directory);

}  // namespace bounded_logs
