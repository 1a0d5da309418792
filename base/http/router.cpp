#include "base/http/http.hpp"

#include "base/http/conditional.hpp"
#include "base/process/log.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <set>

namespace net {
namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> out;
  std::size_t begin = 1;
  while (begin <= path.size()) {
    auto const end = std::min(path.find('/', begin), path.size());
    out.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

bool is_parameter(std::string const& segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool matches(std::vector<std::string> const& pattern, std::vector<std::string> const& path) {
  if (pattern.size() != path.size()) {
    return false;
  }
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (is_parameter(pattern[i]) ? path[i].empty() : pattern[i] != path[i]) {
      return false;
    }
  }
  return true;
}

// At the first segment where the two differ in kind, the literal one is the better match.
bool more_literal(std::vector<std::string> const& a, std::vector<std::string> const& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (is_parameter(a[i]) != is_parameter(b[i])) {
      return is_parameter(b[i]);
    }
  }
  return false;
}

// A form's '+' is a space in a query and nowhere else.
bool decode_query_word(std::string_view text, std::string& out) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decode(spaced, out);
}

bool parse_query(std::string_view text, std::map<std::string, std::string>& out) {
  while (!text.empty()) {
    auto const end = std::min(text.find('&'), text.size());
    std::string_view const pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) {
      continue;
    }
    auto const equals = std::min(pair.find('='), pair.size());
    std::string name;
    std::string value;
    if (!decode_query_word(pair.substr(0, equals), name) ||
        !decode_query_word(pair.substr(std::min(equals + 1, pair.size())), value)) {
      return false;
    }
    out[name] = value;
  }
  return true;
}

// Splits before decoding, so that an encoded slash stays inside its segment.
bool parse_target(HttpRequest& request, std::vector<std::string>& segments) {
  std::string_view target = request.target;
  auto const question = std::min(target.find('?'), target.size());
  std::string_view const path = target.substr(0, question);
  if (path.empty() || path.front() != '/' || !percent_decode(path, request.path)) {
    return false;
  }
  segments = split(path);
  for (auto& segment : segments) {
    std::string decoded;
    if (!percent_decode(segment, decoded)) {
      return false;
    }
    segment = decoded;
  }
  request.query.clear();
  return parse_query(target.substr(std::min(question + 1, target.size())), request.query);
}

Task<HttpResponse> ready(HttpResponse response) {
  co_return response;
}

HttpResponse broken(std::string const& method, std::string const& path, char const* what) {
  process::log::error("http", "{} {} failed: {}", method, path, what);
  return HttpResponse::problem(500, "Internal Server Error", "");
}

Task<HttpResponse> run(Handler handler, HttpRequest request) {
  std::string const method = request.method;
  std::string const path = request.path;
  std::string const if_none_match(request.headers.get("If-None-Match"));
  HttpResponse response;
  try {
    response = co_await handler(std::move(request));
  } catch (boost::system::system_error const& error) {
    if (error.code() == asio::error::operation_aborted) {
      throw;
    }
    response = broken(method, path, error.what());
  } catch (std::exception const& error) {
    response = broken(method, path, error.what());
  }
  co_return conditional(method, if_none_match, std::move(response));
}

}  // namespace

void Router::add(std::string method, std::string pattern, Handler handler, RouteLimits limits) {
  ASSERT(!pattern.empty() && pattern.front() == '/');
  routes_.push_back({std::move(method), split(pattern), std::move(handler), limits, pattern});
}

std::vector<RouteName> Router::routes() const {
  std::vector<RouteName> names;
  for (Route const& route : routes_) {
    names.push_back({route.method, route.pattern});
  }
  return names;
}

Router::Route const* Router::best(std::string const& method, std::vector<std::string> const& segments) const {
  std::string const wanted = method == "HEAD" ? "GET" : method;
  Route const* best = nullptr;
  for (auto const& route : routes_) {
    if (route.method == wanted && matches(route.segments, segments) &&
        (best == nullptr || more_literal(route.segments, best->segments))) {
      best = &route;
    }
  }
  return best;
}

RouteLimits Router::limits(HttpRequest const& request) const {
  HttpRequest copy;
  copy.target = request.target;
  std::vector<std::string> segments;
  if (!parse_target(copy, segments)) {
    return {};
  }
  Route const* const route = best(request.method, segments);
  return route == nullptr ? RouteLimits{} : route->limits;
}

Task<HttpResponse> Router::dispatch(HttpRequest request) const {
  std::vector<std::string> segments;
  if (!parse_target(request, segments)) {
    return ready(HttpResponse::problem(400, "Bad Request", "the target is not a path in valid percent-encoding"));
  }
  if (Route const* const route = best(request.method, segments)) {
    request.parameters.clear();
    for (std::size_t i = 0; i < segments.size(); ++i) {
      auto const& name = route->segments[i];
      if (is_parameter(name)) {
        request.parameters[name.substr(1, name.size() - 2)] = segments[i];
      }
    }
    if (!around_) {
      return run(route->handler, std::move(request));
    }
    Handler const through = [around = around_, name = RouteName{route->method, route->pattern},
                             handler = route->handler](HttpRequest one) {
      return around(std::move(one), name, handler);
    };
    return run(through, std::move(request));
  }
  std::set<std::string> allowed;
  for (auto const& route : routes_) {
    if (matches(route.segments, segments)) {
      allowed.insert(route.method);
    }
  }
  if (allowed.empty()) {
    return ready(HttpResponse::problem(404, "Not Found", "there is nothing at " + request.path));
  }
  std::string list;
  for (auto const& method : allowed) {
    list += (list.empty() ? "" : ", ") + method;
  }
  auto response = HttpResponse::problem(405, "Method Not Allowed", "allowed here: " + list);
  response.headers.set("Allow", list);
  return ready(std::move(response));
}

}  // namespace net
