#include "mesh/wireguard/kernel/link.hpp"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/object.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <sys/socket.h>
#include <unistd.h>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace wireguard {
namespace {

using netlink::failure_of_libnl;

struct FreeLink {
  void operator()(rtnl_link* link) const { rtnl_link_put(link); }
};
struct FreeAddress {
  void operator()(rtnl_addr* address) const { rtnl_addr_put(address); }
};
struct FreeRawAddress {
  void operator()(nl_addr* address) const { nl_addr_put(address); }
};
struct FreeCache {
  void operator()(nl_cache* cache) const { nl_cache_free(cache); }
};
using LinkPointer = std::unique_ptr<rtnl_link, FreeLink>;
using AddressPointer = std::unique_ptr<rtnl_addr, FreeAddress>;
using CachePointer = std::unique_ptr<nl_cache, FreeCache>;

std::optional<Network> network_of(rtnl_addr* entry) {
  auto* local = rtnl_addr_get_local(entry);
  if (local == nullptr) {
    return std::nullopt;
  }
  Network out;
  auto const* bytes = nl_addr_get_binary_addr(local);
  if (nl_addr_get_family(local) == AF_INET && nl_addr_get_len(local) == 4) {
    boost::asio::ip::address_v4::bytes_type raw{};
    std::memcpy(raw.data(), bytes, raw.size());
    out.address = boost::asio::ip::address_v4(raw);
  } else if (nl_addr_get_family(local) == AF_INET6 && nl_addr_get_len(local) == 16) {
    boost::asio::ip::address_v6::bytes_type raw{};
    std::memcpy(raw.data(), bytes, raw.size());
    out.address = boost::asio::ip::address_v6(raw);
  } else {
    return std::nullopt;
  }
  out.length = static_cast<std::uint8_t>(rtnl_addr_get_prefixlen(entry));
  return out;
}

AddressPointer make_address(unsigned index, Network const& network) {
  std::array<unsigned char, 16> bytes{};
  std::size_t size = 0;
  if (network.address.is_v4()) {
    auto const raw = network.address.to_v4().to_bytes();
    std::copy(raw.begin(), raw.end(), bytes.begin());
    size = raw.size();
  } else {
    auto const raw = network.address.to_v6().to_bytes();
    std::copy(raw.begin(), raw.end(), bytes.begin());
    size = raw.size();
  }
  std::unique_ptr<nl_addr, FreeRawAddress> const raw(
      nl_addr_build(network.address.is_v4() ? AF_INET : AF_INET6, bytes.data(), size));
  ASSERT(raw != nullptr);
  nl_addr_set_prefixlen(raw.get(), network.length);
  AddressPointer out(rtnl_addr_alloc());
  ASSERT(out != nullptr);
  rtnl_addr_set_ifindex(out.get(), static_cast<int>(index));
  rtnl_addr_set_local(out.get(), raw.get());
  rtnl_addr_set_prefixlen(out.get(), network.length);
  // BIRD's OSPFv2 ignores addresses of link scope and below.
  rtnl_addr_set_scope(out.get(), network.address.is_v6() && network.address.to_v6().is_link_local()
                                     ? RT_SCOPE_LINK
                                     : RT_SCOPE_UNIVERSE);
  if (network.address.is_v6()) {
    rtnl_addr_set_flags(out.get(), IFA_F_NODAD);
  }
  return out;
}

}  // namespace

base::Result<Links> Links::open() {
  auto socket = netlink::Socket::open(NETLINK_ROUTE);
  if (!socket) {
    return socket.error();
  }
  return Links(std::move(*socket));
}

base::Result<unsigned> Links::index(std::string const& name) {
  rtnl_link* found = nullptr;
  if (auto const code = rtnl_link_get_kernel(socket_.get(), 0, name.c_str(), &found); code < 0) {
    return failure_of_libnl(code, "looking for interface " + name);
  }
  LinkPointer const link(found);
  return static_cast<unsigned>(rtnl_link_get_ifindex(link.get()));
}

