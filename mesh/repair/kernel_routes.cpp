#include "mesh/repair/kernel_routes.hpp"

#include "mesh/wireguard/kernel/route_dump.hpp"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <span>

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
  bool const strict = wireguard::netlink::be_strict(*socket);
  return KernelRoutes(std::move(*socket), strict);
}

base::Result<std::vector<Route>> KernelRoutes::listed(bool strict, std::uint8_t protocol,
                                                      std::vector<unsigned> const& devices) {
  std::vector<Route> out;
  std::array<char, IF_NAMESIZE> name{};
  auto const take = [&](rtmsg const& of, std::span<std::uint8_t const> message) {
    rtnl_route* raw = nullptr;
    std::vector<std::uint8_t> bytes;
    if (of.rtm_protocol == protocol) {
      bytes.assign(message.begin(), message.end());
      static_cast<void>(rtnl_route_parse(static_cast<nlmsghdr*>(static_cast<void*>(bytes.data())), &raw));
    }
    std::unique_ptr<rtnl_route, FreeRoute> const route(raw);
    Route one;
    if (route == nullptr || !of_libnl(rtnl_route_get_dst(raw), one.destination)) {
      return;
    }
    int const hops = rtnl_route_get_nnexthops(raw);
    for (int i = 0; i < hops; ++i) {
      auto const index = rtnl_route_nh_get_ifindex(rtnl_route_nexthop_n(raw, i));
      if (index > 0 && ::if_indextoname(static_cast<unsigned>(index), name.data()) != nullptr) {
        if (hops == 1) {
          one.device = name.data();
        } else {
          one.legs.emplace_back(name.data());
        }
      }
    }
    out.push_back(std::move(one));
  };
  if (auto done = wireguard::netlink::dump_routes(socket_, strict, devices, take); !done) {
    return done.error();
  }
  return out;
}

base::Result<std::vector<Route>> KernelRoutes::list(std::uint8_t protocol, std::set<std::string> const& devices) {
  std::vector<unsigned> indexes;
  for (auto const& device : devices) {
    if (auto const index = ::if_nametoindex(device.c_str()); index != 0) {
      indexes.push_back(index);
    }
  }
  auto out = listed(strict_, protocol, indexes);
  if (out) {
    std::set<wireguard::Network> seen;  // one of several next hops comes once for each of their devices
    std::erase_if(*out, [&](Route const& one) {
      return one.device.empty() ? !seen.insert(one.destination).second : !devices.contains(one.device);
    });
  }
  return out;
}

base::Result<std::vector<Route>> KernelRoutes::list_detours() {
  return listed(true, detour_protocol, {0});
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
