// A certificate authority for tests: signs for a public key or a CSR, with every defect that a test asks for.
//
// Threads: plain object.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

namespace test {

using CertificateTime = std::chrono::sys_time<std::chrono::milliseconds>;
[[nodiscard]] inline CertificateTime certificate_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

using KeyHandle = std::shared_ptr<EVP_PKEY>;
[[nodiscard]] inline KeyHandle make_key() {
  return {EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), EVP_PKEY_free};
}
[[nodiscard]] inline std::string key_pem(EVP_PKEY* key) {
  std::unique_ptr<BIO, int (*)(BIO*)> const bio(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  auto const size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

struct Leaf {
  std::vector<std::string> names;
  CertificateTime not_before = certificate_now() - std::chrono::minutes(5);
  CertificateTime not_after = certificate_now() + std::chrono::hours(24 * 90);
  bool is_ca = false;
};

class TestCa {
 public:
  explicit TestCa(std::string name = "Test CA") : name_(std::move(name)), key_(make_key()) {
    Leaf self;
    self.is_ca = true;
    certificate_ = make(key_.get(), self, name_);
  }

  // Leaf and CA certificate in one PEM text.
  [[nodiscard]] std::string chain(EVP_PKEY* key, Leaf const& leaf) const {
    return pem(make(key, leaf, "").get()) + pem(certificate_.get());
  }
  [[nodiscard]] std::string leaf(EVP_PKEY* key, Leaf const& leaf) const { return pem(make(key, leaf, "").get()); }
  [[nodiscard]] std::string certificate() const { return pem(certificate_.get()); }
  // The other authority's name and key, signed by this one.
  [[nodiscard]] std::string cross_signed(TestCa const& other) const {
    Leaf authority;
    authority.is_ca = true;
    Handle const made = make(other.key_.get(), authority, other.name_);
    return pem(made.get());
  }

 private:
  using Handle = std::shared_ptr<X509>;

  [[nodiscard]] Handle make(EVP_PKEY* key, Leaf const& leaf, std::string const& common_name) const {
    Handle made(X509_new(), X509_free);
    X509* const x = made.get();
    X509_set_version(x, 2);
    std::uint32_t serial = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial | 1U);
    auto const seconds = [](CertificateTime time) {
      return static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count());
    };
    ASN1_TIME_set(X509_getm_notBefore(x), seconds(leaf.not_before));
    ASN1_TIME_set(X509_getm_notAfter(x), seconds(leaf.not_after));
    X509_set_pubkey(x, key);
    set_name(X509_get_subject_name(x), common_name);
    set_name(X509_get_issuer_name(x), name_);
    add(x, NID_basic_constraints, leaf.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    std::string alternative;
    for (std::string const& name : leaf.names) {
      alternative += (alternative.empty() ? "DNS:" : ",DNS:") + name;
    }
    if (!alternative.empty()) {
      add(x, NID_subject_alt_name, alternative.c_str());
    }
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate_ == nullptr ? x : certificate_.get(), x, nullptr, nullptr, 0);
    add(x, NID_subject_key_identifier, "hash", &context);
    add(x, NID_authority_key_identifier, "keyid:always", &context);
    X509_sign(x, key_.get(), EVP_sha256());
    return made;
  }

  static void set_name(X509_NAME* name, std::string const& common_name) {
    if (!common_name.empty()) {
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<unsigned char const*>(common_name.data()),
                                 static_cast<int>(common_name.size()), -1, 0);
    }
  }

  static void add(X509* x, int nid, char const* value, X509V3_CTX* context = nullptr) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, context, nid, value);
    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
  }

  static std::string pem(X509* x) {
    std::unique_ptr<BIO, int (*)(BIO*)> const bio(BIO_new(BIO_s_mem()), BIO_free);
    PEM_write_bio_X509(bio.get(), x);
    char* data = nullptr;
    auto const size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
  }

  std::string name_;
  KeyHandle key_;
  Handle certificate_;
};

}  // namespace test
