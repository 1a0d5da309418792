#include "dns-backend/steering/reading/read.hpp"

#include "base/config/reader.hpp"
#include "base/probe/probe.hpp"
#include "dns-backend/dns/name.hpp"
#include "dns-backend/dns/rrset.hpp"
#include "dns-backend/steering/address.hpp"
#include "dns-backend/steering/reading/service_bindings.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace steering {

namespace {

using config::Reader;
using Keys = std::vector<char const*>;

constexpr std::uint32_t hour_ms = 3600000;
constexpr std::uint32_t day_s = 86400;
constexpr std::size_t name_octets_max = 63;

bool is_word(std::string const& text) {
  auto const good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !text.empty() && text.size() <= name_octets_max && std::all_of(text.begin(), text.end(), good);
}

// Rows of the store alone may be tenants'.
enum class From { operators, rows };

std::string read_name(Reader& reader, std::string const& wanted, From from = From::operators) {
  std::string const name = wanted.empty() ? reader.text("name") : reader.text("name", wanted);
  if (!wanted.empty() && name != wanted) {
    reader.fail("name", config::quoted(name) + " is not " + config::quoted(wanted), "an object cannot be renamed");
  } else if (!name.empty() && !is_word(name) && !(from == From::rows && tenant_of(name))) {
    reader.fail("name", config::quoted(name) + " is no name", "1 to 63 of a-z, A-Z, 0-9, '-', '_' and '.'");
  }
  return name;
}

// 0 to 1, kept in thousandths.
std::uint32_t read_share(Reader& reader, char const* key, std::uint32_t fallback) {
  auto const value = reader.optional_number(key, {0, 1});
  return value ? static_cast<std::uint32_t>(std::lround(*value * 1000)) : fallback;
}

// Cloudflare's `interval` is in seconds, our `interval_ms` in milliseconds.
std::uint32_t read_span(Reader& reader, std::string const& name, std::uint32_t least, std::uint32_t most,
                        std::uint32_t fallback) {
  std::string const ours = name + "_ms";
  auto const seconds = reader.optional_number(name, {least / 1000.0, most / 1000.0});
  if (seconds && reader.has(ours)) {
    reader.fail(name, "is given beside " + config::quoted(ours), "leave one of them out");
  }
  std::uint32_t const otherwise = seconds ? static_cast<std::uint32_t>(std::lround(*seconds * 1000)) : fallback;
  return reader.integer<std::uint32_t>(ours, {least, most}, otherwise);
}

void refuse_for(Reader& reader, std::string const& type, Keys const& keys) {
  for (char const* const key : keys) {
    if (reader.has(key)) {
      reader.fail(key, "means nothing to a monitor of type " + type);
    }
  }
}

bool is_header_name(std::string const& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
  });
}

