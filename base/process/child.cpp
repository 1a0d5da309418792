// One child process: posix_spawn, its output through a pipe, its end through a pidfd.
//
// The callbacks hold the state, so that a child killed at its deadline is still reaped later by the loop while the
// caller already has its answer.
#include "base/process/service.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <utility>

namespace process {
namespace asio = boost::asio;
namespace {

constexpr std::size_t output_limit = 256U << 10U;

struct Child : std::enable_shared_from_this<Child> {
  explicit Child(asio::any_io_executor const& executor) : output(executor), pid_handle(executor), wake(executor) {}
  Child(Child const&) = delete;
  Child& operator=(Child const&) = delete;
  ~Child() {
    if (pid > 0 && !reaped) {
      kill_group();
      reap(0);
    }
  }

  void kill_group() const {
    ::kill(-pid, SIGKILL);
    ::kill(pid, SIGKILL);
  }

  bool reap(int flags) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | flags) != 0 || info.si_pid == 0) {
      return false;
    }
    reaped = true;
    result.exit_code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    return true;
  }

  void append(std::size_t size) {
    std::size_t const room = output_limit - std::min(output_limit, result.output.size());
    result.output.append(chunk.data(), std::min(size, room));
  }

  void read_on() {
    output.async_read_some(asio::buffer(chunk),
                           [self = shared_from_this()](boost::system::error_code error, std::size_t size) {
                             if (!error) {
                               self->append(size);
                               self->read_on();
                             }
                           });
  }

  void wait_for_end() {
    pid_handle.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](boost::system::error_code error) {
                            if (error || !self->reap(WNOHANG)) {
                              return;
                            }
                            self->drain();
                            self->wake.cancel();
                          });
  }

  // What the child had written before it ended; a grandchild that keeps the pipe open is not waited for.
  void drain() {
    boost::system::error_code ignored;
    output.cancel(ignored);
    std::size_t total = 0;
    while (total < output_limit) {
      std::size_t const size = output.read_some(asio::buffer(chunk), ignored);
      if (ignored || size == 0) {
        break;
      }
      total += size;
      append(size);
    }
    output.close(ignored);
  }

  asio::posix::stream_descriptor output;
  asio::posix::stream_descriptor pid_handle;
  asio::steady_timer wake;
  std::array<char, 8192> chunk{};
  ChildResult result;
  pid_t pid = 0;
  bool reaped = false;
};

// posix_spawn's two option objects with their lifetimes.
struct SpawnOptions {
  SpawnOptions() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  SpawnOptions(SpawnOptions const&) = delete;
  SpawnOptions& operator=(SpawnOptions const&) = delete;
  ~SpawnOptions() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

int spawn_with_output(std::vector<std::string> const& argv, int output, pid_t& pid) {
  SpawnOptions options;
  ::posix_spawn_file_actions_addopen(&options.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&options.actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&options.actions, output, STDERR_FILENO);
  // Asio's sockets are not close-on-exec; a child must not keep our ports open.
  ::posix_spawn_file_actions_addclosefrom_np(&options.actions, STDERR_FILENO + 1);
  sigset_t none;
  sigemptyset(&none);
  sigset_t defaults;
  sigemptyset(&defaults);
  for (int const number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) {
    sigaddset(&defaults, number);
  }
  ::posix_spawnattr_setsigmask(&options.attributes, &none);
  ::posix_spawnattr_setsigdefault(&options.attributes, &defaults);
  ::posix_spawnattr_setpgroup(&options.attributes, 0);
  ::posix_spawnattr_setflags(&options.attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> arguments;
  for (auto const& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));  // NOLINT: posix_spawn does not write to them
  }
  arguments.push_back(nullptr);
  return ::posix_spawnp(&pid, arguments[0], &options.actions, &options.attributes, arguments.data(), environ);
}

base::Result<std::shared_ptr<Child>> start(asio::any_io_executor const& executor,
                                           std::vector<std::string> const& argv) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return base::fail_errno(errno, "make a pipe for " + argv[0]);
  }
  auto child = std::make_shared<Child>(executor);
  boost::system::error_code error;
  child->output.assign(ends[0], error);
  child->output.non_blocking(true, error);
  pid_t pid = 0;
  int const failed = spawn_with_output(argv, ends[1], pid);
  ::close(ends[1]);
  if (failed != 0) {
    return base::fail_errno(failed, "start " + argv[0]);
  }
  child->pid = pid;
  auto const handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) {
    return base::fail_errno(errno, "watch " + argv[0]);
  }
  child->pid_handle.assign(handle, error);
  if (error) {
    ::close(handle);
    return base::fail_errno(error.value(), "watch " + argv[0]);
  }
  return child;
}

}  // namespace

asio::awaitable<base::Result<ChildResult>> run_child(std::vector<std::string> argv,
                                                     std::chrono::milliseconds deadline) {
  ASSERT(!argv.empty());
  auto const executor = co_await asio::this_coro::executor;
  auto started = start(executor, argv);
  if (!started) {
    co_return started.error();
  }
  auto const child = *started;
  child->wake.expires_after(deadline);
  child->read_on();
  child->wait_for_end();
  auto const [error] = co_await child->wake.async_wait(asio::as_tuple(asio::use_awaitable));
  if (child->reaped) {
    co_return std::move(child->result);
  }
  child->kill_group();
  boost::system::error_code ignored;
  child->output.close(ignored);
  if (error) {
    co_return base::fail(errc::cancelled, argv[0] + " was killed because its caller stopped");
  }
  co_return base::fail(errc::timed_out, argv[0] + " did not end within " + std::to_string(deadline.count()) + " ms");
}

}  // namespace process
