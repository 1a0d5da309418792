#include "dns-backend/api/sign_up/invitations.hpp"

#include "dns-backend/api/tenants/routes.hpp"
#include "dns-backend/tokens/secret.hpp"

#include <algorithm>

namespace api {
namespace {

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;
using invitations::Invitation;

constexpr std::int64_t life_max_s = 366LL * 24 * 3600;
constexpr std::int64_t life_default_s = 30LL * 24 * 3600;
constexpr std::int64_t uses_max = 10000;
constexpr std::size_t note_max = 200;
constexpr std::size_t label_max = 63;

json::object json_of(Invitation const& invitation, std::int64_t now_ms) {
  std::string const ended = invitations::ended(invitation, now_ms);
  return {{"id", invitation.id},
          {"label", invitation.label},
          {"plan", invitation.plan},
          {"note", invitation.note},
          {"uses", invitation.uses},
          {"used", invitation.used},
          {"state", ended.empty() ? "good" : ended},
          {"created_at_ms", invitation.created_at_ms},
          {"expires_at_ms", invitation.expires_at_ms},
          {"revoked_at_ms", invitation.revoked_at_ms}};
}

void read_pattern(Body& reader, Invitation& invitation) {
  invitation.label = reader.text("label", "");
  bool const fine = invitation.label.size() <= label_max && std::ranges::all_of(invitation.label, [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '*';
                    });
  if (!fine) {
    reader.fail("label", "'" + invitation.label.substr(0, 300) + "' is no pattern of labels",
                "at most 63 of a-z, 0-9, '-' and '*', for instance acme-*");
  }
}

void read_plan(TenantDependencies const& own, invitations::Terms const& terms, Body& reader, Invitation& invitation) {
  invitation.plan = reader.text("plan", "");
  if (invitation.plan.empty()) {
    return;
  }
  tenants::Plan const* const plan = tenants::find_plan(own.policy, invitation.plan);
  if (plan == nullptr) {
    reader.fail("plan", "there is no plan '" + invitation.plan + "'", tenants::names_of_plans(own.policy));
  } else if (plan->tokens == 0) {
    reader.fail("plan", "the plan '" + invitation.plan + "' has no tokens", "a newcomer gets one");
  } else if (!invitations::place(terms, own.policy, invitation.plan, {})) {
    reader.fail("plan", "the plan '" + invitation.plan + "' has none of the clusters that newcomers get",
                "tenants.sign_up.clusters of the settings");
  }
}

Answer invite(TenantDependencies const& own, invitations::Terms const& terms, net::HttpRequest request) {
  Body reader(request.body);
  if (reader.broken()) {
    co_return refusal(reader.problems());
  }
  Invitation invitation{tokens::random_text(10)};
  invitation.created_at_ms = now_ms(own);
  read_pattern(reader, invitation);
  read_plan(own, terms, reader, invitation);
  invitation.uses = reader.integer("uses", 1, uses_max, 1);
  std::int64_t const seconds = reader.integer("expires_in_s", 60, life_max_s, life_default_s);
  invitation.expires_at_ms = invitation.created_at_ms + seconds * 1000;
  invitation.note = reader.text("note", "");
  if (invitation.note.size() > note_max) {
    reader.fail("note", "has more than 200 characters", "a shorter one");
  }
  reader.finish();
  if (!reader.problems().empty()) {
    co_return refusal(reader.problems());
  }
  if (terms.door == invitations::Terms::Door::closed) {
    co_return wrong("tenants.sign_up.mode", "sign-ups are off in the settings", "invitation or open");
  }
  std::string const secret = "inv_" + tokens::random_text(32);
  store::Body body = [invitation, hash = tokens::digest(secret)](store::Write const& write) {
    return invitations::add(write, invitation, hash);
  };
  if (auto const done = co_await own.api.store.write(std::move(body)); !done) {
    co_return refusal(done.error(), About{"label", "see navigator invitation list"});
  }
  json::object answer = json_of(invitation, invitation.created_at_ms);
  answer["invitation"] = secret;
  net::HttpResponse response = reply(201, answer);
  response.headers.set("Cache-Control", "no-store");
  co_return response;
}

Answer list(TenantDependencies const& own, net::HttpRequest request) {
  auto const page = read_page(request, 100);
  if (!page) {
    co_return refusal(page.error());
  }
  using List = std::vector<Invitation>;
  std::function<base::Result<List>(database::Database&)> const read = [](database::Database& database) {
    return invitations::list(database);
  };
  auto const all = co_await own.api.store.thread().run<List>(read);
  if (!all) {
    co_return refusal(all.error());
  }
  std::vector<std::pair<std::string, json::value>> items;
  for (Invitation const& one : *all) {
    items.emplace_back(one.id, json_of(one, now_ms(own)));
  }
  co_return reply(200, page_of("invitations", std::move(items), *page));
}

Answer revoke(TenantDependencies const& own, net::HttpRequest request) {
  store::Body body = [id = request.parameters.at("id"), now = now_ms(own)](store::Write const& write) {
    return invitations::revoke(write, id, now);
  };
  auto const done = co_await own.api.store.write(std::move(body));
  co_return done ? reply_nothing() : refusal(done.error());
}

}  // namespace

void add_invitation_routes(net::Router& router, TenantDependencies const& own, invitations::Terms const& terms) {
  router.add("GET", "/v1/invitations", of_administrators(own, Where::primary, list));
  OwnRoute const make = [&terms](TenantDependencies const& of, net::HttpRequest request) {
    return invite(of, terms, std::move(request));
  };
  router.add("POST", "/v1/invitations", of_administrators(own, Where::primary, make));
  router.add("DELETE", "/v1/invitations/{id}", of_administrators(own, Where::primary, revoke));
}

}  // namespace api
