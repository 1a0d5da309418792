#include "dns-backend/api/sign_up/sign_up.hpp"

#include "base/http/problem.hpp"
#include "base/process/log.hpp"
#include "dns-backend/api/access.hpp"
#include "dns-backend/api/sign_up/invitations.hpp"
#include "dns-backend/api/tenants/routes.hpp"
#include "dns-backend/tenants/label.hpp"
#include "dns-backend/tokens/secret.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace api {
namespace {

namespace json = boost::json;
using invitations::errc;
using invitations::Terms;
using net::HttpRequest;
using net::HttpResponse;

constexpr std::size_t body_max = 4096;
constexpr std::size_t key_least = 22;  // 128 bits in base64url
constexpr std::size_t key_max = 255;

HttpResponse too_often(std::int64_t seconds, std::string detail) {
  HttpResponse response = HttpResponse::problem(429, "too many sign-ups", std::move(detail));
  response.headers.set("Retry-After", std::to_string(std::max<std::int64_t>(seconds, 1)));
  return response;
}

// Leaves the set with the scope.
class AtWork {
 public:
  AtWork(std::shared_ptr<std::set<std::string>> set, std::string key) : set_(std::move(set)), key_(std::move(key)) {
    set_->insert(key_);
  }
  ~AtWork() { set_->erase(key_); }
  AtWork(AtWork const&) = delete;
  AtWork& operator=(AtWork const&) = delete;

 private:
  std::shared_ptr<std::set<std::string>> set_;
  std::string key_;
};

void read_key(Body& reader, std::string const& key) {
  if (!key.empty() && (key.size() < key_least || key.size() > key_max)) {
    reader.fail("Idempotency-Key", "must have 22 to 255 characters: whoever knows it gets a token",
                "for instance a random UUID");
  }
}

void read_label(Body& reader, invitations::Wish& wish) {
  std::string const given = reader.text("label");
  if (given.empty()) {
    return;
  }
  tenants::LabelVerdict const verdict = tenants::read_label(given);
  if (!verdict.problem.empty()) {
    reader.fail("label", "'" + given.substr(0, 300) + "' cannot be a tenant: " + verdict.problem, verdict.hint);
  }
  wish.label = verdict.label;
}

void read_primary(Body& reader, Terms const& terms, invitations::Wish& wish) {
  wish.primary = reader.text("primary", "");
  if (wish.primary.empty() || std::ranges::find(terms.clusters, wish.primary) != terms.clusters.end()) {
    return;
  }
  std::string names;
  for (std::string const& one : terms.clusters) {
    names += (names.empty() ? "" : ", ") + one;
  }
  reader.fail("primary", "'" + wish.primary.substr(0, 100) + "' is no cluster for newcomers", names);
}

}  // namespace