base::Result<std::vector<ObservedDevice>> Links::list(std::string_view prefix) {
  nl_cache* raw = nullptr;
  if (auto const code = rtnl_link_alloc_cache(socket_.get(), AF_UNSPEC, &raw); code < 0) {
    return failure_of_libnl(code, "listing interfaces");
  }
  CachePointer const links(raw);
  if (auto const code = rtnl_addr_alloc_cache(socket_.get(), &raw); code < 0) {
    return failure_of_libnl(code, "listing addresses");
  }
  CachePointer const addresses(raw);
  std::vector<ObservedDevice> out;
  for (auto* object = nl_cache_get_first(links.get()); object != nullptr; object = nl_cache_get_next(object)) {
    auto* link = static_cast<rtnl_link*>(static_cast<void*>(object));
    auto const* name = rtnl_link_get_name(link);
    if (name == nullptr || !std::string_view(name).starts_with(prefix)) {
      continue;
    }
    auto& device = out.emplace_back();
    device.name = name;
    device.index = static_cast<unsigned>(rtnl_link_get_ifindex(link));
    auto const* kind = rtnl_link_get_type(link);
    device.kind = kind != nullptr ? kind : "";
    auto const* alias = rtnl_link_get_ifalias(link);
    device.alias = alias != nullptr ? alias : "";
    device.up = (rtnl_link_get_flags(link) & IFF_UP) != 0;
    device.mtu = rtnl_link_get_mtu(link);
  }
  for (auto* object = nl_cache_get_first(addresses.get()); object != nullptr; object = nl_cache_get_next(object)) {
    auto* entry = static_cast<rtnl_addr*>(static_cast<void*>(object));
    auto const owner = static_cast<unsigned>(rtnl_addr_get_ifindex(entry));
    auto const device = std::find_if(out.begin(), out.end(), [&](auto const& one) { return one.index == owner; });
    if (device != out.end()) {
      if (auto const network = network_of(entry)) {
        device->addresses.push_back(*network);
      }
    }
  }
  std::sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.name < b.name; });
  return out;
}

base::Result<void> Links::create_wireguard(std::string const& name) {
  LinkPointer const link(rtnl_link_alloc());
  ASSERT(link != nullptr);
  rtnl_link_set_name(link.get(), name.c_str());
  // An unknown kind is a plain name to libnl; the kernel decides.
  if (auto const code = rtnl_link_set_type(link.get(), "wireguard"); code < 0) {
    return failure_of_libnl(code, "creating " + name);
  }
  if (auto const code = rtnl_link_add(socket_.get(), link.get(), NLM_F_CREATE | NLM_F_EXCL); code < 0) {
    return failure_of_libnl(code, "creating " + name);
  }
  return {};
}

base::Result<void> Links::prepare(std::string const& name, std::string const& alias) {
  auto const at = index(name);
  if (!at) {
    return at.error();
  }
  LinkPointer const change(rtnl_link_alloc());
  ASSERT(change != nullptr);
  rtnl_link_set_ifindex(change.get(), static_cast<int>(*at));
  if (!alias.empty()) {
    rtnl_link_set_ifalias(change.get(), alias.substr(0, 255).c_str());
  }
  if (auto const code = rtnl_link_inet6_set_addr_gen_mode(change.get(), IN6_ADDR_GEN_MODE_NONE); code < 0) {
    return failure_of_libnl(code, "preparing " + name);
  }
  if (auto const code = rtnl_link_change(socket_.get(), change.get(), change.get(), 0); code < 0) {
    return failure_of_libnl(code, "preparing " + name);
  }
  return {};
}

base::Result<void> Links::rename(unsigned index, std::string const& name) {
  LinkPointer const now(rtnl_link_alloc());
  ASSERT(now != nullptr);
  rtnl_link_set_ifindex(now.get(), static_cast<int>(index));
  LinkPointer const down(rtnl_link_alloc());
  ASSERT(down != nullptr);
  rtnl_link_unset_flags(down.get(), IFF_UP);
  LinkPointer const named(rtnl_link_alloc());
  ASSERT(named != nullptr);
  rtnl_link_set_name(named.get(), name.c_str());
  for (auto* const change : {down.get(), named.get()}) {
    if (auto const code = rtnl_link_change(socket_.get(), now.get(), change, 0); code < 0) {
      return failure_of_libnl(code, "giving interface " + std::to_string(index) + " the name " + name + " again");
    }
  }
  return {};
}

base::Result<void> Links::remove(std::string const& name) {
  auto const at = index(name);
  if (!at) {
    return at.error().code == errc::no_device ? base::Result<void>() : base::Result<void>(at.error());
  }
  LinkPointer const link(rtnl_link_alloc());
  ASSERT(link != nullptr);
  rtnl_link_set_ifindex(link.get(), static_cast<int>(*at));
  if (auto const code = rtnl_link_delete(socket_.get(), link.get()); code < 0 && code != -NLE_NODEV) {
    return failure_of_libnl(code, "removing " + name);
  }
  return {};
}

