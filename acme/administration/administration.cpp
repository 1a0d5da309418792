#include "acme/administration/administration.hpp"

#include "acme/administration/why.hpp"
#include "base/http/problem.hpp"
#include "base/pages/pages.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace acme {
namespace {

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;
using Route = Answer (*)(Administration const&, net::HttpRequest);

constexpr std::size_t page_default = 1000;
constexpr net::RouteLimits slow{0, std::chrono::minutes(3)};  // an order at a CA that takes its time

net::HttpResponse reply(json::value const& body) {
  return net::HttpResponse::json(200, json::serialize(body));
}

net::HttpResponse nothing() {
  net::HttpResponse response;
  response.status = 204;
  return response;
}

// `field`: what the request named.
net::HttpResponse refusal(base::Failure const& failure, char const* field) {
  if (failure.code == vault::errc::not_found) {
    return net::HttpResponse::problem(404, "no such certificate", failure.what());
  }
  if (failure.code == vault::errc::fenced) {
    return net::HttpResponse::problem(503, "another Navigator issues", failure.what());
  }
  bool const refused = failure.code == protocol::errc::refused || failure.code == protocol::errc::no_account;
  return refused ? net::problem_of(409, "the CA refused", field, failure.what(),
                                   "what the CA said; navigator acme account list")
                 : net::HttpResponse::problem(503, "it cannot be done now", failure.what());
}

net::HttpResponse no_such(std::string const& name) {
  return net::HttpResponse::problem(404, "no such certificate", "no tenant or certificate is named '" + name + "'");
}

// The body with at most this field, of this kind; else what is wrong with it. Whoever meant something else than was
// understood must not order for real, or change another CA's account.
std::string body_of(net::HttpRequest const& request, char const* field, json::kind kind, json::object& body) {
  if (request.body.empty()) {
    return {};
  }
  boost::system::error_code error;
  json::value const value = json::parse(request.body, error);
  if (error || !value.is_object()) {
    return "the body is not a JSON object with '" + std::string(field) + "'";
  }
  body = value.get_object();
  for (auto const& [key, one] : body) {
    if (key != field) {
      return "'" + std::string(key.data(), key.size()) + "' is not known; the only field is '" + field + "'";
    }
    if (one.kind() != kind) {
      return "'" + std::string(field) + "' is " + (kind == json::kind::bool_ ? "neither true nor false" : "not a text");
    }
  }
  return {};
}

net::HttpResponse bad_body(char const* field, std::string const& problem) {
  return net::problem_of(422, "bad request body", field, problem,
                         std::string("an empty body, or a JSON object with '") + field + "' alone");
}

std::string text(json::object const& body, char const* key) {
  json::value const* const found = body.if_contains(key);
  return found != nullptr ? std::string(found->get_string()) : std::string();
}

bool is_due(SubjectStatus const& status, std::int64_t now_ms) {
  return status.state != "valid" || status.alarm || status.revoked || status.renew_at_ms <= now_ms;
}

Answer list(Administration const& of, net::HttpRequest request) {
  auto const page = net::read_page(request, page_default);
  if (!page) {
    co_return net::problem_of(422, "wrong query", page.error());
  }
  bool const due = request.query.contains("due");
  std::int64_t const now_ms = crypto::to_ms(crypto::wall_now());
  std::vector<SubjectStatus> all = of.issuer.status();
  std::erase_if(all, [&](SubjectStatus const& status) { return due && !is_due(status, now_ms); });
  std::ranges::sort(all, {}, &SubjectStatus::subject_id);
  std::vector<std::string> keys;
  std::ranges::transform(all, std::back_inserter(keys),
                         [](SubjectStatus const& status) { return net::page_key(status.subject_id); });
  json::object body = net::page_of(
      "certificates", keys, [&all](std::size_t at) { return json::value(json_of(all[at])); }, *page);
  IssuerStatus const issuer = of.issuer.issuer_status();
  body["leads"] = issuer.leads;
  body["holder"] = issuer.holder;
  co_return reply(body);
}

Answer why(Administration const& of, net::HttpRequest request) {
  std::string const asked = request.parameters.at("name");
  auto found = co_await why_of(of, asked);
  if (!found) {
    co_return found.error().code == vault::errc::not_found ? no_such(asked) : refusal(found.error(), "name");
  }
  co_return reply(*found);
}

Answer order(Administration const& of, net::HttpRequest request) {
  std::string const asked = request.parameters.at("name");
  auto const subject_id = of.issuer.find(asked);
  if (!subject_id) {
    co_return no_such(asked);
  }
  json::object body;
  if (std::string const problem = body_of(request, "staging", json::kind::bool_, body); !problem.empty()) {
    co_return bad_body("staging", problem);
  }
  json::value const* const staging = body.if_contains("staging");
  if (staging == nullptr || !staging->get_bool()) {
    of.issuer.order_now(*subject_id);
    json::object ordered{{"ordered", asked}};
    co_return reply(ordered);
  }
  auto const outcome = co_await of.issuer.rehearse(*subject_id);
  if (!outcome) {
    co_return refusal(outcome.error(), "name");
  }
  bool const good = outcome->failure == protocol::FailureClass::none;
  json::object rehearsed{{"rehearsed", asked},
                         {"outcome", good ? "issued" : protocol::name(outcome->failure)},
                         {"detail", outcome->detail},
                         {"notes", json::value_from(outcome->notes)}};
  co_return reply(rehearsed);
}

Answer revoke(Administration const& of, net::HttpRequest request) {
  std::string const asked = request.parameters.at("name");
  auto const subject_id = of.issuer.find(asked);
  if (!subject_id) {
    co_return no_such(asked);
  }
  json::object body;
  if (std::string const problem = body_of(request, "reason", json::kind::string, body); !problem.empty()) {
    co_return bad_body("reason", problem);
  }
  std::string const word = text(body, "reason");
  auto const reason = reason_of(word);
  if (!reason) {
    co_return net::problem_of(422, "no such reason", "reason", "'" + word + "' is no reason",
                              "for instance keyCompromise or superseded");
  }
  auto const revoked = co_await of.issuer.revoke(*subject_id, *reason);
  co_return revoked ? nothing() : refusal(revoked.error(), "name");
}

Answer accounts(Administration const& of, net::HttpRequest) {
  json::array list;
  for (AuthorityStatus const& one : of.issuer.authorities()) {
    list.push_back(json::object{{"directory", one.directory_url},
                                {"account", one.account_url},
                                {"state", one.state},
                                {"failures", one.failures},
                                {"resting_until_ms", one.resting_until_ms},
                                {"action_required", one.action_required},
                                {"last_error", one.last_error}});
  }
  json::object body{{"accounts", std::move(list)}};
  co_return reply(body);
}

Answer rekey(Administration const& of, net::HttpRequest request) {
  json::object body;
  if (std::string const problem = body_of(request, "directory", json::kind::string, body); !problem.empty()) {
    co_return bad_body("directory", problem);
  }
  std::string directory = text(body, "directory");
  auto const changed = co_await of.issuer.change_account_key(std::move(directory));
  co_return changed ? nothing() : refusal(changed.error(), "directory");
}

Answer agree(Administration const& of, net::HttpRequest request) {
  json::object body;
  if (std::string const problem = body_of(request, "directory", json::kind::string, body); !problem.empty()) {
    co_return bad_body("directory", problem);
  }
  std::string directory = text(body, "directory");
  auto const agreed = co_await of.issuer.agree_to_terms(std::move(directory));
  co_return agreed ? nothing() : refusal(agreed.error(), "directory");
}

Answer guarded(Administration const* of, Route route, net::HttpRequest request) {
  if (!of->is_admin(request)) {
    co_return net::HttpResponse::problem(403, "not allowed", "administrators only");
  }
  co_return co_await route(*of, std::move(request));
}

}  // namespace

std::optional<std::int64_t> reason_of(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> reasons{{{"unspecified", 0},
                                                                              {"keyCompromise", 1},
                                                                              {"affiliationChanged", 3},
                                                                              {"superseded", 4},
                                                                              {"cessationOfOperation", 5},
                                                                              {"privilegeWithdrawn", 9}}};
  auto const* const found = std::ranges::find(reasons, word, &std::pair<std::string_view, std::int64_t>::first);
  return found == reasons.end() ? std::nullopt : std::optional(found->second);
}

void add_routes(net::Router& router, Administration const& administration) {
  auto const add = [&router, of = &administration](char const* method, char const* path, Route route) {
    router.add(
        method, path, [of, route](net::HttpRequest request) { return guarded(of, route, std::move(request)); }, slow);
  };
  add("GET", "/v1/acme/certificates", list);
  add("GET", "/v1/acme/certificates/{name}", why);
  add("POST", "/v1/acme/certificates/{name}/order", order);
  add("POST", "/v1/acme/certificates/{name}/revoke", revoke);
  add("GET", "/v1/acme/accounts", accounts);
  add("POST", "/v1/acme/accounts/rekey", rekey);
  add("POST", "/v1/acme/accounts/agree", agree);
}

}  // namespace acme
