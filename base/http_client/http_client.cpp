#include "base/http_client/http_client.hpp"

#include "base/http/message.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <map>
#include <optional>

namespace net {
namespace {

using asio::ip::tcp;
using detail::Socket;
using detail::Stream;

constexpr std::size_t connections_max = 16;   // in use, per origin
constexpr std::chrono::seconds idle_max{50};  // our own server closes after 60
// Of what must not be sent twice: some servers close after 5 s, and what crosses with that is lost.
constexpr std::chrono::seconds idle_unsafe_max{3};
constexpr std::chrono::seconds name_wait{30};
constexpr auto tuple = asio::as_tuple(asio::use_awaitable);

struct Idle {
  std::unique_ptr<Stream> stream;
  std::chrono::steady_clock::time_point since;
};

struct Pool {
  explicit Pool(asio::any_io_executor const& executor) : freed(executor) {}
  std::vector<Idle> idle;
  std::size_t in_use = 0;
  Signal freed;
};

// Whether nothing is changed by doing it twice (RFC 9110 9.2.1). PUT and DELETE change nothing more than once done
// either, but what they are answered the second time is not what was done.
bool is_safe(std::string const& method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

// getaddrinfo runs in Asio's own thread and cannot be interrupted, so the caller waits beside it and may leave.
struct Lookup {
  explicit Lookup(asio::any_io_executor const& executor) : resolver(executor), done(executor) {}
  tcp::resolver resolver;
  Signal done;
  bool finished = false;
  boost::system::error_code error;
  std::vector<tcp::endpoint> endpoints;
};

Task<base::Result<std::vector<tcp::endpoint>>> resolve(asio::any_io_executor executor, Url url) {
  boost::system::error_code error;
  auto const address = asio::ip::make_address(url.host, error);
  auto const port = static_cast<unsigned short>(std::stoul(url.port));
  if (!error) {
    co_return std::vector<tcp::endpoint>{tcp::endpoint(address, port)};
  }
  auto const lookup = std::make_shared<Lookup>(executor);
  auto const finish = [lookup](boost::system::error_code failed, tcp::resolver::results_type const& results) {
    lookup->error = failed;
    for (auto const& entry : results) {
      lookup->endpoints.push_back(entry.endpoint());
    }
    lookup->finished = true;
    lookup->done.notify();
  };
  lookup->resolver.async_resolve(url.host, url.port, finish);
  if (!lookup->finished) {
    co_await lookup->done.wait(name_wait);
  }
  if (!lookup->finished) {
    co_return base::fail(errc::unresolved, "the name service did not answer for " + url.host);
  }
  if (lookup->error || lookup->endpoints.empty()) {
    co_return base::fail(errc::unresolved, url.host + ": " + lookup->error.message());
  }
  co_return lookup->endpoints;
}

Task<base::Result<Socket>> connect_one(asio::any_io_executor executor, asio::generic::stream_protocol::endpoint place,
                                       asio::generic::stream_protocol protocol, std::string name) {
  Socket socket(executor);
  boost::system::error_code error;
  socket.open(protocol, error);
  if (error) {
    co_return detail::failure_of(error, "connect to " + name);
  }
  auto const [failed] = co_await socket.async_connect(place, tuple);
  if (failed) {
    co_return detail::failure_of(failed, "connect to " + name);
  }
  co_return socket;
}

Task<base::Result<Socket>> connect(asio::any_io_executor executor, Url url) {
  if (url.scheme == "unix") {
    asio::local::stream_protocol::endpoint const place(url.host);
    co_return co_await connect_one(executor, place, asio::local::stream_protocol(), url.host);
  }
  auto const endpoints = co_await resolve(executor, url);
  if (!endpoints) {
    co_return endpoints.error();
  }
  std::optional<base::Failure> last;
  for (auto const& endpoint : *endpoints) {
    auto socket = co_await connect_one(executor, endpoint, endpoint.protocol(), url.origin());
    if (socket) {
      boost::system::error_code ignored;
      socket->set_option(tcp::no_delay(true), ignored);
      co_return socket;
    }
    last = socket.error();
  }
  co_return *last;
}

}  // namespace

struct HttpClient::State : std::enable_shared_from_this<State> {
  State(asio::any_io_executor owner, HttpClientSettings wanted)
      : executor(std::move(owner)), settings(std::move(wanted)) {}

