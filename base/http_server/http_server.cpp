#include "base/http_server/http_server.hpp"

#include "base/http/message.hpp"
#include "base/http_server/revocations.hpp"
#include "base/process/descriptors.hpp"
#include "base/process/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <optional>
#include <set>

namespace net {
namespace {

using asio::ip::tcp;
using detail::Socket;
using detail::Stream;
using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
using Endpoint = asio::generic::stream_protocol::endpoint;

constexpr std::chrono::seconds handshake_timeout{10};
constexpr std::chrono::seconds linger_timeout{2};
constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::size_t write_step = 256U << 10U;
constexpr std::size_t pipelined_max = 64U << 10U;
constexpr std::size_t linger_max = 16U << 20U;

struct Listener {
  explicit Listener(asio::any_io_executor const& executor) : acceptor(executor) {}
  Acceptor acceptor;
  TlsServerSettings tls_settings;
  TlsContext tls;         // null without TLS
  std::string unix_path;  // empty for TCP
  std::optional<Revocations> revocations;
  struct stat file {};  // of the socket file, to unlink ours and no successor's
};

struct Connection {
  asio::cancellation_signal cancel;
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
};

base::Failure listen_failure(boost::system::error_code error, std::string const& address) {
  if (error == asio::error::address_in_use) {
    return base::fail(errc::in_use, "listen on " + address + ": " + error.message());
  }
  return base::fail_errno(error.value(), "listen on " + address);
}

base::Result<tcp::endpoint> parse_listen_address(std::string const& text) {
  auto const colon = text.rfind(':');
  auto const bad =
      base::fail(errc::bad_message, "'" + text + "' is no address to listen on, like 127.0.0.1:80 or [::]:80");
  if (colon == std::string::npos || colon + 1 == text.size() || text.size() - colon > 6) {
    return bad;
  }
  std::string host = text.substr(0, colon);
  bool const bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  unsigned port = 0;
  for (char const digit : text.substr(colon + 1)) {
    if (digit < '0' || digit > '9') {
      return bad;
    }
    port = port * 10 + static_cast<unsigned>(digit - '0');
  }
  boost::system::error_code error;
  auto const address = asio::ip::make_address(host, error);
  if (error || port > 65535 || address.is_v6() != bracketed) {
    return bad;
  }
  return tcp::endpoint(address, static_cast<unsigned short>(port));
}

// A socket file that nobody listens on is left from a process that was killed.
base::Result<void> clear_stale_socket(std::string const& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    return {};
  }
  if (!S_ISSOCK(info.st_mode)) {
    return base::fail(errc::in_use, path + " exists and is no socket");
  }
  auto const holder = process::listener_pid(path);
  if (!holder) {  // alive, for instance with a full backlog
    return base::fail(errc::in_use, "somebody listens on " + path);
  }
  if (*holder) {
    return base::fail(errc::in_use, "process " + std::to_string(**holder) + " listens on " + path);
  }
  if (::unlink(path.c_str()) != 0) {
    return base::fail_errno(errno, "remove the stale socket " + path);
  }
  return {};
}

std::string text_of(Socket const& socket) {
  boost::system::error_code error;
  auto const remote = socket.remote_endpoint(error);
  if (error || (remote.protocol().family() != AF_INET && remote.protocol().family() != AF_INET6)) {
    return "unknown";
  }
  tcp::endpoint endpoint;
  endpoint.resize(remote.size());
  std::memcpy(endpoint.data(), remote.data(), remote.size());
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  std::string const host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return host + ":" + std::to_string(endpoint.port());
}

Task<base::Result<void>> send_all(Stream& stream, std::string const& bytes, std::chrono::milliseconds step_timeout) {
  for (std::size_t at = 0; at < bytes.size(); at += write_step) {
    auto const piece = std::string_view(bytes).substr(at, write_step);
    auto const sent = co_await within(step_timeout, stream.write_all(piece));
    if (!sent) {
      co_return sent.error();
    }
  }
  co_return base::Result<void>();
}

// The head, and a body that is shared with other connections from where it is.
Task<base::Result<void>> send_response(Stream& stream, HttpResponse const& response, bool keep_alive, bool head,
                                       std::chrono::milliseconds step_timeout) {
  auto const bytes = detail::render_response(response, keep_alive, head, std::chrono::system_clock::now());
  auto sent = co_await send_all(stream, bytes, step_timeout);
  if (sent && response.shared_body && !head) {
    sent = co_await send_all(stream, *response.shared_body, step_timeout);
  }
  co_return sent;
}

// Ends when the client is gone. What it sends ahead is kept for the next request.
Task<void> watch(Stream& stream, std::string& carry) {
  std::string piece(4096, '\0');
  while (carry.size() < pipelined_max) {
    auto const got = co_await stream.read_some(piece.data(), piece.size());
    if (!got || *got == 0) {
      co_return;
    }
    carry.append(piece, 0, *got);
  }
  co_await wait_for(std::chrono::hours(1));
}

Task<base::Result<void>> discard(Stream& stream) {
  std::string piece(16384, '\0');
  std::size_t total = 0;
  while (total < linger_max) {
    auto const got = co_await stream.read_some(piece.data(), piece.size());
    if (!got || *got == 0) {
      break;
    }
    total += *got;
  }
  co_return base::Result<void>();
}

// Closing with unread input resets the connection, and the client would never see why it was refused.
Task<void> refuse(Stream& stream, base::Failure failure, std::chrono::milliseconds step_timeout) {
  bool const large = failure.code == errc::too_large;
  auto const response =
      HttpResponse::problem(large ? 413 : 400, large ? "Content Too Large" : "Bad Request", failure.detail);
  auto const sent = co_await send_response(stream, response, false, false, step_timeout);
  if (sent) {
    stream.end_writing();
    co_await within(linger_timeout, discard(stream));
  }
}

// Why who was let in by a certificate is let in no longer; empty: he is.
std::string_view shut_out(Listener& listener, Peer const& peer) {
  if (peer.certificate_name.empty()) {
    return {};
  }
  auto const now_s = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  if (peer.certificate_until_s <= now_s) {
    return "the certificate that this connection began with has ended";
  }
  if (listener.revocations && listener.revocations->contains(peer.certificate_serial)) {
    return "the certificate was revoked: its node was removed, or another machine has its name";
  }
  return {};
}

Task<void> answer_into(Router const& router, HttpRequest request, HttpResponse& out) {
  out = co_await router.dispatch(std::move(request));
}

Task<void> answer_in_time(Router const& router, HttpRequest request, HttpResponse& out,
                          std::chrono::milliseconds timeout) {
  bool const finished = co_await detail::race(timeout, answer_into(router, std::move(request), out));
  if (!finished) {
    out = HttpResponse::problem(503, "Service Unavailable", "the request was not answered in time");
  }
}

}  // namespace

