#include "base/probe/http_connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <openssl/x509.h>

#include <cerrno>
#include <ctime>
#include <utility>

#include <sys/socket.h>

namespace probe {
namespace {

namespace asio = boost::asio;
constexpr auto values = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::minutes age_max{5};
constexpr std::int64_t day_s = 24 * 3600;

struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

bool is_address(std::string const& text) {
  boost::system::error_code error;
  asio::ip::make_address(text, error);
  return !error;
}

std::int64_t end_of_certificate(TlsStream& stream) {
  std::unique_ptr<X509, CertificateFree> const certificate(SSL_get1_peer_certificate(stream.native_handle()));
  std::tm parts{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &parts) != 1) {
    return 0;
  }
  return ::timegm(&parts);
}

std::string certificate_reason(TlsStream& stream, boost::system::error_code error) {
  long const verified = ::SSL_get_verify_result(stream.native_handle());
  if (verified != X509_V_OK) {
    return std::string("the certificate was not accepted: ") + ::X509_verify_cert_error_string(verified);
  }
  return "TLS failed: " + reason_of(error);
}

// The stream before its handshake; null with a reason.
std::unique_ptr<TlsStream> make_tls(Connection& connection, Check const& check, Verdict& problem) {
  net::TlsClientSettings settings;
  settings.verify = !check.allow_insecure;
  settings.ca_file = check.ca_file;
  // Made anew for each connection, so that a CA file that was replaced counts from the next one on.
  auto made = net::make_client_context(settings);
  if (made.has_error()) {
    problem = bad(made.error().what());
    return nullptr;
  }
  connection.context = std::move(*made);
  auto stream = std::make_unique<TlsStream>(std::move(connection.socket), *connection.context);
  std::string const& host = connection.origin.host;
  // RFC 6066 3: no literal addresses in SNI.
  if (!is_address(host) && ::SSL_ctrl(stream->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                                      const_cast<char*>(host.c_str())) != 1) {
    problem = bad("'" + host + "' cannot be sent as SNI");
    return nullptr;
  }
  if (!check.allow_insecure) {
    stream->set_verify_mode(asio::ssl::verify_peer);
    stream->set_verify_callback(asio::ssl::host_name_verification(host));
  }
  return stream;
}

// Whether nothing came on an idle connection. TLS may bring session tickets at any time, so only its end counts there.
bool is_quiet(Connection& connection) {
  Socket& socket = connection.tls == nullptr ? connection.socket : connection.tls->next_layer();
  char octet = 0;
  ssize_t const seen = ::recv(socket.native_handle(), &octet, 1, MSG_PEEK | MSG_DONTWAIT);
  if (seen < 0) {
    return errno == EAGAIN;
  }
  return seen > 0 && connection.tls != nullptr;
}

}  // namespace

net::Task<std::unique_ptr<Connection>> open_connection(ContextPtr context, Origin origin,
                                                       std::shared_ptr<Verdict> problem) {
  context->waiting_for = "no connection";
  auto const address = target_address(context->check.address, *problem);
  if (!address) {
    co_return nullptr;
  }
  Socket socket(co_await asio::this_coro::executor);
  asio::ip::tcp::endpoint const endpoint(*address, origin.port);
  auto const [failed] = co_await socket.async_connect(endpoint, values);
  if (failed) {
    *problem = bad(reason_of(failed));
    co_return nullptr;
  }
  auto connection = std::make_unique<Connection>(std::move(socket));
  connection->origin = std::move(origin);
  connection->opened = std::chrono::steady_clock::now();
  if (!connection->origin.tls) {
    co_return connection;
  }
  connection->tls = make_tls(*connection, context->check, *problem);
  if (connection->tls == nullptr) {
    co_return nullptr;
  }
  context->waiting_for = "no TLS handshake";
  auto const [error] = co_await connection->tls->async_handshake(asio::ssl::stream_base::client, values);
  if (error) {
    *problem = bad(certificate_reason(*connection->tls, error));
    co_return nullptr;
  }
  connection->certificate_ends_s = end_of_certificate(*connection->tls);
  co_return connection;
}

std::unique_ptr<Connection> take_kept(Context& context, Origin const& origin, std::int64_t now_s) {
  std::unique_ptr<Connection> kept = std::move(context.kept);
  if (kept == nullptr || !(kept->origin == origin) || std::chrono::steady_clock::now() - kept->opened > age_max) {
    return nullptr;
  }
  bool const expired = kept->certificate_ends_s != 0 && kept->certificate_ends_s <= now_s;
  if ((expired && !context.check.allow_insecure) || !is_quiet(*kept)) {
    return nullptr;
  }
  return kept;
}

std::string certificate_warning(std::int64_t ends_s, std::int64_t now_s) {
  constexpr std::int64_t soon_s = 14 * day_s;
  auto const days = [](std::int64_t seconds) {
    std::int64_t const count = seconds / day_s;
    return std::to_string(count) + (count == 1 ? " day" : " days");
  };
  if (ends_s == 0 || ends_s - now_s >= soon_s) {
    return {};
  }
  if (ends_s <= now_s) {
    return "the certificate expired " + days(now_s - ends_s) + " ago";
  }
  return "the certificate expires in " + days(ends_s - now_s);
}

}  // namespace probe
