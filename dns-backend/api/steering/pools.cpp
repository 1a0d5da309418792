#include "dns-backend/api/steering/pools.hpp"

#include "dns-backend/steering/address.hpp"

#include <boost/json.hpp>

namespace api {

namespace {

namespace json = boost::json;

char const* health_word(Health const& health, std::string const& endpoint) {
  auto const found = health.find(endpoint);
  return probe::name(found == health.end() ? probe::Health::unknown : found->second);
}

json::object endpoint_json(store::PoolRow::EndpointRow const& endpoint, Health const& health) {
  json::object one;
  one["name"] = endpoint.name;
  one["address4"] = endpoint.address4;
  one["address6"] = endpoint.address6;
  one["probe_address"] = endpoint.probe_address;
  one["enabled"] = endpoint.enabled;
  one["weight"] = endpoint.weight;
  one["health"] = health_word(health, endpoint.name);
  return one;
}

json::object monitor_json(store::PoolRow const& pool) {
  json::object one;
  one["type"] = pool.type;
  one["port"] = pool.port;
  if (pool.type != "tcp") {
    one["method"] = pool.method;
    one["path"] = pool.path;
    one["host"] = pool.host;
    one["expected_codes"] = pool.expected_codes;
    one["expected_body"] = pool.expected_body;
  }
  one["interval_ms"] = pool.interval_ms;
  one["timeout_ms"] = pool.timeout_ms;
  one["consecutive_up"] = pool.consecutive_up;
  one["consecutive_down"] = pool.consecutive_down;
  return one;
}

json::object endpoint_json(steering::Pool const& pool, steering::Origin const& origin, Health const& health) {
  auto const address = steering::parse_address(origin.address).value_or(steering::Address{});
  json::object one;
  one["name"] = steering::endpoint_key(pool.name, origin.name);
  one["address4"] = address.v4;
  one["address6"] = origin.address6.empty() ? address.v6 : origin.address6;
  one["target"] = address.target;
  one["probe_address"] = origin.probe_address.empty() ? address.v4 + address.v6 : origin.probe_address;
  one["enabled"] = origin.enabled;
  one["weight"] = origin.weight_permille / 1000.0;
  one["health"] = health_word(health, steering::endpoint_key(pool.name, origin.name));
  return one;
}

}  // namespace

Health health_of(Dependencies const& api) {
  Health health;
  if (api.endpoints) {
    for (auto const& status : api.endpoints()) {
      health[status.endpoint] = status.effective;
    }
  }
  return health;
}

json::object listed(store::PoolRow const& pool, Health const& health) {
  json::object one;
  one["name"] = pool.name;
  one["managed_by"] = "topology";
  one["site"] = pool.site;
  one["minimum_origins"] = pool.minimum_origins;
  one["monitor"] = monitor_json(pool);
  json::array endpoints;
  for (auto const& endpoint : pool.endpoints) {
    endpoints.push_back(endpoint_json(endpoint, health));
  }
  one["endpoints"] = std::move(endpoints);
  return one;
}

json::object listed(steering::Pool const& pool, Health const& health) {
  json::object one = steering::to_json(steering::Object(pool));
  one["managed_by"] = steering::tenant_of(pool.name) ? "tenant" : "operator";
  json::array endpoints;
  for (steering::Origin const& origin : pool.origins) {
    endpoints.push_back(endpoint_json(pool, origin, health));
  }
  one["endpoints"] = std::move(endpoints);
  return one;
}

}  // namespace api
