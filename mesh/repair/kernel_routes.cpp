#include "mesh/repair/kernel_routes.hpp"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace repair {
namespace {

using wireguard::Address;
using wireguard::Network;
using wireguard::netlink::failure_of_libnl;

struct FreeRoute {
  void operator()(rtnl_route* route) const { rtnl_route_put(route); }
};
struct FreeAddress {
  void operator()(nl_addr* address) const { nl_addr_put(address); }
};
struct FreeCache {
  void operator()(nl_cache* cache) const { nl_cache_free(cache); }
};
using AddressPointer = std::unique_ptr<nl_addr, FreeAddress>;

AddressPointer to_libnl(Address const& address) {
  std::array<unsigned char, 16> bytes{};
  std::size_t size = 4;
  if (address.is_v4()) {
    auto const raw = address.to_v4().to_bytes();
    std::copy(raw.begin(), raw.end(), bytes.begin());
  } else {
    auto const raw = address.to_v6().to_bytes();
    std::copy(raw.begin(), raw.end(), bytes.begin());
    size = raw.size();
  }
  AddressPointer out(nl_addr_build(address.is_v4() ? AF_INET : AF_INET6, bytes.data(), size));
  ASSERT(out != nullptr);
  return out;
}

bool of_libnl(nl_addr* from, Network& out) {
  if (from == nullptr) {
    return false;
  }
  auto const* bytes = nl_addr_get_binary_addr(from);
  if (nl_addr_get_family(from) == AF_INET && nl_addr_get_len(from) == 4) {
    boost::asio::ip::address_v4::bytes_type raw{};
    std::memcpy(raw.data(), bytes, raw.size());
    out.address = boost::asio::ip::address_v4(raw);
  } else if (nl_addr_get_family(from) == AF_INET6 && nl_addr_get_len(from) == 16) {
    boost::asio::ip::address_v6::bytes_type raw{};
    std::memcpy(raw.data(), bytes, raw.size());
    out.address = boost::asio::ip::address_v6(raw);
  } else {
    return false;
  }
  out.length = static_cast<std::uint8_t>(nl_addr_get_prefixlen(from));
  return true;
}

std::unique_ptr<rtnl_route, FreeRoute> detour(Route const& route) {
  std::unique_ptr<rtnl_route, FreeRoute> out(rtnl_route_alloc());
  ASSERT(out != nullptr);
  auto const destination = to_libnl(route.destination.address);
  nl_addr_set_prefixlen(destination.get(), route.destination.length);
  rtnl_route_set_family(out.get(), route.destination.address.is_v4() ? AF_INET : AF_INET6);
  rtnl_route_set_dst(out.get(), destination.get());
  rtnl_route_set_table(out.get(), RT_TABLE_MAIN);
  rtnl_route_set_type(out.get(), RTN_UNICAST);
  rtnl_route_set_scope(out.get(), RT_SCOPE_UNIVERSE);
  rtnl_route_set_protocol(out.get(), detour_protocol);
  rtnl_route_set_priority(out.get(), detour_metric);
  return out;
}

void add_next_hop(rtnl_route* to, Route const& route, unsigned index) {
  auto* hop = rtnl_route_nh_alloc();
  ASSERT(hop != nullptr);
  rtnl_route_nh_set_ifindex(hop, static_cast<int>(index));
  auto const gateway = to_libnl(route.gateway);
  rtnl_route_nh_set_gateway(hop, gateway.get());
  // IPv4 is unnumbered: no network of the device holds its neighbour's address.
  rtnl_route_nh_set_flags(hop, RTNH_F_ONLINK);
  rtnl_route_add_nexthop(to, hop);
  auto const source = to_libnl(route.source);
  rtnl_route_set_pref_src(to, source.get());
}

}  // namespace

base::Result<KernelRoutes> KernelRoutes::open() {
  auto socket = wireguard::netlink::Socket::open(NETLINK_ROUTE);
  if (!socket) {
    return socket.error();
  }
  return KernelRoutes(std::move(*socket));
}

base::Result<std::vector<Route>> KernelRoutes::list(std::uint8_t protocol) {
  nl_cache* raw = nullptr;
  if (auto const code = rtnl_route_alloc_cache(socket_.get(), AF_UNSPEC, 0, &raw); code < 0) {
    return failure_of_libnl(code, "listing routes");
  }
  std::unique_ptr<nl_cache, FreeCache> const cache(raw);
  std::vector<Route> out;
  std::array<char, IF_NAMESIZE> name{};
  for (auto* object = nl_cache_get_first(cache.get()); object != nullptr; object = nl_cache_get_next(object)) {
    auto* route = static_cast<rtnl_route*>(static_cast<void*>(object));
    Route one;
    if (rtnl_route_get_protocol(route) != protocol || rtnl_route_get_table(route) != RT_TABLE_MAIN ||
        !of_libnl(rtnl_route_get_dst(route), one.destination)) {
      continue;
    }
    int const hops = rtnl_route_get_nnexthops(route);
    for (int i = 0; i < hops; ++i) {
      auto const index = rtnl_route_nh_get_ifindex(rtnl_route_nexthop_n(route, i));
      if (index > 0 && ::if_indextoname(static_cast<unsigned>(index), name.data()) != nullptr) {
        if (hops == 1) {
          one.device = name.data();
        } else {
          one.legs.emplace_back(name.data());
        }
      }
    }
    out.push_back(std::move(one));
  }
  return out;
}

base::Result<void> KernelRoutes::add(Route const& route) {
  auto const index = ::if_nametoindex(route.device.c_str());
  auto const made = detour(route);
  add_next_hop(made.get(), route, index);
  if (auto const code = rtnl_route_add(socket_.get(), made.get(), NLM_F_CREATE | NLM_F_REPLACE); code < 0) {
    return failure_of_libnl(code, "a detour to " + route.destination.text() + " over " + route.device);
  }
  return {};
}

base::Result<void> KernelRoutes::remove(Route const& route) {
  auto const made = detour(route);
  if (auto const code = rtnl_route_delete(socket_.get(), made.get(), 0);
      code < 0 && code != -NLE_OBJ_NOTFOUND && code != -NLE_NODEV) {
    return failure_of_libnl(code, "ending the detour to " + route.destination.text());
  }
  return {};
}

}  // namespace repair
