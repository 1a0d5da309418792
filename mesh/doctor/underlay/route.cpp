#include "mesh/doctor/underlay/route.hpp"

#include "mesh/wireguard/kernel/netlink_socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

namespace doctor {
namespace {

template <class Octets>
std::vector<std::uint8_t> request(unsigned char family, Octets const& destination) {
  struct {
    nlmsghdr header;
    rtmsg route;
  } fixed{};
  std::size_t const attribute = RTA_LENGTH(destination.size());
  fixed.header.nlmsg_len = static_cast<std::uint32_t>(sizeof(fixed) + RTA_ALIGN(attribute));
  fixed.header.nlmsg_type = RTM_GETROUTE;
  fixed.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  fixed.route.rtm_family = family;
  fixed.route.rtm_dst_len = static_cast<unsigned char>(destination.size() * 8);
  std::vector<std::uint8_t> out(fixed.header.nlmsg_len);
  std::memcpy(out.data(), &fixed, sizeof(fixed));
  rtattr head{};
  head.rta_len = static_cast<unsigned short>(attribute);
  head.rta_type = RTA_DST;
  std::memcpy(out.data() + sizeof(fixed), &head, sizeof(head));
  std::memcpy(out.data() + sizeof(fixed) + RTA_LENGTH(0), destination.data(), destination.size());
  return out;
}

// The outgoing interface's index of an RTM_NEWROUTE; 0 when it has none.
unsigned outgoing(std::span<std::uint8_t const> message) {
  std::size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(rtmsg));
  while (at + sizeof(rtattr) <= message.size()) {
    rtattr head{};
    std::memcpy(&head, message.data() + at, sizeof(head));
    if (head.rta_len < sizeof(head) || at + head.rta_len > message.size()) {
      return 0;
    }
    unsigned index = 0;
    if (head.rta_type == RTA_OIF && head.rta_len == RTA_LENGTH(sizeof(index))) {
      std::memcpy(&index, message.data() + at + RTA_LENGTH(0), sizeof(index));
      return index;
    }
    at += RTA_ALIGN(head.rta_len);
  }
  return 0;
}

}  // namespace

base::Result<std::string> interface_towards(wireguard::Address const& address) {
  auto socket = wireguard::netlink::Socket::open(NETLINK_ROUTE);
  if (!socket) {
    return socket.error();
  }
  auto const message =
      address.is_v4() ? request(AF_INET, address.to_v4().to_bytes()) : request(AF_INET6, address.to_v6().to_bytes());
  unsigned index = 0;
  int const failed = socket->exchange(message, [&](std::span<std::uint8_t const> answer) { index = outgoing(answer); });
  if (failed == ENETUNREACH || failed == EHOSTUNREACH || failed == EACCES) {
    return std::string();
  }
  if (failed != 0) {
    return wireguard::netlink::failure_of(failed, "asking for the route to " + address.to_string());
  }
  std::array<char, IF_NAMESIZE> name{};
  return std::string(index != 0 && ::if_indextoname(index, name.data()) != nullptr ? name.data() : "");
}

}  // namespace doctor