struct HttpServer::State : std::enable_shared_from_this<State> {
  State(asio::any_io_executor owner, Router const& routes, HttpServerSettings wanted)
      : executor(std::move(owner)), router(routes), settings(wanted), ended(executor) {}

  base::Result<void> bind(std::shared_ptr<Listener> const& listener, Endpoint const& place, std::string const& name) {
    boost::system::error_code error;
    auto& acceptor = listener->acceptor;
    if (!error) {
      acceptor.open(place.protocol(), error);
    }
    if (!error && listener->unix_path.empty()) {
      acceptor.set_option(asio::socket_base::reuse_address(true), error);
    }
    if (!error) {
      acceptor.bind(place, error);
    }
    if (error) {
      return listen_failure(error, name);
    }
    return {};
  }

  base::Result<void> start(std::shared_ptr<Listener> const& listener, std::string const& name) {
    boost::system::error_code error;
    listener->acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return listen_failure(error, name);
    }
    listeners.push_back(listener);
    spawn(executor, "http listener " + name, accept(shared_from_this(), listener));
    return {};
  }

  base::Result<void> listen_tcp(std::string const& address, std::shared_ptr<Listener> const& listener) {
    auto const endpoint = parse_listen_address(address);
    if (!endpoint) {
      return endpoint.error();
    }
    auto const bound = bind(listener, Endpoint(*endpoint), address);
    if (!bound) {
      return bound;
    }
    auto const started = start(listener, address);
    if (started) {
      auto const local = listener->acceptor.local_endpoint();
      tcp::endpoint actual;
      actual.resize(local.size());
      std::memcpy(actual.data(), local.data(), local.size());
      port = actual.port();
    }
    return started;
  }

  // Whether one more may come. Who knows us by a certificate is never kept out by those who only hold connections open.
  bool make_room(Listener const& listener) {
    if (connections.size() >= settings.connections_max) {
      return false;
    }
    if (!listener.tls || settings.strangers_max == 0 || strangers.size() < settings.strangers_max) {
      return true;
    }
    auto const oldest = strangers.front();
    if (std::chrono::steady_clock::now() - oldest->since < settings.strangers_time) {
      return false;
    }
    strangers.pop_front();
    end({oldest});
    return true;
  }

  void end(std::set<std::shared_ptr<Connection>> const& ending) {
    for (auto const& connection : ending) {
      connection->cancel.emit(asio::cancellation_type::terminal);
    }
    // Called from outside the loop, emit only queues the cancellation, which then refers to the signal: it has to live
    // until the queue reached this point, even when the connection ends by itself before.
    asio::post(executor, [ending] {});
  }

  static Task<void> accept(std::shared_ptr<State> state, std::shared_ptr<Listener> listener) {
    while (!state->stopped) {
      if (!state->make_room(*listener)) {
        co_await state->ended.wait(std::chrono::seconds(1));
        continue;
      }
      auto [error, socket] = co_await listener->acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
      if (state->stopped) {
        co_return;
      }
      if (error) {
        // Out of descriptors, or a client that left the backlog.
        process::log::warning("http", "accept failed: {}", error.message());
        co_await wait_for(accept_pause);
        continue;
      }
      begin(state, listener, std::move(socket));
    }
  }

  static void begin(std::shared_ptr<State> const& state, std::shared_ptr<Listener> const& listener, Socket socket) {
    Peer peer;
    peer.is_unix = !listener->unix_path.empty();
    peer.address = peer.is_unix ? listener->unix_path : text_of(socket);
    if (!peer.is_unix) {
      boost::system::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
    }
    auto const connection = std::make_shared<Connection>();
    state->connections.insert(connection);
    if (listener->tls) {
      state->strangers.push_back(connection);
    }
    auto const ended = [state, connection](std::exception_ptr) {
      state->connections.erase(connection);
      state->strangers.remove(connection);
      state->ended.notify();
    };
    asio::co_spawn(state->executor, guarded(state, listener, connection, std::move(socket), std::move(peer)),
                   asio::bind_cancellation_slot(connection->cancel.slot(), ended));
  }

  static Task<void> guarded(std::shared_ptr<State> state, std::shared_ptr<Listener> listener,
                            std::shared_ptr<Connection> connection, Socket socket, Peer peer) {
    std::string const name = peer.address;
    try {
      co_await connect(state, listener, connection, std::move(socket), std::move(peer));
    } catch (boost::system::system_error const& error) {
      if (error.code() != asio::error::operation_aborted) {
        process::log::error("http", "connection of {} ended: {}", name, error.what());
      }
    } catch (std::exception const& error) {
      process::log::error("http", "connection of {} ended: {}", name, error.what());
    }
  }

  static Task<void> connect(std::shared_ptr<State> state, std::shared_ptr<Listener> listener,
                            std::shared_ptr<Connection> connection, Socket socket, Peer peer) {
    std::unique_ptr<Stream> stream;
    if (listener->tls) {
      auto accepted = co_await within(handshake_timeout, detail::tls_accept(std::move(socket), listener->tls));
      if (!accepted) {
        process::log::debug("http", "client {} refused: {}", peer.address, accepted.error().what());
        co_return;
      }
      stream = std::move(*accepted);
      peer.certificate_name = stream->peer_certificate_name();
      peer.certificate_key = stream->peer_certificate_key();
      peer.certificate_serial = stream->peer_certificate_serial();
      peer.certificate_until_s = stream->peer_certificate_until_s();
      if (!peer.certificate_name.empty()) {
        state->strangers.remove(connection);
        state->ended.notify();
      }
    } else {
      stream = detail::plain_stream(std::move(socket));
    }
    co_await serve(state, listener, *stream, std::move(peer));
  }

  static Task<void> serve(std::shared_ptr<State> state, std::shared_ptr<Listener> listener, Stream& stream, Peer peer) {
    auto const& settings = state->settings;
    std::string carry;
    while (!state->stopped) {
      RouteLimits limits;
      detail::BodyLimit const body_limit = [&](HttpRequest const& head) {
        bool const known = peer.is_unix || !peer.certificate_name.empty();
        limits = known ? state->router.limits(head) : RouteLimits();
        return std::max(settings.body_limit, limits.body);
      };
      auto got = co_await within(settings.idle_timeout, detail::read_request(stream, carry, body_limit));
      if (!got) {
        if (got.error().code == errc::too_large || got.error().code == errc::bad_message) {
          co_await refuse(stream, got.error(), settings.idle_timeout);
        }
        co_return;
      }
      if (got->end) {
        co_return;
      }
      bool const head = got->request.method == "HEAD";
      bool keep_alive = got->keep_alive;
      got->request.peer = peer;
      HttpResponse response;
      auto why = shut_out(*listener, peer);
      if (why.empty()) {
        int const first = co_await detail::first_of(answer_in_time(state->router, std::move(got->request), response,
                                                                   std::max(settings.handler_timeout, limits.time)),
                                                    watch(stream, carry));
        if (first != 0) {
          co_return;
        }
        why = shut_out(*listener, peer);
      }
      if (!why.empty()) {
        process::log::warning("http", "'{}' at {} is refused: {}", peer.certificate_name, peer.address, why);
        response = HttpResponse::problem(403, "Forbidden", std::string(why));
        keep_alive = false;
      }
      auto const sent = co_await send_response(stream, response, keep_alive, head, settings.idle_timeout);
      if (!sent || !keep_alive) {
        co_return;
      }
    }
  }

  void stop() {
    stopped = true;
    for (auto const& listener : listeners) {
      boost::system::error_code ignored;
      listener->acceptor.close(ignored);
      struct stat now {};
      if (!listener->unix_path.empty() && ::lstat(listener->unix_path.c_str(), &now) == 0 &&
          now.st_ino == listener->file.st_ino && now.st_dev == listener->file.st_dev) {
        ::unlink(listener->unix_path.c_str());
      }
    }
    listeners.clear();
    ended.notify();
    auto const open = connections;  // a cancelled connection leaves the set at once
    end(open);
  }

  asio::any_io_executor executor;
  Router const& router;
  HttpServerSettings settings;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::set<std::shared_ptr<Connection>> connections;
  std::list<std::shared_ptr<Connection>> strangers;  // of them, those over TLS without a certificate; as they came
  Signal ended;
  unsigned short port = 0;
  bool stopped = false;
};

