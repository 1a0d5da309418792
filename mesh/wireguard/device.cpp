#include "mesh/wireguard/device.hpp"

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <charconv>

namespace wireguard {
namespace {

template <class Number>
bool parse_number(std::string_view text, Number& out) {
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

base::Failure malformed(char const* what, std::string_view text) {
  return base::fail(errc::bad_message, "'" + std::string(text.substr(0, 80)) + "' is not " + what);
}

}  // namespace

std::string Network::text() const {
  return address.to_string() + "/" + std::to_string(length);
}

bool contains(Network const& network, Address const& address) {
  namespace ip = boost::asio::ip;
  if (network.address.is_v4() != address.is_v4()) {
    return false;
  }
  if (address.is_v4()) {
    return ip::make_network_v4(network.address.to_v4(), network.length).canonical() ==
           ip::make_network_v4(address.to_v4(), network.length).canonical();
  }
  return ip::make_network_v6(network.address.to_v6(), network.length).canonical() ==
         ip::make_network_v6(address.to_v6(), network.length).canonical();
}

base::Result<Network> parse_network(std::string_view text) {
  auto const slash = text.find('/');
  boost::system::error_code error;
  Network out;
  out.address = boost::asio::ip::make_address(std::string(text.substr(0, slash)), error);
  if (error) {
    return malformed("an address with a prefix length", text);
  }
  unsigned const width = out.address.is_v4() ? 32 : 128;
  unsigned length = width;
  if (slash != std::string_view::npos && (!parse_number(text.substr(slash + 1), length) || length > width)) {
    return malformed("an address with a prefix length", text);
  }
  out.length = static_cast<std::uint8_t>(length);
  return out;
}

std::string Endpoint::text() const {
  auto const host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return host + ":" + std::to_string(port);
}

base::Result<Endpoint> parse_endpoint(std::string_view text) {
  auto const colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return malformed("an address with a port", text);
  }
  auto host = text.substr(0, colon);
  bool const bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  Endpoint out;
  boost::system::error_code error;
  out.address = boost::asio::ip::make_address(std::string(host), error);
  if (error || out.address.is_v6() != bracketed || !parse_number(text.substr(colon + 1), out.port) || out.port == 0) {
    return malformed("an address with a port", text);
  }
  return out;
}

}  // namespace wireguard
