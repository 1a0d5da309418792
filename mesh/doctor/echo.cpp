#include "mesh/doctor/echo.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <random>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace doctor {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
constexpr auto values = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t ip_header_size = 40;
constexpr std::uint32_t icmp_header_size = 8;
constexpr std::uint32_t small_size = 64;
constexpr int buffer_size = 4 << 20;  // a reply to each of all targets may come at once

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

// Everything but replies is somebody else's business. Sizes above the path's MTU are refused by the kernel instead of
// being cut into fragments, which would hide what is looked for.
void prepare(int descriptor) {
  icmp6_filter filter{};
  std::memset(&filter, 0xff, sizeof(filter));  // a set bit blocks its type
  filter.icmp6_filt[ICMP6_ECHO_REPLY >> 5U] &= ~(1U << (ICMP6_ECHO_REPLY & 31U));
  ::setsockopt(descriptor, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
  int const probe = IPV6_PMTUDISC_PROBE;
  ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe, sizeof(probe));
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &buffer_size, sizeof(buffer_size));
}

// A packet that the kernel does not take is one that is not answered.
void send_one(int descriptor, Round const& round, std::size_t at, bool full) {
  EchoTarget const& target = round.targets[at];
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  auto const octets = target.address.to_v6().to_bytes();
  std::memcpy(&to.sin6_addr, octets.data(), octets.size());
  to.sin6_scope_id = target.index;
  auto const sequence = static_cast<std::uint16_t>(at * 2 + (full ? 1 : 0));
  auto const message = echo_message(round.identifier, sequence, full ? target.mtu : small_size);
  (void)::sendto(descriptor, message.data(), message.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr const*>(&to),
                 sizeof(to));
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
  int const sequence = reply_sequence(message, round.identifier);
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

std::vector<std::uint8_t> echo_message(std::uint16_t identifier, std::uint16_t sequence, std::uint32_t size) {
  std::uint32_t const least = ip_header_size + icmp_header_size;
  std::vector<std::uint8_t> out(std::max(size, least) - ip_header_size);
  out[0] = ICMP6_ECHO_REQUEST;  // the kernel computes the checksum, which covers the addresses
  out[4] = static_cast<std::uint8_t>(identifier >> 8U);
  out[5] = static_cast<std::uint8_t>(identifier & 0xffU);
  out[6] = static_cast<std::uint8_t>(sequence >> 8U);
  out[7] = static_cast<std::uint8_t>(sequence & 0xffU);
  return out;
}

int reply_sequence(std::span<std::uint8_t const> message, std::uint16_t identifier) {
  bool const ours = message.size() >= icmp_header_size && message[0] == ICMP6_ECHO_REPLY &&
                    message[4] == identifier >> 8U && message[5] == (identifier & 0xffU);
  return ours ? message[6] << 8U | message[7] : -1;
}

net::Task<base::Result<std::vector<LinkProbe>>> echo(std::vector<EchoTarget> targets,
                                                     std::chrono::milliseconds deadline) {
  targets.resize(std::min(targets.size(), echo_targets_limit));
  int const descriptor = ::socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMPV6);
  if (descriptor < 0) {
    co_return base::fail_errno(errno, "opening a raw ICMPv6 socket, which needs CAP_NET_RAW");
  }
  asio::posix::stream_descriptor socket(co_await asio::this_coro::executor, descriptor);
  prepare(descriptor);
  Round round;
  round.identifier = static_cast<std::uint16_t>(std::random_device{}());
  round.targets = std::move(targets);
  round.sent.resize(round.targets.size());
  for (auto const& target : round.targets) {
    round.probes.push_back({target.device, target.mtu, false, false, {}});
  }
  auto const begin = Clock::now();
  for (int half = 1; half <= 2 && !round.complete(); ++half) {
    send_missing(descriptor, round);
    co_await hear_until(&socket, &round, begin + deadline * half / 2);
  }
  co_return std::move(round.probes);
}

}  // namespace doctor