  // A connection in use. What is not given back is closed.
  struct Lease {
    Lease(std::shared_ptr<State> state, std::shared_ptr<Pool> origin)
        : owner(std::move(state)), pool(std::move(origin)), generation(owner->generation) {
      ++pool->in_use;
    }
    Lease(Lease const&) = delete;
    Lease& operator=(Lease const&) = delete;
    ~Lease() {
      --pool->in_use;
      pool->freed.notify();
    }
    void give_back() {
      if (generation == owner->generation) {
        if (pool->idle.size() >= connections_max) {  // the oldest is the nearest to its end
          pool->idle.erase(pool->idle.begin());
        }
        pool->idle.push_back({std::move(stream), std::chrono::steady_clock::now()});
      }
    }
    std::shared_ptr<State> owner;
    std::shared_ptr<Pool> pool;
    unsigned generation;
    std::unique_ptr<Stream> stream;
    bool reused = false;
  };
  using LeasePointer = std::unique_ptr<Lease>;

  std::shared_ptr<Pool> pool_of(std::string const& origin) {
    // Origins nobody uses any more must not pile up.
    if (pools.size() > 64) {
      std::erase_if(pools, [](auto const& item) { return item.second->in_use == 0 && item.second.use_count() == 1; });
    }
    auto& pool = pools[origin];
    if (!pool) {
      pool = std::make_shared<Pool>(executor);
    }
    return pool;
  }

  // The youngest; what is too old for this request may do for another.
  static std::unique_ptr<Stream> take_idle(Pool& pool, std::chrono::seconds age_max) {
    auto const now = std::chrono::steady_clock::now();
    std::erase_if(pool.idle, [now](Idle const& one) { return now - one.since >= idle_max; });
    while (!pool.idle.empty() && now - pool.idle.back().since < age_max) {
      Idle last = std::move(pool.idle.back());
      pool.idle.pop_back();
      if (last.stream->quiet()) {
        return std::move(last.stream);
      }
    }
    return nullptr;
  }

  base::Result<TlsContext> tls() {
    if (!context) {
      auto made = make_client_context(settings.tls);
      if (!made) {
        return made;
      }
      context = *made;
    }
    return context;
  }

  static Task<base::Result<std::unique_ptr<Stream>>> open(std::shared_ptr<State> state, Url url) {
    auto socket = co_await within(state->settings.connect_timeout, connect(state->executor, url));
    if (!socket) {
      if (socket.error().code == errc::timed_out) {
        co_return base::fail(errc::timed_out, "connect to " + url.origin() + ": " + socket.error().detail);
      }
      co_return socket.error();
    }
    if (url.scheme != "https") {
      co_return detail::plain_stream(std::move(*socket));
    }
    auto const context = state->tls();
    if (!context) {
      co_return context.error();
    }
    auto const& tls = state->settings.tls;
    std::string const name = tls.server_name.empty() ? url.host : tls.server_name;
    bool const check = tls.verify && tls.pinned_sha256.empty();
    co_return co_await within(state->settings.connect_timeout,
                              detail::tls_connect(std::move(*socket), *context, name, check));
  }

  // `age_max`: of an idle connection that may be used again; 0: none.
  static Task<base::Result<LeasePointer>> acquire(std::shared_ptr<State> state, Url url, std::chrono::seconds age_max) {
    auto const pool = state->pool_of(url.origin());
    while (pool->in_use >= connections_max) {
      co_await pool->freed.wait(std::chrono::minutes(1));
    }
    auto lease = std::make_unique<Lease>(state, pool);
    lease->stream = take_idle(*pool, age_max);
    lease->reused = lease->stream != nullptr;
    if (!lease->stream) {
      auto opened = co_await open(state, url);
      if (!opened) {
        co_return opened.error();
      }
      lease->stream = std::move(*opened);
    }
    co_return lease;
  }

