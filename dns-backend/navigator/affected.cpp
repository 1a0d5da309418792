#include "dns-backend/navigator/affected.hpp"

#include "dns-backend/pool/select.hpp"

namespace navigator {

namespace {

probe::Type probe_type(std::string const& type) {
  if (type == "http") {
    return probe::Type::http;
  }
  if (type == "https") {
    return probe::Type::https;
  }
  return type == "dns" ? probe::Type::dns : probe::Type::tcp;
}

pool::Watch watch_of(store::PoolRow const& pool, store::PoolRow::EndpointRow const& endpoint) {
  pool::Watch watch;
  watch.endpoint = endpoint.name;
  watch.check.type = probe_type(pool.type);
  watch.check.address = endpoint.probe_address;
  watch.check.port = pool.port;
  watch.check.timeout = std::chrono::milliseconds(pool.timeout_ms);
  watch.check.method = pool.method;
  watch.check.path = pool.path;
  watch.check.host = pool.host;
  watch.check.expected_codes = pool.expected_codes;
  watch.check.expected_body = pool.expected_body;
  watch.interval = std::chrono::milliseconds(pool.interval_ms);
  watch.thresholds = {pool.consecutive_up, pool.consecutive_down};
  return watch;
}

}  // namespace

std::vector<store::Touched> names_answering(store::Snapshot const& snapshot, std::set<std::string> const& endpoints,
                                            std::size_t names_max) {
  std::vector<store::Touched> all;
  snapshot.zones.for_each([&](std::string const&, store::ZonePtr const& zone) {
    std::vector<store::Touched> names;
    zone->entries.for_each([&](store::EntryPtr const& entry) {
      if (entry->balancer != nullptr && pool::mentions(*entry->balancer, endpoints)) {
        dns::Name const name = entry->name();
        names.push_back({name.is_wildcard() ? name.parent() : name, name.is_wildcard()});
      }
    });
    if (names.size() > names_max) {
      names.assign(1, {zone->apex, true});
    }
    all.insert(all.end(), names.begin(), names.end());
  });
  return all;
}

std::vector<pool::Watch> watches_of(std::vector<store::PoolRow> const& pools, pool::HealthTable& table) {
  std::vector<pool::Watch> watches;
  for (auto const& pool : pools) {
    for (auto const& endpoint : pool.endpoints) {
      if (endpoint.enabled && !endpoint.probe_address.empty()) {
        watches.push_back(watch_of(pool, endpoint));
        watches.back().slot = table.slot(endpoint.name);
      }
    }
  }
  return watches;
}

}  // namespace navigator
