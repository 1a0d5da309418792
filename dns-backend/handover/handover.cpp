#include "dns-backend/handover/handover.hpp"

#include "base/process/log.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace handover {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Handle = asio::posix::stream_descriptor;
using std::chrono::milliseconds;

constexpr std::size_t packet_max = 4096;
constexpr std::string_view greeting = "navigator 1 release";

base::Result<sockaddr_un> address_of(std::string const& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return base::fail_errno(ENAMETOOLONG, "the hand-over socket '" + path + "'");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

bool would_block(base::Failure const& failure) {
  return failure.code == boost::system::errc::resource_unavailable_try_again;
}

net::Task<base::Result<process::Packet>> receive(Handle& socket) {
  for (;;) {
    auto packet = process::receive_packet(socket.native_handle(), packet_max);
    if (packet && *packet) {
      co_return std::move(**packet);
    }
    if (packet) {
      co_return base::fail(net::errc::closed, "the successor has gone");
    }
    if (!would_block(packet.error())) {
      co_return packet.error();
    }
    boost::system::error_code error;
    co_await socket.async_wait(Handle::wait_read, asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      co_return base::fail(net::errc::cancelled, "waiting for the successor");
    }
  }
}

net::Task<base::Result<void>> send(Handle& socket, std::string text, int descriptor) {
  for (;;) {
    auto const sent = process::send_packet(socket.native_handle(), text, descriptor);
    if (sent || !would_block(sent.error())) {
      co_return sent;
    }
    boost::system::error_code error;
    co_await socket.async_wait(Handle::wait_write, asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      co_return base::fail(net::errc::cancelled, "waiting for the successor");
    }
  }
}

net::Task<base::Result<void>> expect(Handle& socket, std::string word, milliseconds deadline) {
  auto packet = co_await net::within<process::Packet>(deadline, receive(socket));
  if (!packet) {
    co_return packet.error();
  }
  if (packet->text != word) {
    co_return base::fail(net::errc::bad_message, "'" + packet->text.substr(0, 100) + "' instead of '" + word + "'");
  }
  co_return base::Result<void>();
}

}  // namespace

struct Offer::State {
  State(asio::any_io_executor executor, std::string at, OfferSteps wanted, OfferLimits bounds)
      : path(std::move(at)), steps(std::move(wanted)), limits(bounds), listener(executor) {}

  std::string path;
  OfferSteps steps;
  OfferLimits limits;
  Handle listener;
  bool stopped = false;

  base::Result<void> listen();
  void close();
  static net::Task<void> run(std::shared_ptr<State> self);
  net::Task<base::Result<void>> converse(Handle& socket, OpenSockets& given);
  net::Task<base::Result<void>> give(Handle& socket, OpenSockets& given);
};

base::Result<void> Offer::State::listen() {
  auto const address = address_of(path);
  if (!address) {
    return address.error();
  }
  process::Descriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  struct stat file {};
  if (::lstat(path.c_str(), &file) == 0) {
    auto const* const there = reinterpret_cast<sockaddr const*>(&*address);  // NOLINT: so is the system's interface
    process::Descriptor const probe(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!S_ISSOCK(file.st_mode) || ::connect(probe.get(), there, sizeof *address) == 0) {
      return base::fail(net::errc::in_use, path + " is in use, or is no socket");
    }
    ::unlink(path.c_str());
  }
  mode_t const before = ::umask(0177);  // nobody else may ask, not even for the moment before a chmod
  int const bound = ::bind(socket.get(), reinterpret_cast<sockaddr const*>(&*address), sizeof *address);  // NOLINT
  int const error_number = errno;
  ::umask(before);
  if (bound != 0) {
    return base::fail_errno(error_number, "binding " + path);
  }
  if (::listen(socket.get(), 4) != 0) {
    return base::fail_errno(errno, "listening on " + path);
  }
  listener.assign(socket.release());
  return {};
}

void Offer::State::close() {
  if (!stopped) {
    stopped = true;
    boost::system::error_code ignored;
    listener.close(ignored);
    ::unlink(path.c_str());
  }
}

net::Task<base::Result<void>> Offer::State::give(Handle& socket, OpenSockets& given) {
  given = co_await steps.give();
  for (OpenSocket const& one : given) {
    std::string const text = "socket " + std::string(to_text(one.kind));
    auto const sent = co_await net::within<void>(limits.word, send(socket, text, one.descriptor.get()));
    if (!sent) {
      co_return sent;
    }
  }
  std::string const count = std::to_string(given.size());
  std::string const end = "end " + count;
  auto const sent = co_await net::within<void>(limits.word, send(socket, end, -1));
  if (!sent) {
    co_return sent;
  }
  std::string const taken = "taken " + count;
  co_return co_await expect(socket, taken, limits.word);
}

