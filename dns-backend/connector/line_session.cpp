#include "dns-backend/connector/line_session.hpp"

#include "base/process/log.hpp"
#include "dns-backend/conversation/framing.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace connector {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr int wake_up = SIGURG;
constexpr auto request_deadline = 10s;
constexpr auto reply_deadline = 10s;
// Idle for so long, a session lets its snapshot go: a zone that was replaced must not stay in memory for its sake.
constexpr timeval idle_limit{2, 0};
constexpr std::size_t piece_least = 4096;
constexpr std::size_t piece_most = 1U << 20U;
constexpr std::size_t kept_capacity = 1U << 20U;  // a buffer that grew above this for one large request is given back
// A lookup takes some KiB of it; what is never touched is never memory.
constexpr std::size_t stack_octets = 1U << 20U;

// It only has to end a system call.
void on_wake_up(int /*signal*/) {}

net::Task<void> write_into(Conversation& conversation, std::string& out, std::optional<base::Result<void>>& done) {
  done.emplace(co_await conversation.reply_to_write(out));
}

base::Failure closed_by_peer() {
  return base::fail(net::errc::closed, "closed by PowerDNS");
}

}  // namespace

base::Result<void> LineSession::prepare_process() {
  struct sigaction action {};
  action.sa_handler = on_wake_up;  // without SA_RESTART: recv and poll end with EINTR
  return ::sigaction(wake_up, &action, nullptr) == 0 ? base::Result<void>() : base::fail_errno(errno, "sigaction");
}

base::Result<std::unique_ptr<LineSession>> LineSession::start(process::Descriptor socket, Serving serving,
                                                              std::function<void()> ended) {
  // The mode is the connection's, and a predecessor may have left it otherwise.
  int const flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags & ~O_NONBLOCK) != 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &idle_limit, sizeof idle_limit) != 0) {
    return base::fail_errno(errno, "preparing a connection of PowerDNS");
  }
  // NOLINTNEXTLINE: the constructor is private
  std::unique_ptr<LineSession> session(new LineSession(std::move(socket), std::move(serving), std::move(ended)));
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, stack_octets);
  int const failed = ::pthread_create(&session->thread_, &attributes, main, session.get());
  ::pthread_attr_destroy(&attributes);
  if (failed != 0) {
    return base::fail_errno(failed, "a thread for a connection of PowerDNS");
  }
  session->joined_ = false;
  return session;
}

LineSession::LineSession(process::Descriptor socket, Serving serving, std::function<void()> ended)
    : socket_(std::move(socket)),
      ended_(std::move(ended)),
      serving_(std::move(serving)),
      conversation_(serving_),
      buffer_(piece_least) {}

LineSession::~LineSession() {
  if (!joined_) {
    close();
    join();
  }
}

void LineSession::leave() {
  leaving_.store(true);
  if (!joined_) {
    ::pthread_kill(thread_, wake_up);
  }
}

void LineSession::close() {
  ::shutdown(socket_.get(), SHUT_RDWR);
}

void LineSession::join() {
  ::pthread_join(thread_, nullptr);
  joined_ = true;
}

process::Descriptor LineSession::take_socket() {
  if (!joined_) {
    join();
  }
  return left_ ? std::move(socket_) : process::Descriptor();
}

void* LineSession::main(void* self) {
  // Whoever started this process may have blocked the signal.
  sigset_t calls;
  ::sigemptyset(&calls);
  ::sigaddset(&calls, wake_up);
  ::pthread_sigmask(SIG_UNBLOCK, &calls, nullptr);
  static_cast<LineSession*>(self)->run();
  return nullptr;
}

void LineSession::run() {
  base::Result<void> const done = serve();
  left_ = done.has_value();
  if (!done && done.error().code != net::errc::closed) {
    process::log::warning("remote", "connection closed instead of an answer: {}", done.error().what());
    serving_.meters.failed(done.error().code);
  }
  if (!left_) {
    close();  // PowerDNS hears of it now, not when the control loop comes round
  }
  ended_();
}

