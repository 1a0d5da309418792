// What nodes ask: to join, for the world, for a new certificate, and to report.
#include "mesh/controller/behind.hpp"
#include "mesh/controller/state.hpp"

#include "base/process/log.hpp"
#include "mesh/enrolment/registry.hpp"
#include "mesh/enrolment/terms.hpp"
#include "mesh/internal_ca/credentials.hpp"
#include "mesh/members/members.hpp"

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

HttpResponse failure(base::Failure const& failure) {
  return HttpResponse::problem(500, failure.code.message(), failure.detail);
}

// Whatever is wrong with a token or with who shows it: one answer, so that a guesser learns nothing.
HttpResponse refusal() {
  return HttpResponse::problem(403, "refused", std::string(enrolment::refusal_text));
}

net::Task<HttpResponse> greet(Controller::State& state) {
  co_return HttpResponse::json(
      200, json::serialize(json::object{{"x25519_public", wireguard::public_key(state.x25519).to_base64()}}));
}

json::object certificate_answer(Controller::State const& state, std::string const& certificate_pem) {
  return json::object{{"certificate_pem", certificate_pem},
                      {"ca_pem", state.issuer->root_pem()},
                      {"world_key", state.world_key.verify_key().hex()},
                      {"mesh", state.mesh},
                      {"now_s", now_seconds()}};
}

net::Task<HttpResponse> join(Controller::State& state, HttpRequest request) {
  boost::system::error_code bad;
  json::value const body = json::parse(request.body, bad);
  if (bad || !body.is_object()) {
    co_return HttpResponse::problem(400, "bad request", "the body is no JSON object");
  }
  json::object const& object = body.get_object();
  enrolment::JoinRequest asked{text_of(object, "token_id"), text_of(object, "secret"),
                               text_of(object, "node"),     text_of(object, "wireguard_public_key"),
                               text_of(object, "csr_pem"),  text_of(object, "proof")};
  auto const purpose = enrolment::purpose_of(object.contains("purpose") ? text_of(object, "purpose") : "node");
  if (!purpose) {
    co_return refusal();
  }
  asked.purpose = *purpose;
  asked.from = enrolment::host_of(request.peer.address);
  // Before anything is written: where none can be issued, the token stays good and a member keeps its key. Only who is
  // admitted gets it.
  auto const certificate = state.issuer->issue(asked.csr_pem, asked.node, now_seconds());
  auto const issued =
      certificate ? members::issued_of(*certificate, asked.node) : enrolment::no_certificate(certificate.error());
  auto admitted = issued ? base::Result<void>() : base::Result<void>(issued.error());
  if (issued) {
    std::function<base::Result<void>(database::Database&)> const admit =
        [asked, issued = *issued, key = state.x25519,
         places = state.world.topology_nodes](database::Database& database) -> base::Result<void> {
      auto const done = enrolment::admit(database, asked, key, places, now_seconds());
      return done ? members::note_issued(database, issued, now_seconds()) : done;
    };
    admitted = co_await state.change<void>(admit);
  }
  if (!admitted) {
    process::log::warning("controller", "join of '{}' from {} refused: {}", asked.node, request.peer.address,
                          admitted.error().what());
    co_return enrolment::is_refusal(admitted.error()) ? refusal() : failure(admitted.error());
  }
  process::log::info("controller", "'{}' joined from {}", asked.node, request.peer.address);
  json::object answer = certificate_answer(state, *certificate);
  answer["node"] = asked.node;
  if (asked.purpose == enrolment::Purpose::node) {
    answer["world"] = state.copies.text();
  }
  co_return HttpResponse::json(200, json::serialize(answer));
}

HttpResponse not_a_member() {
  return HttpResponse::problem(403, "not a member",
                               "a certificate of a node that joined and was not removed is needed");
}

net::Task<HttpResponse> world(Controller::State& state, HttpRequest request) {
  if (!is_member(state, request)) {
    co_return not_a_member();
  }
  state.heard_s[request.peer.certificate_name] = now_seconds();
  std::int64_t const since = number_of(request, "since");
  if (auto behind = answer_behind(state, request, since)) {
    co_return *std::move(behind);
  }
  std::int64_t const wait_ms = std::clamp<std::int64_t>(number_of(request, "wait_ms"), 0, wait_ms_max);
  auto const until = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  // Nodes that understand it are told by this poll that they are to examine themselves (examination_routes.cpp).
  bool const may_examine = request.query.contains("examined");
  auto const to_examine = [&] { return may_examine && state.examinations.number() > number_of(request, "examined"); };
  while (state.world.document.revision <= since && !to_examine()) {
    auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !co_await state.changed.wait(left)) {
      break;
    }
  }
  if (!is_member(state, request)) {  // removed while it waited
    co_return not_a_member();
  }
  if (auto behind = answer_behind(state, request, since)) {  // another node showed something older meanwhile
    co_return *std::move(behind);
  }
  auto answer = HttpResponse::text(204, "");
  if (state.world.document.revision > since) {
    std::string accepted(request.headers.get("Accept-Encoding"));
    answer = co_await state.copies.answer(std::move(accepted));
    if (!is_member(state, request)) {  // or while it waited for its turn
      co_return not_a_member();
    }
  }
  answer.headers.set(members::revocations_header, std::to_string(state.revocations.number()));
  if (to_examine()) {
    answer.headers.set("Privateer-Examine", std::to_string(state.examinations.number()));
  }
  co_return answer;
}

