// What a daemon needs from its service manager and its operator: signals, sd_notify, a pid-holding lock, own version.
//
// Threads: wait_for_signal belongs to the control loop; the rest may be called from any thread.
#pragma once

#include "base/result/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace process {

// Failures of system calls come as errno codes of the generic category (base::fail_errno); these are ours.
enum class errc {
  locked = 1,  // another process holds the lock; the detail names its pid
  too_large,   // the file is larger than the limit
  timed_out,   // the child was killed at its deadline
  cancelled,   // the caller was cancelled while the child ran; the child was killed
};
boost::system::error_code make_error_code(errc code);

// SIGINT, SIGTERM or SIGHUP, whichever comes first; 0 when the waiting task was cancelled. SIGPIPE is ignored for the
// whole process from the first call.
boost::asio::awaitable<int> wait_for_signal();

// The same signals from its construction on: none that comes between two waits ends the process or is missed.
class Signals {
 public:
  explicit Signals(boost::asio::any_io_executor executor);
  ~Signals();
  Signals(Signals const&) = delete;
  Signals& operator=(Signals const&) = delete;
  boost::asio::awaitable<int> next();  // 0 when the waiting task was cancelled

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// "READY=1", "STATUS=...", "STOPPING=1"; without a service manager nothing happens.
void notify_service_manager(std::string const& state);

[[nodiscard]] std::string_view version();

// An exclusive lock on `path` held until destruction (flock, so kill -9 frees it); the file holds the holder's pid.
class LockFile {
 public:
  // The Failure names the pid that holds the lock (errc::locked). The file stays behind after release: removing it
  // would let two processes lock two files of the same name.
  static base::Result<LockFile> acquire(std::string const& path);
  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&& other) noexcept;
  ~LockFile();

 private:
  explicit LockFile(int fd) : fd_(fd) {}
  int fd_ = -1;
};

// Temp file beside, fsync, rename, fsync of the folder: never half-written. Mode is exact whatever the umask. The
// folder must exist.
base::Result<void> write_file_atomically(std::string const& path, std::string_view content, unsigned mode);
// errc::too_large above `limit`; an errno code otherwise (boost::system::errc::no_such_file_or_directory, ...).
base::Result<std::string> read_file(std::string const& path, std::size_t limit = 64U << 20U);

// A child process without a shell. `output` is stdout and stderr together, bounded to 256 KiB.
struct ChildResult {
  int exit_code = -1;  // 128 + signal when killed
  std::string output;
};
// Runs to the end or kills at the deadline (then errc::timed_out). Does not block the calling loop. argv[0] is looked
// up in PATH; stdin is /dev/null; no other descriptor of ours is inherited. The child leads its own process group and
// the whole group is killed. A grandchild which keeps the output open does not delay the result. `argv` is not empty.
boost::asio::awaitable<base::Result<ChildResult>> run_child(std::vector<std::string> argv,
                                                            std::chrono::milliseconds deadline);
// Starts a process that outlives this one (own session, stdin from /dev/null, output appended to `log_file`) and yields
// its pid once it was executed; an errno code when it cannot be. It is not our child: nobody here reaps it. Under
// systemd the unit needs KillMode=process for it to survive a restart of the unit. Blocks for the time of an exec.
base::Result<int> start_detached(std::vector<std::string> const& argv, std::string const& log_file);

}  // namespace process

template <>
struct boost::system::is_error_code_enum<process::errc> : std::true_type {};
