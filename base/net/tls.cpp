#include "base/net/tls.hpp"

#include "base/net/task.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/verify_context.hpp>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>

namespace net {
namespace ssl = boost::asio::ssl;
namespace {

struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

std::string hex(std::array<unsigned char, EVP_MAX_MD_SIZE> const& digest, unsigned size) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (unsigned i = 0; i < size; ++i) {
    out += digits[digest.at(i) / 16U];
    out += digits[digest.at(i) % 16U];
  }
  return out;
}

// Lower-case hex SHA-256 of the certificate's DER form; empty when OpenSSL cannot tell.
std::string fingerprint(X509 const* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  return X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1 ? hex(digest, size) : std::string();
}

// The same of its SubjectPublicKeyInfo.
std::string key_fingerprint(X509 const* certificate) {
  unsigned char* der = nullptr;
  int const length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (length <= 0) {
    return {};
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  bool const made = EVP_Digest(der, static_cast<std::size_t>(length), digest.data(), &size, EVP_sha256(), nullptr) == 1;
  OPENSSL_free(der);
  return made ? hex(digest, size) : std::string();
}

base::Result<void> harden(ssl::context& context) {
  auto* native = context.native_handle();
  if (SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) != 1) {
    return base::fail(errc::certificate, "OpenSSL does not support TLS 1.2");
  }
  SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // A key with a passphrase must fail, not ask on the terminal.
  boost::system::error_code ignored;
  auto const no_passphrase = [](std::size_t, ssl::context::password_purpose) { return std::string(); };
  context.set_password_callback(no_passphrase, ignored);
  return {};
}

base::Result<void> use_identity(ssl::context& context, Identity const& identity) {
  boost::system::error_code error;
  context.use_certificate_chain_file(identity.certificate_file, error);
  if (error) {
    return base::fail(errc::certificate, "certificate " + identity.certificate_file + ": " + error.message());
  }
  context.use_private_key_file(identity.key_file, ssl::context::pem, error);
  if (error) {
    return base::fail(errc::certificate, "key " + identity.key_file + ": " + error.message());
  }
  if (SSL_CTX_check_private_key(context.native_handle()) != 1) {
    ERR_clear_error();
    return base::fail(errc::certificate,
                      "key " + identity.key_file + " does not belong to certificate " + identity.certificate_file);
  }
  return {};
}

// The verdict is about the leaf alone, at whatever depth OpenSSL asks, so that an unknown issuer changes nothing.
base::Result<void> pin(ssl::context& context, std::string const& sha256) {
  auto const judge = [sha256](bool, ssl::verify_context& verify) {
    X509* leaf = X509_STORE_CTX_get0_cert(verify.native_handle());
    return leaf != nullptr && (key_fingerprint(leaf) == sha256 || fingerprint(leaf) == sha256);
  };
  boost::system::error_code error;
  context.set_verify_mode(ssl::verify_peer, error);
  context.set_verify_callback(judge, error);
  if (error) {
    return base::fail(errc::certificate, "pin: " + error.message());
  }
  return {};
}

base::Result<void> trust(ssl::context& context, std::string const& ca_file) {
  boost::system::error_code error;
  context.set_verify_mode(ssl::verify_peer, error);
  if (ca_file.empty()) {
    context.set_default_verify_paths(error);
  } else {
    context.load_verify_file(ca_file, error);
  }
  if (error) {
    return base::fail(errc::certificate,
                      "CA file " + (ca_file.empty() ? "of the system" : ca_file) + ": " + error.message());
  }
  return {};
}

base::Result<void> configure_client(ssl::context& context, TlsClientSettings const& settings) {
  if (auto done = harden(context); !done) {
    return done;
  }
  if (settings.identity) {
    if (auto done = use_identity(context, *settings.identity); !done) {
      return done;
    }
  }
  if (!settings.pinned_sha256.empty()) {
    return pin(context, settings.pinned_sha256);
  }
  if (settings.verify) {
    return trust(context, settings.ca_file);
  }
  boost::system::error_code ignored;
  context.set_verify_mode(ssl::verify_none, ignored);
  return {};
}

base::Result<void> configure_server(ssl::context& context, TlsServerSettings const& settings) {
  if (auto done = harden(context); !done) {
    return done;
  }
  auto* native = context.native_handle();
  // Every connection verifies its client anew: a resumed session would outlive a short-lived certificate.
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(native, 0);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  if (auto done = use_identity(context, settings.identity); !done) {
    return done;
  }
  if (settings.client_ca_file.empty()) {
    return {};
  }
  if (auto done = trust(context, settings.client_ca_file); !done) {
    return done;
  }
  if (settings.require_client_certificate) {
    boost::system::error_code ignored;
    context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, ignored);
  }
  // Tells clients which of their certificates is wanted.
  auto* names = SSL_load_client_CA_file(settings.client_ca_file.c_str());
  if (names != nullptr) {
    SSL_CTX_set_client_CA_list(native, names);
  }
  return {};
}

template <class Settings>
base::Result<TlsContext> make(ssl::context::method method, Settings const& settings,
                              base::Result<void> (*configure)(ssl::context&, Settings const&)) {
  try {
    auto context = std::make_shared<ssl::context>(method);
    ERR_clear_error();
    auto const done = configure(*context, settings);
    if (!done) {
      return done.error();
    }
    return TlsContext(std::move(context));
  } catch (std::exception const& error) {
    return base::fail(errc::certificate, std::string("make a TLS context: ") + error.what());
  }
}

}  // namespace

base::Result<TlsContext> make_client_context(TlsClientSettings const& settings) {
  return make(ssl::context::tls_client, settings, configure_client);
}

base::Result<TlsContext> make_server_context(TlsServerSettings const& settings) {
  return make(ssl::context::tls_server, settings, configure_server);
}

base::Result<std::string> certificate_sha256(std::string_view pem) {
  constexpr std::size_t size_max = 1U << 20U;
  if (pem.size() > size_max) {
    return base::fail(errc::too_large, "a PEM text of more than 1 MiB");
  }
  std::unique_ptr<BIO, BioFree> const bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::unique_ptr<X509, CertificateFree> const certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)
                                                               : nullptr);
  std::string const out = certificate ? fingerprint(certificate.get()) : std::string();
  ERR_clear_error();
  if (out.empty()) {
    return base::fail(errc::certificate, "the text holds no certificate in PEM form");
  }
  return out;
}

}  // namespace net
