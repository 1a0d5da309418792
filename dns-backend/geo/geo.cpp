#include "dns-backend/geo/geo.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <arpa/inet.h>

namespace geo {
namespace {

constexpr std::uint8_t ipv4_bits = 32;
constexpr std::uint8_t ipv6_bits = 128;
constexpr unsigned octet_bits = 8;
constexpr std::uint8_t mapped_bits = 96;
constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::optional<Client> parse_address(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::copy(text.begin(), text.end(), terminated.begin());
  Client client;
  client.ipv6 = text.find(':') != std::string_view::npos;
  client.bits = client.ipv6 ? ipv6_bits : ipv4_bits;
  if (::inet_pton(client.ipv6 ? AF_INET6 : AF_INET, terminated.data(), client.octets.data()) != 1) {
    return std::nullopt;
  }
  return client;
}

Client unmapped(Client const& client) {
  bool const mapped = client.ipv6 && client.bits >= mapped_bits &&
                      std::equal(mapped_prefix.begin(), mapped_prefix.end(), client.octets.begin());
  if (!mapped) {
    return client;
  }
  Client out;
  std::copy(client.octets.begin() + mapped_prefix.size(), client.octets.end(), out.octets.begin());
  out.bits = static_cast<std::uint8_t>(client.bits - mapped_bits);
  return out;
}

double radians(double degrees) {
  return degrees * (M_PI / 180.0);
}

}  // namespace

Client shortened(Client client, std::uint8_t bits) {
  client.bits = std::min(client.bits, bits);
  for (unsigned i = 0; i < client.octets.size(); ++i) {
    unsigned const kept = client.bits > i * octet_bits ? std::min(client.bits - i * octet_bits, octet_bits) : 0;
    client.octets[i] &= static_cast<std::uint8_t>(0xff00U >> kept);
  }
  return client;
}

std::optional<Client> parse_client(std::string_view text) {
  std::size_t const slash = text.find('/');
  std::optional<Client> client = parse_address(text.substr(0, slash));
  if (!client) {
    return std::nullopt;
  }
  std::uint8_t bits = client->bits;
  if (slash != std::string_view::npos) {
    std::string_view const digits = text.substr(slash + 1);
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc() || end != digits.data() + digits.size() || bits > client->bits) {
      return std::nullopt;
    }
  }
  return unmapped(shortened(*client, bits));
}

std::string to_text(Client const& client) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(client.ipv6 ? AF_INET6 : AF_INET, client.octets.data(), text.data(), text.size());
  return std::string(text.data()) + "/" + std::to_string(client.bits);
}

double distance_km(double latitude_a, double longitude_a, double latitude_b, double longitude_b) {
  constexpr double radius_km = 6371;
  double const half_latitude = std::sin(radians(latitude_b - latitude_a) / 2);
  double const half_longitude = std::sin(radians(longitude_b - longitude_a) / 2);
  double const part = half_latitude * half_latitude +
                      std::cos(radians(latitude_a)) * std::cos(radians(latitude_b)) * half_longitude * half_longitude;
  // Rounding may carry two antipodes above 1.
  return 2 * radius_km * std::asin(std::sqrt(std::min(part, 1.0)));
}

}  // namespace geo
