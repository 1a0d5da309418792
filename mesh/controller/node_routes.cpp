// What nodes ask: to join, for the world, for a new certificate, and to report.
#include "mesh/controller/state.hpp"

#include "base/process/log.hpp"
#include "mesh/enrolment/registry.hpp"

#include <boost/json.hpp>

#include <charconv>

namespace controller {

namespace {

namespace json = boost::json;
using net::HttpRequest;
using net::HttpResponse;

constexpr std::int64_t wait_ms_max = 60000;

std::string text_of(json::object const& object, std::string_view key) {
  auto const* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number_of(HttpRequest const& request, std::string const& key) {
  auto const found = request.query.find(key);
  std::int64_t value = 0;
  if (found != request.query.end()) {
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  }
  return value;
}

int status_of(base::Failure const& failure) {
  if (failure.code == enrolment::errc::bad_token || failure.code == enrolment::errc::bad_proof ||
      failure.code == enrolment::errc::wrong_node || failure.code == enrolment::errc::removed) {
    return 403;
  }
  if (failure.code == enrolment::errc::taken) {
    return 409;
  }
  return failure.code == enrolment::errc::bad_request ? 422 : 500;
}

HttpResponse refusal(base::Failure const& failure) {
  return HttpResponse::problem(status_of(failure), failure.code.message(), failure.detail);
}

net::Task<HttpResponse> greet(Controller::State& state) {
  co_return HttpResponse::json(
      200, json::serialize(json::object{{"x25519_public", wireguard::public_key(state.x25519).to_base64()}}));
}

net::Task<HttpResponse> join(Controller::State& state, HttpRequest request) {
  boost::system::error_code bad;
  json::value const body = json::parse(request.body, bad);
  if (bad || !body.is_object()) {
    co_return HttpResponse::problem(400, "bad request", "the body is no JSON object");
  }
  json::object const& object = body.get_object();
  enrolment::JoinRequest const asked{text_of(object, "token_id"), text_of(object, "secret"),
                                     text_of(object, "node"),     text_of(object, "wireguard_public_key"),
                                     text_of(object, "csr_pem"),  text_of(object, "proof")};
  std::function<base::Result<void>(database::Database&)> const admit =
      [asked, key = state.x25519, nodes = state.world.topology_nodes](database::Database& database) {
        return enrolment::admit(database, asked, key, nodes, now_seconds());
      };
  auto const admitted = co_await state.store->run<void>(admit);
  if (!admitted) {
    process::log::warning("controller", "join of '{}' from {} refused: {}", asked.node, request.peer.address,
                          admitted.error().what());
    co_return refusal(admitted.error());
  }
  auto const certificate = state.authority->issue(asked.csr_pem, asked.node, now_seconds());
  if (!certificate) {
    co_return refusal(certificate.error());
  }
  if (auto const read = co_await state.refresh(); !read) {
    co_return refusal(read.error());
  }
  process::log::info("controller", "'{}' joined from {}", asked.node, request.peer.address);
  co_return HttpResponse::json(200, json::serialize(json::object{{"node", asked.node},
                                                                 {"certificate_pem", *certificate},
                                                                 {"ca_pem", state.authority->certificate_pem()}}));
}

bool is_member(Controller::State const& state, HttpRequest const& request) {
  return state.world.members.contains(request.peer.certificate_name);
}

HttpResponse not_a_member() {
  return HttpResponse::problem(403, "not a member",
                               "a certificate of a node that joined and was not removed is needed");
}

net::Task<HttpResponse> world(Controller::State& state, HttpRequest request) {
  if (!is_member(state, request)) {
    co_return not_a_member();
  }
  std::int64_t const since = number_of(request, "since");
  std::int64_t const wait_ms = std::clamp<std::int64_t>(number_of(request, "wait_ms"), 0, wait_ms_max);
  auto const until = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  while (state.world.document.revision <= since) {
    auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !co_await state.changed.wait(left)) {
      break;
    }
  }
  if (!is_member(state, request)) {  // removed while it waited
    co_return not_a_member();
  }
  if (state.world.document.revision <= since) {
    co_return HttpResponse::text(204, "");
  }
  co_return HttpResponse::json(200, plan::to_json(state.world.document));
}

net::Task<HttpResponse> renew(Controller::State& state, HttpRequest request) {
  if (!is_member(state, request)) {
    co_return not_a_member();
  }
  boost::system::error_code bad;
  json::value const body = json::parse(request.body, bad);
  std::string const csr = !bad && body.is_object() ? text_of(body.get_object(), "csr_pem") : std::string();
  auto const certificate = state.authority->issue(csr, request.peer.certificate_name, now_seconds());
  if (!certificate) {
    co_return refusal(certificate.error());
  }
  co_return HttpResponse::json(200, json::serialize(json::object{{"certificate_pem", *certificate},
                                                                 {"ca_pem", state.authority->certificate_pem()}}));
}

net::Task<HttpResponse> report(Controller::State& state, HttpRequest request) {
  if (!is_member(state, request)) {
    co_return not_a_member();
  }
  boost::system::error_code bad;
  json::value body = json::parse(request.body, bad);
  if (bad) {
    co_return HttpResponse::problem(400, "bad request", "the body is not JSON");
  }
  state.reports[request.peer.certificate_name] = std::move(body);
  co_return HttpResponse::text(204, "");
}

}  // namespace

void add_node_routes(Controller::State& state) {
  auto& router = state.nodes_router;
  router.add("GET", "/v1/join", [&state](HttpRequest) { return greet(state); });
  router.add("POST", "/v1/join", [&state](HttpRequest request) { return join(state, std::move(request)); });
  router.add("GET", "/v1/world", [&state](HttpRequest request) { return world(state, std::move(request)); });
  router.add("POST", "/v1/renew", [&state](HttpRequest request) { return renew(state, std::move(request)); });
  router.add("POST", "/v1/report", [&state](HttpRequest request) { return report(state, std::move(request)); });
}

}  // namespace controller
