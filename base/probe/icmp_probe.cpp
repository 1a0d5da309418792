#include "base/probe/attempt.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/icmp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <random>
#include <utility>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

namespace probe {
namespace {

namespace asio = boost::asio;
constexpr auto values = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t header_size = 8;
constexpr std::size_t token_size = 8;
constexpr std::size_t ip_header_least = 20;
constexpr std::size_t message_max = 2048;

std::uint16_t internet_checksum(std::span<std::uint8_t const> octets) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    std::uint32_t const low = i + 1 < octets.size() ? octets[i + 1] : 0;
    sum += (static_cast<std::uint32_t>(octets[i]) << 8U) + low;
  }
  while (sum > 0xffffU) {
    sum = (sum & 0xffffU) + (sum >> 16U);
  }
  return static_cast<std::uint16_t>(~sum);
}

boost::system::error_code last_error() {
  return {errno, boost::system::system_category()};
}

// Of everything a raw ICMPv6 socket hears, only replies.
void hear_replies_only(int descriptor) {
  icmp6_filter filter{};
  std::memset(&filter, 0xff, sizeof(filter));  // a set bit blocks its type
  filter.icmp6_filt[ICMP6_ECHO_REPLY >> 5U] &= ~(1U << (ICMP6_ECHO_REPLY & 31U));
  ::setsockopt(descriptor, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
}

}  // namespace

std::vector<std::uint8_t> echo_request(Echo const& echo) {
  std::vector<std::uint8_t> out(header_size + token_size);
  out[0] = echo.v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
  out[6] = static_cast<std::uint8_t>(echo.sequence >> 8U);
  out[7] = static_cast<std::uint8_t>(echo.sequence & 0xffU);
  std::memcpy(out.data() + header_size, &echo.token, token_size);
  if (!echo.v6) {  // the kernel computes that of ICMPv6, which covers the addresses
    std::uint16_t const sum = internet_checksum(out);
    out[2] = static_cast<std::uint8_t>(sum >> 8U);
    out[3] = static_cast<std::uint8_t>(sum & 0xffU);
  }
  return out;
}

bool is_echo_reply(Echo const& echo, std::span<std::uint8_t const> message, bool with_header) {
  if (with_header) {
    std::size_t const size = message.empty() ? 0 : (message[0] & 0x0fU) * std::size_t{4};
    if (size < ip_header_least || message.size() < size) {
      return false;
    }
    message = message.subspan(size);
  }
  if (message.size() < header_size + token_size || message[0] != (echo.v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY)) {
    return false;
  }
  std::uint64_t token = 0;
  std::memcpy(&token, message.data() + header_size, token_size);
  return token == echo.token && message[6] == echo.sequence >> 8U && message[7] == (echo.sequence & 0xffU);
}

IcmpSocket open_icmp(bool v6, OpenSocket open) {
  int const family = v6 ? AF_INET6 : AF_INET;
  int const protocol = v6 ? static_cast<int>(IPPROTO_ICMPV6) : static_cast<int>(IPPROTO_ICMP);
  constexpr int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
  IcmpSocket out;
  out.descriptor = open(family, SOCK_DGRAM | flags, protocol);
  if (out.descriptor >= 0) {
    return out;
  }
  int const unprivileged = errno;
  out.descriptor = open(family, SOCK_RAW | flags, protocol);
  if (out.descriptor >= 0) {
    out.raw = true;
    return out;
  }
  out.problem = "the kernel allows no ICMP: an unprivileged socket needs net.ipv4.ping_group_range (" +
                std::string(std::strerror(unprivileged)) + "), a raw one CAP_NET_RAW (" + std::strerror(errno) + ")";
  return out;
}

net::Task<Verdict> icmp_attempt(ContextPtr context) {
  Verdict problem;
  auto const address = target_address(context->check.address, problem);
  if (!address) {
    co_return problem;
  }
  IcmpSocket const opened = open_icmp(address->is_v6(), ::socket);
  if (opened.descriptor < 0) {
    co_return bad(opened.problem);
  }
  asio::posix::stream_descriptor socket(co_await asio::this_coro::executor, opened.descriptor);
  if (opened.raw && address->is_v6()) {
    hear_replies_only(opened.descriptor);
  }
  // A connected socket hears only its peer, and hears "host unreachable" as an error.
  asio::ip::icmp::endpoint const peer(*address, 0);
  if (::connect(opened.descriptor, peer.data(), static_cast<socklen_t>(peer.size())) != 0) {
    co_return bad(reason_of(last_error()));
  }
  std::random_device random;
  Echo const echo{address->is_v6(), static_cast<std::uint16_t>(random()),
                  (static_cast<std::uint64_t>(random()) << 32U) | random()};
  std::vector<std::uint8_t> const request = echo_request(echo);
  if (::send(opened.descriptor, request.data(), request.size(), 0) < 0) {
    co_return bad(reason_of(last_error()));
  }
  context->waiting_for = "no echo";
  std::array<std::uint8_t, message_max> message{};
  for (;;) {
    auto const [error] = co_await socket.async_wait(asio::posix::stream_descriptor::wait_read, values);
    if (error) {
      co_return bad(reason_of(error));
    }
    ssize_t const size = ::recv(opened.descriptor, message.data(), message.size(), 0);
    if (size < 0 && errno != EAGAIN && errno != EINTR) {
      co_return bad(reason_of(last_error()));
    }
    // Anything else is our own request on loopback, or somebody else's; the deadline ends the wait for the right one.
    std::span<std::uint8_t const> const heard(message.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
    if (is_echo_reply(echo, heard, opened.raw && address->is_v4())) {
      co_return good();
    }
  }
}

}  // namespace probe
