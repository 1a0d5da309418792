#include "base/http/message.hpp"

#include "base/process/log.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <fmt/chrono.h>

#include <algorithm>
#include <optional>

namespace net::detail {
namespace http = boost::beast::http;
namespace {

constexpr std::uint32_t header_limit = 16U << 10U;
constexpr std::size_t read_step = 16U << 10U;

using RequestParser = http::request_parser<http::string_body>;
using ResponseParser = http::response_parser<http::string_body>;

std::string copy(boost::beast::string_view view) {
  return {view.data(), view.size()};
}

template <class Fields>
void copy_headers(Fields const& from, Headers& to) {
  for (auto const& field : from) {
    to.items.emplace_back(copy(field.name_string()), copy(field.value()));
  }
}

base::Failure parse_failure(boost::system::error_code error) {
  bool const large =
      error == http::error::body_limit || error == http::error::header_limit || error == http::error::buffer_overflow;
  return base::fail(large ? errc::too_large : errc::bad_message, "HTTP: " + error.message());
}

// Feeds what is in `carry`; the failure when it is not HTTP. need_more is no failure.
template <class Parser>
base::Result<void> feed(Parser& parser, std::string& carry) {
  if (carry.empty()) {
    return {};
  }
  boost::system::error_code error;
  std::size_t const used = parser.put(asio::buffer(carry), error);
  carry.erase(0, used);
  if (error && error != http::error::need_more) {
    return parse_failure(error);
  }
  return {};
}

Task<base::Result<std::size_t>> fill(Stream& stream, std::string& carry) {
  std::size_t const have = carry.size();
  carry.resize(have + read_step);
  auto const got = co_await stream.read_some(carry.data() + have, read_step);
  carry.resize(have + (got ? *got : 0));
  co_return got;
}

bool is_token(std::string_view text) {
  constexpr std::string_view symbols = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           symbols.find(c) != std::string_view::npos;
  });
}

bool is_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool equal_names(std::string_view a, std::string_view b) {
  return boost::beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

bool is_framing(std::string_view name) {
  return equal_names(name, "Content-Length") || equal_names(name, "Transfer-Encoding") ||
         equal_names(name, "Connection");
}

std::string_view reason(int status) {
  auto const text = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)));
  return {text.data(), text.size()};
}

bool may_have_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

HttpRequest head_of(RequestParser& parser) {
  auto& message = parser.get();
  HttpRequest out;
  out.method = copy(message.method_string());
  out.target = copy(message.target());
  copy_headers(message, out.headers);
  return out;
}

// The header is there, so it is known what body may follow.
base::Result<void> limit_body(RequestParser& parser, BodyLimit const& body_limit) {
  std::size_t const limit = body_limit(head_of(parser));
  auto const announced = parser.content_length();
  if (announced && *announced > limit) {
    return parse_failure(http::make_error_code(http::error::body_limit));
  }
  parser.body_limit(limit);
  parser.eager(true);
  return {};
}

RequestRead finish(RequestParser& parser) {
  auto& message = parser.get();
  RequestRead out;
  out.request = head_of(parser);
  out.request.body = std::move(message.body());
  out.keep_alive = message.keep_alive();
  return out;
}

}  // namespace

Task<base::Result<RequestRead>> read_request(Stream& stream, std::string& carry, BodyLimit const& body_limit) {
  RequestParser parser;
  parser.eager(false);  // stops behind the header
  parser.header_limit(header_limit);
  parser.body_limit(boost::none);
  bool continued = false;
  bool limited = false;
  while (!parser.is_done()) {
    auto fed = feed(parser, carry);
    if (fed && parser.is_header_done() && !limited) {
      limited = true;
      fed = limit_body(parser, body_limit);
      if (fed && !parser.is_done()) {
        fed = feed(parser, carry);
      }
    }
    if (!fed) {
      co_return fed.error();
    }
    if (parser.is_done()) {
      break;
    }
    if (parser.is_header_done() && !continued &&
        boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) {
      continued = true;
      auto const sent = co_await stream.write_all("HTTP/1.1 100 Continue\r\n\r\n");
      if (!sent) {
        co_return sent.error();
      }
    }
    bool const begun = parser.got_some() || !carry.empty();
    auto const got = co_await fill(stream, carry);
    if (!got) {
      co_return got.error();
    }
    if (*got == 0) {
      if (begun) {
        co_return base::fail(errc::closed, "the client closed in the middle of a request");
      }
      RequestRead ended;
      ended.end = true;
      co_return ended;
    }
  }
  co_return finish(parser);
}