void read_http(Reader& reader, Monitor& monitor) {
  monitor.method = reader.text("method", monitor.method);
  if (monitor.method.empty() ||
      !std::all_of(monitor.method.begin(), monitor.method.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
    reader.fail("method", config::quoted(monitor.method) + " is no method", "for instance GET or HEAD");
  }
  monitor.path = reader.text("path", monitor.path);
  bool const plain = std::all_of(monitor.path.begin(), monitor.path.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!monitor.path.starts_with('/') || !plain) {
    reader.fail("path", config::quoted(monitor.path) + " is no path", "it begins with '/' and is percent-encoded");
  }
  monitor.host = reader.text("host", "");
  if (!monitor.host.empty() && parse_host(monitor.host).empty() && !parse_address(monitor.host)) {
    reader.fail("host", config::quoted(monitor.host) + " is no host name");
  }
  for (auto const& [name, value] : reader.text_map("header")) {
    bool const clean = std::all_of(value.begin(), value.end(),
                                   [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; });
    if (!is_header_name(name) || !clean) {
      reader.fail("header", config::quoted(name) + " is no header field with a value of one line");
    }
    monitor.header[name] = value;
  }
  monitor.expected_codes = reader.text("expected_codes", monitor.expected_codes);
  if (!probe::valid_codes(monitor.expected_codes)) {
    reader.fail("expected_codes", config::quoted(monitor.expected_codes) + " is no list of status codes",
                "for instance 2xx or 200,301-399");
  }
  monitor.expected_body = reader.text("expected_body", "");
  monitor.expected_body_pattern = reader.text("expected_body_pattern", "");
  monitor.follow_redirects = reader.boolean("follow_redirects", monitor.follow_redirects);
  if (monitor.type == "https") {
    monitor.allow_insecure = reader.boolean("allow_insecure", monitor.allow_insecure);
    monitor.ca_file = reader.text("ca_file", "");
  } else {
    refuse_for(reader, monitor.type, {"allow_insecure", "ca_file"});
  }
}

void read_dns(Reader& reader, Monitor& monitor) {
  monitor.qname = reader.text("qname");
  if (auto const name = dns::Name::parse(monitor.qname)) {
    monitor.qname = name->text();
  } else if (!monitor.qname.empty()) {
    reader.fail("qname", name.error().detail);
  }
  monitor.qtype = reader.text("qtype", monitor.qtype);
  auto const type = dns::parse_type(monitor.qtype);
  if (!type || !dns::is_storable(*type)) {
    reader.fail("qtype", config::quoted(monitor.qtype) + " is no record type");
  } else {
    monitor.qtype = dns::to_text(*type);
  }
  monitor.expected_content = reader.text("expected_content", "");
}

Monitor read_monitor(Reader& reader, std::string const& name, From from) {
  static std::vector<std::pair<std::string, std::string>> const types{
      {"tcp", "tcp"}, {"http", "http"}, {"https", "https"}, {"dns", "dns"}, {"icmp", "icmp"}, {"push", "push"}};
  Monitor monitor;
  monitor.name = read_name(reader, name, from);
  monitor.description = reader.text("description", "");
  if (!reader.has("type")) {
    reader.fail("type", "the key 'type' is missing", "tcp, http, https, dns, icmp or push");
  } else {
    monitor.type = reader.choice<std::string>("type", types, monitor.type);
  }
  bool const http = monitor.type == "http" || monitor.type == "https";
  if (http) {
    read_http(reader, monitor);
  } else {
    refuse_for(reader, monitor.type,
               {"method", "path", "host", "header", "expected_codes", "expected_body", "expected_body_pattern",
                "follow_redirects", "allow_insecure", "ca_file"});
  }
  if (monitor.type == "dns") {
    read_dns(reader, monitor);
  } else {
    refuse_for(reader, monitor.type, {"qname", "qtype", "expected_content"});
  }
  if (monitor.type == "icmp" || monitor.type == "push") {
    refuse_for(reader, monitor.type, {"port"});
  } else {
    monitor.port = reader.integer<std::uint16_t>("port", {0, 65535}, 0);
  }
  monitor.interval_ms = read_span(reader, "interval", 100, hour_ms, monitor.interval_ms);
  if (monitor.type == "push") {
    refuse_for(reader, monitor.type, {"timeout", "timeout_ms", "retries"});
  } else {
    monitor.timeout_ms = read_span(reader, "timeout", 10, 60000, monitor.timeout_ms);
    monitor.retries = reader.integer<std::uint32_t>("retries", {0, 5}, monitor.retries);
  }
  monitor.consecutive_up = reader.integer<std::uint32_t>("consecutive_up", {1, 100}, monitor.consecutive_up);
  monitor.consecutive_down = reader.integer<std::uint32_t>("consecutive_down", {1, 100}, monitor.consecutive_down);
  return monitor;
}

// An IP address of an optional field, as everybody writes it.
std::string read_ip(Reader& reader, char const* key, bool ipv6_only) {
  std::string const text = reader.text(key, "");
  if (text.empty()) {
    return {};
  }
  auto const address = parse_address(text);
  if (!address || !address->target.empty()) {
    reader.fail(key, config::quoted(text) + " is not an IP address");
    return text;
  }
  if (ipv6_only && address->v6.empty()) {
    reader.fail(key, config::quoted(text) + " is not an IPv6 address", "an IPv4 address belongs into 'address'");
  }
  return address->v4 + address->v6;
}

Origin read_origin(Reader& reader) {
  Origin origin;
  origin.name = read_name(reader, "");
  origin.address = reader.text("address");
  auto const address = parse_address(origin.address);
  if (address) {
    origin.address = address->v4 + address->v6 + address->target;
  } else if (!origin.address.empty()) {
    reader.fail("address", config::quoted(origin.address) + " is neither an IP address nor a host name");
  }
  origin.address6 = read_ip(reader, "address6", true);
  if (!origin.address6.empty() && address && address->v4.empty()) {
    reader.fail("address6", "stands beside an IPv4 address only", "this origin's address is " + origin.address);
  }
  origin.port = reader.integer<std::uint16_t>("port", {0, 65535}, 0);
  origin.weight_permille = read_share(reader, "weight", origin.weight_permille);
  origin.enabled = reader.boolean("enabled", true);
  origin.probe_address = read_ip(reader, "probe_address", false);
  return origin;
}

void read_coordinates(Reader& reader, Pool& pool) {
  auto const latitude = reader.optional_number("latitude", {-90, 90});
  auto const longitude = reader.optional_number("longitude", {-180, 180});
  if (reader.has("latitude") != reader.has("longitude")) {
    reader.fail(reader.has("latitude") ? "latitude" : "longitude", "latitude and longitude come together");
  }
  if (latitude && longitude) {
    pool.coordinates = pool::Coordinates{*latitude, *longitude};
  }
}

// Names of pools; one that is named twice is a problem.
std::vector<std::string> read_names(Reader& reader, char const* key) {
  std::vector<std::string> names = reader.texts(key);
  std::set<std::string> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty() && !seen.insert(names[i]).second) {
      reader.fail_item(key, i, config::quoted(names[i]) + " is named twice");
    }
  }
  return names;
}

