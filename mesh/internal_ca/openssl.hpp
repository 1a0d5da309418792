// Owners of OpenSSL objects, and reading and writing them as PEM. Private to this module.
//
// Threads: as OpenSSL: one owner at a time.
#pragma once

#include "mesh/internal_ca/error.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace internal_ca {

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* object) const { Free(object); }
};
inline void free_bio(BIO* bio) {
  BIO_free(bio);
}

using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Freed<X509, X509_free>>;
using RequestPtr = std::unique_ptr<X509_REQ, Freed<X509_REQ, X509_REQ_free>>;
using BioPtr = std::unique_ptr<BIO, Freed<BIO, free_bio>>;

// The oldest queued OpenSSL error as a Failure; clears the queue.
base::Failure crypto_failure(std::string doing);
BioPtr memory_bio(std::string const& content);
std::string content_of(BIO* bio);
base::Result<KeyPtr> parse_key(std::string const& pem);
base::Result<CertificatePtr> parse_certificate(std::string const& pem);  // the first one
base::Result<std::vector<CertificatePtr>> parse_certificates(std::string const& pem);
base::Result<RequestPtr> parse_request(std::string const& pem);
base::Result<std::string> to_pem(X509* certificate);

// Lower-case hex SHA-256.
std::string sha256_hex(std::string_view bytes);
// Of the SubjectPublicKeyInfo; empty when there is none.
std::string key_digest(EVP_PKEY* key);
std::string common_name(X509* certificate);
std::int64_t seconds_of(ASN1_TIME const* time);  // since the epoch
std::string utc(std::int64_t at_s);              // "2026-11-30 04:00 UTC"

}  // namespace internal_ca
