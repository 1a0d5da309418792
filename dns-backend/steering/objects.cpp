#include "dns-backend/steering/objects.hpp"

#include "dns-backend/steering/service_bindings.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value_from.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace steering {

namespace {

namespace json = boost::json;

template <class Map>
void compare(Difference& out, Kind kind, Map const& before, Map const& after) {
  std::string const head = std::string(word(kind)) + " ";
  for (auto const& [name, object] : after) {
    auto const old = before.find(name);
    if (old == before.end()) {
      out.added.push_back(head + name);
    } else if (!(old->second == object)) {
      out.changed.push_back(head + name);
    }
  }
  for (auto const& [name, object] : before) {
    if (!after.contains(name)) {
      out.removed.push_back(head + name);
    }
  }
}

// 1 rather than 1.0, which is what people write.
json::value share(std::uint32_t permille) {
  constexpr std::uint32_t one = 1000;
  return permille % one == 0 ? json::value(permille / one) : json::value(permille / 1000.0);
}

template <class Words, class T>
std::string word_of(Words const& words, T value) {
  auto const found = std::find_if(words.begin(), words.end(), [value](auto const& one) { return one.second == value; });
  ASSERT(found != words.end());
  return found->first;
}

void add_http(json::object& out, Monitor const& monitor) {
  out["method"] = monitor.method;
  out["path"] = monitor.path;
  out["host"] = monitor.host;
  out["header"] = json::value_from(monitor.header);
  out["expected_codes"] = monitor.expected_codes;
  out["expected_body"] = monitor.expected_body;
  out["expected_body_pattern"] = monitor.expected_body_pattern;
  out["follow_redirects"] = monitor.follow_redirects;
  if (monitor.type == "https") {
    out["allow_insecure"] = monitor.allow_insecure;
    out["ca_file"] = monitor.ca_file;
  }
}

json::object json_of(Monitor const& monitor) {
  json::object out;
  out["name"] = monitor.name;
  out["description"] = monitor.description;
  out["type"] = monitor.type;
  if (monitor.type != "icmp" && monitor.type != "push") {
    out["port"] = monitor.port;
  }
  if (monitor.type == "http" || monitor.type == "https") {
    add_http(out, monitor);
  }
  if (monitor.type == "dns") {
    out["qname"] = monitor.qname;
    out["qtype"] = monitor.qtype;
    out["expected_content"] = monitor.expected_content;
  }
  out["interval_ms"] = monitor.interval_ms;
  if (monitor.type != "push") {
    out["timeout_ms"] = monitor.timeout_ms;
    out["retries"] = monitor.retries;
  }
  out["consecutive_up"] = monitor.consecutive_up;
  out["consecutive_down"] = monitor.consecutive_down;
  return out;
}

json::object json_of(Origin const& origin) {
  json::object out;
  out["name"] = origin.name;
  out["address"] = origin.address;
  if (!origin.address6.empty()) {
    out["address6"] = origin.address6;
  }
  if (origin.port != 0) {
    out["port"] = origin.port;
  }
  out["weight"] = share(origin.weight_permille);
  out["enabled"] = origin.enabled;
  if (!origin.probe_address.empty()) {
    out["probe_address"] = origin.probe_address;
  }
  return out;
}

json::object json_of(Pool const& pool) {
  json::object out;
  out["name"] = pool.name;
  out["description"] = pool.description;
  out["enabled"] = pool.enabled;
  out["monitor"] = pool.monitor;
  json::array origins;
  for (Origin const& origin : pool.origins) {
    origins.push_back(json_of(origin));
  }
  out["origins"] = std::move(origins);
  out["pools"] = json::value_from(pool.pools);
  out["minimum_origins"] = pool.minimum_origins;
  out["origin_steering"] = json::object{{"policy", word_of(origin_words(), pool.origin_steering)}};
  out["origins_max"] = pool.origins_max;
  if (pool.coordinates) {
    out["latitude"] = pool.coordinates->latitude;
    out["longitude"] = pool.coordinates->longitude;
  }
  out["site"] = pool.site;
  out["all_down"] = word_of(all_down_words(), pool.all_down);
  if (pool.shed_at_permille != 0) {
    out["load_shedding"] = json::object{{"shed_at", share(pool.shed_at_permille)}};
  }
  out["quorum"] = pool.quorum;
  if (tenant_of(pool.name)) {
    out["title"] = pool.title;
    out["names"] = json::value_from(pool.names);
  }
  return out;
}

json::object json_of(Balancer const& balancer) {
  json::object out;
  out["name"] = balancer.name;
  out["description"] = balancer.description;
  out["enabled"] = balancer.enabled;
  out["default_pools"] = json::value_from(balancer.default_pools);
  out["fallback_pool"] = balancer.fallback_pool;
  out["region_pools"] = json::value_from(balancer.region_pools);
  if (!balancer.pool_weights_permille.empty()) {
    json::object weights;
    for (auto const& [pool, permille] : balancer.pool_weights_permille) {
      weights[pool] = share(permille);
    }
    out["random_steering"] = json::object{{"pool_weights", std::move(weights)}};
  }
  out["steering_policy"] = word_of(steering_words(), balancer.steering_policy);
  out["ttl"] = balancer.ttl;
  out["failback_s"] = balancer.failback_s;
  if (!balancer.service_bindings.empty()) {
    json::array bindings;
    for (ServiceBinding const& binding : balancer.service_bindings) {
      bindings.push_back(to_json(binding));
    }
    out["service_bindings"] = std::move(bindings);
  }
  return out;
}

template <class Map>
json::array list_of(Map const& map) {
  json::array list;
  for (auto const& [name, object] : map) {
    list.push_back(json_of(object));
  }
  return list;
}

}  // namespace

