// The node's figures for Prometheus: those of each link and the age of the newest snapshot, kept fresh, and the routes
// that show all of them. Nothing in them is secret, but they name nodes: the listener is for a trusted network.
//
// Threads: one object on one loop.
#pragma once

#include "base/http/http.hpp"
#include "base/net/task.hpp"
#include "base/process/metrics.hpp"
#include "mesh/agent/links/gauges.hpp"
#include "mesh/agent/status.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace figures {

inline constexpr std::chrono::seconds refresh_interval{5};

class Figures {
 public:
  // `metrics` must outlive this; `status` is asked on the loop.
  Figures(process::Metrics& metrics, std::function<agent::Status()> status, std::string state_directory);
  ~Figures();
  Figures(Figures const&) = delete;
  Figures& operator=(Figures const&) = delete;

  // Refreshes every few seconds, for whoever reads `metrics` elsewhere. Once; ends with the object.
  void start(net::asio::any_io_executor executor);
  void refresh(std::int64_t now_s);
  // GET /metrics, which refreshes, and /healthz. The router must not be used after this is gone.
  void add_routes(net::Router& router);

 private:
  void show_credentials(agent::FollowerStatus const& controller, std::int64_t now_s);
  static net::Task<void> keep_fresh(Figures* self, std::shared_ptr<bool> stopped);

  process::Metrics& metrics_;
  std::function<agent::Status()> status_;
  std::string worlds_;
  agent::LinkGauges links_;
  std::shared_ptr<bool> const stopped_ = std::make_shared<bool>(false);
};

// When the newest of the agent's snapshots was written, by the file system's word; 0: there is none.
std::int64_t newest_snapshot_s(std::string const& directory);

}  // namespace figures