base::Result<void> Links::set_mtu(std::string const& name, std::uint32_t mtu) {
  auto const at = index(name);
  if (!at) {
    return at.error();
  }
  LinkPointer const change(rtnl_link_alloc());
  ASSERT(change != nullptr);
  rtnl_link_set_ifindex(change.get(), static_cast<int>(*at));
  rtnl_link_set_mtu(change.get(), mtu);
  if (auto const code = rtnl_link_change(socket_.get(), change.get(), change.get(), 0); code < 0) {
    return failure_of_libnl(code, "setting mtu " + std::to_string(mtu) + " on " + name);
  }
  return {};
}

base::Result<void> Links::set_up(std::string const& name) {
  auto const at = index(name);
  if (!at) {
    return at.error();
  }
  LinkPointer const change(rtnl_link_alloc());
  ASSERT(change != nullptr);
  rtnl_link_set_ifindex(change.get(), static_cast<int>(*at));
  rtnl_link_set_flags(change.get(), IFF_UP);
  if (auto const code = rtnl_link_change(socket_.get(), change.get(), change.get(), 0); code < 0) {
    // The kernel's WireGuard binds its UDP port when the interface goes up, and libnl calls EADDRINUSE "exists".
    if (code == -NLE_EXIST) {
      return netlink::failure_of(EADDRINUSE, "setting up " + name);
    }
    return failure_of_libnl(code, "setting up " + name);
  }
  return {};
}

base::Result<void> Links::add_address(std::string const& name, Network const& address) {
  auto const at = index(name);
  if (!at) {
    return at.error();
  }
  auto const entry = make_address(*at, address);
  if (auto const code = rtnl_addr_add(socket_.get(), entry.get(), 0); code < 0 && code != -NLE_EXIST) {
    return failure_of_libnl(code, "adding " + address.text() + " to " + name);
  }
  return {};
}

base::Result<void> Links::remove_address(std::string const& name, Network const& address) {
  auto const at = index(name);
  if (!at) {
    return at.error();
  }
  auto const entry = make_address(*at, address);
  if (auto const code = rtnl_addr_delete(socket_.get(), entry.get(), 0); code < 0 && code != -NLE_NOADDR) {
    return failure_of_libnl(code, "removing " + address.text() + " from " + name);
  }
  return {};
}

struct LinkEvents::State {
  explicit State(net::asio::any_io_executor executor) : socket(std::move(executor)) {}
  net::asio::posix::stream_descriptor socket;

  // Everything that queued up, whatever it says: the observer looks for itself. True when there was something.
  bool drain() {
    std::array<char, 8192> buffer{};
    bool any = false;
    for (;;) {
      auto const got = ::recv(socket.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      // ENOBUFS: more events than the queue holds; also news.
      if (got <= 0 && !(got < 0 && (errno == ENOBUFS || errno == EINTR))) {
        return any;
      }
      any = true;
    }
  }
};

LinkEvents::LinkEvents(std::unique_ptr<State> state) : state_(std::move(state)) {}
LinkEvents::LinkEvents(LinkEvents&&) noexcept = default;
LinkEvents& LinkEvents::operator=(LinkEvents&&) noexcept = default;
LinkEvents::~LinkEvents() = default;

base::Result<LinkEvents> LinkEvents::open(net::asio::any_io_executor executor) {
  int const fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (fd < 0) {
    return base::fail_errno(errno, "opening a netlink socket for events");
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  sockaddr generic{};
  static_assert(sizeof address <= sizeof generic);
  std::memcpy(&generic, &address, sizeof address);
  if (::bind(fd, &generic, sizeof address) != 0) {
    int const code = errno;
    ::close(fd);
    return base::fail_errno(code, "listening for netlink events");
  }
  auto state = std::make_unique<State>(std::move(executor));
  state->socket.assign(fd);
  return LinkEvents(std::move(state));
}

namespace {
net::Task<base::Result<void>> readable(net::asio::posix::stream_descriptor* socket) {
  boost::system::error_code error;
  co_await socket->async_wait(net::asio::posix::stream_descriptor::wait_read,
                              net::asio::redirect_error(net::asio::use_awaitable, error));
  if (error) {
    co_return base::Failure{error, "waiting for netlink events"};
  }
  co_return base::Result<void>();
}
}  // namespace

net::Task<bool> LinkEvents::wait(std::chrono::milliseconds deadline) {
  if (state_->drain()) {
    co_return true;
  }
  auto const result = co_await net::within(deadline, readable(&state_->socket));
  co_return result.has_value() && state_->drain();
}

}  // namespace wireguard
