#include "acme/crypto/encoding.hpp"

#include "base/result/result.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdint>

namespace crypto {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::uint32_t octet(char c) {
  return static_cast<std::uint8_t>(c);
}

}  // namespace

std::string base64url(std::string_view octets) {
  std::string text;
  text.reserve((octets.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < octets.size(); i += 3) {
    std::size_t const count = std::min<std::size_t>(3, octets.size() - i);
    std::uint32_t bits = octet(octets[i]) << 16U;
    bits |= count > 1 ? octet(octets[i + 1]) << 8U : 0;
    bits |= count > 2 ? octet(octets[i + 2]) : 0;
    for (std::size_t k = 0; k <= count; ++k) {
      text += alphabet[(bits >> (18U - 6U * k)) & 63U];
    }
  }
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) {
    return std::nullopt;
  }
  std::string octets;
  octets.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (char const c : text) {
    std::size_t const digit = alphabet.find(c);
    if (digit == std::string_view::npos) {
      return std::nullopt;
    }
    bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held >= 8) {
      held -= 8;
      octets += static_cast<char>(static_cast<std::uint8_t>(bits >> held));
      bits &= (1U << held) - 1U;
    }
  }
  if (bits != 0) {
    return std::nullopt;
  }
  return octets;
}

std::string sha256(std::string_view octets) {
  std::array<unsigned char, 32> digest{};
  unsigned int size = 0;
  ASSERT(EVP_Digest(octets.data(), octets.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  return {digest.begin(), digest.end()};
}

std::string hex(std::string_view octets) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(octets.size() * 2);
  for (char const c : octets) {
    text += digits[octet(c) >> 4U];
    text += digits[octet(c) & 15U];
  }
  return text;
}

}  // namespace crypto
