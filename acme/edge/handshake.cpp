#include "acme/edge/handshake.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <memory>

namespace edge {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Stream = asio::ssl::stream<tcp::socket>;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

struct CertificateFreed {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

base::Result<std::string> leaf_digest(SSL* ssl) {
  std::unique_ptr<X509, CertificateFreed> const leaf(SSL_get1_peer_certificate(ssl));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (leaf == nullptr || X509_digest(leaf.get(), EVP_sha256(), digest.data(), &size) != 1) {
    return base::fail(net::errc::bad_message, "the server showed no certificate");
  }
  constexpr char const* digits = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += digits[digest[i] >> 4U];
    text += digits[digest[i] & 15U];
  }
  return text;
}

net::Task<base::Result<std::string>> shake_hands(tcp::endpoint endpoint, std::string sni) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  context.set_verify_mode(asio::ssl::verify_none);
  Stream stream(co_await asio::this_coro::executor, context);
  // (The macro of OpenSSL casts in the old style; this is the same call.)
  if (SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, sni.data()) != 1) {
    co_return base::fail(net::errc::bad_message, "'" + sni + "' cannot be said in a handshake");
  }
  auto const [connect_error] = co_await stream.next_layer().async_connect(endpoint, as_result);
  if (connect_error) {
    co_return base::fail(net::errc::refused, "connect: " + connect_error.message());
  }
  auto const [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, as_result);
  if (error) {
    co_return base::fail(net::errc::bad_message, "TLS handshake: " + error.message());
  }
  co_return leaf_digest(stream.native_handle());
}

}  // namespace

net::Task<base::Result<std::string>> served_fingerprint(std::string address, std::uint16_t port, std::string sni,
                                                        std::chrono::milliseconds deadline) {
  boost::system::error_code error;
  auto const ip = asio::ip::make_address(address, error);
  if (error) {
    co_return base::fail(net::errc::unresolved, "'" + address + "' is not an IP address");
  }
  co_return co_await net::within(deadline, shake_hands(tcp::endpoint(ip, port), std::move(sni)));
}

}  // namespace edge
