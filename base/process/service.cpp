#include "base/process/service.hpp"

#include "base/result/category.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

namespace process {
namespace asio = boost::asio;
namespace {

char const* message_of(int code) {
  switch (static_cast<errc>(code)) {
    case errc::locked:
      return "locked by another process";
    case errc::too_large:
      return "too large";
    case errc::timed_out:
      return "deadline passed";
    case errc::cancelled:
      return "cancelled";
  }
  return "unknown error";
}

std::string holder_of(int fd) {
  std::array<char, 32> text{};
  ssize_t const size = ::pread(fd, text.data(), text.size() - 1, 0);
  std::string pid;
  for (ssize_t i = 0;
       i < size && text.at(static_cast<std::size_t>(i)) >= '0' && text.at(static_cast<std::size_t>(i)) <= '9'; ++i) {
    pid += text.at(static_cast<std::size_t>(i));
  }
  return pid.empty() ? "an unknown process" : "process " + pid;
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("process", message_of);
  return {static_cast<int>(code), category};
}

struct Signals::State {
  explicit State(asio::any_io_executor executor) : set(std::move(executor), SIGINT, SIGTERM, SIGHUP) {}
  asio::signal_set set;
};

Signals::Signals(asio::any_io_executor executor) : state_(std::make_unique<State>(std::move(executor))) {
  std::signal(SIGPIPE, SIG_IGN);
}

Signals::~Signals() = default;

asio::awaitable<int> Signals::next() {
  auto const [error, number] = co_await state_->set.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return error ? 0 : number;
}

asio::awaitable<int> wait_for_signal() {
  Signals signals(co_await asio::this_coro::executor);
  co_return co_await signals.next();
}

void notify_service_manager(std::string const& state) {
  ::sd_notify(0, state.c_str());
}

std::string_view version() {
  return SOVEREIGN_VERSION;
}

base::Result<LockFile> LockFile::acquire(std::string const& path) {
  int const fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return base::fail_errno(errno, "open lock " + path);
  }
  LockFile lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return base::fail(errc::locked, path + " is held by " + holder_of(fd));
    }
    return base::fail_errno(errno, "lock " + path);
  }
  std::string const pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return base::fail_errno(errno, "write our pid to " + path);
  }
  return lock;
}

LockFile::LockFile(LockFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

LockFile& LockFile::operator=(LockFile&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) {
      ::close(fd_);
    }
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

LockFile::~LockFile() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

}  // namespace process
