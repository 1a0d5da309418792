// Does what the journal of tenants holds: in order per tenant, again and again until it succeeds; and every few minutes
// compares what should be with what is.
//
// It asks nobody: which revision each site has is told to it. A site that is out of service holds up nothing.
//
// Threads: the control loop. The store must outlive it, and it must outlive its task; stop() ends that.
#pragma once

#include "base/net/task.hpp"
#include "base/process/metrics.hpp"
#include "dns-backend/store/store.hpp"
#include "dns-backend/tenants/journal.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace steward {

struct Site {
  std::string name;
  bool in_service = true;
  store::Revision acknowledged = 0;
};

struct Settings {
  std::chrono::milliseconds pause{5000};           // between passes nobody asked for
  std::chrono::milliseconds repair_every{300000};  // desired against applied
};

class Steward {
 public:
  Steward(net::asio::any_io_executor executor, store::Store& store, std::function<std::vector<Site>()> sites,
          process::Metrics& metrics, Settings settings = {});

  net::Task<void> run();
  // Something was published or acknowledged.
  void poke();
  void stop();

  // One look at the journal: attempts what is due until nothing is. `now_ms`: Unix time.
  net::Task<base::Result<void>> pass(std::int64_t now_ms);
  net::Task<base::Result<void>> count_stuck();
  // How many things were put right.
  net::Task<base::Result<std::size_t>> repair();

 private:
  net::Task<base::Result<void>> try_one(tenants::Intent intent, std::int64_t now_ms);
  void report(tenants::Intent const& intent) const;

  store::Store& store_;
  std::function<std::vector<Site>()> sites_;
  Settings settings_;
  process::Counter done_, failed_, repaired_;
  process::Gauge stuck_;
  net::Signal wake_;
  bool poked_ = false;
  bool stopped_ = false;
};

}  // namespace steward