Task<base::Result<ResponseRead>> read_response(Stream& stream, std::string& carry, bool head, std::size_t body_limit,
                                               bool& anything) {
  for (;;) {
    ResponseParser parser;
    parser.eager(true);
    parser.header_limit(header_limit);
    parser.body_limit(body_limit);
    parser.skip(head);
    while (!parser.is_done()) {
      auto const fed = feed(parser, carry);
      if (!fed) {
        co_return fed.error();
      }
      if (parser.is_done()) {
        break;
      }
      auto const got = co_await fill(stream, carry);
      if (!got) {
        co_return got.error();
      }
      anything = anything || *got > 0;
      if (*got == 0) {
        boost::system::error_code error;
        // The end of the connection ends a body without a length; anything else it cuts off.
        if (parser.is_header_done() && parser.need_eof()) {
          parser.put_eof(error);
        }
        if (error || !parser.is_done()) {
          co_return base::fail(errc::closed, "the server closed before the answer was complete");
        }
      }
    }
    auto& message = parser.get();
    auto const status = static_cast<int>(message.result_int());
    if (status < 200) {
      continue;  // 100 Continue, 103 Early Hints
    }
    ResponseRead out;
    out.response.status = status;
    copy_headers(message, out.response.headers);
    out.response.body = std::move(message.body());
    out.keep_alive = message.keep_alive() && carry.empty();
    co_return out;
  }
}

base::Result<std::string> render_request(std::string const& target, std::string const& host,
                                         std::string const& user_agent, HttpRequest const& request) {
  bool const plain_target = !target.empty() && target.front() == '/' &&
                            std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!is_token(request.method) || !plain_target || !is_value(host)) {
    return base::fail(errc::bad_message, "the method or target of the request cannot be sent");
  }
  std::string out = request.method + " " + target + " HTTP/1.1\r\n";
  if (request.headers.get("Host").empty()) {
    out += "Host: " + host + "\r\n";
  }
  if (request.headers.get("User-Agent").empty()) {
    out += "User-Agent: " + user_agent + "\r\n";
  }
  for (auto const& [name, value] : request.headers.items) {
    if (!is_token(name) || !is_value(value)) {
      return base::fail(errc::bad_message, "header '" + name + "' cannot be sent");
    }
    if (!is_framing(name)) {
      out += name + ": " + value + "\r\n";
    }
  }
  bool const bodied = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (bodied || !request.body.empty()) {
    out += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return out + "\r\n" + request.body;
}

std::string render_response(HttpResponse const& response, bool keep_alive, bool head,
                            std::chrono::system_clock::time_point now) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\nDate: {:%a, %d %b %Y %H:%M:%S} GMT\r\n", response.status,
                                reason(response.status), fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
  for (auto const& [name, value] : response.headers.items) {
    if (!is_token(name) || !is_value(value)) {
      process::log::error("http", "a header of an answer was left out: {}", name);
    } else if (!is_framing(name)) {
      out += name + ": " + value + "\r\n";
    }
  }
  if (!keep_alive) {
    out += "Connection: close\r\n";
  }
  if (!may_have_body(response.status)) {
    return out + "\r\n";
  }
  auto const size = response.shared_body ? response.shared_body->size() : response.body.size();
  out += "Content-Length: " + std::to_string(size) + "\r\n\r\n";
  if (!head && !response.shared_body) {
    out += response.body;
  }
  return out;
}

}  // namespace net::detail
