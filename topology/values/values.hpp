// How single values of the topology file are read: addresses, networks, names.
//
// Threads: pure functions.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace topology {

using Address = boost::asio::ip::address;
using Network4 = boost::asio::ip::network_v4;
using Network6 = boost::asio::ip::network_v6;

// A unicast address that packets can be sent to from elsewhere: not unspecified, loopback, multicast, link-local,
// broadcast or an IPv4 address in IPv6 clothes, and without a scope.
std::optional<Address> parse_address(std::string const& text);

// "10.200.0.0/16": the part behind the prefix must be zero, and something must be in front of it.
std::optional<Network4> parse_network4(std::string const& text);
std::optional<Network6> parse_network6(std::string const& text);

// A DNS label as we use them for names: lower-case letters, digits and single hyphens inside, at most 63.
// Two hyphens in a row are refused because link names join two names by them.
bool is_label(std::string_view text);

// A domain name of letters, digits, hyphens and underscores; returned in lower case with its final dot.
std::optional<std::string> parse_domain(std::string const& text);

// An OSPF area, written as a number or as four of them; returned as four ("0.0.0.1").
std::optional<std::string> parse_area(std::string const& text);

// Any address or network as bits, so that both families compare alike.
struct Block {
  Address base;
  unsigned length = 0;

  explicit Block(Address const& address) : base(address), length(address.is_v4() ? 32 : 128) {}
  explicit Block(Network4 const& network) : base(network.network()), length(network.prefix_length()) {}
  explicit Block(Network6 const& network) : base(network.network()), length(network.prefix_length()) {}

  [[nodiscard]] std::string text() const;
};

// Whether the two have an address in common (networks always nest or are apart).
bool overlap(Block const& a, Block const& b);

}  // namespace topology