HttpServer::HttpServer(asio::any_io_executor executor, Router const& router, HttpServerSettings settings)
    : state_(std::make_shared<State>(std::move(executor), router, settings)) {}

HttpServer::~HttpServer() {
  stop();
}

base::Result<void> HttpServer::listen_unix(std::string const& path, unsigned mode) {
  auto const cleared = clear_stale_socket(path);
  if (!cleared) {
    return cleared;
  }
  constexpr std::size_t path_max = 107;
  if (path.empty() || path.size() > path_max) {
    return base::fail(errc::bad_message, "'" + path + "' is no path for a socket (1 to 107 characters)");
  }
  auto const listener = std::make_shared<Listener>(state_->executor);
  listener->unix_path = path;
  auto const bound = state_->bind(listener, Endpoint(asio::local::stream_protocol::endpoint(path)), path);
  if (!bound) {
    return bound;
  }
  // Between bind and listen nobody can connect, so the mode is right before the first client.
  if (::chmod(path.c_str(), static_cast<mode_t>(mode)) != 0 || ::lstat(path.c_str(), &listener->file) != 0) {
    return base::fail_errno(errno, "set the mode of " + path);
  }
  return state_->start(listener, path);
}

base::Result<void> HttpServer::listen_tcp(std::string const& address) {
  return state_->listen_tcp(address, std::make_shared<Listener>(state_->executor));
}

