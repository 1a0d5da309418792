#include "mesh/doctor/echoes/echo.hpp"

#include "mesh/round_trips/echo.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <random>
#include <span>

#include <sys/socket.h>

namespace doctor {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
constexpr auto values = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t small_size = 64;
constexpr std::size_t tries = echo_tries + 1;  // and one more at half of the deadline
constexpr std::chrono::milliseconds pace{40};

// Of one link: when each small one left, and which came back.
struct Small {
  std::array<Clock::time_point, tries> sent{};
  std::array<bool, tries> answered{};
};

struct Round {
  std::uint16_t identifier = 0;
  std::vector<EchoTarget> targets;
  std::vector<LinkProbe> probes;
  std::vector<Small> small;

  // Everything that was sent until now is answered.
  [[nodiscard]] bool complete() const {
    for (std::size_t at = 0; at < probes.size(); ++at) {
      bool whole = probes[at].full_answered;
      for (std::size_t i = 0; i < tries; ++i) {
        whole = whole && (small[at].answered[i] || small[at].sent[i] == Clock::time_point());
      }
      if (!whole) {
        return false;
      }
    }
    return true;
  }
};

// Which link, which try, and which size: all of it has to fit 16 bits.
static_assert(2 * echo_targets_limit * tries <= 0x10000);

void send_one(int descriptor, Round const& round, std::size_t at, std::size_t number, bool full) {
  EchoTarget const& target = round.targets[at];
  auto const sequence = static_cast<std::uint16_t>((number * echo_targets_limit + at) * 2 + (full ? 1 : 0));
  auto const message = round_trips::echo_message(round.identifier, sequence, full ? target.mtu : small_size);
  round_trips::send_echo(descriptor, target.address, target.index, message);
}

void send(int descriptor, Round& round, std::size_t number) {
  bool const last = number + 1 == tries;
  for (std::size_t at = 0; at < round.targets.size(); ++at) {
    if (!last || !round.probes[at].small_answered) {
      round.small[at].sent[number] = Clock::now();
      send_one(descriptor, round, at, number, false);
    }
    if (!round.probes[at].full_answered) {
      send_one(descriptor, round, at, number, true);
    }
  }
}

void hear(Round& round, std::span<std::uint8_t const> message) {
  int const sequence = round_trips::reply_sequence(message, round.identifier);
  auto const at = static_cast<std::size_t>(sequence / 2) % echo_targets_limit;
  auto const number = static_cast<std::size_t>(sequence / 2) / echo_targets_limit;
  if (sequence < 0 || at >= round.targets.size() || number >= tries) {
    return;
  }
  LinkProbe& probe = round.probes[at];
  if (sequence % 2 == 1) {
    probe.full_answered = true;
    return;
  }
  round.small[at].answered[number] = true;
  if (!probe.small_answered) {
    probe.small_answered = true;
    auto const took = Clock::now() - round.small[at].sent[number];
    probe.rtt = std::chrono::duration_cast<std::chrono::microseconds>(took);
  }
}

// `early`: no longer than something is missing.
net::Task<void> hear_until(asio::posix::stream_descriptor* socket, Round* round, Clock::time_point deadline,
                           bool early) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(co_await asio::this_coro::executor, deadline);
  std::array<std::uint8_t, 2048> message{};
  while (!early || !round->complete()) {
    auto const woken =
        co_await (socket->async_wait(asio::posix::stream_descriptor::wait_read, values) || timer.async_wait(values));
    if (woken.index() == 1) {
      co_return;
    }
    for (;;) {
      ssize_t const size = ::recv(socket->native_handle(), message.data(), message.size(), MSG_DONTWAIT);
      if (size < 0) {
        break;
      }
      hear(*round, std::span<std::uint8_t const>(message.data(), static_cast<std::size_t>(size)));
    }
  }
}

}  // namespace

net::Task<base::Result<std::vector<LinkProbe>>> echo(std::vector<EchoTarget> targets,
                                                     std::chrono::milliseconds deadline) {
  targets.resize(std::min(targets.size(), echo_targets_limit));
  auto const descriptor = round_trips::open_echo_socket();
  if (!descriptor) {
    co_return descriptor.error();
  }
  asio::posix::stream_descriptor socket(co_await asio::this_coro::executor, *descriptor);
  Round round;
  round.identifier = static_cast<std::uint16_t>(std::random_device{}());
  round.targets = std::move(targets);
  round.small.resize(round.targets.size());
  for (auto const& target : round.targets) {
    round.probes.push_back({target.device, target.mtu, false, false, {}, 0});
  }
  auto const begin = Clock::now();
  for (std::size_t number = 0; number < echo_tries; ++number) {
    send(*descriptor, round, number);
    bool const last = number + 1 == echo_tries;
    co_await hear_until(&socket, &round, last ? begin + deadline / 2 : Clock::now() + pace, last);
  }
  if (!round.complete()) {
    send(*descriptor, round, echo_tries);
    co_await hear_until(&socket, &round, begin + deadline, true);
  }
  for (std::size_t at = 0; at < round.probes.size(); ++at) {
    auto const& answered = round.small[at].answered;
    round.probes[at].small_lost = static_cast<unsigned>(std::count(answered.begin(), answered.end() - 1, false));
  }
  co_return std::move(round.probes);
}

}  // namespace doctor
