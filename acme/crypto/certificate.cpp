#include "acme/crypto/certificate.hpp"

#include "acme/crypto/encoding.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <memory>
#include <optional>

namespace crypto {
namespace {

constexpr std::size_t chain_max = 10;
constexpr std::size_t pem_max = 256U << 10U;

struct CertificateFreed {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Handle = std::unique_ptr<X509, CertificateFreed>;
struct BioFreed {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct NamesFreed {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

base::Failure refuse(std::string detail) {
  return base::fail(errc::bad_certificate, std::move(detail));
}

base::Result<std::vector<Handle>> parse(std::string_view pem) {
  if (pem.size() > pem_max) {
    return refuse("the chain is larger than 256 KiB");
  }
  std::unique_ptr<BIO, BioFreed> const bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<Handle> chain;
  for (;;) {
    Handle certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) {
      break;
    }
    if (chain.size() == chain_max) {
      return refuse("the chain has more than 10 certificates");
    }
    chain.push_back(std::move(certificate));
  }
  // "No start line" is how OpenSSL says that the text ended; everything else is damage.
  unsigned long const error = ERR_peek_last_error();
  ERR_clear_error();
  if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
    return refuse("the chain is damaged");
  }
  if (chain.empty()) {
    return refuse("there is no certificate in the answer");
  }
  return chain;
}

std::optional<Time> time_of(ASN1_TIME const* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    return std::nullopt;
  }
  return Time{std::chrono::seconds(timegm(&parts))};
}

std::vector<std::string> names_of(X509* certificate) {
  std::unique_ptr<GENERAL_NAMES, NamesFreed> const list(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> names;
  for (int i = 0; list != nullptr && i < sk_GENERAL_NAME_num(list.get()); ++i) {
    GENERAL_NAME const* const entry = sk_GENERAL_NAME_value(list.get(), i);
    int type = 0;
    auto const* const value = static_cast<ASN1_IA5STRING const*>(GENERAL_NAME_get0_value(entry, &type));
    if (type != GEN_DNS) {
      // An address or mail name that nobody ordered must not slip through the comparison of name sets.
      names.push_back("(another kind of name)");
      continue;
    }
    std::string name(reinterpret_cast<char const*>(ASN1_STRING_get0_data(value)),
                     static_cast<std::size_t>(ASN1_STRING_length(value)));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

std::string top_issuer_of(X509* last) {
  std::array<char, 256> text{};
  int const size =
      X509_NAME_get_text_by_NID(X509_get_issuer_name(last), NID_commonName, text.data(), static_cast<int>(text.size()));
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

// The serial's octets as DER has them: a leading zero stays where the first bit is set.
std::string ari_id_of(X509* leaf) {
  ASN1_OCTET_STRING const* const issuer_key = X509_get0_authority_key_id(leaf);
  unsigned char* der = nullptr;
  int const size = i2d_ASN1_INTEGER(X509_get0_serialNumber(leaf), &der);
  std::string const serial(reinterpret_cast<char const*>(der), static_cast<std::size_t>(std::max(size, 0)));
  OPENSSL_free(der);
  constexpr std::size_t header = 2;  // tag and a length below 128, which RFC 5280's 20 octets never reach
  if (issuer_key == nullptr || serial.size() <= header || static_cast<unsigned char>(serial[1]) >= 0x80U) {
    return {};
  }
  std::string_view const key_id(reinterpret_cast<char const*>(ASN1_STRING_get0_data(issuer_key)),
                                static_cast<std::size_t>(ASN1_STRING_length(issuer_key)));
  return base64url(key_id) + "." + base64url(serial.substr(header));
}

base::Result<Certificate> describe(std::vector<Handle> const& chain) {
  X509* const leaf = chain.front().get();
  auto const not_before = time_of(X509_get0_notBefore(leaf));
  auto const not_after = time_of(X509_get0_notAfter(leaf));
  if (!not_before || !not_after) {
    return refuse("the leaf certificate has no readable time window");
  }
  unsigned char* der = nullptr;
  int const size = i2d_X509(leaf, &der);
  if (size <= 0) {
    return refuse("the leaf certificate cannot be read");
  }
  std::string const octets(reinterpret_cast<char const*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return Certificate{hex(sha256(octets)), names_of(leaf), *not_before,
                     *not_after,          chain.size(),   top_issuer_of(chain.back().get()),
                     ari_id_of(leaf)};
}

std::string joined(std::vector<std::string> const& names) {
  std::string text;
  for (std::string const& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text.empty() ? "none" : text;
}

}  // namespace

base::Result<Certificate> read_chain(std::string_view pem) {
  auto const chain = parse(pem);
  if (!chain) {
    return chain.error();
  }
  return describe(*chain);
}

base::Result<Certificate> check_issued(std::string_view pem, Key const& key, std::vector<std::string> names, Time now) {
  auto const chain = parse(pem);
  if (!chain) {
    return chain.error();
  }
  auto certificate = describe(*chain);
  if (!certificate) {
    return certificate;
  }
  X509* const leaf = chain->front().get();
  if (EVP_PKEY_eq(X509_get0_pubkey(leaf), key.handle()) != 1) {
    ERR_clear_error();
    return refuse("the certificate is for another key");
  }
  std::ranges::sort(names);
  if (certificate->names != names) {
    return refuse("the certificate names " + joined(certificate->names) + "; ordered were " + joined(names));
  }
  if (certificate->not_after <= now || certificate->not_before > now + std::chrono::hours(1)) {
    return refuse("the certificate is not valid now");
  }
  if (X509_check_ca(leaf) != 0) {
    return refuse("the certificate is a CA's");
  }
  for (std::size_t i = 0; i + 1 < chain->size(); ++i) {
    X509* const issuer = (*chain)[i + 1].get();
    bool const follows = X509_check_issued(issuer, (*chain)[i].get()) == X509_V_OK &&
                         X509_verify((*chain)[i].get(), X509_get0_pubkey(issuer)) == 1;
    ERR_clear_error();
    if (!follows) {
      return refuse("certificate " + std::to_string(i + 1) + " of the chain is not signed by the next one");
    }
  }
  return certificate;
}

base::Result<std::string> leaf_der(std::string_view pem) {
  auto const chain = parse(pem);
  if (!chain) {
    return chain.error();
  }
  unsigned char* octets = nullptr;
  int const size = i2d_X509(chain->front().get(), &octets);
  if (size <= 0) {
    return refuse("the leaf cannot be encoded");
  }
  std::string der(reinterpret_cast<char const*>(octets), static_cast<std::size_t>(size));
  OPENSSL_free(octets);
  return der;
}

}  // namespace crypto
