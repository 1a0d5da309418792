#include "dns-backend/tokens/scope.hpp"

#include "dns-backend/dns/rrset.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace tokens {

namespace json = boost::json;

namespace {

std::string plain(std::string_view name) {
  std::string out(name.ends_with('.') && name.size() > 1 ? name.substr(0, name.size() - 1) : name);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// Of a scope that names no actions.
bool is_implied(Scope const& scope, std::string const& action) {
  bool const everywhere = scope.zones.empty() && scope.names.empty() && scope.types.empty();
  return everywhere || action == "read" || action == "records";
}

bool is_in(std::vector<std::string> const& list, std::string const& word) {
  return list.empty() || std::ranges::any_of(list, [&word](auto const& one) { return plain(one) == plain(word); });
}

std::vector<std::string> read_list(json::object const& body, std::string const& key, base::Problems& problems) {
  constexpr std::size_t items_max = 100;
  constexpr std::size_t length_max = 255;
  std::vector<std::string> out;
  auto const* const found = body.if_contains(key);
  auto const wrong = [&](std::string message, std::string hint) {
    problems.push_back({{"request body", 0, 0}, key, std::move(message), std::move(hint)});
  };
  if (found == nullptr) {
    return out;
  }
  if (!found->is_array() || found->get_array().size() > items_max) {
    wrong("must be a list of at most 100 texts", "an empty list is no restriction");
    return out;
  }
  for (auto const& one : found->get_array()) {
    if (!one.is_string() || one.get_string().empty() || one.get_string().size() > length_max) {
      wrong("must hold texts of 1 to 255 characters", "");
      return out;
    }
    out.emplace_back(one.get_string());
  }
  return out;
}

}  // namespace

std::vector<std::string> const& actions() {
  static std::vector<std::string> const all{"read",   "records", "domains",      "clusters",
                                            "tokens", "acme",    "certificates", "pools"};
  return all;
}

bool matches(std::string_view pattern_text, std::string_view name_text) {
  std::string const pattern = plain(pattern_text);
  std::string const name = plain(name_text);
  // Greedy with one place to come back to: linear in practice, quadratic at worst.
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string::npos;
  std::size_t resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

std::string forbidden(Scope const& scope, Deed const& deed) {
  if (scope.admin) {
    return {};
  }
  if (scope.actions.empty() ? !is_implied(scope, deed.action) : !is_in(scope.actions, deed.action)) {
    return "the action '" + deed.action + "'";
  }
  if (!deed.zone.empty() && !is_in(scope.zones, deed.zone)) {
    return "the zone '" + deed.zone + "'";
  }
  bool const named = scope.names.empty() || deed.name.empty() ||
                     std::ranges::any_of(scope.names, [&](auto const& one) { return matches(one, deed.name); });
  if (!named) {
    return "the name '" + deed.name + "'";
  }
  if (!deed.type.empty() && !is_in(scope.types, deed.type)) {
    return "the type " + deed.type;
  }
  return {};
}

json::object to_json(Scope const& scope) {
  return {{"admin", scope.admin},
          {"actions", json::value_from(scope.actions)},
          {"zones", json::value_from(scope.zones)},
          {"names", json::value_from(scope.names)},
          {"types", json::value_from(scope.types)}};
}

Scope read_scope(json::object const& body, base::Problems& problems) {
  Scope scope;
  auto const wrong = [&problems](std::string field, std::string message, std::string hint) {
    problems.push_back({{"request body", 0, 0}, std::move(field), std::move(message), std::move(hint)});
  };
  if (auto const* const admin = body.if_contains("admin"); admin != nullptr) {
    if (admin->is_bool()) {
      scope.admin = admin->get_bool();
    } else {
      wrong("admin", "must be true or false", "");
    }
  }
  scope.actions = read_list(body, "actions", problems);
  scope.zones = read_list(body, "zones", problems);
  scope.names = read_list(body, "names", problems);
  scope.types = read_list(body, "types", problems);
  for (std::string const& action : scope.actions) {
    if (std::ranges::find(actions(), action) == actions().end()) {
      wrong("actions", "'" + action + "' is no action",
            "read, records, domains, clusters, tokens, acme, certificates or pools");
    }
  }
  for (std::string const& zone : scope.zones) {
    if (!dns::Name::parse(zone)) {
      wrong("zones", "'" + zone + "' is no domain name", "for instance example.org");
    }
  }
  for (std::string const& type : scope.types) {
    if (!dns::parse_type(type)) {
      wrong("types", "'" + type + "' is no record type", "for instance TXT");
    }
  }
  return scope;
}

}  // namespace tokens
