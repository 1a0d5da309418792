// The counters of the remote backend, made once at start.
//
//   navigator_remote_requests_total{method}   navigator_remote_seconds_total{method}  (their quotient is the mean
//   latency)  navigator_remote_within_total{seconds}: requests that took no longer from the whole request to the
//   whole reply, which is not yet written
//   navigator_remote_failures_total{reason}   reason: bad_request, too_large, unavailable, write
//   navigator_remote_connections              navigator_remote_refused_connections_total
//
// Threads: constructed on the control loop; every member may then be used from any loop.
#pragma once

#include "base/process/metrics.hpp"
#include "dns-backend/protocol/request.hpp"

#include <array>
#include <chrono>

namespace connector {

struct Meters {
  explicit Meters(process::Metrics& metrics);

  // Counts one request that has its reply; `elapsed` from the last octet of the one to the last of the other, before it
  // is written.
  void answered(remote::Method method, std::chrono::duration<double> elapsed) const;
  // Counts one failed request under the reason that its code stands for.
  void failed(boost::system::error_code const& code) const;

  std::array<process::Counter, remote::method_count> requests;
  std::array<process::Counter, remote::method_count> seconds;
  static constexpr std::array within_seconds{0.00002, 0.0001, 0.001, 0.01, 0.1};
  std::array<process::Counter, within_seconds.size()> within;
  process::Counter bad_request, too_large, unavailable, write;
  process::Gauge connections;
  process::Counter refused;
};

}  // namespace connector