std::string client_of(std::string const& peer) {
  std::string host = peer.substr(0, peer.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  boost::system::error_code bad;
  auto const address = net::asio::ip::make_address(host, bad);
  if (bad || !address.is_v6() || address.to_v6().is_v4_mapped()) {
    return host;
  }
  auto octets = address.to_v6().to_bytes();
  std::fill(octets.begin() + 8, octets.end(), static_cast<unsigned char>(0));
  return net::asio::ip::make_address_v6(octets).to_string() + "/64";
}

SignUp::SignUp(TenantDependencies const& own, SignUpSettings settings)
    : own_(own), settings_(std::move(settings)), rate_(settings_.rate), noted_({1.0 / 3600, 5}) {}

HttpResponse SignUp::admit(HttpRequest const& request) {
  HttpResponse go_on;
  go_on.status = 0;
  bool const admin = is_administrator(own_.api, request);
  if (!admin && !request.peer.token.empty()) {
    return HttpResponse::problem(403, "not allowed", "whoever has a token is a tenant already: leave it out");
  }
  if (settings_.terms.door == Terms::Door::closed) {
    return HttpResponse::problem(403, "not open", "this platform takes no sign-ups: an administrator makes tenants");
  }
  if (admin) {
    return go_on;
  }
  int const wait = rate_.take(client_of(request.peer.address), std::chrono::steady_clock::now());
  return wait == 0 ? go_on : too_often(wait, "wait as long as Retry-After says");
}

net::Task<HttpResponse> SignUp::sign_up(HttpRequest request) {
  if (own_.api.primary != nullptr) {
    co_return co_await forward(own_.api, std::move(request));
  }
  if (HttpResponse answer = admit(request); answer.status != 0) {
    co_return answer;
  }
  if (request.body.size() > body_max) {
    co_return HttpResponse::problem(413, "the body is too large", "a sign-up has at most 4096 octets");
  }
  Body reader(request.body);
  if (reader.broken()) {
    co_return refusal(reader.problems());
  }
  invitations::Wish wish;
  std::string const key(request.headers.get("Idempotency-Key"));
  read_key(reader, key);
  read_label(reader, wish);
  read_primary(reader, settings_.terms, wish);
  bool const needed = settings_.terms.door == Terms::Door::invited;
  std::string const secret = needed ? reader.text("invitation") : reader.text("invitation", "");
  reader.finish();
  if (!reader.problems().empty()) {
    co_return refusal(reader.problems());
  }
  wish.invitation = secret.empty() ? "" : tokens::digest(secret);
  wish.key = key.empty() ? "" : tokens::digest(key);
  wish.request = tokens::digest(request.body);
  wish.now_ms = now_ms(own_);
  if (!wish.key.empty() && at_work_->contains(wish.key)) {
    co_return net::problem_of(409, "at work", "Idempotency-Key",
                              "a request with this Idempotency-Key is not answered yet", "the same again in a moment");
  }
  std::string const from = request.peer.is_unix ? "unix" : client_of(request.peer.address);
  if (wish.key.empty()) {
    co_return co_await make(std::move(wish), from);
  }
  AtWork const mark(at_work_, wish.key);
  co_return co_await make(std::move(wish), from);
}

net::Task<HttpResponse> SignUp::make(invitations::Wish wish, std::string from) {
  tokens::Token wanted;
  wanted.note = "sign-up";
  wanted.created_at_ms = wish.now_ms;
  wanted.expires_at_ms = settings_.token_life_ms == 0 ? 0 : wish.now_ms + settings_.token_life_ms;
  auto const made = std::make_shared<tokens::Made>(tokens::draw(std::move(wanted)));
  auto const outcome = std::make_shared<invitations::Outcome>();
  store::Body body = [made, outcome, wish, policy = own_.policy, terms = settings_.terms](store::Write const& write) {
    return invitations::sign_up(write, policy, terms, wish, *made, *outcome);
  };
  auto const done = co_await own_.api.store.write(std::move(body));
  if (!done) {
    co_return refused(done.error(), *outcome, from);
  }
  own_.tokens.know(*made);
  bool const again = !outcome->former_token.empty();
  if (again) {
    own_.tokens.know_ended(outcome->former_token, wish.now_ms);
  }
  std::string const by = outcome->invitation.empty() ? "" : "invitation " + outcome->invitation;
  std::string const how = again ? "repeated: token " + outcome->former_token + " revoked" : by;
  process::log::info("sign_up", "a tenant signed up label={} tenant_id={} token={} from={} how=\"{}\"",
                     outcome->tenant.label, outcome->tenant.id, made->token.id, from, how);
  json::object token = to_json(made->token);
  token["token"] = made->secret;
  json::object const answer{{"tenant", to_json(outcome->tenant)}, {"token", std::move(token)}};
  HttpResponse response = tagged(201, answer, outcome->tenant.changed_at);
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Location", "/v1/tenants/" + outcome->tenant.label);
  if (again) {
    response.headers.set("Idempotency-Replayed", "true");
  }
  response.headers.set(log_tenant_header, std::to_string(outcome->tenant.id));
  response.headers.set(log_reason_header, how);
  co_return response;
}

HttpResponse SignUp::refused(base::Failure const& failure, invitations::Outcome const& outcome,
                             std::string const& from) {
  if (failure.code == errc::not_invited) {
    process::log::warning("sign_up", "refused from={} why=\"{}\"", from, failure.detail);
    HttpResponse response =
        HttpResponse::problem(403, "not invited", "this invitation opens nothing: ask whoever gave it for another");
    if (noted_.take(failure.detail, std::chrono::steady_clock::now()) == 0) {
      response.headers.set(log_reason_header, failure.detail);
    }
    return response;
  }
  if (failure.code == errc::too_many) {
    process::log::warning("sign_up", "refused from={} why=\"{}\"", from, failure.detail);
    return too_often((outcome.wait_ms + 999) / 1000, "no more sign-ups today; wait as long as Retry-After says");
  }
  if (failure.code == errc::other_request) {
    return wrong("Idempotency-Key", "was used for another sign-up", "a fresh one");
  }
  if (failure.code == errc::other_label) {
    return wrong("label", failure.detail, "another label, or another invitation");
  }
  if (failure.code == errc::answered) {
    return net::problem_of(409, "answered before", "Idempotency-Key", failure.detail,
                           "the token of that answer, or an administrator makes one");
  }
  if (failure.code == store::errc::exists) {
    return net::problem_of(409, "taken", "label", failure.detail, "another label");
  }
  if (failure.code == store::errc::not_found) {  // what the settings name is not there: nothing a newcomer can mend
    process::log::error("sign_up", "the settings of sign-ups cannot be met why=\"{}\"", failure.detail);
    return HttpResponse::problem(503, "not now", "sign-ups do not work at the moment; try again later");
  }
  return refusal(failure, About{"label", "another label, whose names nothing else has"});
}

void SignUp::add_routes(net::Router& router) {
  router.add("POST", sign_up_path, [this](HttpRequest request) { return sign_up(std::move(request)); });
  add_invitation_routes(router, own_, settings_.terms);
}

}  // namespace api
