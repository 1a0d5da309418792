#include "mesh/internal_ca/revocations.hpp"

#include "base/result/result.hpp"
#include "mesh/internal_ca/certificate.hpp"
#include "mesh/internal_ca/openssl.hpp"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace internal_ca {

namespace {

inline void free_text(char* text) {
  OPENSSL_free(text);
}

using ListPtr = std::unique_ptr<X509_CRL, Freed<X509_CRL, X509_CRL_free>>;
using EntryPtr = std::unique_ptr<X509_REVOKED, Freed<X509_REVOKED, X509_REVOKED_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, Freed<BIGNUM, BN_free>>;
using IntegerPtr = std::unique_ptr<ASN1_INTEGER, Freed<ASN1_INTEGER, ASN1_INTEGER_free>>;
using TimePtr = std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME, ASN1_TIME_free>>;
using TextPtr = std::unique_ptr<char, Freed<char, free_text>>;

TimePtr time_of(std::int64_t at_s) {
  return TimePtr(ASN1_TIME_set(nullptr, static_cast<time_t>(at_s)));
}

bool add_entry(X509_CRL* list, Revoked const& revoked) {
  BIGNUM* read = nullptr;
  bool const hex = BN_hex2bn(&read, revoked.serial.c_str()) == static_cast<int>(revoked.serial.size());
  NumberPtr const number(read);
  IntegerPtr const serial(hex && number ? BN_to_ASN1_INTEGER(number.get(), nullptr) : nullptr);
  TimePtr const at = time_of(revoked.at_s);
  EntryPtr entry(X509_REVOKED_new());
  bool const added = serial && X509_REVOKED_set_serialNumber(entry.get(), serial.get()) == 1 &&
                     X509_REVOKED_set_revocationDate(entry.get(), at.get()) == 1 &&
                     X509_CRL_add0_revoked(list, entry.get()) == 1;
  if (added) {
    static_cast<void>(entry.release());  // the list's now
  }
  return added;
}

bool add_extensions(X509_CRL* list, X509* issuer, std::int64_t number) {
  IntegerPtr const value(ASN1_INTEGER_new());
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, nullptr, nullptr, list, 0);
  X509_EXTENSION* const key = X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid");
  bool const good = key != nullptr && X509_CRL_add_ext(list, key, -1) == 1 &&
                    ASN1_INTEGER_set_int64(value.get(), number) == 1 &&
                    X509_CRL_add1_ext_i2d(list, NID_crl_number, value.get(), 0, 0) == 1;
  X509_EXTENSION_free(key);
  return good;
}

base::Result<ListPtr> parse_list(std::string const& pem) {
  ListPtr list(PEM_read_bio_X509_CRL(memory_bio(pem).get(), nullptr, nullptr, nullptr));
  if (list == nullptr) {
    return crypto_failure("cannot read a list of revoked certificates");
  }
  return list;
}

}  // namespace

base::Result<std::string> certificate_serial(std::string const& certificate_pem) {
  auto const certificate = parse_certificate(certificate_pem);
  if (!certificate) {
    return certificate.error();
  }
  NumberPtr const number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate->get()), nullptr));
  TextPtr const hex(number ? BN_bn2hex(number.get()) : nullptr);
  if (!hex) {
    return crypto_failure("cannot read a serial number");
  }
  std::string out = hex.get();
  out.erase(0, std::min(out.find_first_not_of('0'), out.size()));
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

base::Result<std::string> make_revocations(Authority const& authority, std::vector<Revoked> const& revoked,
                                           std::int64_t number, std::int64_t now_s) {
  auto const issuer = parse_certificate(authority.issuer_pem());
  auto const key = parse_key(authority.key_pem());
  ASSERT(issuer.has_value() && key.has_value());
  ListPtr const list(X509_CRL_new());
  // From a little before on, as leaves, for clocks that are behind.
  TimePtr const from = time_of(now_s - clock_skew_s);
  TimePtr const next = time_of(std::max(authority.issuer_validity().until_s, now_s));
  bool good = X509_CRL_set_version(list.get(), 1) == 1 &&
              X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer->get())) == 1 &&
              X509_CRL_set1_lastUpdate(list.get(), from.get()) == 1 &&
              X509_CRL_set1_nextUpdate(list.get(), next.get()) == 1 &&
              add_extensions(list.get(), issuer->get(), number);
  for (auto const& one : revoked) {
    good = good && add_entry(list.get(), one);
  }
  good = good && X509_CRL_sort(list.get()) == 1 && X509_CRL_sign(list.get(), key->get(), EVP_sha256()) > 0;
  BioPtr const out(BIO_new(BIO_s_mem()));
  if (!good || PEM_write_bio_X509_CRL(out.get(), list.get()) != 1) {
    return crypto_failure("cannot make the list of revoked certificates");
  }
  return content_of(out.get()) + (authority.root_issues() ? "" : authority.issuer_pem());
}

base::Result<std::int64_t> verify_revocations(std::string const& list_pem, std::string const& root_pem,
                                              std::int64_t now_s) {
  auto const list = parse_list(list_pem);
  auto const root = parse_certificate(root_pem);
  if (!list || !root) {
    return list ? root.error() : list.error();
  }
  bool const with_issuer = list_pem.find("-----BEGIN CERTIFICATE-----") != std::string::npos;
  std::string const& signer_pem = with_issuer ? list_pem : root_pem;
  if (with_issuer) {
    if (auto const chain = verify_chain(signer_pem, root_pem, now_s); !chain) {
      return base::fail(errc::untrusted, "what signed the list of revoked certificates: " + chain.error().detail);
    }
  }
  auto const signer = parse_certificate(signer_pem);
  bool const by_signer =
      signer && X509_check_ca(signer->get()) == 1 && X509_CRL_verify(list->get(), X509_get0_pubkey(signer->get())) == 1;
  if (!by_signer) {
    static_cast<void>(crypto_failure(""));  // the queue is emptied
    return base::fail(errc::untrusted, "the list of revoked certificates is not signed by the mesh's authority");
  }
  return revocations_number(list_pem);
}

base::Result<std::int64_t> revocations_number(std::string const& list_pem) {
  auto const list = parse_list(list_pem);
  if (!list) {
    return list.error();
  }
  IntegerPtr const number(
      static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(list->get(), NID_crl_number, nullptr, nullptr)));
  std::int64_t out = 0;
  if (!number || ASN1_INTEGER_get_int64(&out, number.get()) != 1) {
    return base::fail(errc::crypto, "the list of revoked certificates has no number");
  }
  return out;
}

}  // namespace internal_ca
