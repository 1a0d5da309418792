#include "mesh/internal_ca/openssl.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <ctime>

namespace internal_ca {

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

namespace {

// A key with a passphrase must fail, not ask on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

}  // namespace

base::Result<KeyPtr> parse_key(std::string const& pem) {
  KeyPtr key(PEM_read_bio_PrivateKey(memory_bio(pem).get(), nullptr, no_passphrase, nullptr));
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

base::Result<std::vector<CertificatePtr>> parse_certificates(std::string const& pem) {
  std::vector<CertificatePtr> out;
  BioPtr const bio = memory_bio(pem);
  while (CertificatePtr next = CertificatePtr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))) {
    out.push_back(std::move(next));
  }
  if (out.empty()) {
    return crypto_failure("cannot read a certificate");
  }
  ERR_clear_error();  // that no further one begins is its way to say where the text ends
  return out;
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

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  ASSERT(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (unsigned i = 0; i < size; ++i) {
    out += digits[digest.at(i) / 16U];
    out += digits[digest.at(i) % 16U];
  }
  return out;
}

std::string key_digest(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  int const size = key == nullptr ? 0 : i2d_PUBKEY(key, &der);
  if (size <= 0) {
    ERR_clear_error();
    return {};
  }
  std::string const out = sha256_hex({reinterpret_cast<char const*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return out;
}

std::string common_name(X509* certificate) {
  std::array<char, 256> name{};
  int const length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                                               static_cast<int>(name.size()));
  return length <= 0 ? std::string() : std::string(name.data(), static_cast<std::size_t>(length));
}

std::int64_t seconds_of(ASN1_TIME const* time) {
  std::tm broken{};
  return ASN1_TIME_to_tm(time, &broken) == 1 ? static_cast<std::int64_t>(timegm(&broken)) : 0;
}

std::string utc(std::int64_t at_s) {
  auto const time = static_cast<std::time_t>(at_s);
  std::tm broken{};
  std::array<char, 32> text{};
  gmtime_r(&time, &broken);
  std::size_t const size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &broken);
  return std::string(text.data(), size);
}

}  // namespace internal_ca
