#include "dns-backend/dns/ldns.hpp"
#include "dns-backend/dns/present.hpp"
#include "dns-backend/dns/rrset.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace dns {
namespace {

// What ldns does not name: query types, younger or forgotten types, and the types PowerDNS invented for itself.
constexpr std::array<std::pair<std::string_view, std::uint16_t>, 12> extra_types{{{"ANY", 255},
                                                                                  {"MAILA", 254},
                                                                                  {"MAILB", 253},
                                                                                  {"AXFR", 252},
                                                                                  {"IXFR", 251},
                                                                                  {"RKEY", 57},
                                                                                  {"SMIMEA", 53},
                                                                                  {"DOA", 259},
                                                                                  {"AMTRELAY", 260},
                                                                                  {"TA", 32768},
                                                                                  {"ALIAS", type_alias.value},
                                                                                  {"LUA", type_lua.value}}};

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return result;
}

}  // namespace

base::Result<RRType> parse_type(std::string_view mnemonic) {
  constexpr std::size_t mnemonic_max = 20;
  auto const unknown = [mnemonic] {
    return base::fail(errc::bad_type, "'" + std::string(mnemonic.substr(0, mnemonic_max)) + "' is no record type");
  };
  if (mnemonic.empty() || mnemonic.size() > mnemonic_max) {
    return unknown();
  }
  std::string const name = upper(mnemonic);
  if (name.starts_with("TYPE")) {
    std::uint16_t value = 0;
    char const* const end = name.data() + name.size();
    auto const [stop, error] = std::from_chars(name.data() + 4, end, value);
    if (error != std::errc{} || stop != end) {
      return unknown();
    }
    return RRType{value};
  }
  for (auto const& [known, value] : extra_types) {
    if (name == known) {
      return RRType{value};
    }
  }
  ldns_rr_type const type = ldns_get_rr_type_by_name(name.c_str());
  if (type <= 0 || type > 0xffff) {
    return unknown();
  }
  return RRType{static_cast<std::uint16_t>(type)};
}

std::string to_text(RRType type) {
  std::string const fallback = "TYPE" + std::to_string(type.value);
  if (is_storable(type) && !is_known_to_powerdns(type)) {
    return fallback;
  }
  for (auto const& [known, value] : extra_types) {
    if (type.value == value) {
      return std::string(known);
    }
  }
  ldns_rr_descriptor const* const descriptor = ldns_rr_descript(type.value);
  return descriptor != nullptr && descriptor->_name != nullptr && type.value != 0 ? descriptor->_name : fallback;
}

bool is_storable(RRType type) {
  constexpr std::uint16_t opt = 41;
  return type.value != 0 && type.value != opt && (type.value < 128 || type.value > 255);
}

}  // namespace dns
