#include "mesh/bounded_logs/bounded_logs.hpp"

#include "base/process/log.hpp"
#include "base/process/service.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

namespace bounded_logs {
namespace {

constexpr std::chrono::minutes pause{1};

base::Result<std::string> last_of(std::string const& file, std::size_t size, std::size_t limit) {
  int const fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    return base::fail_errno(errno, "open " + file);
  }
  std::string out(limit, '\0');
  ssize_t const got = ::pread(fd, out.data(), out.size(), static_cast<off_t>(size - limit));
  int const error = errno;
  ::close(fd);
  if (got < 0) {
    return base::fail_errno(error, "read " + file);
  }
  out.resize(static_cast<std::size_t>(got));
  return out;
}

base::Result<void> empty(std::string const& file, std::size_t size, std::size_t limit) {
  auto const last = last_of(file, size, limit);
  if (!last) {
    return last.error();
  }
  // On a full disk the old lines are worth less than room for new ones.
  auto const kept = process::write_file_atomically(file + ".old", *last, 0640);
  if (::truncate(file.c_str(), 0) != 0) {
    return base::fail_errno(errno, "empty " + file);
  }
  return kept;
}

}  // namespace

base::Result<std::size_t> bound(std::string const& directory, std::size_t limit) {
  std::vector<std::pair<std::string, std::size_t>> large;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    auto const status = at->symlink_status(gone);
    auto const size = gone ? 0 : at->file_size(gone);
    if (!gone && std::filesystem::is_regular_file(status) && at->path().extension() == ".log" && size > limit) {
      large.emplace_back(at->path().string(), size);
    }
  }
  if (error) {
    return base::fail_errno(error.value(), "look at the logs in " + directory);
  }
  std::optional<base::Failure> first;
  for (auto const& [file, size] : large) {
    auto const emptied = empty(file, size, limit);
    if (!emptied && !first) {
      first = emptied.error();
    }
  }
  return first ? base::Result<std::size_t>(*first) : large.size();
}

net::Task<void> keep_bounded(std::string directory) {
  std::string told;
  for (bool waited = true; waited;) {
    auto const done = bound(directory, size_max);
    std::string const failure = done ? "" : done.error().what();
    if (failure != told && !failure.empty()) {
      process::log::warning("agent", "logs grow beyond their bounds: {}", failure);
    }
    told = failure;
    waited = co_await net::wait_for(pause);
  }
}

}  // namespace bounded_logs
