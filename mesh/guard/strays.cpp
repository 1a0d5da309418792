#include "mesh/guard/strays.hpp"

#include "mesh/wireguard/kernel/route_dump.hpp"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <span>

namespace guard {
namespace {

constexpr std::uint8_t detours = 201;  // mesh/repair

struct FreeRoute {
  void operator()(rtnl_route* route) const { rtnl_route_put(route); }
};
using RoutePointer = std::unique_ptr<rtnl_route, FreeRoute>;

// The last device of its next hops, when all are ours; else empty.
std::string mesh_device(rtnl_route* route, std::set<std::string> const& devices) {
  std::string out;
  std::array<char, IF_NAMESIZE> name{};
  int const hops = rtnl_route_get_nnexthops(route);
  for (int i = 0; i < hops; ++i) {
    auto const index = rtnl_route_nh_get_ifindex(rtnl_route_nexthop_n(route, i));
    if (index <= 0 || ::if_indextoname(static_cast<unsigned>(index), name.data()) == nullptr ||
        !devices.contains(name.data())) {
      return {};
    }
    out = name.data();
  }
  return out;
}

}  // namespace

bool belongs(std::uint8_t protocol) {
  return protocol == RTPROT_BIRD || protocol == RTPROT_KERNEL || protocol == detours;
}

base::Result<Strays> Strays::open() {
  auto socket = wireguard::netlink::Socket::open(NETLINK_ROUTE);
  if (!socket) {
    return socket.error();
  }
  bool const strict = wireguard::netlink::be_strict(*socket);
  return Strays(std::move(*socket), strict);
}

namespace {

std::string text_of(rtnl_route* route, std::string const& device) {
  std::array<char, 128> destination{};
  nl_addr2str(rtnl_route_get_dst(route), destination.data(), destination.size());
  return std::string(destination.data()) + " over " + device;
}

// All over these devices that nobody of the mesh can have made.
base::Result<std::vector<RoutePointer>> find(wireguard::netlink::Socket& socket, bool strict,
                                             std::set<std::string> const& devices) {
  std::vector<unsigned> indexes;
  for (auto const& device : devices) {
    if (auto const index = ::if_nametoindex(device.c_str()); index != 0) {
      indexes.push_back(index);
    }
  }
  std::vector<RoutePointer> found;
  auto const take = [&](rtmsg const& of, std::span<std::uint8_t const> message) {
    if (belongs(of.rtm_protocol)) {
      return;
    }
    std::vector<std::uint8_t> bytes(message.begin(), message.end());
    rtnl_route* route = nullptr;
    if (rtnl_route_parse(static_cast<nlmsghdr*>(static_cast<void*>(bytes.data())), &route) == 0) {
      found.emplace_back(route);
    }
  };
  if (auto listed = wireguard::netlink::dump_routes(socket, strict, indexes, take); !listed) {
    return listed.error();
  }
  std::erase_if(found, [&](RoutePointer const& route) { return mesh_device(route.get(), devices).empty(); });
  return found;
}

}  // namespace

base::Result<std::vector<std::string>> Strays::list(std::set<std::string> const& devices) {
  auto const found = find(socket_, strict_, devices);
  if (!found) {
    return found.error();
  }
  std::set<std::string> out;  // one with two of our devices is listed with each
  for (auto const& route : *found) {
    out.insert(text_of(route.get(), mesh_device(route.get(), devices)));
  }
  return std::vector<std::string>(out.begin(), out.end());
}

base::Result<std::vector<std::string>> Strays::remove(std::set<std::string> const& devices) {
  auto const found = find(socket_, strict_, devices);
  if (!found) {
    return found.error();
  }
  std::vector<std::string> out;
  for (auto const& route : *found) {
    auto const what = text_of(route.get(), mesh_device(route.get(), devices));
    auto const code = rtnl_route_delete(socket_.get(), route.get(), 0);
    // One with two of our devices is listed with each.
    if (code == -NLE_OBJ_NOTFOUND) {
      continue;
    }
    if (code < 0) {
      return wireguard::netlink::failure_of_libnl(code, "removing the route to " + what);
    }
    out.push_back("route to " + what + " removed: it is not BIRD's");
  }
  return out;
}

}  // namespace guard
