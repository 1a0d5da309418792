#include "mesh/doctor/underlay/addresses.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace doctor {
namespace {

using wireguard::Address;

constexpr in_port_t any_port = 9;  // nothing is sent

std::optional<Address> address_of(sockaddr const* from) {
  if (from != nullptr && from->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, from, sizeof(v4));
    return boost::asio::ip::address_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (from != nullptr && from->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, from, sizeof(v6));
    boost::asio::ip::address_v6::bytes_type octets{};
    std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
    return boost::asio::ip::address_v6(octets);
  }
  return std::nullopt;
}

socklen_t to_socket_address(Address const& address, sockaddr_storage& out) {
  if (address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(any_port);
    v4.sin_addr.s_addr = htonl(address.to_v4().to_uint());
    std::memcpy(&out, &v4, sizeof(v4));
    return sizeof(v4);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(any_port);
  auto const octets = address.to_v6().to_bytes();
  std::memcpy(&v6.sin6_addr, octets.data(), octets.size());
  std::memcpy(&out, &v6, sizeof(v6));
  return sizeof(v6);
}

bool is_private(Address const& address) {
  if (address.is_v6()) {
    return (address.to_v6().to_bytes()[0] & 0xfeU) == 0xfcU;
  }
  auto const number = address.to_v4().to_uint();
  auto const within = [number](std::uint32_t network, unsigned length) {
    return (number ^ network) >> (32U - length) == 0;
  };
  return within(0x0a000000U, 8) || within(0xac100000U, 12) || within(0xc0a80000U, 16) || within(0x64400000U, 10);
}

bool among(Address const& one, std::vector<Address> const& all) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

base::Result<std::vector<Address>> local_addresses() {
  ifaddrs* raw = nullptr;
  if (::getifaddrs(&raw) != 0) {
    return base::fail_errno(errno, "listing this machine's addresses");
  }
  std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> const all(raw, &::freeifaddrs);
  std::vector<Address> out;
  for (auto const* one = all.get(); one != nullptr; one = one->ifa_next) {
    auto const address = address_of(one->ifa_addr);
    if (address && !(address->is_v6() && address->to_v6().is_link_local())) {
      out.push_back(*address);
    }
  }
  return out;
}

std::optional<Address> source_towards(Address const& peer) {
  int const socket = ::socket(peer.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) {
    return std::nullopt;
  }
  sockaddr_storage name{};
  auto* const generic = static_cast<sockaddr*>(static_cast<void*>(&name));
  socklen_t length = to_socket_address(peer, name);
  std::optional<Address> out;
  if (::connect(socket, generic, length) == 0) {
    length = sizeof(name);
    if (::getsockname(socket, generic, &length) == 0) {
      out = address_of(generic);
    }
  }
  ::close(socket);
  return out;
}

std::vector<Drift> drifts(std::vector<Address> const& declared, std::vector<Address> const& local,
                          std::vector<Address> const& sources) {
  std::vector<Drift> out;
  for (auto const& address : declared) {
    if (among(address, local)) {
      continue;
    }
    auto const used = std::find_if(sources.begin(), sources.end(), [&](Address const& source) {
      bool const translated = is_private(source) && !is_private(address);
      return source.is_v4() == address.is_v4() && !translated && !among(source, declared);
    });
    if (used != sources.end()) {
      out.push_back({address, *used});
    }
  }
  return out;
}

}  // namespace doctor
