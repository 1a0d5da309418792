#include "base/net/tls.hpp"
#include "base/probe/attempt.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <array>
#include <utility>

namespace probe {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
constexpr auto values = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t header_limit = 16U << 10U;

// Host and SNI are the monitor's `host`, the connection goes to its `address`.
std::string host_of(Check const& check) {
  return check.host.empty() ? check.address : check.host;
}

bool is_address(std::string const& text) {
  boost::system::error_code error;
  asio::ip::make_address(text, error);
  return !error;
}

// "[::1]:8080", "www.example.org", "203.0.113.9:8443" (RFC 9110 7.2: the scheme's own port is left out).
std::string host_header(Check const& check) {
  std::string host = host_of(check);
  if (host.find(':') != std::string::npos) {
    host.insert(0, "[").append("]");
  }
  bool const usual = check.port == (check.type == Type::https ? 443 : 80);
  return usual ? host : host + ":" + std::to_string(check.port);
}

// A header or target from a configuration file must not smuggle a second request in.
bool is_clean(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

base::Result<http::request<http::empty_body>> make_request(Check const& check) {
  http::request<http::empty_body> request;
  request.version(11);
  request.target(check.path.empty() ? "/" : check.path);
  bool clean = is_clean(check.path) && is_clean(check.host) && is_clean(check.method) && !check.method.empty();
  request.set(http::field::host, host_header(check));
  request.set(http::field::user_agent, "sovereign-probe/" SOVEREIGN_VERSION);
  request.set(http::field::connection, "close");
  for (auto const& [name, value] : check.header) {
    clean = clean && !name.empty() && is_clean(name) && is_clean(value);
    if (clean) {
      request.set(name, value);
    }
  }
  if (!clean) {
    return base::fail(net::errc::bad_message, "method, path, host or header of the monitor is no HTTP");
  }
  request.method_string(check.method);
  return request;
}

std::string http_reason(boost::system::error_code error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return "header larger than " + std::to_string(header_limit / 1024) + " KiB";
  }
  if (error == http::error::end_of_stream) {
    return "closed without an answer";
  }
  if (error == http::error::partial_message) {
    return "closed in the middle of the answer";
  }
  if (error.category() == make_error_code(http::error::bad_version).category()) {
    return "the answer is no HTTP: " + error.message();
  }
  return reason_of(error);
}

using Parser = http::response_parser<http::buffer_body>;

// Reads the body piece by piece until the expected text came, at most answer_limit octets. A string_body would reserve
// whatever Content-Length claims.
template <class Stream>
net::Task<Verdict> look_for_text(Stream& stream, boost::beast::flat_buffer& buffer, Parser& parser, std::string text) {
  std::string body;
  std::array<char, 4096> piece{};
  while (body.find(text) == std::string::npos) {
    if (parser.is_done() || body.size() >= answer_limit) {
      co_return bad("the expected text is not in the first " + std::to_string(body.size()) + " octets of the body");
    }
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    auto const [error, size] = co_await http::async_read_some(stream, buffer, parser, values);
    if (error && error != http::error::need_buffer && error != http::error::end_of_stream) {
      co_return bad(http_reason(error));
    }
    body.append(piece.data(), piece.size() - parser.get().body().size);
  }
  co_return good();
}

// One request and as much of its answer as the verdict needs.
template <class Stream>
net::Task<Verdict> exchange(Stream& stream, Check check, ProgressPtr progress) {
  auto request = make_request(check);
  if (request.has_error()) {
    co_return bad(request.error().detail);
  }
  progress->waiting_for = "connected, but no answer";
  auto const [write_error, written] = co_await http::async_write(stream, *request, values);
  if (write_error) {
    co_return bad(http_reason(write_error));
  }
  boost::beast::flat_buffer buffer(answer_limit);
  Parser parser;
  parser.header_limit(header_limit);
  parser.body_limit(boost::none);  // look_for_text stops by itself
  parser.skip(check.method == "HEAD");
  auto const [header_error, header_size] = co_await http::async_read_header(stream, buffer, parser, values);
  if (header_error) {
    co_return bad(http_reason(header_error));
  }
  int const status = static_cast<int>(parser.get().result_int());
  if (!code_matches(check.expected_codes, status)) {
    co_return bad("status " + std::to_string(status) + ", expected " + check.expected_codes);
  }
  if (check.expected_body.empty()) {
    co_return good();
  }
  progress->waiting_for = "the expected body did not come";
  co_return co_await look_for_text(stream, buffer, parser, check.expected_body);
}

std::string certificate_reason(asio::ssl::stream<asio::ip::tcp::socket>& stream, boost::system::error_code error) {
  long const verified = ::SSL_get_verify_result(stream.native_handle());
  if (verified != X509_V_OK) {
    return std::string("the certificate was not accepted: ") + ::X509_verify_cert_error_string(verified);
  }
  return "TLS failed: " + reason_of(error);
}

net::Task<Verdict> exchange_over_tls(asio::ip::tcp::socket socket, Check check, ProgressPtr progress) {
  net::TlsClientSettings settings;
  settings.verify = !check.allow_insecure;
  settings.ca_file = check.ca_file;
  auto context = net::make_client_context(settings);
  if (context.has_error()) {
    co_return bad(context.error().what());
  }
  asio::ssl::stream<asio::ip::tcp::socket> stream(std::move(socket), **context);
  std::string const host = host_of(check);
  // RFC 6066 3: no literal addresses in SNI.
  if (!is_address(host) && ::SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                                      const_cast<char*>(host.c_str())) != 1) {
    co_return bad("'" + host + "' cannot be sent as SNI");
  }
  if (!check.allow_insecure) {
    stream.set_verify_mode(asio::ssl::verify_peer);
    stream.set_verify_callback(asio::ssl::host_name_verification(host));
  }
  progress->waiting_for = "no TLS handshake";
  auto const [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, values);
  if (error) {
    co_return bad(certificate_reason(stream, error));
  }
  co_return co_await exchange(stream, std::move(check), std::move(progress));
}

}  // namespace

net::Task<Verdict> http_attempt(Check check, ProgressPtr progress) {
  boost::system::error_code error;
  asio::ip::address const address = asio::ip::make_address(check.address, error);
  if (error) {
    co_return bad("'" + check.address + "' is no IP address");
  }
  if (!valid_codes(check.expected_codes)) {
    co_return bad("'" + check.expected_codes + "' is no pattern of status codes");
  }
  asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
  asio::ip::tcp::endpoint const endpoint(address, check.port);
  auto const [failed] = co_await socket.async_connect(endpoint, values);
  if (failed) {
    co_return bad(reason_of(failed));
  }
  if (check.type == Type::https) {
    co_return co_await exchange_over_tls(std::move(socket), std::move(check), std::move(progress));
  }
  co_return co_await exchange(socket, std::move(check), std::move(progress));
}

}  // namespace probe
