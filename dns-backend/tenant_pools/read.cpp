#include "dns-backend/tenant_pools/read.hpp"

#include "dns-backend/dns/name.hpp"
#include "dns-backend/steering/address.hpp"
#include "dns-backend/steering/reading/read.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <set>

namespace tenant_pools {
namespace {

namespace json = boost::json;
using Keys = std::vector<std::string>;

Keys const pool_keys{"name", "origins", "names", "minimum_origins", "monitor"};
Keys const origin_keys{"address", "address6", "port", "weight", "enabled"};
Keys const monitor_keys{"type",       "port",           "method",          "path",
                        "host",       "expected_codes", "expected_body",   "interval_ms",
                        "timeout_ms", "consecutive_up", "consecutive_down"};

class Reading {
 public:
  Reading(std::string title, Boundaries const& boundaries, tenants::Plan const& plan)
      : title_(std::move(title)), boundaries_(boundaries), plan_(plan) {}

  boost::system::result<Wanted, base::Problems> run(std::string_view text) {
    boost::system::error_code bad;
    json::value value = json::parse(text, bad);
    if (bad || !value.is_object()) {
      fail("", "must be a JSON object", "see /v1/openapi.yaml");
      return problems_;
    }
    json::object body = std::move(value.get_object());
    look_at_title(body);
    keep(body, pool_keys, "");
    json::value monitor = json::object{{"type", "tcp"}};
    if (auto const found = body.find("monitor"); found != body.end()) {
      monitor = found->value().is_null() ? monitor : found->value();
      body.erase("monitor");
    }
    number_origins(body);
    body["name"] = row_name;
    take_pool(body);
    take_monitor(std::move(monitor));
    if (pool_read_) {
      look_at_origins();
      look_at_names();
    }
    if (!problems_.empty()) {
      return problems_;
    }
    wanted_.pool.title = title_;
    return std::move(wanted_);
  }

 private:
  static constexpr char const* row_name = "tenant-1/1";

  void fail(std::string field, std::string message, std::string hint) {
    problems_.push_back({{"request body", 0, 0}, std::move(field), std::move(message), std::move(hint)});
  }

  // The reader of operators' objects knows more fields than tenants have.
  void keep(json::object& object, Keys const& keys, std::string const& path) {
    std::string list;
    for (std::string const& key : keys) {
      list += (list.empty() ? "" : ", ") + key;
    }
    Keys others;
    for (auto const& member : object) {
      if (std::ranges::find(keys, member.key()) == keys.end()) {
        others.emplace_back(member.key());
      }
    }
    for (std::string const& key : others) {
      fail(path + key.substr(0, 100), "is no field that tenants have here", "there are " + list);
      object.erase(key);
    }
  }

