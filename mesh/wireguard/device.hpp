// One WireGuard interface as a value: what it should be (Device) and what it is (ObservedDevice).
//
// Threads: plain values.
#pragma once

#include "mesh/wireguard/key.hpp"

#include <boost/asio/ip/address.hpp>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wireguard {

using Address = boost::asio::ip::address;

// An address with its prefix length: "10.200.0.3/32". On an interface the host bits count; in AllowedIPs they are zero.
struct Network {
  Address address;
  std::uint8_t length = 0;
  [[nodiscard]] std::string text() const;
  std::strong_ordering operator<=>(Network const&) const = default;
};
// errc::bad_message when it is not "ADDRESS/LENGTH". A missing length means the whole address.
base::Result<Network> parse_network(std::string_view text);

// Whether the address is one of the network's. Never across families.
[[nodiscard]] bool contains(Network const& network, Address const& address);

struct Endpoint {
  Address address;
  std::uint16_t port = 0;
  [[nodiscard]] std::string text() const;  // "192.0.2.1:51820", "[2001:db8::1]:51820"
  std::strong_ordering operator<=>(Endpoint const&) const = default;
};
base::Result<Endpoint> parse_endpoint(std::string_view text);

struct Peer {
  PublicKey public_key;
  std::optional<Endpoint> endpoint;  // none: it reaches us first (behind NAT)
  std::vector<Network> allowed_ips;
  std::uint16_t keepalive_s = 0;  // 0: off
};

// The complete wanted state of one interface.
struct Device {
  std::string name;        // at most 15 characters
  std::string alias;       // for people ("ams-1--fra-1"); written once, never compared
  PrivateKey private_key;  // not set in a plan: the agent fills in the node's own
  std::uint16_t listen_port = 0;
  std::uint32_t mtu = 1420;
  std::vector<Network> addresses;  // IPv4, IPv6 and the fe80:: one; nothing else may be on the interface
  std::vector<Peer> peers;
};

struct ObservedPeer {
  Peer peer;
  std::int64_t last_handshake_s = 0;  // seconds since the epoch; 0: never
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
};

struct ObservedDevice {
  std::string name;
  unsigned index = 0;
  std::string alias;       // what somebody wrote there for people
  std::string kind;        // what the kernel calls it: "wireguard", "tun", "veth"; empty for hardware
  bool wireguard = false;  // kernel device, or a TUN whose control socket answers; else it is somebody else's
  bool up = false;
  std::uint32_t mtu = 0;
  std::vector<Network> addresses;
  PrivateKey private_key;
  std::uint16_t listen_port = 0;
  std::vector<ObservedPeer> peers;
  // Why key, port and peers could not be read, and are empty: net::errc::timed_out where wireguard-go hangs,
  // errc::no_permission. Unset: they were read. The rest of a device is known in any case.
  boost::system::error_code unread;
};

}  // namespace wireguard
