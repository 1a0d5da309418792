// Makes a zone that came or went known to every configured PowerDNS at once, through its HTTP API.
//
// PowerDNS keeps a list of its zones, fetched every zone-cache-refresh-interval, and refuses what is not on it. Its
// control socket cannot touch that list; "PUT /api/v1/servers/localhost/cache/flush?domain=ZONE." asks the backend
// about that one zone, corrects the list and drops what is cached below the zone.
//
// An API that cannot be reached is tried again, 250 ms to 5 s apart. More than zones_max zones waiting are dropped
// aloud: PowerDNS then learns of them with its next refresh.
//
// Threads: belongs to the control loop.
#pragma once

#include "base/http_client/http_client.hpp"
#include "base/process/metrics.hpp"
#include "dns-backend/dns/name.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace purge {

struct ZoneFlusherSettings {
  struct Api {
    std::string url;  // "http://127.0.0.1:8081", without a slash at the end
    std::string key;
  };
  std::vector<Api> apis;
  std::chrono::milliseconds deadline{5000};  // of one request: PowerDNS asks the backend meanwhile
};

struct FlushStatus {
  std::string api;
  std::string last_error;      // empty after a success
  std::uint64_t commands = 0;  // zones flushed
  std::uint64_t failures = 0;
  std::size_t waiting = 0;  // zones
};

class ZoneFlusher {
 public:
  static constexpr std::size_t zones_max = 10000;

  // `flushed` is called after each success: what a query put into the caches in the meantime must be purged again.
  // Metrics: navigator_flush_commands_total, navigator_flush_failures_total, navigator_flush_waiting, each by {api}.
  ZoneFlusher(net::asio::any_io_executor executor, ZoneFlusherSettings settings, process::Metrics& metrics,
              std::function<void(dns::Name const&)> flushed);
  ~ZoneFlusher();  // what waits is given up
  ZoneFlusher(ZoneFlusher const&) = delete;
  ZoneFlusher& operator=(ZoneFlusher const&) = delete;

  void flush(std::vector<dns::Name> const& zones);
  [[nodiscard]] std::vector<FlushStatus> status() const;

 private:
  struct Target;
  std::vector<std::shared_ptr<Target>> targets_;
};

}  // namespace purge