  void look_at_title(json::object const& body) {
    constexpr std::size_t octets_max = 63;
    bool const fine = !title_.empty() && title_.size() <= octets_max && std::ranges::all_of(title_, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
    if (!fine) {
      fail("name", "'" + title_.substr(0, 100) + "' is no name of a pool", "1 to 63 of a-z, 0-9 and '-'");
    }
    if (auto const* const name = body.if_contains("name");
        name != nullptr && !(name->is_string() && name->get_string() == title_)) {
      fail("name", "is not the name that was asked for", "a pool cannot be renamed: make another");
    }
  }

  void number_origins(json::object& body) {
    auto* const origins = body.if_contains("origins");
    if (origins == nullptr || !origins->is_array()) {
      return;
    }
    std::size_t number = 0;
    for (json::value& one : origins->get_array()) {
      if (one.is_object()) {
        keep(one.get_object(), origin_keys, "origins[" + std::to_string(number) + "].");
        one.get_object()["name"] = std::to_string(number + 1);
      }
      ++number;
    }
  }

  void take(base::Problems const& problems, std::string const& path) {
    for (base::Problem problem : problems) {
      problem.place = {"request body", 0, 0};
      problem.path = path + problem.path;
      if (problem.hint.empty()) {
        problem.hint = "see /v1/openapi.yaml";
      }
      problems_.push_back(std::move(problem));
    }
  }

  void take_pool(json::object const& body) {
    auto object = steering::read_json_row(json::serialize(body), steering::Kind::pool, row_name);
    pool_read_ = object.has_value();
    if (object) {
      wanted_.pool = std::get<steering::Pool>(std::move(*object));
    } else {
      take(object.error(), "");
    }
  }

  void take_monitor(json::value given) {
    if (!given.is_object()) {
      fail("monitor", "must be an object", "for instance {\"type\": \"tcp\"}");
      return;
    }
    keep(given.get_object(), monitor_keys, "monitor.");
    auto object = steering::read_json_object(json::serialize(given), steering::Kind::monitor, "own");
    if (!object) {
      take(object.error(), "monitor.");
      return;
    }
    steering::Monitor& monitor = wanted_.monitor = std::get<steering::Monitor>(std::move(*object));
    if (monitor.type != "tcp" && monitor.type != "http" && monitor.type != "https") {
      fail("monitor.type", "'" + monitor.type + "' is not for tenants", "tcp, http or https");
    }
    if (monitor.method != "GET" && monitor.method != "HEAD") {
      fail("monitor.method", "'" + monitor.method.substr(0, 100) + "' is not for tenants", "GET or HEAD");
    }
    if (monitor.interval_ms < interval_least_ms) {
      fail("monitor.interval_ms", "is less than " + std::to_string(interval_least_ms), "check less often");
    }
    if (monitor.timeout_ms > timeout_most_ms || monitor.timeout_ms >= monitor.interval_ms) {
      fail("monitor.timeout_ms", "is more than " + std::to_string(timeout_most_ms) + ", or not less than interval_ms",
           "for instance 1000");
    }
    if (monitor.type == "tcp" && monitor.port == 0) {
      monitor.port = https_port;
    }
  }

  void look_at(std::string const& field, std::string const& text) {
    auto const address = steering::parse_address(text);
    if (!address || !address->target.empty()) {
      fail(field, "'" + text.substr(0, 300) + "' is no IP address", "host names are not for tenants' origins");
      return;
    }
    if (std::string const why = why_refused(text, boundaries_); !why.empty()) {
      fail(field, "'" + text + "' cannot be an origin: " + why, "a public address of a host of yours");
    }
  }

  void look_at_origins() {
    std::vector<steering::Origin> const& origins = wanted_.pool.origins;
    if (origins.empty() || origins.size() > plan_.origins) {
      fail("origins", "there are " + std::to_string(origins.size()),
           "1 to " + std::to_string(plan_.origins) + " by the plan '" + plan_.name + "'");
    }
    std::set<std::pair<std::string, std::uint16_t>> seen;
    std::size_t enabled = 0;
    for (std::size_t i = 0; i < origins.size(); ++i) {
      std::string const path = "origins[" + std::to_string(i) + "].";
      look_at(path + "address", origins[i].address);
      if (!origins[i].address6.empty()) {
        look_at(path + "address6", origins[i].address6);
      }
      if (!seen.emplace(origins[i].address, origins[i].port).second) {
        fail(path + "address", "'" + origins[i].address + "' is named twice with this port", "each origin once");
      }
      enabled += origins[i].enabled ? 1U : 0U;
    }
    if (std::max<std::size_t>(wanted_.pool.minimum_origins, 1) > enabled) {
      fail("minimum_origins", "there are " + std::to_string(enabled) + " enabled origins: it can never be healthy",
           "enable more, or ask for fewer");
    }
  }

  void look_at_names() {
    std::vector<std::string>& names = wanted_.pool.names;
    if (names.size() > names_max) {
      fail("names", "there are " + std::to_string(names.size()), "at most " + std::to_string(names_max));
    }
    std::set<std::string> seen;
    for (std::size_t i = 0; i < names.size(); ++i) {
      std::string& name = names[i];
      std::ranges::transform(name, name.begin(),
                             [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
      if (!is_relative(name)) {
        fail("names[" + std::to_string(i) + "]", "'" + name.substr(0, 300) + "' is no name below the tenant's",
             "@ is the tenant's own, * what is below; else for instance www");
      } else if (!seen.insert(name).second) {
        fail("names[" + std::to_string(i) + "]", "'" + name + "' is named twice", "each name once");
      }
    }
  }

  // "@", "*", or labels with '.' between them, the first perhaps '*'.
  static bool is_relative(std::string const& name) {
    constexpr std::size_t octets_max = 120;
    if (name == "@") {
      return true;
    }
    auto const letters = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    };
    std::string_view const rest = name == "*" ? "a" : name.starts_with("*.") ? std::string_view(name).substr(2) : name;
    return !rest.empty() && rest.size() <= octets_max && std::ranges::all_of(rest, letters) &&
           rest.find("..") == std::string_view::npos && rest.front() != '.' && rest.back() != '.' &&
           dns::Name::parse(std::string(rest)).has_value();
  }

  static constexpr std::uint16_t https_port = 443;

  std::string title_;
  Boundaries const& boundaries_;
  tenants::Plan const& plan_;
  Wanted wanted_;
  bool pool_read_ = false;
  base::Problems problems_;
};

}  // namespace

boost::system::result<Wanted, base::Problems> read(std::string_view body, std::string const& title,
                                                   Boundaries const& boundaries, tenants::Plan const& plan) {
  return Reading(title, boundaries, plan).run(body);
}

}  // namespace tenant_pools
