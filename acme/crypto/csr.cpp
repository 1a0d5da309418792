#include "acme/crypto/csr.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

namespace crypto {
namespace {

struct RequestFreed {
  void operator()(X509_REQ* request) const { X509_REQ_free(request); }
};
using Request = std::unique_ptr<X509_REQ, RequestFreed>;
struct NamesFreed {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
using AlternativeNames = std::unique_ptr<GENERAL_NAMES, NamesFreed>;
struct ExtensionsFreed {
  void operator()(STACK_OF(X509_EXTENSION) * extensions) const {
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  }
};
using Extensions = std::unique_ptr<STACK_OF(X509_EXTENSION), ExtensionsFreed>;

AlternativeNames alternative_names(std::vector<std::string> const& names) {
  AlternativeNames list(sk_GENERAL_NAME_new_null());
  for (std::string const& name : names) {
    GENERAL_NAME* const entry = GENERAL_NAME_new();
    ASN1_IA5STRING* const text = ASN1_IA5STRING_new();
    ASSERT(entry != nullptr && text != nullptr);
    ASSERT(ASN1_STRING_set(text, name.data(), static_cast<int>(name.size())) == 1);
    GENERAL_NAME_set0_value(entry, GEN_DNS, text);
    ASSERT(sk_GENERAL_NAME_push(list.get(), entry) > 0);
  }
  return list;
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') {
    return false;
  }
  return std::ranges::all_of(
      label, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; });
}

}  // namespace

bool is_certificate_name(std::string_view name) {
  if (name.starts_with("*.")) {
    name.remove_prefix(2);
  }
  if (name.empty() || name.size() > 251 || name.find('.') == std::string_view::npos) {
    return false;
  }
  for (std::size_t at = 0; at <= name.size();) {
    std::size_t const dot = std::min(name.find('.', at), name.size());
    if (!is_label(name.substr(at, dot - at))) {
      return false;
    }
    at = dot + 1;
  }
  return true;
}

base::Result<std::string> make_csr(Key const& key, std::vector<std::string> const& names) {
  if (names.empty() || names.size() > 100) {
    return base::fail(errc::bad_name, "a certificate has between 1 and 100 names");
  }
  for (std::string const& name : names) {
    if (!is_certificate_name(name)) {
      return base::fail(errc::bad_name, "'" + name + "' cannot be in a certificate");
    }
  }
  Request const request(X509_REQ_new());
  AlternativeNames const list = alternative_names(names);
  Extensions extensions;
  STACK_OF(X509_EXTENSION)* raw = nullptr;
  bool built = request != nullptr && X509_REQ_set_version(request.get(), 0) == 1 &&
               X509_REQ_set_pubkey(request.get(), key.handle()) == 1 &&
               X509V3_add1_i2d(&raw, NID_subject_alt_name, list.get(), 0, X509V3_ADD_DEFAULT) == 1;
  extensions.reset(raw);
  built = built && X509_REQ_add_extensions(request.get(), extensions.get()) == 1 &&
          X509_REQ_sign(request.get(), key.handle(), key.type() == KeyType::p384 ? EVP_sha384() : EVP_sha256()) > 0;
  unsigned char* der = nullptr;
  int const size = built ? i2d_X509_REQ(request.get(), &der) : -1;
  if (size <= 0) {
    return base::fail(errc::bad_key, "OpenSSL cannot make the signing request");
  }
  std::string octets(reinterpret_cast<char const*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return octets;
}

}  // namespace crypto
