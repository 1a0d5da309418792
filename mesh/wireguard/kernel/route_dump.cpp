#include "mesh/wireguard/kernel/route_dump.hpp"

#include <linux/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <cstring>

namespace wireguard::netlink {

bool be_strict(Socket& socket) {
  int const on = 1;
  return ::setsockopt(nl_socket_get_fd(socket.get()), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on) == 0;
}

std::vector<std::uint8_t> dump_request(std::uint8_t family, unsigned device) {
  nlmsghdr header{};
  header.nlmsg_type = RTM_GETROUTE;
  header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  rtmsg route{};
  route.rtm_family = family;
  std::vector<std::uint8_t> out(NLMSG_LENGTH(sizeof route));
  auto const put = [&](std::uint16_t type, std::uint32_t value) {
    rtattr attribute{};
    attribute.rta_type = type;
    attribute.rta_len = RTA_LENGTH(sizeof value);
    auto const at = out.size();
    out.resize(at + RTA_SPACE(sizeof value));
    std::memcpy(out.data() + at, &attribute, sizeof attribute);
    std::memcpy(out.data() + at + RTA_LENGTH(0), &value, sizeof value);
  };
  if (device != 0) {
    put(RTA_TABLE, RT_TABLE_MAIN);
    put(RTA_OIF, device);
  }
  header.nlmsg_len = static_cast<std::uint32_t>(out.size());
  std::memcpy(out.data(), &header, sizeof header);
  std::memcpy(out.data() + NLMSG_HDRLEN, &route, sizeof route);
  return out;
}

base::Result<void> dump_routes(Socket& socket, bool strict, std::vector<unsigned> const& devices,
                               TakeRoute const& take) {
  auto const each = [&](std::span<std::uint8_t const> message) {
    nlmsghdr header{};
    rtmsg route{};
    if (message.size() < NLMSG_LENGTH(sizeof route)) {
      return;
    }
    std::memcpy(&header, message.data(), sizeof header);
    std::memcpy(&route, message.data() + NLMSG_HDRLEN, sizeof route);
    if (header.nlmsg_type == RTM_NEWROUTE && route.rtm_table == RT_TABLE_MAIN && route.rtm_type == RTN_UNICAST &&
        (route.rtm_flags & RTM_F_CLONED) == 0) {
      take(route, message);
    }
  };
  for (std::uint8_t const family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
    for (auto const device : strict ? devices : std::vector<unsigned>{0}) {
      // ENOENT: there is no such table, since nobody ever wrote to it. ENODEV: the device has just gone.
      int const failed = socket.exchange(dump_request(family, device), each);
      if (failed != 0 && failed != ENOENT && failed != ENODEV) {
        return failure_of(failed, "listing routes");
      }
    }
  }
  return {};
}

}  // namespace wireguard::netlink