// A member whose certificate has ended shows that it still holds both keys that it joined with: the request is signed
// by the one, the proof made with the other. It is the node as much as it was then, until it is removed.
bool shows_both_keys(Controller::State const& state, json::object const& body, std::string const& key) {
  auto const name = text_of(body, "node");
  auto const member = state.world.document.nodes.find(name);
  auto const certified = state.world.certificate_keys.find(name);
  if (!state.world.members.contains(name) || member == state.world.document.nodes.end() ||
      certified == state.world.certificate_keys.end() || certified->second != key) {
    return false;
  }
  auto const public_key = wireguard::PublicKey::from_base64(member->second);
  auto const expected = public_key ? enrolment::proof_of_possession(state.x25519, *public_key, enrolment::renewal_proof,
                                                                    name, text_of(body, "csr_pem"))
                                   : public_key.error();
  return expected && enrolment::equal_in_constant_time(*expected, text_of(body, "proof"));
}

net::Task<HttpResponse> renew(Controller::State& state, HttpRequest request) {
  bool const certified = is_member(state, request) || is_operator(state, request);
  boost::system::error_code bad;
  json::value const parsed = json::parse(request.body, bad);
  json::object const body = !bad && parsed.is_object() ? parsed.get_object() : json::object();
  std::string const csr = text_of(body, "csr_pem");
  auto const key = internal_ca::csr_key(csr);
  if (certified && (!key || *key != request.peer.certificate_key)) {
    co_return HttpResponse::problem(422, "bad request", "a certificate is renewed for the key that it is for");
  }
  if (!certified && (!request.peer.certificate_name.empty() || !key || !shows_both_keys(state, body, *key))) {
    co_return not_a_member();
  }
  std::string const name = certified ? request.peer.certificate_name : text_of(body, "node");
  auto const certificate = state.issuer->issue(csr, name, now_seconds());
  if (!certificate) {
    co_return certificate.error().code == internal_ca::errc::bad_request
        ? HttpResponse::problem(422, certificate.error().code.message(), certificate.error().detail)
        : failure(certificate.error());
  }
  auto const issued = members::issued_of(*certificate, name);
  if (!issued) {
    co_return failure(issued.error());
  }
  std::function<base::Result<void>(database::Database&)> const note = [issued = *issued](auto& database) {
    return members::note_issued(database, issued, now_seconds());
  };
  if (auto const noted = co_await state.store->run<void>(note); !noted) {
    co_return failure(noted.error());
  }
  // Removed since it asked: the list of revoked certificates was made without this one.
  auto const known = state.world.certificate_keys.find(name);  // or another machine joined by its name
  if ((!state.world.members.contains(name) && !state.world.operators.contains(name)) ||
      (known != state.world.certificate_keys.end() && known->second != *key)) {
    co_return not_a_member();
  }
  // One that joined before keys were noted; the map is read again with the next change.
  if (!state.world.certificate_keys.contains(name)) {
    std::function<base::Result<void>(database::Database&)> const learn = [name, key](database::Database& database) {
      return enrolment::learn_certificate_key(database, name, *key);
    };
    if (auto const learnt = co_await state.store->run<void>(learn); !learnt) {
      process::log::warning("controller", "renewal of '{}' refused: {}", name, learnt.error().what());
      co_return enrolment::is_refusal(learnt.error())
          ? HttpResponse::problem(403, "join again", learnt.error().detail + ": join with a token bound to the name")
          : failure(learnt.error());
    }
    state.world.certificate_keys.emplace(name, *key);
  }
  co_return HttpResponse::json(200, json::serialize(certificate_answer(state, *certificate)));
}