Pool read_pool(Reader& reader, std::string const& name, From from) {
  Pool pool;
  pool.name = read_name(reader, name, from);
  pool.description = reader.text("description", "");
  pool.enabled = reader.boolean("enabled", true);
  pool.monitor = reader.text("monitor", "");
  std::set<std::string> seen;
  for (Reader& section : reader.sections("origins")) {
    Origin origin = read_origin(section);
    if (!origin.name.empty() && !seen.insert(origin.name).second) {
      section.fail("name", "the pool has an origin " + config::quoted(origin.name) + " already");
    }
    pool.origins.push_back(std::move(origin));
  }
  pool.pools = read_names(reader, "pools");
  pool.minimum_origins = reader.integer<std::uint32_t>("minimum_origins", {0, 10000}, pool.minimum_origins);
  if (auto section = reader.optional_section("origin_steering")) {
    pool.origin_steering = section->choice("policy", origin_words(), pool.origin_steering);
  }
  pool.origins_max = reader.integer<std::uint32_t>("origins_max", {0, 10000}, pool.origins_max);
  read_coordinates(reader, pool);
  pool.site = reader.text("site", "");
  pool.all_down = reader.choice("all_down", all_down_words(), pool.all_down);
  if (auto section = reader.optional_section("load_shedding")) {
    pool.shed_at_permille = read_share(*section, "shed_at", 0);
  }
  pool.quorum = reader.integer<std::uint32_t>("quorum", {0, 1000}, pool.quorum);
  if (from == From::rows && tenant_of(pool.name)) {
    pool.title = reader.text("title", "");
    pool.names = reader.texts("names");
  }
  return pool;
}

std::string read_balancer_name(Reader& reader, std::string const& wanted) {
  std::string const text = wanted.empty() ? reader.text("name") : reader.text("name", wanted);
  auto const name = dns::Name::parse(text);
  if (!name) {
    reader.fail("name", text.empty() ? "may not be empty" : name.error().detail);
    return text;
  }
  if (name->is_root()) {
    reader.fail("name", "the root is no name of a load balancer");
  }
  if (!wanted.empty() && name->text() != wanted) {
    reader.fail("name", config::quoted(text) + " is not " + config::quoted(wanted), "an object cannot be renamed");
  }
  return name->text();
}

