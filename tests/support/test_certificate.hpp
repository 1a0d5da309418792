// Certificates for tests of TLS: an authority and leaf certificates of it, written as PEM files into a folder.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

class TestAuthority {
 public:
  static constexpr long day_s = 24L * 3600;

  // ca.pem appears in `folder`.
  explicit TestAuthority(std::string folder) : folder_(std::move(folder)), key_(make_key()) {
    certificate_ = make("test authority", key_.get(), nullptr, "critical,CA:TRUE", "");
    write_certificate("ca.pem", certificate_.get());
  }

  // NAME.pem and NAME.key appear in the folder; `alternative` is "DNS:example.org" or "IP:127.0.0.1". The certificate
  // is good from a day ago on.
  void issue(std::string const& name, std::string const& alternative, long ends_in_s = day_s) {
    auto const key = make_key();
    auto const certificate = make(name, key.get(), certificate_.get(), "CA:FALSE", alternative, ends_in_s);
    write_certificate(name + ".pem", certificate.get());
    auto const file = open(name + ".key");
    require(PEM_write_PrivateKey(file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  }
  // `file` lists the certificates of these names as revoked. It takes the place of the one before as a renamed file
  // does.
  void revoke(std::string const& list, std::vector<std::string> const& names) {
    Owned<X509_CRL> const crl(X509_CRL_new());
    Owned<ASN1_TIME> const now(ASN1_TIME_set(nullptr, std::time(nullptr)));
    require(X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(certificate_.get())) == 1);
    require(X509_CRL_set1_lastUpdate(crl.get(), now.get()) == 1 && X509_CRL_set1_nextUpdate(crl.get(), now.get()) == 1);
    for (auto const& name : names) {
      Owned<std::FILE> const from(std::fopen(file(name + ".pem").c_str(), "r"));
      require(from != nullptr);
      Owned<X509> const certificate(PEM_read_X509(from.get(), nullptr, nullptr, nullptr));
      require(certificate != nullptr);
      Owned<X509_REVOKED> entry(X509_REVOKED_new());
      require(X509_REVOKED_set_serialNumber(entry.get(), X509_get_serialNumber(certificate.get())) == 1);
      require(X509_REVOKED_set_revocationDate(entry.get(), now.get()) == 1);
      require(X509_CRL_add0_revoked(crl.get(), entry.release()) == 1);
    }
    require(X509_CRL_sign(crl.get(), key_.get(), EVP_sha256()) > 0);
    {
      auto const out = open(list + ".new");
      require(PEM_write_X509_CRL(out.get(), crl.get()) == 1);
    }
    require(std::rename(file(list + ".new").c_str(), file(list).c_str()) == 0);
  }
  [[nodiscard]] std::string file(std::string const& name) const { return folder_ + "/" + name; }

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(X509_CRL* list) const { X509_CRL_free(list); }
    void operator()(X509_REVOKED* entry) const { X509_REVOKED_free(entry); }
    void operator()(ASN1_TIME* time) const { ASN1_TIME_free(time); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  template <class T>
  using Owned = std::unique_ptr<T, Free>;

  static void require(bool good) {
    if (!good) {
      throw std::runtime_error("cannot make a test certificate");
    }
  }
  static Owned<EVP_PKEY> make_key() {
    Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
    require(key != nullptr);
    return key;
  }
  static void extend(X509* certificate, X509* issuer, int kind, std::string const& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    Owned<X509_EXTENSION> const extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
  }
  Owned<X509> make(std::string const& name, EVP_PKEY* key, X509* issuer, std::string const& constraints,
                   std::string const& alternative, long ends_in_s = day_s) {
    Owned<X509> certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -day_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), ends_in_s);
    X509_set_pubkey(certificate.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<unsigned char const*>(name.c_str()), -1, -1, 0);
    X509* const signer = issuer == nullptr ? certificate.get() : issuer;
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer));
    extend(certificate.get(), signer, NID_basic_constraints, constraints);
    if (!alternative.empty()) {
      extend(certificate.get(), signer, NID_subject_alt_name, alternative);
    }
    require(X509_sign(certificate.get(), key_.get(), EVP_sha256()) > 0);
    return certificate;
  }
  [[nodiscard]] Owned<std::FILE> open(std::string const& name) const {
    Owned<std::FILE> out(std::fopen(file(name).c_str(), "w"));
    require(out != nullptr);
    return out;
  }
  void write_certificate(std::string const& name, X509* certificate) const {
    auto const out = open(name);
    require(PEM_write_X509(out.get(), certificate) == 1);
  }

  std::string folder_;
  Owned<EVP_PKEY> key_;
  Owned<X509> certificate_;
  long serial_ = 0;
};

}  // namespace test