base::Result<void> HttpServer::listen_tls(std::string const& address, TlsServerSettings tls) {
  auto context = make_server_context(tls);
  if (!context) {
    return context.error();
  }
  auto const listener = std::make_shared<Listener>(state_->executor);
  listener->tls_settings = std::move(tls);
  if (!listener->tls_settings.client_crl_file.empty()) {
    listener->revocations.emplace(listener->tls_settings.client_crl_file);
  }
  listener->tls = *context;
  return state_->listen_tcp(address, listener);
}

base::Result<void> HttpServer::reload_tls() {
  std::vector<TlsContext> contexts;
  for (auto const& listener : state_->listeners) {
    if (!listener->tls) {
      contexts.emplace_back();
      continue;
    }
    auto made = make_server_context(listener->tls_settings);
    if (!made) {
      return made.error();
    }
    contexts.push_back(*made);
  }
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    state_->listeners[i]->tls = contexts[i];
  }
  return {};
}

std::string HttpServer::revocations_failure() const {
  for (auto const& listener : state_->listeners) {
    if (listener->revocations && !listener->revocations->failure().empty()) {
      return listener->revocations->failure();
    }
  }
  return {};
}

unsigned short HttpServer::local_port() const {
  return state_->port;
}

void HttpServer::stop() {
  state_->stop();
}

}  // namespace net
