#include "base/net/stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

namespace net::detail {
namespace {

constexpr auto tuple = asio::as_tuple(asio::use_awaitable);

bool nothing_waiting(Socket& socket) {
  char byte = 0;
  ssize_t const size = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return size < 0 && errno == EAGAIN;
}

// A refusal of a certificate, ours or the peer's.
bool about_certificate(int reason) {
  switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_NO_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:  // a signature does not verify: the issuer has the name but not the key
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

class PlainStream final : public Stream {
 public:
  explicit PlainStream(Socket socket) : socket_(std::move(socket)) {}

  Task<base::Result<std::size_t>> read_some(char* data, std::size_t size) override {
    auto const [error, count] = co_await socket_.async_read_some(asio::buffer(data, size), tuple);
    if (error == asio::error::eof) {
      co_return std::size_t{0};
    }
    if (error) {
      co_return failure_of(error, "read");
    }
    co_return count;
  }

  Task<base::Result<void>> write_all(std::string_view bytes) override {
    auto const [error, count] = co_await asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()), tuple);
    if (error) {
      co_return failure_of(error, "write");
    }
    co_return base::Result<void>();
  }

  bool quiet() override { return nothing_waiting(socket_); }

  void end_writing() override {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }

  [[nodiscard]] std::string peer_certificate_name() const override { return {}; }
  [[nodiscard]] std::string peer_certificate_key() const override { return {}; }
  [[nodiscard]] std::string peer_certificate_serial() const override { return {}; }
  [[nodiscard]] std::int64_t peer_certificate_until_s() const override { return 0; }

 private:
  Socket socket_;
};

struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct NamesFree {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string first_dns_name(X509* certificate) {
  std::unique_ptr<GENERAL_NAMES, NamesFree> const names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) {
    return {};
  }
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    GENERAL_NAME const* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) {
      continue;
    }
    auto const* text = ASN1_STRING_get0_data(name->d.dNSName);
    std::string out(text, text + ASN1_STRING_length(name->d.dNSName));
    // A name with a NUL in it is an attempt to look like another one.
    return out.find('\0') == std::string::npos ? out : std::string();
  }
  return {};
}

std::string key_digest(X509* certificate) {
  unsigned char* der = nullptr;
  int const size = i2d_PUBKEY(X509_get0_pubkey(certificate), &der);
  if (size <= 0) {
    return {};
  }
  std::array<unsigned char, 32> digest{};
  bool const made = EVP_Digest(der, static_cast<std::size_t>(size), digest.data(), nullptr, EVP_sha256(), nullptr) == 1;
  OPENSSL_free(der);
  std::string out;
  for (unsigned char const octet : digest) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += {digits[octet >> 4U], digits[octet & 15U]};
  }
  return made ? out : std::string();
}

class TlsStream final : public Stream {
 public:
  TlsStream(Socket socket, TlsContext context) : context_(std::move(context)), stream_(std::move(socket), *context_) {}

  Task<base::Result<void>> connect(std::string host, bool check_host) {
    boost::system::error_code literal;
    asio::ip::make_address(host, literal);
    // RFC 6066: an address is no server name.
    // What SSL_set_tlsext_host_name expands to, without its old-style cast.
    if (literal &&
        SSL_ctrl(stream_.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) != 1) {
      co_return base::fail(errc::bad_message, "'" + host + "' cannot be a TLS server name");
    }
    if (check_host) {
      stream_.set_verify_callback(asio::ssl::host_name_verification(host));
    }
    auto const [error] = co_await stream_.async_handshake(asio::ssl::stream_base::client, tuple);
    if (error) {
      co_return handshake_failure(error, host);
    }
    co_return base::Result<void>();
  }

  Task<base::Result<void>> accept() {
    auto const [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, tuple);
    if (error) {
      co_return handshake_failure(error, "a client");
    }
    co_return base::Result<void>();
  }

  Task<base::Result<std::size_t>> read_some(char* data, std::size_t size) override {
    auto const [error, count] = co_await stream_.async_read_some(asio::buffer(data, size), tuple);
    if (error == asio::error::eof) {
      co_return std::size_t{0};
    }
    if (error) {
      co_return failure_of(error, "read");
    }
    co_return count;
  }

