#include "mesh/wireguard/key.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>

namespace wireguard {
namespace {

constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::size_t base64_size = 44;
constexpr std::size_t hex_size = 2 * key_size;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Context = std::unique_ptr<EVP_PKEY_CTX, FreeContext>;

base::Result<KeyBytes> bytes_from_base64(std::string_view text) {
  // 32 bytes are 42 full digits, one digit of which only four bits count, and one '='.
  if (text.size() != base64_size || text.back() != '=') {
    return base::fail(errc::bad_key, "a key is 44 characters of base64 that end in '='");
  }
  KeyBytes bytes{};
  std::uint32_t bits = 0;
  unsigned count = 0;
  std::size_t at = 0;
  for (char const c : text.substr(0, base64_size - 1)) {
    auto const digit = base64_digits.find(c);
    if (digit == std::string_view::npos) {
      return base::fail(errc::bad_key, "a key holds a character that is not base64");
    }
    bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.at(at++) = static_cast<std::uint8_t>((bits >> count) & 0xFFU);
    }
  }
  if ((bits & ((1U << count) - 1U)) != 0) {
    return base::fail(errc::bad_key, "a key's last base64 digit has bits that no byte takes");
  }
  return bytes;
}

std::string bytes_to_base64(std::span<std::uint8_t const, key_size> bytes) {
  std::string out;
  out.reserve(base64_size);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (auto const byte : bytes) {
    bits = (bits << 8U) | byte;
    count += 8;
    while (count >= 6) {
      count -= 6;
      out += base64_digits[(bits >> count) & 0x3FU];
    }
  }
  out += base64_digits[(bits << (6 - count)) & 0x3FU];
  out += '=';
  return out;
}

base::Result<KeyBytes> bytes_from_hex(std::string_view text) {
  if (text.size() != hex_size) {
    return base::fail(errc::bad_key, "a key is 64 hex digits");
  }
  KeyBytes bytes{};
  for (std::size_t i = 0; i < hex_size; ++i) {
    char const c = text[i] >= 'A' && text[i] <= 'F' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    auto const digit = hex_digits.find(c);
    if (digit == std::string_view::npos) {
      return base::fail(errc::bad_key, "a key holds a character that is not a hex digit");
    }
    bytes.at(i / 2) = static_cast<std::uint8_t>((static_cast<std::size_t>(bytes.at(i / 2)) << 4U) | digit);
  }
  return bytes;
}

std::string bytes_to_hex(std::span<std::uint8_t const, key_size> bytes) {
  std::string out;
  out.reserve(hex_size);
  for (auto const byte : bytes) {
    out += hex_digits[byte >> 4U];
    out += hex_digits[byte & 0xFU];
  }
  return out;
}

// Zero means "no key" in our values, and no peer can use it: refuse it where keys come in.
template <class KeyType>
base::Result<KeyType> checked(base::Result<KeyBytes> bytes) {
  if (!bytes) {
    return bytes.error();
  }
  KeyType key(*bytes);
  OPENSSL_cleanse(bytes->data(), bytes->size());
  if (!key.is_set()) {
    return base::fail(errc::bad_key, "a key of zeros is no key");
  }
  return key;
}

Key load_private(PrivateKey const& key) {
  return Key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, key.bytes().data(), key_size));
}

}  // namespace

base::Result<PublicKey> PublicKey::from_base64(std::string_view text) {
  return checked<PublicKey>(bytes_from_base64(text));
}
base::Result<PublicKey> PublicKey::from_hex(std::string_view text) {
  return checked<PublicKey>(bytes_from_hex(text));
}
std::string PublicKey::to_base64() const {
  return bytes_to_base64(bytes_);
}
std::string PublicKey::hex() const {
  return bytes_to_hex(bytes_);
}

PrivateKey::PrivateKey(PrivateKey&& other) noexcept : bytes_(other.bytes_) {
  other.wipe();
}

PrivateKey& PrivateKey::operator=(PrivateKey&& other) noexcept {
  if (this != &other) {
    bytes_ = other.bytes_;
    other.wipe();
  }
  return *this;
}

PrivateKey::~PrivateKey() {
  wipe();
}

void PrivateKey::wipe() {
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

PrivateKey PrivateKey::generate() {
  KeyBytes bytes{};
  // Without randomness there is nothing sensible left to do.
  ASSERT(RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  bytes.front() = static_cast<std::uint8_t>(bytes.front() & 0xF8U);
  bytes.back() = static_cast<std::uint8_t>((bytes.back() & 0x7FU) | 0x40U);
  PrivateKey key(bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return key;
}

base::Result<PrivateKey> PrivateKey::from_base64(std::string_view text) {
  return checked<PrivateKey>(bytes_from_base64(text));
}
base::Result<PrivateKey> PrivateKey::from_hex(std::string_view text) {
  return checked<PrivateKey>(bytes_from_hex(text));
}
std::string PrivateKey::to_base64() const {
  return bytes_to_base64(bytes_);
}
std::string PrivateKey::hex() const {
  return bytes_to_hex(bytes_);
}

bool PrivateKey::is_set() const {
  return std::any_of(bytes_.begin(), bytes_.end(), [](std::uint8_t byte) { return byte != 0; });
}

bool PrivateKey::operator==(PrivateKey const& other) const {
  return CRYPTO_memcmp(bytes_.data(), other.bytes_.data(), key_size) == 0;
}

PublicKey public_key(PrivateKey const& key) {
  auto const loaded = load_private(key);
  ASSERT(loaded != nullptr);
  KeyBytes out{};
  std::size_t size = out.size();
  ASSERT(EVP_PKEY_get_raw_public_key(loaded.get(), out.data(), &size) == 1 && size == out.size());
  return PublicKey(out);
}

base::Result<KeyBytes> shared_secret(PrivateKey const& key, PublicKey const& peer) {
  auto const own = load_private(key);
  Key const other(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, peer.bytes().data(), key_size));
  ASSERT(own != nullptr && other != nullptr);
  Context const context(EVP_PKEY_CTX_new(own.get(), nullptr));
  ASSERT(context != nullptr && EVP_PKEY_derive_init(context.get()) == 1);
  KeyBytes out{};
  std::size_t size = out.size();
  // OpenSSL refuses a result of zeros, which is what every point of small order gives.
  if (EVP_PKEY_derive_set_peer(context.get(), other.get()) != 1 ||
      EVP_PKEY_derive(context.get(), out.data(), &size) != 1 || size != out.size()) {
    return base::fail(errc::bad_key, "the peer's public key " + peer.to_base64() + " is a point of small order");
  }
  return out;
}

}  // namespace wireguard
