#include "base/http/problem.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace net {
namespace {

namespace json = boost::json;

// Where nothing better was said.
constexpr char const* where_it_is_described = "the API's description says what it may be: GET /v1/openapi.yaml";

// Octets of the character that `text` begins with; 0 when it begins with none.
std::size_t character(std::string_view text) {
  auto const octet = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  unsigned char const lead = octet(0);
  std::size_t const size = lead < 0x80U   ? 1
                           : lead < 0xc2U ? 0
                           : lead < 0xe0U ? 2
                           : lead < 0xf0U ? 3
                           : lead < 0xf5U ? 4
                                          : 0;
  if (size == 0 || size > text.size()) {
    return 0;
  }
  for (std::size_t i = 1; i < size; ++i) {
    if ((octet(i) & 0xc0U) != 0x80U) {
      return 0;
    }
  }
  // Longer than need be, half of a pair of UTF-16, or beyond what there is.
  bool const bad = size > 1 && ((lead == 0xe0U && octet(1) < 0xa0U) || (lead == 0xedU && octet(1) > 0x9fU) ||
                                (lead == 0xf0U && octet(1) < 0x90U) || (lead == 0xf4U && octet(1) > 0x8fU));
  return bad ? 0 : size;
}

HttpResponse document(int status, std::string title, std::string_view detail, base::Problems const& problems) {
  json::array errors;
  for (base::Problem const& one : problems) {
    errors.push_back(json::object{{"line", one.place.line},
                                  {"column", one.place.column},
                                  {"field", one.path.empty() ? "body" : as_utf8(one.path)},
                                  {"message", as_utf8(one.message)},
                                  {"hint", one.hint.empty() ? where_it_is_described : as_utf8(one.hint)}});
  }
  json::object const body{{"type", "about:blank"},
                          {"title", std::move(title)},
                          {"status", status},
                          {"detail", as_utf8(detail)},
                          {"errors", std::move(errors)}};
  HttpResponse response = HttpResponse::json(status, json::serialize(body));
  response.headers.set("Content-Type", "application/problem+json");
  return response;
}

}  // namespace

std::string as_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t const size = character(text);
    out += size == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, size);
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

HttpResponse problem_of(int status, std::string title, base::Problems const& problems) {
  return document(status, std::move(title), base::text(problems), problems);
}

HttpResponse problem_of(int status, std::string title, std::string field, std::string message, std::string hint) {
  base::Problems const one{{{}, std::move(field), message, std::move(hint)}};
  return document(status, std::move(title), message, one);
}

}  // namespace net