  Task<base::Result<void>> write_all(std::string_view bytes) override {
    auto const [error, count] = co_await asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()), tuple);
    if (error) {
      co_return failure_of(error, "write");
    }
    co_return base::Result<void>();
  }

  bool quiet() override { return nothing_waiting(stream_.next_layer()); }

  void end_writing() override {
    boost::system::error_code ignored;
    stream_.next_layer().shutdown(Socket::shutdown_send, ignored);
  }

  [[nodiscard]] std::string peer_certificate_name() const override {
    auto const certificate = verified();
    return certificate ? first_dns_name(certificate.get()) : std::string();
  }
  [[nodiscard]] std::string peer_certificate_key() const override {
    auto const certificate = verified();
    return certificate ? key_digest(certificate.get()) : std::string();
  }
  [[nodiscard]] std::string peer_certificate_serial() const override {
    auto const certificate = verified();
    return certificate ? serial_text(X509_get0_serialNumber(certificate.get())) : std::string();
  }
  [[nodiscard]] std::int64_t peer_certificate_until_s() const override {
    auto const certificate = verified();
    std::tm parts{};
    bool const read = certificate && ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &parts) == 1;
    return read ? static_cast<std::int64_t>(::timegm(&parts)) : 0;
  }

 private:
  // nullptr without a verified certificate of the peer.
  [[nodiscard]] std::unique_ptr<X509, CertificateFree> verified() const {
    // native_handle is not const in Asio, though nothing is changed here.
    auto* ssl = const_cast<TlsStream*>(this)->stream_.native_handle();  // NOLINT
    std::unique_ptr<X509, CertificateFree> certificate(SSL_get1_peer_certificate(ssl));
    bool const good = certificate && SSL_get_verify_result(ssl) == X509_V_OK;
    return good ? std::move(certificate) : nullptr;
  }

  base::Failure handshake_failure(boost::system::error_code error, std::string const& peer) {
    auto failure = failure_of(error, "TLS handshake with " + peer);
    long const verdict = SSL_get_verify_result(stream_.native_handle());
    if (failure.code == errc::certificate && verdict != X509_V_OK) {
      failure.detail += std::string(": ") + X509_verify_cert_error_string(verdict);
    }
    return failure;
  }

  TlsContext context_;
  asio::ssl::stream<Socket> stream_;
};

}  // namespace

std::string serial_text(asn1_string_st const* serial) {
  std::unique_ptr<BIGNUM, void (*)(BIGNUM*)> const number(ASN1_INTEGER_to_BN(serial, nullptr), BN_free);
  char* const hex = number ? BN_bn2hex(number.get()) : nullptr;
  std::string out(hex != nullptr ? hex : "");
  OPENSSL_free(hex);
  out.erase(0, std::min(out.find_first_not_of('0'), out.size()));
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

base::Failure failure_of(boost::system::error_code error, std::string const& doing) {
  std::string const detail = doing + ": " + error.message();
  if (error == asio::error::operation_aborted) {
    return base::fail(errc::cancelled, detail);
  }
  if (error == asio::error::timed_out) {
    return base::fail(errc::timed_out, detail);
  }
  if (error == asio::error::connection_refused || error == asio::error::host_unreachable ||
      error == asio::error::network_unreachable || error == boost::system::errc::no_such_file_or_directory ||
      error == boost::system::errc::permission_denied) {
    return base::fail(errc::refused, detail);
  }
  if (error.category() == asio::error::get_ssl_category()) {
    bool const certificate = about_certificate(ERR_GET_REASON(static_cast<unsigned long>(error.value())));
    return base::fail(certificate ? errc::certificate : errc::bad_message, detail);
  }
  return base::fail(errc::closed, detail);
}

std::unique_ptr<Stream> plain_stream(Socket socket) {
  return std::make_unique<PlainStream>(std::move(socket));
}

Task<base::Result<std::unique_ptr<Stream>>> tls_connect(Socket socket, TlsContext context, std::string host,
                                                        bool check_host) {
  auto stream = std::make_unique<TlsStream>(std::move(socket), std::move(context));
  auto const done = co_await stream->connect(std::move(host), check_host);
  if (!done) {
    co_return done.error();
  }
  co_return std::unique_ptr<Stream>(std::move(stream));
}

Task<base::Result<std::unique_ptr<Stream>>> tls_accept(Socket socket, TlsContext context) {
  auto stream = std::make_unique<TlsStream>(std::move(socket), std::move(context));
  auto const done = co_await stream->accept();
  if (!done) {
    co_return done.error();
  }
  co_return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace net::detail
