#include "mesh/enrolment/token.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <vector>

namespace enrolment {

namespace {

constexpr std::string_view prefix = "sov2";

std::string to_hex(unsigned char const* bytes, std::size_t size) {
  constexpr char const* digits = "0123456789abcdef";
  std::string out;
  out.reserve(size * 2);
  for (std::size_t i = 0; i < size; ++i) {
    out += digits[bytes[i] >> 4U];
    out += digits[bytes[i] & 15U];
  }
  return out;
}

bool is_hex(std::string_view text, std::size_t length) {
  return text.size() == length &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    auto const end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::string random_hex(std::size_t bytes) {
  std::vector<unsigned char> buffer(bytes);
  ASSERT(RAND_bytes(buffer.data(), static_cast<int>(buffer.size())) == 1);
  return to_hex(buffer.data(), buffer.size());
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  unsigned int size = 0;
  ASSERT(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  return to_hex(digest.data(), digest.size());
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Token Token::generate(std::string controller_sha256, std::string world_key) {
  return {random_hex(8), random_hex(32), std::move(controller_sha256), std::move(world_key)};
}

base::Result<Token> Token::parse(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  auto const parts = split(text, '.');
  if (parts.size() != 5 || parts[0] != prefix || !is_hex(parts[1], 16) || !is_hex(parts[2], 64) ||
      !is_hex(parts[3], 64) || !is_hex(parts[4], 64)) {
    return base::fail(errc::bad_token, "the text is not of the form sov2.ID.SECRET.FINGERPRINT.KEY");
  }
  return Token{std::string(parts[1]), std::string(parts[2]), std::string(parts[3]), std::string(parts[4])};
}

std::string Token::text() const {
  return std::string(prefix) + "." + id + "." + secret + "." + controller_sha256 + "." + world_key;
}

base::Result<std::string> proof_of_possession(wireguard::PrivateKey const& own, wireguard::PublicKey const& other,
                                              std::string_view token_id, std::string_view node,
                                              std::string_view csr_pem) {
  auto const secret = wireguard::shared_secret(own, other);
  if (!secret) {
    return secret.error();
  }
  std::string const message = std::string(token_id) + "\n" + std::string(node) + "\n" + std::string(csr_pem);
  std::array<unsigned char, 32> mac{};
  unsigned int size = 0;
  auto const* const data = reinterpret_cast<unsigned char const*>(message.data());
  if (HMAC(EVP_sha256(), secret->data(), static_cast<int>(secret->size()), data, message.size(), mac.data(), &size) ==
      nullptr) {
    return base::fail(errc::crypto, "HMAC-SHA256 failed");
  }
  return to_hex(mac.data(), mac.size());
}

}  // namespace enrolment
