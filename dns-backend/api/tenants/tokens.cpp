// Tokens: of administrators, and of a tenant.
#include "dns-backend/api/tenants/routes.hpp"

#include <algorithm>

namespace api {
namespace {

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;

constexpr std::int64_t lifetime_max_s = 10LL * 366 * 24 * 3600;
constexpr std::size_t note_max = 200;
constexpr About about_note{"label", "a tenant that is there"};

// Every list of `inner` lies within the one of `outer`.
bool within(std::vector<std::string> const& inner, std::vector<std::string> const& outer) {
  if (outer.empty()) {
    return true;
  }
  return !inner.empty() && std::ranges::all_of(inner, [&outer](std::string const& one) {
    return std::ranges::find(outer, one) != outer.end();
  });
}

// A token makes none that reaches further than itself.
void check_reach(Body& reader, tokens::Token const& maker, tokens::Token const& wanted) {
  auto const check = [&reader](char const* field, auto const& inner, auto const& outer) {
    if (!within(inner, outer)) {
      reader.fail(field, "reaches further than the token that asks", "a list of what that token has");
    }
  };
  check("actions", wanted.scope.actions, maker.scope.actions);
  check("zones", wanted.scope.zones, maker.scope.zones);
  check("names", wanted.scope.names, maker.scope.names);
  check("types", wanted.scope.types, maker.scope.types);
  if (maker.expires_at_ms != 0 && (wanted.expires_at_ms == 0 || wanted.expires_at_ms > maker.expires_at_ms)) {
    reader.fail("expires_in_s", "outlives the token that asks", "a shorter time");
  }
}

tokens::Token read_token(TenantDependencies const& own, Body& reader, std::string const& text, bool of_tenant) {
  tokens::Token token;
  token.created_at_ms = now_ms(own);
  token.note = reader.text("note", "");
  if (token.note.size() > note_max) {
    reader.fail("note", "has more than 200 characters", "a shorter one");
  }
  std::int64_t const seconds = reader.integer("expires_in_s", 0, lifetime_max_s, 0);
  token.expires_at_ms = seconds == 0 ? 0 : token.created_at_ms + seconds * 1000;
  for (char const* const key : {"actions", "zones", "names", "types"}) {
    reader.texts(key, false);
  }
  bool const admin = reader.has("admin");
  reader.note("admin");
  reader.finish();
  boost::system::error_code bad;
  json::value const body = json::parse(text, bad);
  base::Problems problems;
  if (!bad && body.is_object() && reader.problems().empty()) {
    token.scope = tokens::read_scope(body.get_object(), problems);
  }
  for (base::Problem const& one : problems) {
    reader.fail(one.path, one.message, one.hint);
  }
  if (of_tenant && admin && token.scope.admin) {
    reader.fail("admin", "is not for a tenant's token", "leave it out");
  }
  if (!of_tenant && !token.scope.admin && reader.problems().empty()) {
    reader.fail("admin", "must be true: a token of no tenant is an administrator's", "or make it at a tenant");
  }
  return token;
}

net::HttpResponse shown_once(tokens::Made const& made) {
  json::object body = to_json(made.token);
  body["token"] = made.secret;
  net::HttpResponse response = reply(201, body);
  response.headers.set("Cache-Control", "no-store");
  return response;
}

// Whether a token with name patterns may see another one: of names that it reaches itself.
bool is_seen(Caller const& caller, tokens::Token const& other) {
  if (caller.admin || !caller.token || caller.token->scope.names.empty()) {
    return true;
  }
  std::vector<std::string> const& outer = caller.token->scope.names;
  std::vector<std::string> const& inner = other.scope.names;
  return !inner.empty() && std::ranges::all_of(inner, [&outer](std::string const& name) {
    return std::ranges::any_of(outer, [&name](std::string const& one) { return tokens::matches(one, name); });
  });
}

net::HttpResponse listed(std::vector<tokens::Token> const& tokens, net::HttpRequest const& request) {
  auto const page = read_page(request, 100);
  if (!page) {
    return refusal(page.error());
  }
  std::vector<std::pair<std::string, json::value>> items;
  for (tokens::Token const& token : tokens) {
    items.emplace_back(token.id, to_json(token));
  }
  return reply(200, page_of("tokens", std::move(items), *page));
}

Answer list_all(TenantDependencies const& own, net::HttpRequest request) {
  co_return listed(own.tokens.all(), request);
}

Answer make_for_admin(TenantDependencies const& own, net::HttpRequest request) {
  Body reader(request.body);
  tokens::Token token = read_token(own, reader, request.body, false);
  if (!reader.problems().empty()) {
    co_return refusal(reader.problems());
  }
  auto const made = co_await own.tokens.make(std::move(token), own.policy);
  co_return made ? shown_once(*made) : refusal(made.error(), about_note);
}

Answer revoke_any(TenantDependencies const& own, net::HttpRequest request) {
  auto const done = co_await own.tokens.revoke(request.parameters.at("id"), now_ms(own));
  co_return done ? reply_nothing() : refusal(done.error());
}

Answer list_own(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  std::vector<tokens::Token> list = own.tokens.of(caller.tenant.id);
  std::erase_if(list, [&caller](tokens::Token const& one) { return !is_seen(caller, one); });
  co_return listed(list, request);
}

Answer make_own(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  Body reader(request.body);
  tokens::Token token = read_token(own, reader, request.body, true);
  token.tenant_id = caller.tenant.id;
  if (caller.token && !caller.admin && reader.problems().empty()) {
    check_reach(reader, *caller.token, token);
  }
  if (!reader.problems().empty()) {
    co_return refusal(reader.problems());
  }
  auto const made = co_await own.tokens.make(std::move(token), own.policy);
  co_return made ? shown_once(*made) : refusal(made.error(), about_note);
}

Answer revoke_own(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  std::string const id = request.parameters.at("id");
  tokens::Token const* const token = own.tokens.by_id(id);
  if (token == nullptr || token->tenant_id != caller.tenant.id) {
    co_return refusal(base::fail(store::errc::not_found, "there is no token '" + id + "'"));
  }
  if (!is_seen(caller, *token)) {
    co_return net::HttpResponse::problem(403, "outside the token's scope",
                                         "the token '" + id + "' has names that the one that asks does not reach");
  }
  auto const done = co_await own.tokens.revoke(id, now_ms(own));
  co_return done ? reply_nothing() : refusal(done.error());
}

}  // namespace

json::object to_json(tokens::Token const& token) {
  json::object body{{"id", token.id},
                    {"tenant_id", token.tenant_id},
                    {"note", token.note},
                    {"created_at_ms", token.created_at_ms},
                    {"expires_at_ms", token.expires_at_ms},
                    {"revoked_at_ms", token.revoked_at_ms}};
  for (auto const& member : tokens::to_json(token.scope)) {
    body[member.key()] = member.value();
  }
  return body;
}

void add_token_routes(net::Router& router, TenantDependencies const& own) {
  router.add("GET", "/v1/tokens", of_administrators(own, Where::primary, list_all));
  router.add("POST", "/v1/tokens", of_administrators(own, Where::primary, make_for_admin));
  router.add("DELETE", "/v1/tokens/{id}", of_administrators(own, Where::primary, revoke_any));
  std::string const tokens = "/v1/tenants/{label}/tokens";
  router.add("GET", tokens, of_tenant(own, "tokens", Where::primary, list_own));
  router.add("POST", tokens, of_tenant(own, "tokens", Where::primary, make_own));
  router.add("DELETE", tokens + "/{id}", of_tenant(own, "tokens", Where::primary, revoke_own));
}

}  // namespace api
