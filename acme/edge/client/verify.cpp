// The OpenSSL part of bundle.hpp: does the key fit the certificate, and is it the announced one?
#include "acme/edge/client/bundle.hpp"
#include "base/net/tls.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace edge {
namespace {

struct BioFreed {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct CertificateFreed {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct KeyFreed {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, BioFreed>;

// No passphrase is ever asked for on a terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*context*/) {
  return -1;
}

bool key_fits(Bundle const& bundle) {
  Bio const chain(BIO_new_mem_buf(bundle.chain_pem.data(), static_cast<int>(bundle.chain_pem.size())));
  Bio const secret(BIO_new_mem_buf(bundle.key_pem.data(), static_cast<int>(bundle.key_pem.size())));
  std::unique_ptr<X509, CertificateFreed> const leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  std::unique_ptr<EVP_PKEY, KeyFreed> const key(PEM_read_bio_PrivateKey(secret.get(), nullptr, no_passphrase, nullptr));
  bool const fits = leaf != nullptr && key != nullptr && X509_check_private_key(leaf.get(), key.get()) == 1;
  ERR_clear_error();
  return fits;
}

}  // namespace

base::Result<void> verify(Bundle const& bundle) {
  auto const fingerprint = net::certificate_sha256(bundle.chain_pem);
  if (!fingerprint) {
    return base::fail(errc::bad_bundle, bundle.item.id + ": " + fingerprint.error().what());
  }
  if (*fingerprint != bundle.item.fingerprint) {
    return base::fail(errc::bad_bundle, bundle.item.id + ": the certificate is not the announced one");
  }
  if (!key_fits(bundle)) {
    return base::fail(errc::bad_bundle, bundle.item.id + ": the key does not fit the certificate");
  }
  return {};
}

}  // namespace edge
