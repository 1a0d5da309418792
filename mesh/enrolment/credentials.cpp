#include "mesh/enrolment/credentials.hpp"

#include "mesh/enrolment/openssl.hpp"
#include "mesh/enrolment/token.hpp"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>

namespace enrolment {

base::Failure crypto_failure(std::string doing) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return base::fail(errc::crypto, std::move(doing) + ": " + text.data());
}

BioPtr memory_bio(std::string const& content) {
  return BioPtr(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
}

std::string content_of(BIO* bio) {
  char* data = nullptr;
  long const size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

base::Result<KeyPtr> parse_key(std::string const& pem) {
  KeyPtr key(PEM_read_bio_PrivateKey(memory_bio(pem).get(), nullptr, nullptr, nullptr));
  if (key == nullptr) {
    return crypto_failure("cannot read a private key");
  }
  return key;
}

base::Result<CertificatePtr> parse_certificate(std::string const& pem) {
  CertificatePtr certificate(PEM_read_bio_X509(memory_bio(pem).get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) {
    return crypto_failure("cannot read a certificate");
  }
  return certificate;
}

base::Result<RequestPtr> parse_request(std::string const& pem) {
  RequestPtr request(PEM_read_bio_X509_REQ(memory_bio(pem).get(), nullptr, nullptr, nullptr));
  if (request == nullptr) {
    ERR_clear_error();
    return base::fail(errc::bad_request, "this is no certificate request in PEM form");
  }
  return request;
}

base::Result<std::string> to_pem(X509* certificate) {
  BioPtr const bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return crypto_failure("cannot write a certificate");
  }
  return content_of(bio.get());
}

base::Result<std::string> make_key_pem() {
  KeyPtr const key(EVP_EC_gen("P-256"));
  BioPtr const bio(BIO_new(BIO_s_mem()));
  if (key == nullptr || PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return crypto_failure("cannot make a P-256 key");
  }
  return content_of(bio.get());
}

namespace {

bool add_name(X509_REQ* request, std::string const& node) {
  X509_NAME* const name = X509_REQ_get_subject_name(request);
  auto const* const text = reinterpret_cast<unsigned char const*>(node.c_str());
  if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0) != 1) {
    return false;
  }
  STACK_OF(X509_EXTENSION)* extensions = sk_X509_EXTENSION_new_null();
  std::string const alternative = "DNS:" + node;
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alternative.c_str());
  bool added = extension != nullptr && sk_X509_EXTENSION_push(extensions, extension) > 0;
  added = added && X509_REQ_add_extensions(request, extensions) == 1;
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  return added;
}

}  // namespace

base::Result<std::string> make_csr_pem(std::string const& key_pem, std::string const& node) {
  auto key = parse_key(key_pem);
  if (!key) {
    return key.error();
  }
  RequestPtr const request(X509_REQ_new());
  BioPtr const bio(BIO_new(BIO_s_mem()));
  bool const made = X509_REQ_set_version(request.get(), 0) == 1 && add_name(request.get(), node) &&
                    X509_REQ_set_pubkey(request.get(), key->get()) == 1 &&
                    X509_REQ_sign(request.get(), key->get(), EVP_sha256()) > 0 &&
                    PEM_write_bio_X509_REQ(bio.get(), request.get()) == 1;
  if (!made) {
    return crypto_failure("cannot make a certificate request for " + node);
  }
  return content_of(bio.get());
}

base::Result<std::string> csr_name(std::string const& csr_pem) {
  auto request = parse_request(csr_pem);
  if (!request) {
    return request.error();
  }
  EVP_PKEY* const key = X509_REQ_get0_pubkey(request->get());
  if (key == nullptr || X509_REQ_verify(request->get(), key) != 1) {
    ERR_clear_error();
    return base::fail(errc::bad_request, "the request is not signed by its own key");
  }
  std::array<char, 256> name{};
  X509_NAME* const subject = X509_REQ_get_subject_name(request->get());
  int const length = X509_NAME_get_text_by_NID(subject, NID_commonName, name.data(), static_cast<int>(name.size()));
  if (length <= 0) {
    return base::fail(errc::bad_request, "the request names nobody");
  }
  return std::string(name.data(), static_cast<std::size_t>(length));
}

base::Result<std::string> csr_key(std::string const& csr_pem) {
  auto request = parse_request(csr_pem);
  if (!request) {
    return request.error();
  }
  unsigned char* der = nullptr;
  int const size = i2d_PUBKEY(X509_REQ_get0_pubkey(request->get()), &der);
  if (size <= 0) {
    ERR_clear_error();
    return base::fail(errc::bad_request, "the request has no key");
  }
  std::string const digest = sha256_hex({reinterpret_cast<char const*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return digest;
}

base::Result<std::int64_t> certificate_not_after(std::string const& certificate_pem) {
  auto certificate = parse_certificate(certificate_pem);
  if (!certificate) {
    return certificate.error();
  }
  std::tm broken{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate->get()), &broken) != 1) {
    return crypto_failure("cannot read a certificate's expiry");
  }
  return static_cast<std::int64_t>(timegm(&broken));
}

}  // namespace enrolment
