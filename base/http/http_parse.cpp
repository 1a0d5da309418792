#include "base/http/http_parse.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace net {

namespace http = boost::beast::http;

base::Result<std::optional<ParsedRequest>> parse_request(std::string_view bytes, std::size_t body_limit) {
  constexpr std::uint32_t header_limit = 16U << 10U;
  http::request_parser<http::string_body> parser;
  parser.eager(true);
  parser.header_limit(header_limit);
  parser.body_limit(body_limit);
  std::size_t used = 0;
  while (!parser.is_done() && used < bytes.size()) {
    boost::system::error_code error;
    std::size_t const taken = parser.put(asio::buffer(bytes.data() + used, bytes.size() - used), error);
    used += taken;
    if (error == http::error::need_more || (!error && taken == 0)) {
      break;
    }
    if (error) {
      bool const large = error == http::error::body_limit || error == http::error::header_limit;
      return base::fail(large ? errc::too_large : errc::bad_message, "HTTP: " + error.message());
    }
  }
  if (!parser.is_done()) {
    return std::optional<ParsedRequest>();
  }
  auto& message = parser.get();
  ParsedRequest out;
  out.request.method = std::string(message.method_string());
  out.request.target = std::string(message.target());
  for (auto const& field : message) {
    out.request.headers.items.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  out.request.body = std::move(message.body());
  out.keep_alive = message.keep_alive();
  out.octets = used;
  return std::optional<ParsedRequest>(std::move(out));
}

}  // namespace net