net::Task<base::Result<void>> Offer::State::converse(Handle& socket, OpenSockets& given) {
  std::string const hello(greeting);
  auto greeted = co_await expect(socket, hello, limits.word);
  if (!greeted) {
    co_return greeted;
  }
  process::log::info("handover", "a successor asks for the store");
  co_await steps.release();
  std::string const released = "released";
  base::Result<void> done = co_await net::within<void>(limits.word, send(socket, released, -1));
  std::string const wish = "give";
  if (done) {
    done = co_await expect(socket, wish, limits.load);
  }
  if (done) {
    done = co_await give(socket, given);
  }
  if (done) {
    close();  // the successor makes its own at the same path
    std::string const go = "go";
    done = co_await net::within<void>(limits.word, send(socket, go, -1));
  }
  if (!done) {
    process::log::error("handover", "the successor did not take over: {}", done.error().what());
    steps.stay(std::move(given));
    co_return done;
  }
  process::log::info("handover", "{} sockets handed over", given.size());
  steps.gone();
  co_return done;
}

net::Task<void> Offer::State::run(std::shared_ptr<State> self) {
  while (!self->stopped) {
    boost::system::error_code error;
    co_await self->listener.async_wait(Handle::wait_read, asio::redirect_error(asio::use_awaitable, error));
    if (error || self->stopped) {
      co_return;
    }
    int const accepted = ::accept4(self->listener.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) {
      continue;
    }
    Handle socket(self->listener.get_executor(), accepted);
    OpenSockets given;
    auto const done = co_await self->converse(socket, given);
    if (!done) {
      process::log::debug("handover", "{}", done.error().what());
    }
  }
}

Offer::Offer(std::shared_ptr<State> state) : state_(std::move(state)) {}

Offer::~Offer() {
  state_->close();
}

base::Result<std::unique_ptr<Offer>> Offer::open(asio::any_io_executor executor, std::string path, OfferSteps steps,
                                                 OfferLimits limits) {
  auto const state = std::make_shared<State>(executor, std::move(path), std::move(steps), limits);
  if (auto listening = state->listen(); !listening) {
    state->stopped = true;  // nothing of ours is there
    return listening.error();
  }
  net::spawn(executor, "hand-over", State::run(state));
  return std::unique_ptr<Offer>(new Offer(state));  // NOLINT: the constructor is private
}

base::Result<process::Packet> Predecessor::next(Clock::time_point end) const {
  for (;;) {
    auto packet = process::receive_packet(socket_.get(), packet_max);
    if (packet && *packet) {
      return std::move(**packet);
    }
    if (packet) {
      return base::fail(net::errc::closed, "the running navigator broke off the hand-over");
    }
    if (!would_block(packet.error())) {
      return packet.error();
    }
    auto const left = std::chrono::ceil<milliseconds>(end - Clock::now());
    pollfd waiting{socket_.get(), POLLIN, 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) == 0) {
      return base::fail(net::errc::timed_out, "the running navigator does not answer");
    }
  }
}

base::Result<std::optional<Predecessor>> Predecessor::ask(std::string const& path, milliseconds deadline) {
  auto const address = address_of(path);
  if (!address) {
    return address.error();
  }
  process::Descriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<sockaddr const*>(&*address), sizeof *address) != 0) {  // NOLINT
    if (errno == ENOENT || errno == ECONNREFUSED) {
      return std::optional<Predecessor>();
    }
    return base::fail_errno(errno, "connecting to " + path);
  }
  Predecessor predecessor(std::move(socket));
  if (auto const sent = process::send_packet(predecessor.socket_.get(), greeting); !sent) {
    return sent.error();
  }
  auto const answer = predecessor.next(Clock::now() + deadline);
  if (!answer) {
    return answer.error();
  }
  if (answer->text != "released") {
    return base::fail(net::errc::bad_message, "the running navigator answers '" + answer->text.substr(0, 100) + "'");
  }
  return std::optional<Predecessor>(std::move(predecessor));
}

base::Result<OpenSockets> Predecessor::take(milliseconds deadline) {
  auto const end = Clock::now() + deadline;
  if (auto const sent = process::send_packet(socket_.get(), "give"); !sent) {
    return sent.error();
  }
  OpenSockets sockets;
  for (;;) {
    auto packet = next(end);
    if (!packet) {
      return packet.error();
    }
    std::string_view const text = packet->text;
    if (text == "go") {
      return sockets;
    }
    std::string const count = std::to_string(sockets.size());
    if (text == "end " + count) {
      if (auto const sent = process::send_packet(socket_.get(), "taken " + count); !sent) {
        return sent.error();
      }
      continue;
    }
    auto const kind = text.starts_with("socket ") ? parse_kind(text.substr(7)) : std::nullopt;
    if (!kind || !packet->descriptor.open()) {
      return base::fail(net::errc::bad_message, "the running navigator answers '" + packet->text.substr(0, 100) + "'");
    }
    sockets.push_back({*kind, std::move(packet->descriptor)});
  }
}

}  // namespace handover
