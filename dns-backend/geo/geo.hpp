// Where a client is, and how far sites are: what steering by place needs, as immutable values.
//
// Threads: a Locator and SiteCosts are immutable once made; any thread may read them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace geo {

// An address with the number of its leading bits that are the client's: 32 or 128 for a whole one, less for the prefix
// a resolver sent (RFC 7871). `bits` 0: nobody.
struct Client {
  std::array<std::uint8_t, 16> octets{};  // IPv4 in the first four
  std::uint8_t bits = 0;
  bool ipv6 = false;
  bool operator==(Client const&) const = default;
};

// "192.0.2.1", "192.0.2.0/24", "2001:db8::/56"; nullopt: none of them. Bits behind the prefix are cleared, and an IPv4
// address that is written as an IPv6 one (::ffff:192.0.2.1) is read as what it is. Takes nothing from the heap.
[[nodiscard]] std::optional<Client> parse_client(std::string_view text);
// "192.0.2.0/24", always with its length.
[[nodiscard]] std::string to_text(Client const& client);
// The same client known by at most `bits` of its address.
[[nodiscard]] Client shortened(Client client, std::uint8_t bits);

struct Place {
  std::string_view region;     // the name the operator's map gives, or a country ("DE"); lives as long as the Locator
  std::string_view continent;  // "EU"; empty: unknown
  bool has_coordinates = false;
  double latitude = 0, longitude = 0;  // degrees
  // How much of the client's address decided, never more than it has: every client with the same so many bits is at the
  // same place (RFC 7871 7.2.1).
  std::uint8_t scope_bits = 0;
};

// What is known about addresses: an operator's CIDR map first, then a MaxMind database (MMDB).
class Locator {
 public:
  virtual ~Locator() = default;
  // The most specific entry for the client; nullopt when there is none. Takes nothing from the heap.
  [[nodiscard]] virtual std::optional<Place> locate(Client const& client) const = 0;
};

// Kilometres over a sphere with a radius of 6,371 km (haversine).
[[nodiscard]] double distance_km(double latitude_a, double longitude_a, double latitude_b, double longitude_b);

// The mesh's cost from the site that answers to each other one; a site that is missing cannot be reached.
using SiteCosts = std::map<std::string, std::uint32_t, std::less<>>;

// Both as a daemon hands them to its lookup loops; either may be missing.
struct Surroundings {
  std::shared_ptr<Locator const> locator;
  std::shared_ptr<SiteCosts const> costs;
};

}  // namespace geo
