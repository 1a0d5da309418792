// What a CA checks of an account, written from the RFCs and drafts alone, not by the code under test: its key, its
// signatures, the label of its DNS challenges.
//
// Threads: pure functions.
#pragma once

#include "acme/crypto/encoding.hpp"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <boost/json.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace test {

using AccountKey = std::shared_ptr<EVP_PKEY>;

inline AccountKey key_of(boost::json::object const& jwk, std::string& thumbprint) {
  std::string const x = *crypto::from_base64url(jwk.at("x").as_string());
  std::string const y = *crypto::from_base64url(jwk.at("y").as_string());
  std::string point = "\x04" + x + y;
  std::string group = "prime256v1";
  OSSL_PARAM const parameters[] = {OSSL_PARAM_construct_utf8_string("group", group.data(), 0),
                                   OSSL_PARAM_construct_octet_string("pub", point.data(), point.size()),
                                   OSSL_PARAM_construct_end()};
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context);
  EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, const_cast<OSSL_PARAM*>(parameters));
  EVP_PKEY_CTX_free(context);
  thumbprint = crypto::base64url(crypto::sha256(boost::json::serialize(
      boost::json::object{{"crv", jwk.at("crv")}, {"kty", jwk.at("kty")}, {"x", jwk.at("x")}, {"y", jwk.at("y")}})));
  return {key, EVP_PKEY_free};
}

inline bool verifies(AccountKey const& key, std::string const& input, std::string const& raw) {
  if (key == nullptr || raw.size() != 64) {
    return false;
  }
  auto const* const octets = reinterpret_cast<unsigned char const*>(raw.data());
  ECDSA_SIG* const signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature, BN_bin2bn(octets, 32, nullptr), BN_bin2bn(octets + 32, 32, nullptr));
  unsigned char* der = nullptr;
  int const size = i2d_ECDSA_SIG(signature, &der);
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key.get());
  bool const good = EVP_DigestVerify(context, der, static_cast<std::size_t>(size),
                                     reinterpret_cast<unsigned char const*>(input.data()), input.size()) == 1;
  EVP_MD_CTX_free(context);
  OPENSSL_free(der);
  ECDSA_SIG_free(signature);
  return good;
}

// draft-ietf-acme-dns-account-label: the first ten octets of the digest in base32.
inline std::string account_label(std::string const& url) {
  std::string const digest = crypto::sha256(url);
  std::string text;
  for (std::size_t bit = 0; bit < 80; bit += 5) {
    unsigned letter = 0;
    for (std::size_t i = bit; i < bit + 5; ++i) {
      unsigned const octet = static_cast<unsigned char>(digest[i / 8]);
      letter = letter * 2 + ((octet >> (7 - i % 8)) & 1U);
    }
    text += "abcdefghijklmnopqrstuvwxyz234567"[letter];
  }
  return text;
}

}  // namespace test
