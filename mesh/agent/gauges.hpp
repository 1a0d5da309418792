// The agent's figures for Prometheus.
//
// Threads: as process::Metrics.
#pragma once

#include "base/process/metrics.hpp"
#include "mesh/agent/status.hpp"

namespace agent {

struct Gauges {
  explicit Gauges(process::Metrics& metrics);
  void show(Status const& status, bool controller_connected);

  process::Counter changes, failures, passes;

 private:
  process::Gauge revision_, full_, devices_, order_, controller_, detours_;
};

}  // namespace agent