base::Result<void> LineSession::serve() {
  std::string unused;
  for (;;) {
    if (filled_ == 0) {
      if (leaving_.load() && !conversation_.in_transaction()) {
        return {};
      }
    } else {
      base::Result<std::optional<Cut>> const cut = cut_request(Framing::line, {buffer_.data(), filled_}, unused);
      if (!cut) {
        return cut.error();
      }
      if (*cut) {
        if (base::Result<void> done = reply((*cut)->request); !done) {
          return done;
        }
        end_of_request((*cut)->octets);
        continue;
      }
    }
    if (base::Result<void> received = receive(); !received) {
      return received;
    }
  }
}

base::Result<bool> LineSession::wait(short events, steady_clock::time_point deadline) const {
  auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
  pollfd waiting{socket_.get(), events, 0};
  int const ready = left > 0 ? ::poll(&waiting, 1, static_cast<int>(left)) : 0;
  if (ready < 0 && errno != EINTR) {
    return base::fail_errno(errno, "poll");
  }
  if (ready == 0) {
    return base::fail(net::errc::timed_out, "the other side stopped in the middle for 10 s");
  }
  return ready > 0;
}

base::Result<void> LineSession::receive() {
  if (filled_ > 0) {
    if (!request_end_) {
      request_end_ = steady_clock::now() + request_deadline;
    }
    base::Result<bool> const ready = wait(POLLIN, *request_end_);
    if (!ready || !*ready) {
      return ready ? base::Result<void>() : base::Result<void>(ready.error());
    }
  }
  // Each piece is searched for its end with all before it: pieces that grow keep a request of megabytes linear.
  if (buffer_.size() - filled_ < piece_least) {
    buffer_.resize(buffer_.size() + std::min(buffer_.size(), piece_most));
  }
  ssize_t const count = ::recv(socket_.get(), buffer_.data() + filled_, buffer_.size() - filled_, 0);
  if (count > 0) {
    filled_ += static_cast<std::size_t>(count);
    return {};
  }
  if (count == 0) {
    return closed_by_peer();
  }
  if (errno == EAGAIN) {
    serving_.forget();
    return {};
  }
  return errno == EINTR ? base::Result<void>() : base::Result<void>(closed_by_peer());
}

base::Result<void> LineSession::reply(std::string_view request) {
  out_.clear();
  base::Result<bool> const at_once = conversation_.reply_at_once(request, out_);
  if (!at_once) {
    return at_once.error();
  }
  if (!*at_once) {
    // A write is a task that comes back from the store's thread: it gets a loop, here, for as long as it takes.
    if (!writes_) {
      writes_.emplace(1);
    }
    std::optional<base::Result<void>> done;
    net::spawn(writes_->get_executor(), "remote write", write_into(conversation_, out_, done));
    writes_->restart();
    writes_->run();
    if (!done) {
      return base::fail(net::errc::cancelled, "a write ended without a word");
    }
    if (!*done) {
      return *done;
    }
    if (!conversation_.in_transaction()) {
      writes_.reset();
    }
  }
  return send();
}

base::Result<void> LineSession::send() {
  std::string_view rest = out_;
  std::optional<steady_clock::time_point> deadline;
  for (;;) {
    ssize_t const count = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
      return base::fail(net::errc::closed, "closed while a reply was written");
    }
    rest.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    if (rest.empty()) {
      conversation_.replied();
      return {};
    }
    // Only a long reply needs to wait for the reader.
    if (!deadline) {
      deadline = steady_clock::now() + reply_deadline;
    }
    if (base::Result<bool> const ready = wait(POLLOUT, *deadline); !ready) {
      return ready.error();
    }
  }
}

void LineSession::end_of_request(std::size_t octets) {
  // PowerDNS waits for its reply before it asks again, so that hardly ever something remains.
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(octets),
            buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.begin());
  filled_ -= octets;
  request_end_.reset();
  if (buffer_.size() > kept_capacity && filled_ <= piece_least) {
    buffer_.resize(piece_least);
    buffer_.shrink_to_fit();
  }
  if (out_.capacity() > kept_capacity) {
    out_ = std::string();
  }
}

}  // namespace connector