std::string tenant_object(std::int64_t tenant, unsigned number) {
  return "tenant-" + std::to_string(tenant) + "/" + std::to_string(number);
}

std::optional<std::int64_t> tenant_of(std::string_view name) {
  constexpr std::string_view head = "tenant-";
  std::size_t const slash = name.find('/');
  if (!name.starts_with(head) || slash == std::string_view::npos) {
    return std::nullopt;
  }
  std::int64_t id = 0;
  char const* const end = name.data() + slash;
  auto const [stop, error] = std::from_chars(name.data() + head.size(), end, id);
  return error == std::errc() && stop == end && id > 0 ? std::optional(id) : std::nullopt;
}

namespace {

Objects part_of(Objects objects, bool tenants) {
  auto const other = [tenants](auto const& item) { return tenant_of(item.first).has_value() != tenants; };
  std::erase_if(objects.monitors, other);
  std::erase_if(objects.pools, other);
  std::erase_if(objects.load_balancers, other);
  return objects;
}

}  // namespace

Objects of_operator(Objects const& objects) {
  return part_of(objects, false);
}

Objects of_tenants(Objects const& objects) {
  return part_of(objects, true);
}

char const* word(Kind kind) {
  static constexpr std::array<char const*, 3> words{"monitor", "pool", "load_balancer"};
  return words.at(static_cast<std::size_t>(kind));
}

char const* plural(Kind kind) {
  static constexpr std::array<char const*, 3> words{"monitors", "pools", "load_balancers"};
  return words.at(static_cast<std::size_t>(kind));
}

std::optional<Kind> kind_of(std::string_view text) {
  for (Kind const kind : kinds) {
    if (text == word(kind)) {
      return kind;
    }
  }
  return std::nullopt;
}

Kind kind_of(Object const& object) {
  return static_cast<Kind>(object.index());
}

std::string const& name_of(Object const& object) {
  return std::visit([](auto const& one) -> std::string const& { return one.name; }, object);
}

std::vector<Object> all(Objects const& objects) {
  std::vector<Object> list;
  auto const add = [&list](auto const& map) {
    for (auto const& [name, object] : map) {
      list.emplace_back(object);
    }
  };
  add(objects.monitors);
  add(objects.pools);
  add(objects.load_balancers);
  return list;
}

std::optional<Object> find(Objects const& objects, Kind kind, std::string const& name) {
  auto const look = [&name](auto const& map) -> std::optional<Object> {
    auto const found = map.find(name);
    return found == map.end() ? std::nullopt : std::optional<Object>(found->second);
  };
  switch (kind) {
    case Kind::monitor:
      return look(objects.monitors);
    case Kind::pool:
      return look(objects.pools);
    case Kind::load_balancer:
      break;
  }
  return look(objects.load_balancers);
}

void put(Objects& objects, Object object) {
  std::string const name = name_of(object);
  if (auto* const monitor = std::get_if<Monitor>(&object)) {
    objects.monitors[name] = std::move(*monitor);
  } else if (auto* const pool = std::get_if<Pool>(&object)) {
    objects.pools[name] = std::move(*pool);
  } else {
    objects.load_balancers[name] = std::get<Balancer>(std::move(object));
  }
}

void erase(Objects& objects, Kind kind, std::string const& name) {
  switch (kind) {
    case Kind::monitor:
      objects.monitors.erase(name);
      break;
    case Kind::pool:
      objects.pools.erase(name);
      break;
    case Kind::load_balancer:
      objects.load_balancers.erase(name);
      break;
  }
}

Difference difference(Objects const& before, Objects const& after) {
  Difference out;
  compare(out, Kind::monitor, before.monitors, after.monitors);
  compare(out, Kind::pool, before.pools, after.pools);
  compare(out, Kind::load_balancer, before.load_balancers, after.load_balancers);
  return out;
}

json::object to_json(Object const& object) {
  return std::visit([](auto const& one) { return json_of(one); }, object);
}

json::object to_json(Objects const& objects) {
  json::object out;
  out[plural(Kind::monitor)] = list_of(objects.monitors);
  out[plural(Kind::pool)] = list_of(objects.pools);
  out[plural(Kind::load_balancer)] = list_of(objects.load_balancers);
  return out;
}

std::string endpoint_key(std::string const& pool, std::string const& origin) {
  return pool + "/" + origin;
}

std::vector<std::string> endpoint_keys(Objects const& objects) {
  std::vector<std::string> keys;
  for (auto const& [name, pool] : objects.pools) {
    for (Origin const& origin : pool.origins) {
      keys.push_back(endpoint_key(name, origin.name));
    }
  }
  return keys;
}

OriginWords const& origin_words() {
  using pool::OriginSteering;
  static OriginWords const words{{"all", OriginSteering::all},
                                 {"random", OriginSteering::random},
                                 {"hash", OriginSteering::hash},
                                 {"least_load", OriginSteering::least_load}};
  return words;
}

AllDownWords const& all_down_words() {
  using pool::AllDown;
  static AllDownWords const words{{"serve_all", AllDown::serve_all},
                                  {"fallback", AllDown::fallback},
                                  {"empty", AllDown::empty},
                                  {"keep_last", AllDown::keep_last}};
  return words;
}

SteeringWords const& steering_words() {
  using pool::Steering;
  static SteeringWords const words{{"off", Steering::off},
                                   {"random", Steering::random},
                                   {"hash", Steering::hash},
                                   {"geo", Steering::geo},
                                   {"proximity", Steering::proximity},
                                   {"mesh", Steering::mesh},
                                   {"least_load", Steering::least_load}};
  return words;
}

}  // namespace steering
