// Chains and keys in memory, as good or as bad as a test wants them.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

struct MadeKey {
  std::shared_ptr<EVP_PKEY> handle;

  static MadeKey ec(char const* curve = "P-256") { return own(EVP_EC_gen(curve)); }
  static MadeKey rsa(unsigned bits) { return own(EVP_RSA_gen(bits)); }
  [[nodiscard]] std::string pem(char const* passphrase = nullptr) const {
    std::unique_ptr<BIO, decltype(&BIO_free)> const bio(BIO_new(BIO_s_mem()), &BIO_free);
    EVP_CIPHER const* const cipher = passphrase == nullptr ? nullptr : EVP_aes_128_cbc();
    PEM_write_bio_PKCS8PrivateKey(bio.get(), handle.get(), cipher, nullptr, 0, nullptr, const_cast<char*>(passphrase));
    char* text = nullptr;
    long const size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
  }
  static MadeKey own(EVP_PKEY* key) {
    if (key == nullptr) {
      throw std::runtime_error("no key");
    }
    return {std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free)};
  }
};

struct MadeCertificate {
  std::shared_ptr<X509> handle;
  MadeKey key;

  struct Wish {
    std::string subject = "leaf";
    std::vector<std::string> names = {};
    bool ca = false;
    long from_s = -3600;  // from now
    long to_s = 90L * 24 * 3600;
    EVP_MD const* digest = EVP_sha256();
    std::string usage = {};  // extended key usage; empty: none
  };

  // Without an issuer it signs itself.
  static MadeCertificate make(Wish const& wish, MadeKey key, MadeCertificate const* issuer = nullptr) {
    static long serial = 1;
    std::shared_ptr<X509> const made(X509_new(), X509_free);
    X509* const certificate = made.get();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), wish.from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), wish.to_s);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<unsigned char const*>(wish.subject.c_str()), -1, -1, 0);
    X509* const signer = issuer == nullptr ? certificate : issuer->handle.get();
    X509_set_issuer_name(certificate, X509_get_subject_name(signer));
    X509_set_pubkey(certificate, key.handle.get());
    extend(certificate, signer, NID_basic_constraints, wish.ca ? "critical,CA:TRUE" : "CA:FALSE");
    std::string names;
    for (std::string const& name : wish.names) {
      names += (names.empty() ? "DNS:" : ",DNS:") + name;
    }
    if (!names.empty()) {
      extend(certificate, signer, NID_subject_alt_name, names);
    }
    if (!wish.usage.empty()) {
      extend(certificate, signer, NID_ext_key_usage, wish.usage);
    }
    EVP_PKEY* const with = issuer == nullptr ? key.handle.get() : issuer->key.handle.get();
    if (X509_sign(certificate, with, wish.digest) <= 0) {
      throw std::runtime_error("not signed");
    }
    return {made, std::move(key)};
  }
  [[nodiscard]] std::string pem() const {
    std::unique_ptr<BIO, decltype(&BIO_free)> const bio(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_X509(bio.get(), handle.get());
    char* text = nullptr;
    long const size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
  }

 private:
  static void extend(X509* certificate, X509* issuer, int kind, std::string const& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> const extension(
        X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()), &X509_EXTENSION_free);
    if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1) {
      throw std::runtime_error("no extension " + value);
    }
  }
};

// What a customer has of a CA: a leaf for `names`, and the intermediate that signed it.
struct MadeChain {
  MadeCertificate root = MadeCertificate::make({.subject = "root", .names = {}, .ca = true}, MadeKey::ec());
  MadeCertificate intermediate =
      MadeCertificate::make({.subject = "intermediate", .names = {}, .ca = true}, MadeKey::ec(), &root);

  [[nodiscard]] MadeCertificate leaf(MadeCertificate::Wish const& wish, MadeKey key = MadeKey::ec()) const {
    return MadeCertificate::make(wish, std::move(key), &intermediate);
  }
  [[nodiscard]] std::string pem(MadeCertificate const& leaf) const { return leaf.pem() + intermediate.pem(); }
};

}  // namespace test
