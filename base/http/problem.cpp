#include "base/http/problem.hpp"

#include <boost/json.hpp>

#include <utility>

namespace net {
namespace {

namespace json = boost::json;

// Where nothing better was said.
constexpr char const* where_it_is_described = "the API's description says what it may be: GET /v1/openapi.yaml";

HttpResponse document(int status, std::string title, std::string detail, base::Problems const& problems) {
  json::array errors;
  for (base::Problem const& one : problems) {
    errors.push_back(json::object{{"line", one.place.line},
                                  {"column", one.place.column},
                                  {"field", one.path.empty() ? "body" : one.path},
                                  {"message", one.message},
                                  {"hint", one.hint.empty() ? where_it_is_described : one.hint}});
  }
  json::object const body{{"type", "about:blank"},
                          {"title", std::move(title)},
                          {"status", status},
                          {"detail", std::move(detail)},
                          {"errors", std::move(errors)}};
  HttpResponse response = HttpResponse::json(status, json::serialize(body));
  response.headers.set("Content-Type", "application/problem+json");
  return response;
}

}  // namespace

HttpResponse problem_of(int status, std::string title, base::Problems const& problems) {
  return document(status, std::move(title), base::text(problems), problems);
}

HttpResponse problem_of(int status, std::string title, std::string field, std::string message, std::string hint) {
  base::Problems const one{{{}, std::move(field), message, std::move(hint)}};
  return document(status, std::move(title), std::move(message), one);
}

}  // namespace net
