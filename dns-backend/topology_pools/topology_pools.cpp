#include "dns-backend/topology_pools/topology_pools.hpp"

namespace topology_pools {
namespace {

char const* type_name(topology::MonitorType type) {
  switch (type) {
    case topology::MonitorType::tcp:
      return "tcp";
    case topology::MonitorType::http:
      return "http";
    case topology::MonitorType::https:
      return "https";
    case topology::MonitorType::dns:
      return "dns";
  }
  return "tcp";
}

store::PoolRow::EndpointRow endpoint_of(topology::Node const& node) {
  store::PoolRow::EndpointRow row;
  row.name = node.name;
  for (auto const& address : node.public_addresses) {
    std::string& slot = address.is_v4() ? row.address4 : row.address6;
    if (slot.empty()) {
      slot = address.to_string();
    }
  }
  row.probe_address = row.address4.empty() ? row.address6 : row.address4;
  return row;
}

}  // namespace

std::vector<store::PoolRow> pools_of(topology::Topology const& topology) {
  std::vector<store::PoolRow> pools;
  for (auto const& cluster : topology.clusters) {
    store::PoolRow row;
    row.name = cluster.name;
    row.site = cluster.site;
    row.minimum_origins = cluster.minimum_origins;
    row.type = type_name(cluster.monitor.type);
    row.port = cluster.monitor.port;
    row.method = cluster.monitor.method;
    row.path = cluster.monitor.path;
    // What a check of either kind asks for: a host over HTTP, a name in DNS.
    row.host = cluster.monitor.type == topology::MonitorType::dns ? cluster.monitor.qname : cluster.monitor.host;
    row.expected_codes = cluster.monitor.expected_codes;
    row.expected_body = cluster.monitor.expected_body;
    row.interval_ms = cluster.monitor.interval_ms;
    row.timeout_ms = cluster.monitor.timeout_ms;
    row.consecutive_up = cluster.monitor.consecutive_up;
    row.consecutive_down = cluster.monitor.consecutive_down;
    for (auto const& name : cluster.nodes) {
      if (auto const* node = topology.node(name); node != nullptr) {
        row.endpoints.push_back(endpoint_of(*node));
      }
    }
    pools.push_back(std::move(row));
  }
  return pools;
}

}  // namespace topology_pools
