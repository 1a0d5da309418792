#include "dns-backend/steering/address.hpp"

#include "dns-backend/dns/name.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace steering {

std::string parse_host(std::string const& text) {
  auto const good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  auto const name = dns::Name::parse(text);
  bool const host = name && !name->is_root() && std::all_of(name->text().begin(), name->text().end(), good);
  return host ? name->text() : std::string();
}

std::optional<Address> parse_address(std::string const& text) {
  boost::system::error_code bad;
  auto const ip = boost::asio::ip::make_address(text, bad);
  if (!bad) {
    bool const zoned = text.find('%') != std::string::npos;
    Address address;
    (ip.is_v4() ? address.v4 : address.v6) = ip.to_string();
    return zoned ? std::nullopt : std::optional(address);
  }
  std::string const full = parse_host(text);
  if (full.empty() || std::count(full.begin(), full.end(), '.') < 2) {
    return std::nullopt;
  }
  // No top-level domain is a number: this was to be an address.
  std::size_t const dot = full.rfind('.', full.size() - 2);
  bool const number = std::all_of(full.begin() + static_cast<std::ptrdiff_t>(dot) + 1, full.end() - 1,
                                  [](char c) { return c >= '0' && c <= '9'; });
  return number ? std::nullopt : std::optional(Address{{}, {}, full});
}

}  // namespace steering
