#include "mesh/round_trips/echo.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace round_trips {
namespace {

constexpr std::uint32_t ip_header_size = 40;
constexpr std::uint32_t icmp_header_size = 8;
constexpr int buffer_size = 4 << 20;  // a reply to each of all links may come at once

// Sizes above the path's MTU are refused by the kernel instead of being cut into fragments, which would hide what is
// looked for.
void prepare(int descriptor) {
  icmp6_filter filter{};
  std::memset(&filter, 0xff, sizeof(filter));  // a set bit blocks its type
  filter.icmp6_filt[ICMP6_ECHO_REPLY >> 5U] &= ~(1U << (ICMP6_ECHO_REPLY & 31U));
  ::setsockopt(descriptor, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
  int const probe = IPV6_PMTUDISC_PROBE;
  ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe, sizeof(probe));
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &buffer_size, sizeof(buffer_size));
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

base::Result<int> open_echo_socket() {
  int const descriptor = ::socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMPV6);
  if (descriptor < 0) {
    return base::fail_errno(errno, "opening a raw ICMPv6 socket, which needs CAP_NET_RAW");
  }
  prepare(descriptor);
  return descriptor;
}

void send_echo(int descriptor, wireguard::Address const& address, unsigned index,
               std::span<std::uint8_t const> message) {
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  auto const octets = address.to_v6().to_bytes();
  std::memcpy(&to.sin6_addr, octets.data(), octets.size());
  to.sin6_scope_id = index;
  (void)::sendto(descriptor, message.data(), message.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr const*>(&to),
                 sizeof(to));
}

}  // namespace round_trips
