// Private keys: of the account (EC P-256, signs every request) and of certificates (one per order). RFC 8555 forbids
// one key for both.
//
// OpenSSL is used in key.cpp, csr.cpp and certificate.cpp only; `handle` is how they hand a key to each other.
//
// Threads: immutable after creation; copies share one OpenSSL key and may be used from any thread.
#pragma once

#include "acme/crypto/errc.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace crypto {

// Of certificates; an account's is p256.
enum class KeyType { p256, p384, rsa2048, rsa4096 };
[[nodiscard]] char const* name(KeyType type);                             // "p256"
[[nodiscard]] std::optional<KeyType> key_type_of(std::string_view name);  // nullopt: there is none of that name

class Key {
 public:
  // An RSA key takes a tenth of a second to seconds.
  static base::Result<Key> generate(KeyType type = KeyType::p256);
  // PKCS#8 or SEC1 PEM of a P-256 private key; bad_key for everything else.
  static base::Result<Key> from_pem(std::string_view pem);
  // Of any KeyType, for a certificate; bad_key for everything else. jwk(), thumbprint() and sign() are p256's alone.
  static base::Result<Key> certificate_key_from_pem(std::string_view pem);
  [[nodiscard]] KeyType type() const;

  [[nodiscard]] std::string pem() const;  // PKCS#8, unencrypted: seal it before it is stored
  // {"crv":"P-256","kty":"EC","x":"...","y":"..."}: members in lexical order, no blanks, 32-octet coordinates
  // (RFC 7638 section 3), which is the form that is hashed.
  [[nodiscard]] std::string jwk() const;
  [[nodiscard]] std::string thumbprint() const;  // base64url of the SHA-256 of jwk()
  // ES256: raw r || s, 64 octets (RFC 7518 section 3.4), not OpenSSL's DER.
  [[nodiscard]] base::Result<std::string> sign(std::string_view octets) const;
  [[nodiscard]] evp_pkey_st* handle() const { return handle_.get(); }

 private:
  explicit Key(std::shared_ptr<evp_pkey_st> handle) : handle_(std::move(handle)) {}
  std::shared_ptr<evp_pkey_st> handle_;
};

}  // namespace crypto