// {"next_key", "proof"}: the key the node changes to, shown to be its own; {"done": key}: all its links run with it.
net::Task<HttpResponse> rotation(Controller::State& state, HttpRequest request) {
  if (!is_member(state, request)) {
    co_return not_a_member();
  }
  std::string const name = request.peer.certificate_name;
  boost::system::error_code bad;
  json::value const body = json::parse(request.body, bad);
  if (bad || !body.is_object()) {
    co_return HttpResponse::problem(400, "bad request", "the body is no JSON object");
  }
  std::string const done = text_of(body.get_object(), "done");
  std::string const next = text_of(body.get_object(), "next_key");
  if (done.empty() && state.behind.newest(now_seconds())) {
    co_return HttpResponse::problem(503, "behind", "no key is changed before the store has learnt what it forgot");
  }
  if (done.empty()) {
    auto const key = wireguard::PublicKey::from_base64(next);
    auto const expected =
        key ? enrolment::proof_of_possession(state.x25519, *key, enrolment::rotation_proof, name, next) : key.error();
    bool const proved = expected && enrolment::equal_in_constant_time(*expected, text_of(body.get_object(), "proof"));
    if (!proved || !state.world.document.rotate.contains(name)) {
      co_return HttpResponse::problem(403, "refused", "the key is not shown to be held, or was not asked for");
    }
  }
  std::function<base::Result<void>(database::Database&)> const write = [name, next,
                                                                        done](database::Database& database) {
    return done.empty() ? members::offer_key(database, name, next)
                        : members::complete_rotation(database, name, done, now_seconds());
  };
  auto const written = co_await state.change<void>(write);
  if (!written) {
    co_return enrolment::is_refusal(written.error())
        ? HttpResponse::problem(409, written.error().code.message(), written.error().detail)
        : failure(written.error());
  }
  process::log::info("controller", "'{}' {}", name, done.empty() ? "shows its next key" : "has changed its key");
  co_return HttpResponse::text(204, "");
}

// Where else the node's credential is used, by the mark that each process of an agent makes up.
std::vector<std::string> twins_of(Controller::State& state, HttpRequest const& request) {
  constexpr std::size_t mark_max = 64;
  auto const mark = std::string(request.headers.get("Privateer-Process"));
  if (mark.empty() || mark.size() > mark_max) {
    return {};
  }
  auto const& name = request.peer.certificate_name;
  auto const now = std::chrono::steady_clock::now();
  bool const known = !state.processes.places(name, now).empty();
  state.processes.saw(name, mark, enrolment::host_of(request.peer.address), now);
  auto out = state.processes.others(name, mark, now);
  if (!out.empty() && !known) {
    process::log::warning("controller", "two machines run as '{}': {} and {}", name,
                          enrolment::host_of(request.peer.address), out.front());
  }
  return out;
}

net::Task<HttpResponse> report(Controller::State& state, HttpRequest request) {
  if (!is_member(state, request)) {
    co_return not_a_member();
  }
  boost::system::error_code bad;
  json::value body = json::parse(request.body, bad);
  if (bad || !body.is_object()) {
    co_return HttpResponse::problem(400, "bad request", "the body is no JSON object");
  }
  auto const& name = request.peer.certificate_name;
  body.get_object()["reported_at_s"] = state.heard_s[name] = now_seconds();
  state.costs.report(name, body.get_object(), std::chrono::steady_clock::now());
  state.reports[name] = std::move(body);
  auto const twins = twins_of(state, request);
  co_return twins.empty() ? HttpResponse::text(204, "")
                          : HttpResponse::json(200, json::serialize(json::object{{"twins", json::value_from(twins)}}));
}

net::Task<HttpResponse> links(Controller::State& state, HttpRequest request) {
  bool const looks = is_platform_node(state, request) || is_operator(state, request);
  co_return looks ? HttpResponse::json(200, links_json(state, now_seconds())) : not_a_member();
}

// For everybody: it is no secret, and a Navigator without an agent beside it has no certificate.
net::Task<HttpResponse> crl(Controller::State& state) {
  auto answer = HttpResponse::text(200, state.revocations.pem());
  answer.headers.set(members::revocations_header, std::to_string(state.revocations.number()));
  co_return answer;
}

bool shows_its_key(Controller::State const& state, net::Peer const& peer) {
  auto const known = state.world.certificate_keys.find(peer.certificate_name);
  return known == state.world.certificate_keys.end() || known->second == peer.certificate_key;
}

}  // namespace

bool is_member(Controller::State const& state, HttpRequest const& request) {
  return state.world.members.contains(request.peer.certificate_name) && shows_its_key(state, request.peer);
}

bool is_platform_node(Controller::State const& state, HttpRequest const& request) {
  auto const place = state.world.topology_nodes.find(request.peer.certificate_name);
  return is_member(state, request) && place != state.world.topology_nodes.end() && place->second.segment.empty();
}

bool is_operator(Controller::State const& state, HttpRequest const& request) {
  return state.world.operators.contains(request.peer.certificate_name) && shows_its_key(state, request.peer);
}

void add_node_routes(Controller::State& state) {
  auto& router = state.nodes_router;
  router.add("GET", "/v1/join", [&state](HttpRequest) { return greet(state); });
  router.add("POST", "/v1/join", [&state](HttpRequest request) { return join(state, std::move(request)); });
  router.add("GET", "/v1/world", [&state](HttpRequest request) { return world(state, std::move(request)); });
  router.add("POST", "/v1/renew", [&state](HttpRequest request) { return renew(state, std::move(request)); });
  router.add("POST", "/v1/rotation", [&state](HttpRequest request) { return rotation(state, std::move(request)); });
  router.add("GET", "/v1/crl", [&state](HttpRequest) { return crl(state); });
  router.add("GET", "/v1/links", [&state](HttpRequest request) { return links(state, std::move(request)); });
  router.add("POST", "/v1/report", [&state](HttpRequest request) { return report(state, std::move(request)); });
}

}  // namespace controller
