// What an origin's `address` is: IPv4, IPv6 or a host name.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>

namespace steering {

// One of the three is filled: an IP address as everybody writes it, a host name as dns::Name::text().
struct Address {
  std::string v4, v6, target;
};
// dns::Name::text() of a host name (letters, digits, '-' and '_' after conversion of U-labels); empty: it is none.
std::string parse_host(std::string const& text);

// nullopt: none of them. A host name has at least two labels, and its last one is no number.
std::optional<Address> parse_address(std::string const& text);

}  // namespace steering
