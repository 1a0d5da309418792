#include "dns-backend/api/routes.hpp"

#include "base/http/problem.hpp"
#include "base/process/log.hpp"
#include "dns-backend/api/access.hpp"

#include <boost/json.hpp>

namespace api {

namespace {

namespace json = boost::json;
using net::HttpRequest;
using net::HttpResponse;

HttpResponse not_allowed() {
  return HttpResponse::problem(403, "not allowed", "this needs the unix socket or an administrator's certificate");
}

net::Task<HttpResponse> guarded(Dependencies const& dependencies, Route route, HttpRequest request) {
  if (!is_administrator(dependencies, request)) {
    co_return not_allowed();
  }
  co_return co_await route(dependencies, std::move(request));
}

net::Task<HttpResponse> written(Dependencies const& dependencies, Route route, HttpRequest request) {
  if (!is_administrator(dependencies, request)) {
    co_return not_allowed();
  }
  if (dependencies.primary == nullptr) {
    co_return co_await route(dependencies, std::move(request));
  }
  co_return co_await forward(dependencies, std::move(request));
}

int status_of(base::Failure const& failure) {
  if (failure.code == store::errc::not_found) {
    return 404;
  }
  if (failure.code == store::errc::changed) {
    return 412;
  }
  if (failure.code == store::errc::too_many) {
    return 429;
  }
  if (failure.code == store::errc::exists || failure.code == database::errc::constraint) {
    return 409;
  }
  bool const later = failure.code == store::errc::read_only || failure.code == database::errc::full ||
                     failure.code == database::errc::locked || failure.code == database::errc::gone;
  if (later) {
    return 503;
  }
  bool const input = failure.code == store::errc::refused || failure.code == store::errc::quota ||
                     failure.code.category() == make_error_code(dns::errc::bad_name).category();
  return input ? 422 : 500;
}

}  // namespace

net::Handler administrators(Dependencies const& dependencies, Route route) {
  return [&dependencies, route = std::move(route)](HttpRequest request) {
    return guarded(dependencies, route, std::move(request));
  };
}

net::Handler writes(Dependencies const& dependencies, Route route) {
  return [&dependencies, route = std::move(route)](HttpRequest request) {
    return written(dependencies, route, std::move(request));
  };
}

HttpResponse refusal(base::Failure const& failure) {
  int const status = status_of(failure);
  if (status == 500) {
    process::log::error("api", "a request failed: {}", failure.what());
  }
  std::string const detail = failure.detail.empty() ? failure.code.message() : failure.detail;
  if (failure.code == store::errc::quota) {
    return net::problem_of(status, failure.code.message(), "plan", detail, "take something away, or ask for another");
  }
  if (failure.code == store::errc::changed) {
    return net::problem_of(status, failure.code.message(), "If-Match", detail, "read it again and send its ETag");
  }
  return HttpResponse::problem(status, failure.code.message(), detail);
}

HttpResponse refusal(base::Failure const& failure, About about) {
  int const status = status_of(failure);
  bool const known = failure.code == store::errc::quota || failure.code == store::errc::changed;
  if (known || status >= 500) {
    return refusal(failure);
  }
  return net::problem_of(status, failure.code.message(), about.field,
                         failure.detail.empty() ? failure.code.message() : failure.detail, about.hint);
}

HttpResponse refusal(base::Failure const& failure, std::int64_t wait_ms) {
  HttpResponse response = refusal(failure);
  if (wait_ms > 0) {
    response.headers.set("Retry-After", std::to_string((wait_ms + 999) / 1000));
  }
  return response;
}

HttpResponse refusal(base::Problems const& problems) {
  return net::problem_of(422, "the input is wrong", problems);
}

HttpResponse reply(int status, json::value const& body) {
  return HttpResponse::json(status, json::serialize(body) + "\n");
}

HttpResponse reply_nothing() {
  HttpResponse response;
  response.status = 204;
  return response;
}

HttpResponse no_such_zone(std::string const& zone) {
  return refusal(base::fail(store::errc::not_found, "there is no zone '" + zone + "'"));
}

void add_routes(net::Router& router, Dependencies const& dependencies) {
  add_status_routes(router, dependencies);
  add_zone_routes(router, dependencies);
  add_zone_setting_routes(router, dependencies);
  add_autoprimary_routes(router, dependencies);
  add_rrset_routes(router, dependencies);
}

}  // namespace api
