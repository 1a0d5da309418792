// Looks at tenants' domains through a resolver: when each is due, and when somebody asks; what it finds goes to the
// store.
//
// The resolver is asked on a thread of its own, so that a slow one delays nobody. One look at a time.
//
// Threads: the control loop. The store must outlive it, and it its tasks; stop() ends run().
#pragma once

#include "base/net/task.hpp"
#include "base/process/metrics.hpp"
#include "dns-backend/domains/domains.hpp"
#include "dns-backend/store/store.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <memory>
#include <string>

namespace domain_watch {

struct Settings {
  std::string address;  // of the resolver
  std::uint16_t port = 53;
  std::string challenge_zone;
  std::chrono::milliseconds pause{5000};  // between looks for what is due
};

class DomainWatch {
 public:
  DomainWatch(net::asio::any_io_executor executor, store::Store& store, process::Metrics& metrics, Settings settings);
  ~DomainWatch();

  net::Task<void> run();
  void poke();
  void stop();

  // Now. not_found when the domain is gone.
  net::Task<base::Result<domains::Verdict>> look(std::int64_t domain_id, std::int64_t now_ms);
  // Everything that is due.
  net::Task<base::Result<void>> pass(std::int64_t now_ms);

 private:
  store::Store& store_;
  Settings settings_;
  process::Counter good_, bad_;
  net::Signal wake_;
  std::shared_ptr<std::atomic<bool>> stopped_ = std::make_shared<std::atomic<bool>>(false);
  boost::asio::thread_pool thread_{1};
};

}  // namespace domain_watch
