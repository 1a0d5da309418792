#include "base/probe/probe.hpp"

#include "base/probe/attempt.hpp"
#include "base/probe/http_connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

namespace probe {
namespace {

namespace asio = boost::asio;

net::Task<base::Result<Verdict>> attempt(ContextPtr context) {
  Verdict verdict;
  switch (context->check.type) {
    case Type::tcp:
      verdict = co_await tcp_attempt(std::move(context));
      break;
    case Type::http:
    case Type::https:
      verdict = co_await http_attempt(std::move(context));
      break;
    case Type::dns:
      verdict = co_await dns_attempt(std::move(context));
      break;
    case Type::icmp:
      verdict = co_await icmp_attempt(std::move(context));
      break;
    case Type::push:
      verdict = bad("a push monitor reports by itself: there is nothing to ask");
      break;
  }
  co_return verdict;
}

std::chrono::microseconds since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
}

// One attempt with its deadline.
net::Task<Verdict> attempt_in_time(ContextPtr context) {
  context->began = std::chrono::steady_clock::now();
  context->waiting_for = "no connection";
  context->decided.reset();
  context->warning.clear();
  auto const timeout = context->check.timeout;
  base::Result<Verdict> result = co_await net::within<Verdict>(timeout, attempt(context));
  if (context->decided) {
    // Only the rest of the answer was missing. A target that never ends its answers is not waited for again.
    context->keep = context->keep && result.has_value();
    co_return std::move(*context->decided);
  }
  Verdict verdict = result.has_value()
                        ? std::move(*result)
                        : bad(std::string(context->waiting_for) + " within " + std::to_string(timeout.count()) + " ms");
  verdict.elapsed = since(context->began);
  co_return verdict;
}

net::Task<Verdict> run_in(ContextPtr context) {
  Verdict verdict = co_await attempt_in_time(context);
  unsigned const attempts = 1 + std::min(context->check.retries, retries_max);
  for (unsigned made = 1; made < attempts && !verdict.success; ++made) {
    verdict = co_await attempt_in_time(context);
  }
  if (!verdict.success && attempts > 1) {
    verdict.reason += " (" + std::to_string(attempts) + " attempts)";
  }
  co_return verdict;
}

}  // namespace

Context::Context(Check wanted, bool may_keep)
    : check(std::move(wanted)), keep(may_keep && (check.method == "GET" || check.method == "HEAD")) {}
Context::~Context() = default;

net::Task<Verdict> run(Check check) {
  return run_in(std::make_shared<Context>(std::move(check), false));
}

Session::Session(Check check, bool keep_connection)
    : context_(std::make_shared<Context>(std::move(check), keep_connection)) {}

Session::~Session() {
  context_->keep = false;
  context_->kept.reset();
}

net::Task<Verdict> Session::run() {
  return run_in(context_);
}

net::Task<Verdict> tcp_attempt(ContextPtr context) {
  Verdict problem;
  auto const address = target_address(context->check.address, problem);
  if (!address) {
    co_return problem;
  }
  asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
  asio::ip::tcp::endpoint const endpoint(*address, context->check.port);
  auto const [failed] = co_await socket.async_connect(endpoint, asio::as_tuple(asio::use_awaitable));
  co_return failed ? bad(reason_of(failed)) : good();
}

Verdict good() {
  return {true, "ok", {}, {}};
}

Verdict bad(std::string reason) {
  return {false, std::move(reason), {}, {}};
}

std::optional<asio::ip::address> target_address(std::string const& text, Verdict& problem) {
  boost::system::error_code error;
  auto const address = asio::ip::make_address(text, error);
  if (error) {
    problem = bad("'" + text + "' is no IP address");
    return std::nullopt;
  }
  return address;
}

std::string reason_of(boost::system::error_code error) {
  namespace code = boost::system::errc;
  static constexpr std::array<std::pair<code::errc_t, char const*>, 6> words{{
      {code::connection_refused, "connection refused"},
      {code::connection_reset, "connection reset"},
      {code::broken_pipe, "connection reset"},
      {code::host_unreachable, "host unreachable"},
      {code::network_unreachable, "network unreachable"},
      {code::timed_out, "no answer to the connection attempt"},
  }};
  for (auto const& [known, word] : words) {
    if (error == known) {
      return word;
    }
  }
  if (error == asio::error::eof) {
    return "closed without an answer";
  }
  return error.message();
}

}  // namespace probe
