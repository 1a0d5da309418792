// What pushed endpoints say about themselves.
//
//   POST /v1/reports  {"endpoint":"web/a","success":true,"reason":"","load":0.4,"sequence":17,"at_ms":1700000000000}
//
// Who may: administrators, and a node for itself: its certificate's name is the endpoint's, or the origin's after
// "pool/".
#include "dns-backend/api/health/health.hpp"

#include "base/http/problem.hpp"
#include "dns-backend/api/access.hpp"
#include "dns-backend/api/routes.hpp"

#include <boost/json.hpp>

namespace api {
namespace {

namespace json = boost::json;

bool may_report(Dependencies const& api, net::HttpRequest const& request, std::string const& endpoint) {
  net::Peer const& peer = request.peer;
  if (is_administrator(api, request)) {
    return true;
  }
  std::size_t const slash = endpoint.find('/');
  std::string const node = slash == std::string::npos ? endpoint : endpoint.substr(slash + 1);
  return !peer.certificate_name.empty() && peer.certificate_name == node;
}

// Nothing: no report. `load` is 0 to 1, more when the endpoint is overloaded.
std::optional<monitor::Report> read_report(json::object const& body) {
  monitor::Report report;
  json::value const* const success = body.if_contains("success");
  json::value const* const sequence = body.if_contains("sequence");
  json::value const* const at_ms = body.if_contains("at_ms");
  json::value const* const load = body.if_contains("load");
  json::value const* const reason = body.if_contains("reason");
  bool const complete = success != nullptr && success->is_bool() && sequence != nullptr && sequence->is_int64() &&
                        sequence->get_int64() > 0 && at_ms != nullptr && at_ms->is_int64();
  if (!complete || (reason != nullptr && !reason->is_string())) {
    return std::nullopt;
  }
  report.success = success->get_bool();
  report.sequence = static_cast<std::uint64_t>(sequence->get_int64());
  report.at_ms = at_ms->get_int64();
  report.reason = reason == nullptr ? std::string() : std::string(reason->get_string()).substr(0, 256);
  if (load != nullptr) {
    if (!load->is_number() || load->to_number<double>() < 0 || load->to_number<double>() > 60) {
      return std::nullopt;
    }
    constexpr double thousandths = 1000;
    report.load_permille = static_cast<std::uint32_t>(load->to_number<double>() * thousandths);
  }
  return report;
}

int status_of(boost::system::error_code const& code) {
  return code == monitor::errc::unknown_endpoint ? 404 : code == monitor::errc::not_pushed ? 409 : 400;
}

net::Task<net::HttpResponse> take(Dependencies const* api, net::HttpRequest request) {
  boost::system::error_code error;
  json::value const document = json::parse(request.body, error);
  json::object const* const body = error || !document.is_object() ? nullptr : &document.get_object();
  json::value const* const name = body == nullptr ? nullptr : body->if_contains("endpoint");
  auto const report = body == nullptr ? std::nullopt : read_report(*body);
  if (name == nullptr || !name->is_string() || !report) {
    co_return net::problem_of(400, "no report", "body",
                              "endpoint, success, sequence (above 0) and at_ms are needed; load is 0 to 60",
                              "{\"endpoint\": \"...\", \"success\": true, \"sequence\": 1, \"at_ms\": 1700000000000}");
  }
  std::string const endpoint(name->get_string());
  if (api->monitor == nullptr) {
    co_return net::HttpResponse::problem(404, "no monitor", "this process checks nothing");
  }
  if (!may_report(*api, request, endpoint)) {
    api->metrics.counter("navigator_reports_refused_total", "Reports of endpoints that were refused", {}).add();
    co_return net::HttpResponse::problem(403, "not this endpoint", "a node reports for itself alone");
  }
  if (auto const taken = api->monitor->report(endpoint, *report); !taken) {
    api->metrics.counter("navigator_reports_refused_total", "Reports of endpoints that were refused", {}).add();
    auto const& code = taken.error().code;
    About const about = code == monitor::errc::replayed   ? About{"sequence", "a number above the last one"}
                        : code == monitor::errc::misdated ? About{"at_ms", "the time now, in milliseconds since 1970"}
                                                          : About{"endpoint", "one whose monitor is of the type push"};
    co_return net::problem_of(status_of(code), code.message(), about.field, taken.error().detail, about.hint);
  }
  if (api->reported) {
    api->reported(endpoint, *report);
  }
  net::HttpResponse response;
  response.status = 204;
  co_return response;
}

}  // namespace

void add_report_routes(net::Router& router, Dependencies const& dependencies) {
  router.add("POST", "/v1/reports",
             [api = &dependencies](net::HttpRequest request) { return take(api, std::move(request)); });
}

}  // namespace api
