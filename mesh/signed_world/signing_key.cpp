#include "mesh/signed_world/signing_key.hpp"

#include "base/process/service.hpp"
#include "base/result/category.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <filesystem>
#include <memory>
#include <optional>

namespace signed_world {
namespace {

constexpr std::size_t signature_size = 64;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using KeyPointer = std::unique_ptr<EVP_PKEY, FreeKey>;
using DigestPointer = std::unique_ptr<EVP_MD_CTX, FreeDigest>;

template <std::size_t Size>
std::string to_hex(std::array<std::uint8_t, Size> const& bytes) {
  constexpr char const* digits = "0123456789abcdef";
  std::string out;
  for (auto const byte : bytes) {
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

std::optional<std::uint8_t> nibble(char digit) {
  if (digit >= '0' && digit <= '9') {
    return static_cast<std::uint8_t>(digit - '0');
  }
  if (digit >= 'a' && digit <= 'f') {
    return static_cast<std::uint8_t>(digit - 'a' + 10);
  }
  return std::nullopt;
}

template <std::size_t Size>
std::optional<std::array<std::uint8_t, Size>> of_hex(std::string_view text) {
  if (text.size() != Size * 2) {
    return std::nullopt;
  }
  std::array<std::uint8_t, Size> out{};
  for (std::size_t i = 0; i < Size; ++i) {
    auto const high = nibble(text[i * 2]);
    auto const low = nibble(text[i * 2 + 1]);
    if (!high || !low) {
      return std::nullopt;
    }
    out[i] = static_cast<std::uint8_t>(*high << 4U | *low);
  }
  return out;
}

unsigned char const* bytes_of(std::string_view text) {
  return static_cast<unsigned char const*>(static_cast<void const*>(text.data()));
}

char const* message(int code) {
  switch (static_cast<errc>(code)) {
    case errc::bad_form:
      return "not a signed world";
    case errc::forged:
      return "the signature is not the controller's";
    case errc::other_mesh:
      return "for another mesh";
    case errc::future:
      return "from the future";
    case errc::crypto:
      return "cryptography failed";
    case errc::bad_state:
      return "unexpected state on disk";
  }
  return "unknown";
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("signed_world", message);
  return {static_cast<int>(code), category};
}

base::Result<VerifyKey> VerifyKey::from_hex(std::string_view text) {
  auto const bytes = of_hex<size>(text);
  if (!bytes) {
    return base::fail(errc::bad_form, "a controller's key is 64 hex digits");
  }
  return VerifyKey(*bytes);
}

std::string VerifyKey::hex() const {
  return to_hex(bytes_);
}

bool VerifyKey::verifies(std::string_view message, std::string_view signature) const {
  auto const raw = of_hex<signature_size>(signature);
  if (!raw || !is_set()) {
    return false;
  }
  KeyPointer const key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_.data(), bytes_.size()));
  DigestPointer const context(EVP_MD_CTX_new());
  return key && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), raw->data(), raw->size(), bytes_of(message), message.size()) == 1;
}

SigningKey SigningKey::generate() {
  SigningKey out;
  ASSERT(RAND_bytes(out.seed_.data(), static_cast<int>(out.seed_.size())) == 1);
  return out;
}

SigningKey::~SigningKey() {
  OPENSSL_cleanse(seed_.data(), seed_.size());
}

base::Result<SigningKey> SigningKey::load_or_make(std::string const& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    auto made = generate();
    if (auto written = process::write_file_atomically(file, to_hex(made.seed_) + "\n", 0600); !written) {
      return written.error();
    }
    return made;
  }
  auto text = process::read_file(file, 4096);
  if (!text) {
    return text.error();
  }
  auto const seed = of_hex<VerifyKey::size>(std::string_view(*text).substr(0, text->find('\n')));
  OPENSSL_cleanse(text->data(), text->size());
  if (!seed) {
    return base::fail(errc::bad_state, file + " exists but holds no signing key; nothing was replaced");
  }
  SigningKey out;
  out.seed_ = *seed;
  return out;
}

VerifyKey SigningKey::verify_key() const {
  KeyPointer const key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed_.data(), seed_.size()));
  std::array<std::uint8_t, VerifyKey::size> bytes{};
  std::size_t size = bytes.size();
  ASSERT(key && EVP_PKEY_get_raw_public_key(key.get(), bytes.data(), &size) == 1 && size == bytes.size());
  return VerifyKey(bytes);
}

std::string SigningKey::sign(std::string_view message) const {
  KeyPointer const key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed_.data(), seed_.size()));
  DigestPointer const context(EVP_MD_CTX_new());
  std::array<std::uint8_t, signature_size> out{};
  std::size_t size = out.size();
  ASSERT(key && context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  ASSERT(EVP_DigestSign(context.get(), out.data(), &size, bytes_of(message), message.size()) == 1 &&
         size == out.size());
  return to_hex(out);
}

}  // namespace signed_world