// A country ("DE") or continent ("EU") is two capitals; every other word is a name of the operator's map of addresses.
bool is_region(std::string const& code) {
  bool const letters = code.size() == 2 && std::isalpha(static_cast<unsigned char>(code[0])) != 0 &&
                       std::isalpha(static_cast<unsigned char>(code[1])) != 0;
  return is_word(code) && (!letters || (code[0] >= 'A' && code[0] <= 'Z' && code[1] >= 'A' && code[1] <= 'Z'));
}

void read_regions(Reader& reader, Balancer& balancer) {
  auto section = reader.optional_section("region_pools");
  for (std::string const& code : section ? section->keys() : std::vector<std::string>()) {
    if (!is_region(code)) {
      section->fail(code, config::quoted(code) + " is no region",
                    "a country or continent in two capital letters, or a name of the address map");
    }
    balancer.region_pools[code] = read_names(*section, code.c_str());
    if (balancer.region_pools[code].empty()) {
      section->fail(code, "names no pool");
    }
  }
}

void read_weights(Reader& reader, Balancer& balancer) {
  auto section = reader.optional_section("random_steering");
  if (!section) {
    return;
  }
  auto weights = section->optional_section("pool_weights");
  for (auto const& [pool, text] : section->text_map("pool_weights")) {
    balancer.pool_weights_permille[pool] = read_share(*weights, pool.c_str(), 1000);
  }
}

Balancer read_balancer(Reader& reader, std::string const& name) {
  Balancer balancer;
  balancer.name = read_balancer_name(reader, name);
  balancer.description = reader.text("description", "");
  balancer.enabled = reader.boolean("enabled", true);
  balancer.default_pools = read_names(reader, "default_pools");
  if (balancer.default_pools.empty()) {
    reader.fail("default_pools", "names no pool");
  }
  balancer.fallback_pool = reader.text("fallback_pool", "");
  read_regions(reader, balancer);
  read_weights(reader, balancer);
  balancer.steering_policy = reader.choice("steering_policy", steering_words(), balancer.steering_policy);
  balancer.ttl = reader.integer<std::uint32_t>("ttl", {1, day_s}, balancer.ttl);
  balancer.failback_s = reader.integer<std::uint32_t>("failback_s", {0, day_s}, balancer.failback_s);
  balancer.service_bindings = read_service_bindings(reader, balancer.name);
  return balancer;
}

Object read_one(Reader& reader, Kind kind, std::string const& name, From from = From::operators) {
  switch (kind) {
    case Kind::monitor:
      return read_monitor(reader, name, from);
    case Kind::pool:
      return read_pool(reader, name, from);
    case Kind::load_balancer:
      break;
  }
  return read_balancer(reader, name);
}

}  // namespace

std::string canonical_name(Kind kind, std::string const& name) {
  auto const parsed = kind == Kind::load_balancer ? dns::Name::parse(name) : base::Result<dns::Name>(dns::Name());
  return kind == Kind::load_balancer && parsed ? parsed->text() : name;
}

namespace {

Read<Object> read_from(config::Document const& document, Kind kind, std::string const& name, From from) {
  base::Problems problems;
  Reader reader(document, problems);
  Object object = read_one(reader, kind, canonical_name(kind, name), from);
  reader.finish();
  if (!problems.empty()) {
    return problems;
  }
  return object;
}

}  // namespace

Read<Object> read_object(config::Document const& document, Kind kind, std::string const& name) {
  return read_from(document, kind, name, From::operators);
}

Read<Object> read_row(config::Document const& document, Kind kind, std::string const& name) {
  return read_from(document, kind, name, From::rows);
}

Read<Objects> read_objects(config::Document const& document) {
  base::Problems problems;
  Reader root(document, problems);
  Objects objects;
  for (Kind const kind : kinds) {
    for (Reader& section : root.sections(plural(kind))) {
      Object object = read_one(section, kind, {});
      if (find(objects, kind, name_of(object))) {
        section.fail("name",
                     std::string("two of the ") + plural(kind) + " are called " + config::quoted(name_of(object)));
      }
      put(objects, std::move(object));
    }
  }
  root.finish();
  if (!problems.empty()) {
    return problems;
  }
  return objects;
}

}  // namespace steering