  // `sent`: the whole request left us; `anything`: something of an answer came.
  static Task<base::Result<detail::ResponseRead>> talk(Stream& stream, std::string const& bytes, bool head,
                                                       std::size_t limit, bool& sent, bool& anything) {
    auto const written = co_await stream.write_all(bytes);
    sent = written.has_value();
    std::string carry;
    // A server that refuses a large body answers and closes while we still write: the answer is what counts.
    auto response = co_await detail::read_response(stream, carry, head, limit, anything);
    if (!written && !response) {
      co_return written.error();
    }
    if (response && !written) {
      response->keep_alive = false;
    }
    co_return response;
  }

  static Task<base::Result<HttpResponse>> exchange(std::shared_ptr<State> state, Url url, HttpRequest request) {
    bool const ipv6 = url.host.find(':') != std::string::npos;
    bool const default_port = url.port == (url.scheme == "https" ? "443" : "80");
    std::string host = url.scheme == "unix" ? "localhost" : (ipv6 ? "[" + url.host + "]" : url.host);
    if (url.scheme != "unix" && !default_port) {
      host += ":" + url.port;
    }
    auto const bytes = detail::render_request(url.target, host, state->settings.user_agent, request);
    if (!bytes) {
      co_return bytes.error();
    }
    bool const safe = is_safe(request.method);
    std::chrono::seconds age_max = safe ? idle_max : idle_unsafe_max;
    for (;;) {
      auto acquired = co_await acquire(state, url, age_max);
      if (!acquired) {
        co_return acquired.error();
      }
      LeasePointer const lease = std::move(*acquired);
      bool sent = false;
      bool anything = false;
      auto answer = co_await talk(*lease->stream, *bytes, request.method == "HEAD", state->settings.response_limit,
                                  sent, anything);
      if (answer) {
        if (answer->keep_alive) {
          lease->give_back();
        }
        co_return std::move(answer->response);
      }
      bool const again = lease->reused && !anything && answer.error().code == errc::closed && (safe || !sent);
      if (!again) {
        co_return base::Failure{answer.error().code, url.origin() + ": " + answer.error().detail};
      }
      age_max = std::chrono::seconds(0);
    }
  }

  asio::any_io_executor executor;
  HttpClientSettings settings;
  TlsContext context;
  unsigned generation = 0;
  std::map<std::string, std::shared_ptr<Pool>> pools;
};

namespace {

// Owns what it uses: the client may be destroyed while this waits.
template <class State>
Task<base::Result<HttpResponse>> send_with(std::shared_ptr<State> state, std::string text, HttpRequest request,
                                           std::chrono::milliseconds deadline) {
  auto const url = parse_url(text);
  if (!url) {
    co_return url.error();
  }
  std::string const what = request.method + " " + url->origin();
  try {
    auto answer = co_await within(deadline, State::exchange(state, *url, std::move(request)));
    if (!answer && answer.error().code == errc::timed_out) {
      co_return base::fail(errc::timed_out, what + ": " + answer.error().detail);
    }
    co_return answer;
  } catch (boost::system::system_error const& error) {
    bool const cancelled = error.code() == asio::error::operation_aborted;
    co_return base::fail(cancelled ? errc::cancelled : errc::closed, what + ": " + error.code().message());
  } catch (std::exception const& error) {
    co_return base::fail(errc::bad_message, what + ": " + error.what());
  }
}

}  // namespace

HttpClient::HttpClient(asio::any_io_executor executor, HttpClientSettings settings)
    : state_(std::make_shared<State>(std::move(executor), std::move(settings))) {}

HttpClient::~HttpClient() {
  state_->pools.clear();
}

Task<base::Result<HttpResponse>> HttpClient::send(std::string url, HttpRequest request,
                                                  std::chrono::milliseconds deadline) {
  return send_with(state_, std::move(url), std::move(request), deadline);
}

base::Result<void> HttpClient::reload() {
  auto made = make_client_context(state_->settings.tls);
  if (!made) {
    return made.error();
  }
  state_->context = *made;
  ++state_->generation;
  for (auto& [origin, pool] : state_->pools) {
    pool->idle.clear();
  }
  return {};
}

}  // namespace net
