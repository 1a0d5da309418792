// What operators ask over the unix socket: tokens, nodes, the topology, and how things stand.
#include "mesh/controller/state.hpp"

#include "mesh/enrolment/registry.hpp"

#include <boost/json.hpp>

namespace controller {

namespace {

namespace json = boost::json;
using net::HttpRequest;
using net::HttpResponse;

constexpr std::int64_t token_lifetime_default_s = 3600;
constexpr std::int64_t token_lifetime_max_s = 30LL * 24 * 3600;
constexpr std::int64_t token_uses_max = 10000;

HttpResponse refusal(int status, base::Failure const& failure) {
  return HttpResponse::problem(status, failure.code.message(), failure.detail);
}

// Reads an integer member in a range; appends to `mistakes` otherwise.
std::int64_t number(json::object const& body, std::string_view key, std::int64_t fallback, std::int64_t most,
                    std::string& mistakes) {
  auto const* const value = body.if_contains(key);
  if (value == nullptr) {
    return fallback;
  }
  if (!value->is_int64() || value->get_int64() < 1 || value->get_int64() > most) {
    mistakes += std::string(key) + ": must be a whole number from 1 to " + std::to_string(most) + "; ";
    return fallback;
  }
  return value->get_int64();
}

net::Task<HttpResponse> create_token(Controller::State& state, HttpRequest request) {
  boost::system::error_code bad;
  json::value const parsed = json::parse(request.body.empty() ? "{}" : request.body, bad);
  if (bad || !parsed.is_object()) {
    co_return HttpResponse::problem(400, "bad request", "the body is no JSON object");
  }
  json::object const& body = parsed.get_object();
  std::string mistakes;
  enrolment::TokenTerms terms;
  terms.expires_at_s =
      now_seconds() + number(body, "lifetime_s", token_lifetime_default_s, token_lifetime_max_s, mistakes);
  terms.uses = number(body, "uses", 1, token_uses_max, mistakes);
  if (auto const* const node = body.if_contains("node"); node != nullptr && node->is_string()) {
    terms.node = std::string(node->get_string());
    if (!state.world.topology_nodes.contains(terms.node)) {
      mistakes += "node: the topology names no node '" + terms.node + "'; ";
    }
  }
  if (!mistakes.empty()) {
    co_return HttpResponse::problem(422, "bad token terms", mistakes);
  }
  auto const token = enrolment::Token::generate(state.certificate_sha256);
  std::function<base::Result<void>(database::Database&)> const record = [token, terms](database::Database& database) {
    return enrolment::record_token(database, token, terms, now_seconds());
  };
  auto const recorded = co_await state.store->run<void>(record);
  if (!recorded) {
    co_return refusal(500, recorded.error());
  }
  co_return HttpResponse::json(201, json::serialize(json::object{{"id", token.id},
                                                                 {"token", token.text()},
                                                                 {"node", terms.node},
                                                                 {"uses", terms.uses},
                                                                 {"expires_at", terms.expires_at_s}}));
}

net::Task<HttpResponse> list_tokens(Controller::State& state) {
  std::function<base::Result<std::vector<enrolment::TokenRow>>(database::Database&)> const read = enrolment::tokens;
  auto const rows = co_await state.store->run<std::vector<enrolment::TokenRow>>(read);
  if (!rows) {
    co_return refusal(500, rows.error());
  }
  json::array out;
  for (auto const& row : *rows) {
    out.push_back(json::object{{"id", row.id},
                               {"node", row.terms.node},
                               {"uses", row.terms.uses},
                               {"used", row.used},
                               {"expires_at", row.terms.expires_at_s},
                               {"revoked", row.revoked}});
  }
  co_return HttpResponse::json(200, json::serialize(json::object{{"tokens", std::move(out)}}));
}

net::Task<HttpResponse> revoke_token(Controller::State& state, HttpRequest request) {
  std::function<base::Result<void>(database::Database&)> const revoke =
      [id = request.parameters["id"]](database::Database& database) { return enrolment::revoke_token(database, id); };
  auto const revoked = co_await state.store->run<void>(revoke);
  if (!revoked) {
    co_return refusal(404, revoked.error());
  }
  co_return HttpResponse::text(204, "");
}

net::Task<HttpResponse> list_nodes(Controller::State& state) {
  std::function<base::Result<std::vector<enrolment::NodeRow>>(database::Database&)> const read = enrolment::nodes;
  auto const rows = co_await state.store->run<std::vector<enrolment::NodeRow>>(read);
  if (!rows) {
    co_return refusal(500, rows.error());
  }
  json::array out;
  for (auto const& row : *rows) {
    json::object node{{"name", row.name},
                      {"public_key", row.public_key},
                      {"joined_at", row.joined_at_s},
                      {"removed_at", row.removed_at_s}};
    if (auto const found = state.reports.find(row.name); found != state.reports.end()) {
      node["report"] = found->second;
    }
    out.push_back(std::move(node));
  }
  co_return HttpResponse::json(200, json::serialize(json::object{{"nodes", std::move(out)}}));
}

net::Task<HttpResponse> remove_node(Controller::State& state, HttpRequest request) {
  std::function<base::Result<void>(database::Database&)> const remove =
      [name = request.parameters["name"]](database::Database& database) {
        return enrolment::remove_node(database, name, now_seconds());
      };
  auto const removed = co_await state.store->run<void>(remove);
  if (!removed) {
    co_return refusal(404, removed.error());
  }
  if (auto const read = co_await state.refresh(); !read) {
    co_return refusal(500, read.error());
  }
  co_return HttpResponse::text(204, "");
}

net::Task<HttpResponse> put_topology(Controller::State& state, HttpRequest request) {
  std::function<base::Result<database::Revision>(database::Database&)> const set =
      [text = request.body](database::Database& database) {
        return set_topology(database, text, "request body", now_seconds());
      };
  auto const revision = co_await state.store->run<database::Revision>(set);
  if (!revision) {
    co_return refusal(revision.error().code == errc::bad_topology ? 422 : 500, revision.error());
  }
  if (auto const read = co_await state.refresh(); !read) {
    co_return refusal(500, read.error());
  }
  co_return HttpResponse::json(200, json::serialize(json::object{{"revision", *revision}}));
}

std::string_view name(FileUse use) {
  switch (use) {
    case FileUse::superseded:
      return "superseded";
    case FileUse::conflicting:
      return "conflicting";
    case FileUse::taken:
      break;
  }
  return "taken";
}

net::Task<HttpResponse> status(Controller::State& state) {
  json::array waiting;
  for (auto const& node : state.world.topology_nodes) {
    if (!state.world.members.contains(node)) {
      waiting.push_back(json::value(node));
    }
  }
  co_return HttpResponse::json(200, json::serialize(json::object{{"revision", state.world.document.revision},
                                                                 {"nodes_declared", state.world.topology_nodes.size()},
                                                                 {"nodes_joined", state.world.members.size()},
                                                                 {"not_joined", std::move(waiting)},
                                                                 {"topology_file", name(state.file_use)},
                                                                 {"certificate_sha256", state.certificate_sha256}}));
}

}  // namespace

void add_operator_routes(Controller::State& state) {
  auto& router = state.operators_router;
  router.add("POST", "/v1/tokens", [&state](HttpRequest request) { return create_token(state, std::move(request)); });
  router.add("GET", "/v1/tokens", [&state](HttpRequest) { return list_tokens(state); });
  router.add("DELETE", "/v1/tokens/{id}",
             [&state](HttpRequest request) { return revoke_token(state, std::move(request)); });
  router.add("GET", "/v1/nodes", [&state](HttpRequest) { return list_nodes(state); });
  router.add("DELETE", "/v1/nodes/{name}",
             [&state](HttpRequest request) { return remove_node(state, std::move(request)); });
  router.add("PUT", "/v1/topology", [&state](HttpRequest request) { return put_topology(state, std::move(request)); });
  router.add("GET", "/v1/status", [&state](HttpRequest) { return status(state); });
}

}  // namespace controller
