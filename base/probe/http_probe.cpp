#include "base/probe/attempt.hpp"
#include "base/probe/http/expected.hpp"
#include "base/probe/http_connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

namespace probe {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
constexpr auto values = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t header_limit = 16U << 10U;

using Request = http::request<http::empty_body>;
using Parser = http::response_parser<http::buffer_body>;

std::int64_t now_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// A header or target from a configuration file must not smuggle a second request in.
bool is_clean(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// What belongs to the host that was asked first goes to no other.
bool stays_behind(std::string const& name) {
  return boost::beast::iequals(name, "Host") || boost::beast::iequals(name, "Authorization") ||
         boost::beast::iequals(name, "Cookie");
}

base::Result<Request> make_request(Context const& context, Target const& target, std::string const& method) {
  Check const& check = context.check;
  Request request;
  request.version(11);
  bool clean = is_clean(target.path) && is_clean(target.origin.host) && is_clean(method) && !method.empty();
  request.target(target.path);
  request.set(http::field::host, host_header(target.origin));
  request.set(http::field::user_agent, "sovereign-probe/" SOVEREIGN_VERSION);
  if (!context.keep) {
    request.set(http::field::connection, "close");
  }
  bool const elsewhere = !(target.origin == first_target(check).origin);
  for (auto const& [name, value] : check.header) {
    clean = clean && !name.empty() && is_clean(name) && is_clean(value);
    if (clean && !(elsewhere && stays_behind(name))) {
      request.set(name, value);
    }
  }
  if (!clean) {
    return base::fail(net::errc::bad_message, "method, path, host or header of the monitor is no HTTP");
  }
  request.method_string(method);
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

// What one request brought.
struct Reply {
  Verdict verdict;
  int redirect = 0;  // the status, when the target is to be asked elsewhere; then `location` says where
  std::string location;
  bool nothing_heard = false;  // the connection ended before an answer began
  bool reusable = false;
};

// Reads on into `body` while it is smaller than answer_limit; false at the end of the answer or with an error.
template <class Stream>
net::Task<bool> read_more(Stream& stream, Connection& connection, Parser& parser, std::string& body,
                          boost::system::error_code& problem) {
  if (parser.is_done() || body.size() >= answer_limit) {
    co_return false;
  }
  std::array<char, 4096> piece{};
  parser.get().body().data = piece.data();
  parser.get().body().size = std::min(piece.size(), answer_limit - body.size());
  std::size_t const room = parser.get().body().size;
  auto const [error, size] = co_await http::async_read_some(stream, connection.buffer, parser, values);
  if (error && error != http::error::need_buffer && error != http::error::end_of_stream) {
    problem = error;
    co_return false;
  }
  body.append(piece.data(), room - parser.get().body().size);
  co_return true;
}

// The body piece by piece, at most answer_limit octets: a string_body would reserve whatever Content-Length claims. The
// text may be found early; an expression is held against the whole, because "$" means its end.
template <class Stream>
net::Task<Verdict> judge_body(Stream& stream, ContextPtr context, Connection& connection, Parser& parser,
                              std::string& body) {
  std::string const& text = context->check.expected_body;
  bool const whole = context->pattern != nullptr;
  context->waiting_for = "the expected body did not come";
  bool found = text.empty();
  bool more = true;
  std::size_t searched = 0;
  boost::system::error_code problem;
  while (more && (!found || whole)) {
    more = co_await read_more(stream, connection, parser, body, problem);
    found = found || body.find(text, searched) != std::string::npos;
    searched = body.size() - std::min(body.size(), text.size());
  }
  if (problem) {
    co_return bad(http_reason(problem));
  }
  if (!found) {
    co_return bad("the expected text is not in the first " + std::to_string(body.size()) + " octets of the body");
  }
  if (whole && !re2::RE2::PartialMatch(body, *context->pattern)) {
    co_return bad("the expected pattern is not in the first " + std::to_string(body.size()) + " octets of the body");
  }
  co_return good();
}

template <class Stream>
net::Task<void> judge_answer(Stream& stream, ContextPtr context, Connection& connection, Parser& parser, Reply& reply) {
  int const status = static_cast<int>(parser.get().result_int());
  std::string body;
  if (context->check.follow_redirects && is_redirect(status) && parser.get().count(http::field::location) != 0) {
    reply.redirect = status;
    reply.location = std::string(parser.get()[http::field::location]);
  } else if (!code_matches(context->check.expected_codes, status)) {
    reply.verdict = bad("status " + std::to_string(status) + ", expected " + context->check.expected_codes);
  } else if (context->check.expected_body.empty() && context->pattern == nullptr) {
    reply.verdict = good();
  } else {
    reply.verdict = co_await judge_body(stream, context, connection, parser, body);
  }
  if (context->warning.empty()) {
    context->warning = certificate_warning(connection.certificate_ends_s, now_s());
  }
  reply.verdict.warning = context->warning;
  if (!context->keep || !parser.keep_alive()) {
    co_return;
  }
  // The next request may only follow the whole of this answer. Its rest changes nothing of the verdict.
  if (reply.redirect == 0 && !parser.is_done()) {
    context->decided = reply.verdict;
    context->decided->elapsed =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - context->began);
  }
  boost::system::error_code problem;
  bool more = true;
  while (more) {
    more = co_await read_more(stream, connection, parser, body, problem);
  }
  reply.reusable = !problem && parser.is_done();
}

// One request and as much of its answer as the verdict needs.
template <class Stream>
net::Task<Reply> exchange(Stream& stream, ContextPtr context, Connection& connection, Request request) {
  Reply reply;
  context->waiting_for = "connected, but no answer";
  auto const [write_error, written] = co_await http::async_write(stream, request, values);
  if (write_error) {
    reply.verdict = bad(http_reason(write_error));
    reply.nothing_heard = write_error != asio::error::operation_aborted;
    co_return reply;
  }
  Parser parser;
  parser.header_limit(header_limit);
  parser.body_limit(boost::none);  // read_more stops by itself
  parser.skip(request.method_string() == "HEAD");
  auto const [header_error, header_size] = co_await http::async_read_header(stream, connection.buffer, parser, values);
  if (header_error) {
    reply.verdict = bad(http_reason(header_error));
    reply.nothing_heard = header_error != asio::error::operation_aborted && !parser.got_some();
    co_return reply;
  }
  co_await judge_answer(stream, context, connection, parser, reply);
  co_return reply;
}

net::Task<Reply> exchange_over(Connection& connection, ContextPtr context, Request request) {
  Reply reply;
  if (connection.tls != nullptr) {
    reply = co_await exchange(*connection.tls, context, connection, std::move(request));
  } else {
    reply = co_await exchange(connection.socket, context, connection, std::move(request));
  }
  co_return reply;
}

void keep(Context& context, std::unique_ptr<Connection> connection, bool reusable) {
  if (context.keep && reusable && connection->buffer.size() == 0) {
    connection->buffer.shrink_to_fit();
    context.kept = std::move(connection);
  }
}

// Asks one target, over the kept connection if there is one.
net::Task<Reply> ask(ContextPtr context, Target target, std::string method) {
  Reply reply;
  auto const request = make_request(*context, target, method);
  if (request.has_error()) {
    reply.verdict = bad(request.error().detail);
    co_return reply;
  }
  std::unique_ptr<Connection> connection = take_kept(*context, target.origin, now_s());
  if (connection != nullptr) {
    reply = co_await exchange_over(*connection, context, *request);
    if (!reply.nothing_heard) {
      keep(*context, std::move(connection), reply.reusable);
      co_return reply;
    }
    // The target closed it meanwhile: that tells nothing about its health.
    reply = Reply();
  }
  auto const problem = std::make_shared<Verdict>();
  connection = co_await open_connection(context, target.origin, problem);
  if (connection == nullptr) {
    reply.verdict = *problem;
    co_return reply;
  }
  reply = co_await exchange_over(*connection, context, *request);
  keep(*context, std::move(connection), reply.reusable);
  co_return reply;
}

// Nothing, or why this check cannot be made.
std::string setting_problem(Context& context) {
  Check const& check = context.check;
  if (!valid_codes(check.expected_codes)) {
    return "'" + check.expected_codes + "' is no pattern of status codes";
  }
  if (!check.expected_body_pattern.empty() && context.pattern == nullptr) {
    if (std::string const problem = pattern_problem(check.expected_body_pattern); !problem.empty()) {
      return "the expected_body_pattern is none: " + problem;
    }
    context.pattern = compiled(check.expected_body_pattern);
  }
  return {};
}

}  // namespace

Target first_target(Check const& check) {
  return {{check.type == Type::https, check.host.empty() ? check.address : check.host, check.port},
          check.path.empty() ? "/" : check.path};
}

net::Task<Verdict> http_attempt(ContextPtr context) {
  Target target = first_target(context->check);
  std::string method = context->check.method;
  if (std::string const problem = setting_problem(*context); !problem.empty()) {
    co_return bad(problem);
  }
  std::vector<Target> asked;
  for (;;) {
    Reply reply = co_await ask(context, target, method);
    if (reply.redirect == 0) {
      co_return std::move(reply.verdict);
    }
    asked.push_back(target);
    auto const next = redirected(target, reply.location);
    if (!next) {
      co_return bad(next.error().detail);
    }
    if (std::find(asked.begin(), asked.end(), *next) != asked.end()) {
      co_return bad("redirected in a loop, again to " + url_of(*next));
    }
    if (asked.size() > redirects_max) {
      co_return bad("redirected more than " + std::to_string(redirects_max) + " times, at last to " + url_of(*next));
    }
    method = method_after(reply.redirect, method);
    target = *next;
  }
}

}  // namespace probe
