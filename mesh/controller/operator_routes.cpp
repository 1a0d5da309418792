// What operators ask over the unix socket: tokens, nodes, the topology, and how things stand.
#include "mesh/controller/behind.hpp"
#include "mesh/controller/own_certificate.hpp"
#include "mesh/controller/state.hpp"

#include "mesh/enrolment/registry.hpp"
#include "mesh/enrolment/terms.hpp"
#include "mesh/members/members.hpp"
#include "mesh/members/spent_tokens.hpp"

#include <boost/json.hpp>

namespace controller {

namespace {

namespace json = boost::json;
using net::HttpRequest;
using net::HttpResponse;

constexpr std::size_t topology_bytes_max = 4U << 20U;  // as much as is read of a file (docs/topology.md)

HttpResponse refusal(int status, base::Failure const& failure) {
  return HttpResponse::problem(status, failure.code.message(), failure.detail);
}

net::Task<HttpResponse> create_token(Controller::State& state, HttpRequest request) {
  boost::system::error_code bad;
  json::value const parsed = json::parse(request.body.empty() ? "{}" : request.body, bad);
  if (bad || !parsed.is_object()) {
    co_return HttpResponse::problem(400, "bad request", "the body is no JSON object");
  }
  json::object const& body = parsed.get_object();
  enrolment::TokenTerms terms;
  std::string const mistakes = enrolment::read_terms(body, state.world.topology_nodes, now_seconds(), terms);
  if (!mistakes.empty()) {
    co_return HttpResponse::problem(422, "bad token terms", mistakes);
  }
  auto const token = enrolment::Token::generate(state.key_sha256, state.world_key.verify_key().hex());
  std::function<base::Result<void>(database::Database&)> const record = [token, terms](database::Database& database) {
    auto const forgotten = members::forget_spent_tokens(database, now_seconds());
    return !forgotten ? forgotten : enrolment::record_token(database, token, terms, now_seconds());
  };
  auto const recorded = co_await state.store->run<void>(record);
  if (!recorded) {
    co_return refusal(500, recorded.error());
  }
  co_return HttpResponse::json(201, json::serialize(json::object{{"id", token.id},
                                                                 {"token", token.text()},
                                                                 {"node", terms.node},
                                                                 {"purpose", enrolment::name(terms.purpose)},
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
    out.push_back(enrolment::to_json(row));
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

std::string_view change_of_key(members::NodeRow const& row, Controller::State const& state) {
  if (!row.next_key.empty()) {
    return "running";
  }
  if (row.rotate_since_s == 0) {
    return "none";
  }
  return state.world.document.rotate.contains(row.name) ? "begun" : "waiting";
}

net::Task<HttpResponse> list_nodes(Controller::State& state) {
  json::array out;
  for (auto const& row : state.world.rows) {
    json::object node{{"name", row.name},
                      {"public_key", row.public_key},
                      {"joined_at", row.joined_at_s},
                      {"removed_at", row.removed_at_s},
                      {"draining", row.draining},
                      {"key_since", row.key_since_s},
                      {"rotations", row.generation},
                      {"rotation", change_of_key(row, state)}};
    if (auto const rests = state.rotation_rests.find(row.name); rests != state.rotation_rests.end()) {
      node["rotation_failed"] = rests->second.why;
    }
    if (auto const found = state.reports.find(row.name); found != state.reports.end()) {
      node["report"] = found->second;
    }
    out.push_back(std::move(node));
  }
  co_return HttpResponse::json(200, json::serialize(json::object{{"nodes", std::move(out)}}));
}

using Write = std::function<base::Result<void>(database::Database&)>;

// A change of members: written, then told to everybody who waits.
net::Task<HttpResponse> change(Controller::State& state, Write write) {
  auto const written = co_await state.change<void>(write);
  if (!written) {
    bool const unknown = written.error().code == enrolment::errc::wrong_node;
    co_return refusal(unknown ? 404 : 500, written.error());
  }
  co_return HttpResponse::text(204, "");
}

net::Task<HttpResponse> remove_node(Controller::State& state, HttpRequest request) {
  Write const remove = [name = request.parameters["name"]](database::Database& database) {
    return name.ends_with(enrolment::operator_suffix) ? members::remove_operator(database, name)
                                                      : members::remove_node(database, name, now_seconds());
  };
  return change(state, remove);
}

net::Task<HttpResponse> drain_node(Controller::State& state, HttpRequest request, bool draining) {
  Write const drain = [name = request.parameters["name"], draining](database::Database& database) {
    return members::set_draining(database, name, draining);
  };
  return change(state, drain);
}

net::Task<HttpResponse> rotate_node(Controller::State& state, HttpRequest request) {
  Write const ask = [name = request.parameters["name"]](database::Database& database) {
    return members::ask_for_rotation(database, name, now_seconds());
  };
  return change(state, ask);
}

net::Task<HttpResponse> rotate_all(Controller::State& state) {
  Write const ask = [all = state.world.members](database::Database& database) -> base::Result<void> {
    for (auto const& name : all) {
      if (auto asked = members::ask_for_rotation(database, name, now_seconds()); !asked) {
        return asked;
      }
    }
    return {};
  };
  return change(state, ask);
}

net::Task<HttpResponse> put_topology(Controller::State& state, HttpRequest request) {
  std::function<base::Result<database::Revision>(database::Database&)> const set =
      [text = request.body](database::Database& database) {
        return world_store::set_topology(database, text, "request body", now_seconds());
      };
  auto const revision = co_await state.change<database::Revision>(set);
  if (!revision) {
    co_return refusal(revision.error().code == world_store::errc::bad_topology ? 422 : 500, revision.error());
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
  for (auto const& [node, place] : state.world.topology_nodes) {
    if (!state.world.members.contains(node)) {
      waiting.push_back(json::value(node));
    }
  }
  co_return HttpResponse::json(
      200, json::serialize(json::object{{"revision", state.world.document.revision},
                                        {"nodes_declared", state.world.topology_nodes.size()},
                                        {"nodes_joined", state.world.members.size()},
                                        {"not_joined", std::move(waiting)},
                                        {"topology_file", name(state.file_use)},
                                        {"behind", behind_json(state)},
                                        {"to_join_again", json::value_from(world_store::to_join_again(state.world))},
                                        {"mesh", state.mesh},
                                        {"key_sha256", state.key_sha256},
                                        {"authority", authority_json(state, now_seconds())}}));
}

net::Task<HttpResponse> list_links(Controller::State& state) {
  co_return HttpResponse::json(200, links_json(state, now_seconds()));
}

// As members get it: whoever has the pin can check the signature, and `privateer plan --running` reads it.
net::Task<HttpResponse> show_world(Controller::State& state) {
  co_return HttpResponse::json(200, state.copies.text());
}

net::Task<HttpResponse> no_operator() {
  co_return HttpResponse::problem(403, "not an operator", "a certificate of an operator is needed");
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
  router.add("POST", "/v1/nodes/{name}/drain",
             [&state](HttpRequest request) { return drain_node(state, std::move(request), true); });
  router.add("DELETE", "/v1/nodes/{name}/drain",
             [&state](HttpRequest request) { return drain_node(state, std::move(request), false); });
  router.add("POST", "/v1/nodes/{name}/rotation",
             [&state](HttpRequest request) { return rotate_node(state, std::move(request)); });
  router.add("POST", "/v1/rotation", [&state](HttpRequest) { return rotate_all(state); });
  router.add("PUT", "/v1/topology", [&state](HttpRequest request) { return put_topology(state, std::move(request)); },
             {.body = topology_bytes_max});
  router.add("GET", "/v1/world", [&state](HttpRequest) { return show_world(state); });
  router.add("GET", "/v1/status", [&state](HttpRequest) { return status(state); });
  router.add("GET", "/v1/links", [&state](HttpRequest) { return list_links(state); });
  // Whoever joined as an operator may look from elsewhere, and change nothing.
  auto const looks = [&state](net::Task<HttpResponse> (*look)(Controller::State&)) {
    return [&state, look](HttpRequest request) { return is_operator(state, request) ? look(state) : no_operator(); };
  };
  state.nodes_router.add("GET", "/v1/nodes", looks(list_nodes));
  state.nodes_router.add("GET", "/v1/status", looks(status));
}

}  // namespace controller
