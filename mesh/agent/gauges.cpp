#include "mesh/agent/gauges.hpp"

#include <algorithm>

namespace agent {

Gauges::Gauges(process::Metrics& metrics)
    : changes(metrics.counter("privateer_changes_total", "Changes made to this machine")),
      failures(metrics.counter("privateer_failures_total", "Failures while looking at or changing this machine")),
      passes(metrics.counter("privateer_passes_total", "Passes over this machine")),
      revision_(metrics.gauge("privateer_revision", "Revision of the world this node is planned from")),
      full_(metrics.gauge("privateer_neighbors_full", "OSPF neighbours in state Full, both address families")),
      devices_(metrics.gauge("privateer_devices", "WireGuard devices of this node")),
      order_(metrics.gauge("privateer_in_order", "1 while nothing differs and nothing fails")),
      controller_(metrics.gauge("privateer_controller_connected", "1 while the controller answers")),
      detours_(metrics.gauge("privateer_detours_active", "Destinations that go around a dead link now")) {}

void Gauges::show(Status const& status, bool controller_connected) {
  auto const& neighbors = status.last_pass.neighbors;
  auto const full = std::count_if(neighbors.begin(), neighbors.end(), [](auto const& one) { return one.full(); });
  full_.set(static_cast<double>(full));
  devices_.set(static_cast<double>(status.last_pass.devices.size()));
  revision_.set(static_cast<double>(status.revision));
  order_.set(in_order(status) ? 1 : 0);
  controller_.set(controller_connected ? 1 : 0);
  detours_.set(static_cast<double>(status.repair.active));
}

}  // namespace agent
