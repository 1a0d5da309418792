#include "mesh/guard/strays.hpp"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <sys/socket.h>

#include <array>
#include <memory>

namespace guard {
namespace {

constexpr std::uint8_t detours = 201;  // mesh/repair

struct FreeCache {
  void operator()(nl_cache* cache) const { nl_cache_free(cache); }
};

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
  return Strays(std::move(*socket));
}

base::Result<std::vector<std::string>> Strays::remove(std::set<std::string> const& devices) {
  nl_cache* raw = nullptr;
  if (auto const code = rtnl_route_alloc_cache(socket_.get(), AF_UNSPEC, 0, &raw); code < 0) {
    return wireguard::netlink::failure_of_libnl(code, "listing routes");
  }
  std::unique_ptr<nl_cache, FreeCache> const cache(raw);
  std::vector<std::string> out;
  for (auto* object = nl_cache_get_first(cache.get()); object != nullptr; object = nl_cache_get_next(object)) {
    auto* route = static_cast<rtnl_route*>(static_cast<void*>(object));
    if (rtnl_route_get_table(route) != RT_TABLE_MAIN || rtnl_route_get_type(route) != RTN_UNICAST ||
        belongs(static_cast<std::uint8_t>(rtnl_route_get_protocol(route)))) {
      continue;
    }
    auto const device = mesh_device(route, devices);
    if (device.empty()) {
      continue;
    }
    std::array<char, 128> destination{};
    nl_addr2str(rtnl_route_get_dst(route), destination.data(), destination.size());
    auto const what = std::string(destination.data()) + " over " + device;
    if (auto const code = rtnl_route_delete(socket_.get(), route, 0); code < 0 && code != -NLE_OBJ_NOTFOUND) {
      return wireguard::netlink::failure_of_libnl(code, "removing the route to " + what);
    }
    out.push_back("route to " + what + " removed: it is not BIRD's");
  }
  return out;
}

}  // namespace guard
