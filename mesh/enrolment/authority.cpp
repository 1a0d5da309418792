#include "mesh/enrolment/authority.hpp"

#include "base/process/service.hpp"
#include "mesh/enrolment/credentials.hpp"
#include "mesh/enrolment/openssl.hpp"

#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <filesystem>
#include <utility>

namespace enrolment {

namespace {

constexpr std::int64_t clock_skew_s = 300;

struct Extension {
  int nid;
  std::string value;
};

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

bool set_validity(X509* certificate, std::int64_t from_s, std::int64_t until_s) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), static_cast<time_t>(from_s)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), static_cast<time_t>(until_s)) != nullptr;
}

base::Result<std::string> make_root(std::string const& key_pem, std::int64_t now_s) {
  auto key = parse_key(key_pem);
  if (!key) {
    return key.error();
  }
  CertificatePtr const root(X509_new());
  bool const made = X509_set_version(root.get(), 2) == 1 && set_random_serial(root.get()) &&
                    set_subject(root.get(), "Sovereign internal root") &&
                    X509_set_issuer_name(root.get(), X509_get_subject_name(root.get())) == 1 &&
                    set_validity(root.get(), now_s - clock_skew_s, now_s + root_lifetime_s) &&
                    X509_set_pubkey(root.get(), key->get()) == 1 &&
                    add_extensions(root.get(), root.get(),
                                   {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                    {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                    {NID_subject_key_identifier, "hash"}}) &&
                    X509_sign(root.get(), key->get(), EVP_sha256()) > 0;
  if (!made) {
    return crypto_failure("cannot make the internal root certificate");
  }
  return to_pem(root.get());
}

}  // namespace

base::Result<Authority> Authority::open(std::string const& directory, std::int64_t now_s) {
  std::string const key_file = directory + "/ca.key";
  std::string const certificate_file = directory + "/ca.crt";
  std::error_code ignored;
  bool const has_key = std::filesystem::exists(key_file, ignored);
  bool const has_certificate = std::filesystem::exists(certificate_file, ignored);
  if (has_certificate && !has_key) {
    return base::fail(errc::bad_state, certificate_file + " is there but " + key_file + " is not");
  }
  if (!has_key) {
    auto key = make_key_pem();
    if (!key) {
      return key.error();
    }
    if (auto written = process::write_file_atomically(key_file, *key, 0600); !written) {
      return written.error();
    }
  }
  auto key = process::read_file(key_file, 65536);
  if (!key) {
    return key.error();
  }
  if (!has_certificate) {  // also after a crash between the two files
    auto root = make_root(*key, now_s);
    if (!root) {
      return root.error();
    }
    if (auto written = process::write_file_atomically(certificate_file, *root, 0644); !written) {
      return written.error();
    }
  }
  auto certificate = process::read_file(certificate_file, 65536);
  if (!certificate) {
    return certificate.error();
  }
  auto parsed = parse_certificate(*certificate);
  auto private_key = parse_key(*key);
  if (!parsed || !private_key || X509_check_private_key(parsed->get(), private_key->get()) != 1) {
    return base::fail(errc::bad_state, key_file + " and " + certificate_file + " do not belong together");
  }
  return Authority(std::move(*key), std::move(*certificate));
}

base::Result<std::string> Authority::issue(std::string const& csr_pem, std::string const& node, std::int64_t now_s,
                                           std::int64_t lifetime_s) const {
  auto name = csr_name(csr_pem);
  if (!name) {
    return name.error();
  }
  if (*name != node) {
    return base::fail(errc::bad_request, "the request is for '" + *name + "', not for '" + node + "'");
  }
  auto request = parse_request(csr_pem);
  auto root = parse_certificate(certificate_pem_);
  auto key = parse_key(key_pem_);
  ASSERT(request.has_value() && root.has_value() && key.has_value());
  CertificatePtr const leaf(X509_new());
  bool const made = X509_set_version(leaf.get(), 2) == 1 && set_random_serial(leaf.get()) &&
                    set_subject(leaf.get(), node) &&
                    X509_set_issuer_name(leaf.get(), X509_get_subject_name(root->get())) == 1 &&
                    set_validity(leaf.get(), now_s - clock_skew_s, now_s + lifetime_s) &&
                    X509_set_pubkey(leaf.get(), X509_REQ_get0_pubkey(request->get())) == 1 &&
                    add_extensions(leaf.get(), root->get(),
                                   {{NID_basic_constraints, "critical,CA:FALSE"},
                                    {NID_key_usage, "critical,digitalSignature"},
                                    {NID_ext_key_usage, "serverAuth,clientAuth"},
                                    {NID_subject_alt_name, "DNS:" + node + ",DNS:" + node + ".internal"},
                                    {NID_subject_key_identifier, "hash"},
                                    {NID_authority_key_identifier, "keyid"}}) &&
                    X509_sign(leaf.get(), key->get(), EVP_sha256()) > 0;
  if (!made) {
    return crypto_failure("cannot issue a certificate for " + node);
  }
  return to_pem(leaf.get());
}

}  // namespace enrolment
