#include "dns-backend/dns/ttl.hpp"

#include <charconv>

namespace dns {

std::uint32_t ttl_of(RRset const& rrset, std::string_view content) {
  if (rrset.type != type_rrsig) {
    return rrset.ttl;
  }
  std::uint32_t ttl = rrset.ttl;
  for (int field = 0; field < 3; ++field) {
    std::size_t const blank = content.find(' ');
    if (blank == std::string_view::npos) {
      return ttl;
    }
    content.remove_prefix(blank + 1);
  }
  std::from_chars(content.data(), content.data() + content.size(), ttl);
  constexpr std::uint32_t longest = 0x7fffffff;  // RFC 2181 section 8; more is no TTL that anybody reads
  return ttl <= longest ? ttl : rrset.ttl;
}

}  // namespace dns
