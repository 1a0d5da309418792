#include "dns-backend/pipe/relay.hpp"

#include "base/process/descriptors.hpp"
#include "dns-backend/protocol/request.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace pipe_connector {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t piece_size = 65536;
constexpr std::size_t held_max =
    1U << 20U;  // of a reply before it is passed on: until then the request can be repeated
// The daemon shortens long lists for connectors that read them in quadratic time; this one does not.
constexpr std::string_view whole_list = "{\"method\":\"getAllDomains\",\"parameters\":{\"complete\":true}}\n";
constexpr milliseconds first_pause{5};
constexpr milliseconds last_pause{100};

// What repeating would need to know, and whether it may be done.
class Relay {
 public:
  explicit Relay(RelaySettings const& settings) : settings_(settings) {}
  base::Result<void> run();

 private:
  base::Result<bool> next_request();  // false at the end of `in`
  void look_at_request();
  base::Result<void> pass_on();
  base::Result<void> connect(Clock::time_point end);
  base::Result<bool> try_once();  // false: the daemon has gone before anything was passed on
  base::Result<bool> pass_reply();
  [[nodiscard]] base::Result<bool> wait(int descriptor, short events, milliseconds at_most) const;

  RelaySettings const& settings_;
  process::Descriptor daemon_;
  std::string in_;
  std::string request_;
  std::string reply_;
  bool repeatable_ = true;
  bool begins_ = false;  // the request in hand opens a transaction
  bool ends_ = false;    // or closes one
  bool in_transaction_ = false;
};

base::Result<void> write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    ssize_t const count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno != EINTR) {
      return base::fail_errno(errno, "writing to PowerDNS");
    }
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
  return {};
}

base::Result<bool> Relay::wait(int descriptor, short events, milliseconds at_most) const {
  pollfd waiting{descriptor, events, 0};
  int const ready = ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(at_most.count(), 0)));
  if (ready < 0 && errno != EINTR) {
    return base::fail_errno(errno, "poll");
  }
  return ready > 0;
}

base::Result<bool> Relay::next_request() {
  std::size_t searched = 0;
  for (;;) {
    std::size_t const newline = in_.find('\n', searched);
    if (newline != std::string::npos) {
      request_ = in_.substr(0, newline + 1);
      in_.erase(0, newline + 1);
      return true;
    }
    if (in_.size() >= remote::limit_of(in_)) {
      return base::fail(remote::errc::too_large, "PowerDNS sends a request without end");
    }
    searched = in_.size();
    in_.resize(searched + piece_size);
    ssize_t const count = ::read(settings_.in, in_.data() + searched, piece_size);
    in_.resize(searched + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) {
      return false;
    }
    if (count < 0 && errno != EINTR) {
      return base::fail_errno(errno, "reading from PowerDNS");
    }
  }
}

void Relay::look_at_request() {
  auto const request = remote::parse_request(request_);
  // What makes no sense changes nothing: the daemon answers it by closing the connection.
  repeatable_ = !in_transaction_ && (!request || !remote::is_write(request->method));
  begins_ = request && request->method == remote::Method::start_transaction;
  if (request && request->method == remote::Method::get_all_domains) {
    request_ = whole_list;
  }
  ends_ = request && (request->method == remote::Method::commit_transaction ||
                      request->method == remote::Method::abort_transaction);
}

base::Result<void> Relay::connect(Clock::time_point end) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (settings_.socket.size() >= sizeof address.sun_path) {
    return base::fail_errno(ENAMETOOLONG, "connecting to " + settings_.socket);
  }
  std::memcpy(address.sun_path, settings_.socket.c_str(), settings_.socket.size() + 1);
  for (milliseconds pause = first_pause;; pause = std::min(pause * 2, last_pause)) {
    daemon_ = process::Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    auto const* const generic = reinterpret_cast<sockaddr const*>(&address);  // NOLINT: so is the system's interface
    if (::connect(daemon_.get(), generic, sizeof address) == 0) {
      return {};
    }
    int const error_number = errno;
    daemon_ = process::Descriptor();
    if (Clock::now() + pause >= end) {
      return base::fail_errno(error_number, "connecting to " + settings_.socket);
    }
    ::poll(nullptr, 0, static_cast<int>(pause.count()));
  }
}

// Passes the reply on up to and with its newline; false when the daemon ended before the first octet went out.
base::Result<bool> Relay::pass_reply() {
  reply_.clear();
  bool passed = false;
  auto const end = Clock::now() + settings_.reply;
  for (;;) {
    auto const ready = wait(daemon_.get(), POLLIN, std::chrono::ceil<milliseconds>(end - Clock::now()));
    if (!ready) {
      return ready;
    }
    if (!*ready && Clock::now() >= end) {
      return base::fail_errno(ETIMEDOUT, "waiting for a reply of the daemon");
    }
    std::size_t const before = reply_.size();
    reply_.resize(before + piece_size);
    ssize_t const count = ::recv(daemon_.get(), reply_.data() + before, piece_size, MSG_DONTWAIT);
    reply_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
      continue;
    }
    if (count <= 0) {
      return passed ? base::Result<bool>(base::fail_errno(EPIPE, "the daemon ended in the middle of a reply"))
                    : base::Result<bool>(false);
    }
    bool const whole = reply_.back() == '\n';  // nothing follows a reply: the next request waits for it
    if (whole || reply_.size() >= held_max) {
      if (auto const written = write_all(settings_.out, reply_); !written) {
        return written.error();
      }
      passed = true;
      reply_.clear();
    }
    if (whole) {
      return true;
    }
  }
}

base::Result<bool> Relay::try_once() {
  std::string_view rest = request_;
  while (!rest.empty()) {
    ssize_t const count = ::send(daemon_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EINTR) {
      return false;
    }
    rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
  return pass_reply();
}

base::Result<void> Relay::pass_on() {
  look_at_request();
  auto const end = Clock::now() + settings_.patience;
  for (;;) {
    if (!daemon_.open()) {
      if (in_transaction_) {
        return base::fail_errno(EPIPE, "the daemon ended within a transaction");
      }
      if (auto connected = connect(end); !connected) {
        return connected;
      }
    }
    auto const answered = try_once();
    if (!answered) {
      return answered.error();
    }
    if (*answered) {
      in_transaction_ = begins_ || (in_transaction_ && !ends_);
      return {};
    }
    daemon_ = process::Descriptor();
    if (!repeatable_) {
      return base::fail_errno(EPIPE, "the daemon ended before it answered a write");
    }
    if (Clock::now() >= end) {
      return base::fail_errno(ECONNRESET, "the daemon closes the connection instead of an answer");
    }
    ::poll(nullptr, 0, static_cast<int>(first_pause.count()));
  }
}

base::Result<void> Relay::run() {
  for (;;) {
    auto const more = next_request();
    if (!more) {
      return more.error();
    }
    if (!*more) {
      return {};
    }
    if (auto passed = pass_on(); !passed) {
      return passed;
    }
  }
}

}  // namespace

base::Result<void> relay(RelaySettings const& settings) {
  std::signal(SIGPIPE, SIG_IGN);
  return Relay(settings).run();
}

}  // namespace pipe_connector
