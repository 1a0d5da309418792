#include "topology/values/values.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace topology {
namespace {

namespace ip = boost::asio::ip;

std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t most) {
  std::uint32_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool const whole = error == std::errc() && end == text.data() + text.size();
  return whole && value <= most ? std::optional(value) : std::nullopt;
}

// "address/length" cut in two; the length is checked, the address is not.
std::optional<std::pair<std::string, unsigned short>> split_network(std::string const& text, std::uint32_t longest) {
  auto const slash = text.find('/');
  if (slash == std::string::npos) {
    return std::nullopt;
  }
  auto const length = parse_number(std::string_view(text).substr(slash + 1), longest);
  if (!length || *length == 0) {
    return std::nullopt;
  }
  return std::pair(text.substr(0, slash), static_cast<unsigned short>(*length));
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// Bit `index` of the address, counted from the most significant.
bool bit(Address const& address, unsigned index) {
  if (address.is_v4()) {
    return ((address.to_v4().to_uint() >> (31U - index)) & 1U) != 0;
  }
  auto const bytes = address.to_v6().to_bytes();
  return ((static_cast<unsigned>(bytes[index / 8]) >> (7U - index % 8U)) & 1U) != 0;
}

}  // namespace

std::optional<Address> parse_address(std::string const& text) {
  boost::system::error_code error;
  auto const address = ip::make_address(text, error);
  if (error || text.find('%') != std::string::npos || address.is_unspecified() || address.is_loopback() ||
      address.is_multicast()) {
    return std::nullopt;
  }
  if (address.is_v6() && (address.to_v6().is_link_local() || address.to_v6().is_v4_mapped())) {
    return std::nullopt;
  }
  if (address.is_v4()) {
    auto const number = address.to_v4().to_uint();
    bool const this_network = (number >> 24U) == 0;
    bool const link_local = (number >> 16U) == 0xa9fe;
    bool const reserved = (number >> 28U) == 0xf;
    if (this_network || link_local || reserved) {
      return std::nullopt;
    }
  }
  return address;
}

std::optional<Network4> parse_network4(std::string const& text) {
  auto const parts = split_network(text, 32);
  if (!parts) {
    return std::nullopt;
  }
  boost::system::error_code error;
  auto const address = ip::make_address_v4(parts->first, error);
  if (error) {
    return std::nullopt;
  }
  Network4 const network(address, parts->second);
  return network == network.canonical() ? std::optional(network) : std::nullopt;
}

std::optional<Network6> parse_network6(std::string const& text) {
  auto const parts = split_network(text, 128);
  if (!parts || parts->first.find('%') != std::string::npos) {
    return std::nullopt;
  }
  boost::system::error_code error;
  auto const address = ip::make_address_v6(parts->first, error);
  if (error) {
    return std::nullopt;
  }
  Network6 const network(address, parts->second);
  return network == network.canonical() ? std::optional(network) : std::nullopt;
}

bool is_label(std::string_view text) {
  constexpr std::size_t longest = 63;
  return !text.empty() && text.size() <= longest && text.front() != '-' && text.back() != '-' &&
         text.find("--") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || c == '-'; });
}

std::optional<std::string> parse_domain(std::string const& text) {
  constexpr std::size_t longest = 254;  // written out with the final dot; 255 on the wire
  constexpr std::size_t longest_label = 63;
  std::string out = text;
  if (out.empty() || out.back() != '.') {
    out += '.';
  }
  if (out.size() > longest) {
    return std::nullopt;
  }
  std::size_t label = 0;
  for (char& c : out) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (c == '.') {
      if (label == 0 || label > longest_label) {
        return std::nullopt;
      }
      label = 0;
    } else if (is_alphanumeric(c) || c == '-' || c == '_') {
      ++label;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<std::string> parse_area(std::string const& text) {
  if (auto const number = parse_number(text, 0xffffffffU)) {
    return ip::address_v4(*number).to_string();
  }
  boost::system::error_code error;
  auto const address = ip::make_address_v4(text, error);
  return error ? std::nullopt : std::optional(address.to_string());
}

std::string Block::text() const {
  bool const host = length == (base.is_v4() ? 32U : 128U);
  return base.to_string() + (host ? "" : "/" + std::to_string(length));
}

bool overlap(Block const& a, Block const& b) {
  if (a.base.is_v4() != b.base.is_v4()) {
    return false;
  }
  for (unsigned i = 0; i < std::min(a.length, b.length); ++i) {
    if (bit(a.base, i) != bit(b.base, i)) {
      return false;
    }
  }
  return true;
}

}  // namespace topology
