#include "dns-backend/dns/ldns.hpp"
#include "dns-backend/dns/rrset.hpp"

#include <array>

namespace dns {

std::string nsec3_hash(Name const& name, std::string_view salt, unsigned iterations) {
  std::array<unsigned char, LDNS_SHA1_DIGEST_LENGTH> digest{};
  // IH(salt, x, 0) = H(x || salt), IH(salt, x, k) = H(IH(salt, x, k-1) || salt): RFC 5155 5.
  std::string input = name.wire();
  for (unsigned i = 0; i <= iterations; ++i) {
    input += salt;
    std::vector<unsigned char> octets(input.begin(), input.end());
    ldns_sha1(octets.data(), static_cast<unsigned>(octets.size()), digest.data());
    input.assign(digest.begin(), digest.end());
  }
  std::string text;
  unsigned buffer = 0;
  unsigned bits = 0;
  for (unsigned char const octet : digest) {
    buffer = buffer << 8 | octet;
    for (bits += 8; bits >= 5; bits -= 5) {
      text.push_back("0123456789abcdefghijklmnopqrstuv"[buffer >> (bits - 5) & 31]);
    }
  }
  return text;  // 160 bits are exactly 32 digits
}

}  // namespace dns
