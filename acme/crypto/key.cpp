#include "acme/crypto/key.hpp"

#include "acme/crypto/encoding.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <vector>

namespace crypto {
namespace {

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* object) const { Free(object); }
};
using BigNumber = std::unique_ptr<BIGNUM, Freed<BIGNUM, BN_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG, ECDSA_SIG_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX, EVP_MD_CTX_free>>;
struct BioFreed {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, BioFreed>;

base::Failure key_failure(std::string const& what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return base::fail(errc::bad_key, what + ": " + text.data());
}

std::string coordinate(EVP_PKEY const* key, char const* name) {
  BIGNUM* raw = nullptr;
  ASSERT(EVP_PKEY_get_bn_param(key, name, &raw) == 1);
  BigNumber const number(raw);
  std::array<unsigned char, 32> octets{};
  ASSERT(BN_bn2binpad(number.get(), octets.data(), static_cast<int>(octets.size())) == 32);
  return base64url({reinterpret_cast<char const*>(octets.data()), octets.size()});
}

// Which of ours a key is; nullopt: none.
std::optional<KeyType> type_of(EVP_PKEY const* key) {
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
    int const bits = EVP_PKEY_get_bits(key);
    return bits == 2048   ? std::optional(KeyType::rsa2048)
           : bits == 4096 ? std::optional(KeyType::rsa4096)
                          : std::nullopt;
  }
  std::array<char, 64> group{};
  std::size_t length = 0;
  bool const named =
      EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
      EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(), &length) == 1;
  std::string_view const curve = named ? std::string_view(group.data(), length) : std::string_view();
  return curve == "prime256v1"  ? std::optional(KeyType::p256)
         : curve == "secp384r1" ? std::optional(KeyType::p384)
                                : std::nullopt;
}

constexpr std::array key_types{KeyType::p256, KeyType::p384, KeyType::rsa2048, KeyType::rsa4096};

// No passphrase is ever asked for on a terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*context*/) {
  return -1;
}

EVP_PKEY* make(KeyType type) {
  switch (type) {
    case KeyType::p384:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384");
    case KeyType::rsa2048:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048});
    case KeyType::rsa4096:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{4096});
    case KeyType::p256:
      break;
  }
  return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
}

}  // namespace

char const* name(KeyType type) {
  constexpr std::array names{"p256", "p384", "rsa2048", "rsa4096"};
  return names.at(static_cast<std::size_t>(type));
}

std::optional<KeyType> key_type_of(std::string_view text) {
  for (KeyType const type : key_types) {
    if (text == name(type)) {
      return type;
    }
  }
  return std::nullopt;
}

base::Result<Key> Key::generate(KeyType type) {
  std::shared_ptr<EVP_PKEY> key(make(type), EVP_PKEY_free);
  if (key == nullptr) {
    return key_failure(std::string("cannot generate a key of type ") + name(type));
  }
  return Key(std::move(key));
}

base::Result<Key> Key::from_pem(std::string_view pem) {
  auto key = certificate_key_from_pem(pem);
  if (key && key->type() != KeyType::p256) {
    return base::fail(errc::bad_key, "the key is not an EC key on P-256");
  }
  return key;
}

base::Result<Key> Key::certificate_key_from_pem(std::string_view pem) {
  if (pem.empty() || pem.size() > 16384) {
    return base::fail(errc::bad_key, "a PEM key has between 1 and 16,384 octets");
  }
  Bio const bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free);
  if (key == nullptr) {
    return key_failure("not a PEM private key");
  }
  if (!type_of(key.get())) {
    return base::fail(errc::bad_key, "the key is neither EC on P-256 or P-384 nor RSA of 2048 or 4096 bits");
  }
  return Key(std::move(key));
}

KeyType Key::type() const {
  return type_of(handle_.get()).value();
}

std::string Key::pem() const {
  Bio const bio(BIO_new(BIO_s_secmem()));
  ASSERT(PEM_write_bio_PKCS8PrivateKey(bio.get(), handle_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  char* data = nullptr;
  auto const size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string Key::jwk() const {
  return R"({"crv":"P-256","kty":"EC","x":")" + coordinate(handle_.get(), OSSL_PKEY_PARAM_EC_PUB_X) + R"(","y":")" +
         coordinate(handle_.get(), OSSL_PKEY_PARAM_EC_PUB_Y) + R"("})";
}

std::string Key::thumbprint() const {
  return base64url(sha256(jwk()));
}

base::Result<std::string> Key::sign(std::string_view octets) const {
  DigestContext const context(EVP_MD_CTX_new());
  auto const* const data = reinterpret_cast<unsigned char const*>(octets.data());
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, handle_.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, data, octets.size()) != 1) {
    return key_failure("cannot sign");
  }
  std::vector<unsigned char> der(size);
  if (EVP_DigestSign(context.get(), der.data(), &size, data, octets.size()) != 1) {
    return key_failure("cannot sign");
  }
  unsigned char const* cursor = der.data();
  Signature const signature(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(size)));
  std::array<unsigned char, 64> raw{};
  if (signature == nullptr || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), 32) != 32 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + 32, 32) != 32) {
    return key_failure("cannot read the own signature");
  }
  return std::string(raw.begin(), raw.end());
}

}  // namespace crypto
