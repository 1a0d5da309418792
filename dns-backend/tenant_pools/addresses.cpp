#include "dns-backend/tenant_pools/addresses.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace tenant_pools {
namespace {

namespace ip = boost::asio::ip;

// An address that cannot be read is in no prefix, and a prefix that cannot be read has no address.
bool is_within(ip::address const& address, std::string const& prefix) {
  boost::system::error_code bad;
  std::size_t const slash = prefix.find('/');
  ip::address const first = ip::make_address(prefix.substr(0, slash), bad);
  if (bad || first.is_v4() != address.is_v4()) {
    return false;
  }
  if (slash == std::string::npos) {
    return first == address;
  }
  if (address.is_v4()) {
    auto const network = ip::make_network_v4(prefix, bad);
    return !bad && ip::network_v4(address.to_v4(), network.prefix_length()).canonical() == network.canonical();
  }
  auto const network = ip::make_network_v6(prefix, bad);
  return !bad && ip::network_v6(address.to_v6(), network.prefix_length()).canonical() == network.canonical();
}

bool is_within_any(ip::address const& address, std::vector<std::string> const& prefixes) {
  return std::ranges::any_of(prefixes, [&address](std::string const& one) { return is_within(address, one); });
}

struct Reserved {
  char const* prefix;
  char const* what;
};

// What of IPv4 is no public unicast. Documentation's prefixes are routed nowhere and lead nowhere.
constexpr std::array<Reserved, 12> reserved4{{{"0.0.0.0/8", "this machine's"},
                                              {"10.0.0.0/8", "private"},
                                              {"100.64.0.0/10", "a carrier's own"},
                                              {"127.0.0.0/8", "loopback"},
                                              {"169.254.0.0/16", "link-local"},
                                              {"172.16.0.0/12", "private"},
                                              {"192.0.0.0/24", "reserved"},
                                              {"192.88.99.0/24", "reserved"},
                                              {"192.168.0.0/16", "private"},
                                              {"198.18.0.0/15", "for benchmarks"},
                                              {"224.0.0.0/4", "multicast"},
                                              {"240.0.0.0/4", "reserved"}}};
// Of IPv6 only 2000::/3 is public; within it these lead elsewhere.
constexpr std::array<Reserved, 2> reserved6{{{"2002::/16", "6to4"}, {"2001::/32", "Teredo"}}};

// The IPv4 address that it stands for.
std::optional<ip::address> within(ip::address_v6 const& address) {
  auto const octets = address.to_bytes();
  bool const mapped = address.is_v4_mapped() || is_within(address, "::/96");
  bool const translated = is_within(address, "64:ff9b::/96");
  if (!mapped && !translated) {
    return std::nullopt;
  }
  return ip::address(ip::address_v4({octets[12], octets[13], octets[14], octets[15]}));
}

std::string reserved(ip::address const& address) {
  if (address.is_v4()) {
    auto const* const found =
        std::ranges::find_if(reserved4, [&address](Reserved const& one) { return is_within(address, one.prefix); });
    return found == reserved4.end() ? "" : found->what;
  }
  if (address.is_v6() && address.to_v6().is_loopback()) {
    return "loopback";
  }
  if (is_within(address, "fe80::/10")) {
    return "link-local";
  }
  if (is_within(address, "fc00::/7")) {
    return "private";
  }
  if (is_within(address, "ff00::/8")) {
    return "multicast";
  }
  auto const* const found =
      std::ranges::find_if(reserved6, [&address](Reserved const& one) { return is_within(address, one.prefix); });
  return found != reserved6.end() ? found->what : is_within(address, "2000::/3") ? "" : "reserved";
}

}  // namespace

std::string why_refused(std::string const& text, Boundaries const& boundaries) {
  boost::system::error_code bad;
  ip::address const address = ip::make_address(text, bad);
  if (bad || text.find('%') != std::string::npos) {
    return "it is no address";
  }
  auto const inner = address.is_v6() ? within(address.to_v6()) : std::nullopt;
  if (inner) {
    return "write the IPv4 address it stands for";
  }
  if (is_within_any(address, boundaries.refused)) {
    return "it is the platform's own";
  }
  std::string const what = reserved(address);
  return what.empty() || is_within_any(address, boundaries.allowed) ? "" : "it is " + what;
}

}  // namespace tenant_pools
