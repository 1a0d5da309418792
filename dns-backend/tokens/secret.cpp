#include "dns-backend/tokens/secret.hpp"

#include "base/result/result.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <vector>

namespace tokens {
namespace {

std::vector<unsigned char> random_octets(std::size_t count) {
  std::vector<unsigned char> octets(count);
  ASSERT(RAND_bytes(octets.data(), static_cast<int>(count)) == 1);
  return octets;
}

std::string hex(unsigned char const* octets, std::size_t count) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(digits[octets[i] >> 4U]);
    out.push_back(digits[octets[i] & 0x0fU]);
  }
  return out;
}

}  // namespace

std::string random_text(std::size_t count) {
  constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::string out;
  unsigned bits = 0;
  unsigned held = 0;
  for (unsigned char const octet : random_octets(count)) {
    bits = (bits << 8U | octet) & 0xffffU;
    for (held += 8; held >= 5; held -= 5) {
      out.push_back(alphabet[bits >> (held - 5) & 31U]);
    }
  }
  if (held > 0) {
    out.push_back(alphabet[bits << (5 - held) & 31U]);
  }
  return out;
}

std::string random_uuid() {
  std::vector<unsigned char> octets = random_octets(16);
  octets[6] = static_cast<unsigned char>((octets[6] & 0x0fU) | 0x40U);
  octets[8] = static_cast<unsigned char>((octets[8] & 0x3fU) | 0x80U);
  std::string const text = hex(octets.data(), octets.size());
  return text.substr(0, 8) + "-" + text.substr(8, 4) + "-" + text.substr(12, 4) + "-" + text.substr(16, 4) + "-" +
         text.substr(20);
}

std::string digest(std::string_view secret) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  ASSERT(EVP_Digest(secret.data(), secret.size(), out.data(), &size, EVP_sha256(), nullptr) == 1);
  return hex(out.data(), size);
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tokens
