// Owners of OpenSSL objects, private to this module.
//
// Threads: as OpenSSL: one owner at a time.
#pragma once

#include "mesh/enrolment/error.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace enrolment {

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
base::Result<CertificatePtr> parse_certificate(std::string const& pem);
base::Result<RequestPtr> parse_request(std::string const& pem);
base::Result<std::string> to_pem(X509* certificate);

}  // namespace enrolment
