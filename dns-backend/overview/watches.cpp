#include "dns-backend/overview/watches.hpp"

#include "dns-backend/steering/address.hpp"

namespace overview {
namespace {

probe::Type probe_type(std::string const& type) {
  static std::map<std::string, probe::Type, std::less<>> const types{
      {"tcp", probe::Type::tcp}, {"http", probe::Type::http}, {"https", probe::Type::https},
      {"dns", probe::Type::dns}, {"icmp", probe::Type::icmp}, {"push", probe::Type::push}};
  auto const found = types.find(type);
  return found == types.end() ? probe::Type::tcp : found->second;
}

monitor::Watch watch_of(store::PoolRow const& pool, store::PoolRow::EndpointRow const& endpoint) {
  monitor::Watch watch;
  watch.endpoint = endpoint.name;
  watch.check.type = probe_type(pool.type);
  watch.check.address = endpoint.probe_address;
  watch.check.port = pool.port;
  watch.check.timeout = std::chrono::milliseconds(pool.timeout_ms);
  watch.check.method = pool.method;
  watch.check.path = pool.path;
  (watch.check.type == probe::Type::dns ? watch.check.qname : watch.check.host) = pool.host;
  watch.check.expected_codes = pool.expected_codes;
  watch.check.expected_body = pool.expected_body;
  watch.interval = std::chrono::milliseconds(pool.interval_ms);
  watch.thresholds = {pool.consecutive_up, pool.consecutive_down};
  return watch;
}

bool is_watched(store::PoolRow const& pool, store::PoolRow::EndpointRow const& endpoint) {
  return endpoint.enabled && (!endpoint.probe_address.empty() || pool.type == "push");
}
bool is_watched(steering::Objects const& objects, steering::Pool const& pool, steering::Origin const& origin) {
  return pool.enabled && origin.enabled && objects.monitors.contains(pool.monitor);
}

unsigned short port_of(steering::Monitor const& monitor, steering::Origin const& origin) {
  if (origin.port != 0 || monitor.port != 0) {
    return origin.port != 0 ? origin.port : monitor.port;
  }
  switch (probe_type(monitor.type)) {
    case probe::Type::http:
      return 80;
    case probe::Type::https:
      return 443;
    case probe::Type::dns:
      return 53;
    default:
      return 0;
  }
}

monitor::Watch watch_of(steering::Monitor const& monitor, std::string const& pool, steering::Origin const& origin) {
  auto const address = steering::parse_address(origin.address).value_or(steering::Address{});
  std::string const target = address.target.substr(0, address.target.empty() ? 0 : address.target.size() - 1);
  monitor::Watch watch;
  watch.endpoint = steering::endpoint_key(pool, origin.name);
  watch.check.type = probe_type(monitor.type);
  watch.check.address = origin.probe_address.empty() ? address.v4 + address.v6 : origin.probe_address;
  watch.check.port = port_of(monitor, origin);
  watch.check.timeout = std::chrono::milliseconds(monitor.timeout_ms);
  watch.check.retries = monitor.retries;
  watch.check.method = monitor.method;
  watch.check.path = monitor.path;
  watch.check.host = monitor.host.empty() ? target : monitor.host;
  watch.check.header = monitor.header;
  watch.check.expected_codes = monitor.expected_codes;
  watch.check.expected_body = monitor.expected_body;
  watch.check.expected_body_pattern = monitor.expected_body_pattern;
  watch.check.follow_redirects = monitor.follow_redirects;
  watch.check.allow_insecure = monitor.allow_insecure;
  watch.check.ca_file = monitor.ca_file;
  watch.check.qname = monitor.qname;
  watch.check.qtype = monitor.qtype;
  watch.check.expected_content = monitor.expected_content;
  watch.interval = std::chrono::milliseconds(monitor.interval_ms);
  watch.thresholds = {monitor.consecutive_up, monitor.consecutive_down};
  return watch;
}

}  // namespace

std::vector<monitor::Watch> watches_of(std::vector<store::PoolRow> const& pools, pool::HealthTable& table,
                                       steering::Objects const& objects) {
  std::vector<monitor::Watch> watches;
  for (auto const& pool : pools) {
    for (auto const& endpoint : pool.endpoints) {
      if (is_watched(pool, endpoint)) {
        watches.push_back(watch_of(pool, endpoint));
      }
    }
  }
  for (auto const& [name, pool] : objects.pools) {
    for (steering::Origin const& origin : pool.origins) {
      if (is_watched(objects, pool, origin)) {
        watches.push_back(watch_of(objects.monitors.at(pool.monitor), name, origin));
      }
    }
  }
  for (monitor::Watch& watch : watches) {
    watch.slot = table.slot(watch.endpoint);
  }
  return watches;
}

std::vector<vantage::Subject> subjects_of(std::vector<store::PoolRow> const& pools, steering::Objects const& objects) {
  std::vector<vantage::Subject> subjects;
  for (auto const& pool : pools) {
    for (auto const& endpoint : pool.endpoints) {
      if (is_watched(pool, endpoint)) {
        subjects.push_back({endpoint.name, pool.site, 0});
      }
    }
  }
  for (auto const& [name, pool] : objects.pools) {
    for (steering::Origin const& origin : pool.origins) {
      if (is_watched(objects, pool, origin)) {
        subjects.push_back({steering::endpoint_key(name, origin.name), pool.site, pool.quorum});
      }
    }
  }
  return subjects;
}

}  // namespace overview
