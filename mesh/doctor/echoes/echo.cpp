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

struct Round {
  std::uint16_t identifier = 0;
  std::vector<EchoTarget> targets;
  std::vector<LinkProbe> probes;
  std::vector<Clock::time_point> sent;  // of the small one

  [[nodiscard]] bool complete() const {
    return std::all_of(probes.begin(), probes.end(),
                       [](LinkProbe const& one) { return one.small_answered && one.full_answered; });
  }
};

void send_one(int descriptor, Round const& round, std::size_t at, bool full) {
  EchoTarget const& target = round.targets[at];
  auto const sequence = static_cast<std::uint16_t>(at * 2 + (full ? 1 : 0));
  auto const message = round_trips::echo_message(round.identifier, sequence, full ? target.mtu : small_size);
  round_trips::send_echo(descriptor, target.address, target.index, message);
}

void send_missing(int descriptor, Round& round) {
  for (std::size_t at = 0; at < round.targets.size(); ++at) {
    if (!round.probes[at].small_answered) {
      round.sent[at] = Clock::now();
      send_one(descriptor, round, at, false);
    }
    if (!round.probes[at].full_answered) {
      send_one(descriptor, round, at, true);
    }
  }
}

void hear(Round& round, std::span<std::uint8_t const> message) {
  int const sequence = round_trips::reply_sequence(message, round.identifier);
  auto const at = static_cast<std::size_t>(sequence / 2);
  if (sequence < 0 || at >= round.targets.size()) {
    return;
  }
  LinkProbe& probe = round.probes[at];
  if (sequence % 2 == 1) {
    probe.full_answered = true;
  } else if (!probe.small_answered) {
    probe.small_answered = true;
    probe.rtt = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - round.sent[at]);
  }
}

net::Task<void> hear_until(asio::posix::stream_descriptor* socket, Round* round, Clock::time_point deadline) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(co_await asio::this_coro::executor, deadline);
  std::array<std::uint8_t, 2048> message{};
  while (!round->complete()) {
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
  round.sent.resize(round.targets.size());
  for (auto const& target : round.targets) {
    round.probes.push_back({target.device, target.mtu, false, false, {}});
  }
  auto const begin = Clock::now();
  for (int half = 1; half <= 2 && !round.complete(); ++half) {
    send_missing(*descriptor, round);
    co_await hear_until(&socket, &round, begin + deadline * half / 2);
  }
  co_return std::move(round.probes);
}

}  // namespace doctor
