#include "mesh/internal_ca/certificate.hpp"

#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>

namespace internal_ca {

namespace {

bool add_extensions(X509* certificate, X509* issuer, std::vector<Extension> const& extensions) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  for (auto const& [nid, value] : extensions) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    bool const added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    if (!added) {
      return false;
    }
  }
  return true;
}

bool set_random_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return false;
  }
  bytes[0] &= 0x7FU;  // positive (RFC 5280 4.1.2.2)
  BIGNUM* const number = BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr);
  bool const set = number != nullptr && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return set;
}

bool set_subject(X509* certificate, std::string const& name) {
  auto const* const text = reinterpret_cast<unsigned char const*>(name.c_str());
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1;
}

bool set_validity(X509* certificate, Validity const& validity) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), static_cast<time_t>(validity.from_s)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), static_cast<time_t>(validity.until_s)) != nullptr;
}

}  // namespace

base::Result<std::string> make_certificate(Wanted const& wanted) {
  CertificatePtr const made(X509_new());
  X509* const issuer = wanted.issuer == nullptr ? made.get() : wanted.issuer;
  bool const good =
      X509_set_version(made.get(), 2) == 1 && set_random_serial(made.get()) &&
      set_subject(made.get(), wanted.subject) && X509_set_issuer_name(made.get(), X509_get_subject_name(issuer)) == 1 &&
      set_validity(made.get(), wanted.validity) && X509_set_pubkey(made.get(), wanted.key) == 1 &&
      add_extensions(made.get(), issuer, wanted.extensions) && X509_sign(made.get(), wanted.signer, EVP_sha256()) > 0;
  if (!good) {
    return crypto_failure("cannot make a certificate for " + wanted.subject);
  }
  return to_pem(made.get());
}

}  // namespace internal_ca
