#include "dns-backend/api/audit_log/audit_log.hpp"

#include "dns-backend/api/tenants/routes.hpp"
#include "dns-backend/audit/audit.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace api {
namespace {

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;
using Shown = std::function<bool(audit::Entry const&)>;

// So many rows are looked through for one page of those that are shown; then the page is short, and has a next one.
constexpr std::size_t rows_max = 10000;
constexpr std::int64_t rows_at_once = 1000;

json::object json_of(audit::Entry const& entry) {
  return {{"id", entry.id},         {"at_ms", entry.at_ms},   {"actor", entry.actor},
          {"source", entry.source}, {"method", entry.method}, {"target", entry.target},
          {"status", entry.status}, {"detail", entry.detail}, {"request_id", entry.request_id}};
}

net::Task<net::HttpResponse> audit_page(TenantDependencies const& own, net::HttpRequest request, std::int64_t tenant_id,
                                        Shown shown) {
  auto const page = read_page(request, 100);
  if (!page) {
    co_return refusal(page.error());
  }
  std::int64_t const wanted = static_cast<std::int64_t>(page->limit) + 1;
  audit::Question question{tenant_id, 0, shown ? rows_at_once : wanted};
  char const* const end = page->cursor.data() + page->cursor.size();
  auto const [read, error] = std::from_chars(page->cursor.data(), end, question.before_id);
  if (!page->cursor.empty() && (error != std::errc() || read != end)) {
    co_return wrong("cursor", "'" + page->cursor.substr(0, 100) + "' is none", "the 'next' of the page before");
  }
  json::array list;
  std::int64_t last = 0;  // of the list, or looked through without a row for it
  bool more = false;
  for (std::size_t looked = 0; !more;) {
    auto const entries = co_await audit::read(own.api.store.thread(), question);
    if (!entries) {
      co_return refusal(entries.error());
    }
    for (audit::Entry const& entry : *entries) {
      if (more) {
        break;
      }
      if (shown && !shown(entry)) {
        continue;
      }
      more = list.size() == page->limit;
      if (!more) {
        list.push_back(json_of(entry));
        last = entry.id;
      }
    }
    looked += entries->size();
    if (static_cast<std::int64_t>(entries->size()) < question.limit) {
      break;
    }
    question.before_id = entries->back().id;
    if (!more && looked >= rows_max) {
      more = true;
      last = question.before_id;
    }
  }
  json::object body{{"entries", std::move(list)}};
  if (more) {
    body["next"] = std::to_string(last);
  }
  co_return reply(200, body);
}

Answer get_audit(TenantDependencies const& own, net::HttpRequest request) {
  Shown everything;
  co_return co_await audit_page(own, std::move(request), -1, std::move(everything));
}

Answer get_own_audit(TenantDependencies const& own, net::HttpRequest request, Caller caller) {
  Shown shown;
  if (!caller.admin && caller.token && !caller.token->scope.names.empty()) {
    shown = [caller, zone = own.policy.challenge_zone](audit::Entry const& entry) {
      std::string name = name_in_target(entry.target, caller.tenant.label + "." + caller.tenant.zone, zone);
      return !name.empty() && !outside_scope(caller, {"read", {}, std::move(name)});
    };
  }
  std::int64_t const tenant_id = caller.tenant.id;
  co_return co_await audit_page(own, std::move(request), tenant_id, std::move(shown));
}

std::vector<std::string> segments_of(std::string_view target) {
  target = target.substr(0, target.find('?'));
  std::vector<std::string> out;
  while (!target.empty()) {
    target.remove_prefix(1);
    std::size_t const end = std::min(target.find('/'), target.size());
    std::string one;
    if (!net::percent_decode(target.substr(0, end), one)) {
      return {};
    }
    out.push_back(std::move(one));
    target.remove_prefix(end);
  }
  return out;
}

std::string without_dot(std::string name) {
  if (name.ends_with('.')) {
    name.pop_back();
  }
  return name;
}

}  // namespace

std::string name_in_target(std::string_view target, std::string const& tenant_name, std::string const& challenge_zone) {
  // "v1", "tenants", label, kind, name
  constexpr std::size_t least = 5;
  std::vector<std::string> const path = segments_of(target);
  if (path.size() < least || path[0] != "v1" || path[1] != "tenants") {
    return {};
  }
  std::string const& kind = path[3];
  std::string const& name = path[4];
  if (kind == "domains" || kind == "certificates") {
    return without_dot(name);
  }
  if (kind == "registrations") {
    return without_dot(name + "." + challenge_zone);
  }
  if (kind != "records") {
    return {};
  }
  std::string const own = without_dot(tenant_name);
  bool const absolute = name.ends_with('.') || name == own || name.ends_with("." + own);
  return name == "@" ? own : absolute ? without_dot(name) : name + "." + own;
}

void add_audit_routes(net::Router& router, TenantDependencies const& own) {
  router.add("GET", "/v1/tenants/{label}/audit", of_tenant(own, "read", Where::primary, get_own_audit));
  router.add("GET", "/v1/audit", of_administrators(own, Where::primary, get_audit));
}

}  // namespace api
