// start_detached: fork, new session, fork again, exec. Between fork and exec only async-signal-safe calls are made.
#include "base/process/service.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace process {
namespace {

// What the grandchild says about itself: first its pid, and an errno if the exec failed. The pipe closes on exec.
struct Report {
  int pid = 0;
  int error = 0;
};

void say(int pipe, Report report) {
  ssize_t const written = ::write(pipe, &report, sizeof report);
  static_cast<void>(written);
}

[[noreturn]] void become(char* const* argv, int log, int null, int pipe) {
  Report report{::getpid(), 0};
  // Our pipe moves to 3, all above is closed: no socket of ours stays open in a process that outlives us.
  bool const placed =
      ::dup2(null, STDIN_FILENO) >= 0 && ::dup2(log, STDOUT_FILENO) >= 0 && ::dup2(log, STDERR_FILENO) >= 0;
  int const report_fd = 3;
  if (pipe != report_fd) {
    ::dup2(pipe, report_fd);
  }
  ::fcntl(report_fd, F_SETFD, FD_CLOEXEC);
  ::close_range(static_cast<unsigned>(report_fd) + 1, ~0U, 0);
  for (int const number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) {
    std::signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  say(report_fd, report);
  if (placed) {
    ::execvp(argv[0], argv);
  }
  report.error = errno == 0 ? EINVAL : errno;
  say(report_fd, report);
  ::_exit(127);
}

int fork_twice(char* const* argv, int log, int null, int pipe) {
  pid_t const middle = ::fork();
  if (middle < 0) {
    return errno;
  }
  if (middle == 0) {
    ::setsid();
    pid_t const last = ::fork();
    if (last == 0) {
      become(argv, log, null, pipe);
    }
    if (last < 0) {
      say(pipe, Report{0, errno});
    }
    ::_exit(0);
  }
  while (::waitpid(middle, nullptr, 0) < 0 && errno == EINTR) {
  }
  return 0;
}

base::Result<int> listen_to(int pipe, std::string const& program) {
  Report last;
  for (;;) {
    Report report;
    ssize_t const size = ::read(pipe, &report, sizeof report);
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size != static_cast<ssize_t>(sizeof report)) {
      break;
    }
    last = report;
  }
  if (last.error != 0 || last.pid == 0) {
    return base::fail_errno(last.error == 0 ? ECHILD : last.error, "start " + program);
  }
  return last.pid;
}

}  // namespace

base::Result<int> start_detached(std::vector<std::string> const& argv, std::string const& log_file) {
  ASSERT(!argv.empty());
  std::vector<char*> arguments;
  for (auto const& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));  // NOLINT: execvp does not write to them
  }
  arguments.push_back(nullptr);
  int const log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (log < 0) {
    return base::fail_errno(errno, "open " + log_file);
  }
  int const null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  std::array<int, 2> ends{-1, -1};
  int error = null < 0 || ::pipe2(ends.data(), O_CLOEXEC) != 0 ? errno : 0;
  if (error == 0) {
    error = fork_twice(arguments.data(), log, null, ends[1]);
  }
  ::close(log);
  if (null >= 0) {
    ::close(null);
  }
  if (ends[1] >= 0) {
    ::close(ends[1]);
  }
  base::Result<int> out =
      error != 0 ? base::Result<int>(base::fail_errno(error, "start " + argv[0])) : listen_to(ends[0], argv[0]);
  if (ends[0] >= 0) {
    ::close(ends[0]);
  }
  return out;
}

}  // namespace process
