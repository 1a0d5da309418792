// Looks at tenants' domains through a resolver: when each is due, and when somebody asks; what it finds goes to the
// store.
//
// The resolver is asked on threads of their own, so that a slow one delays nobody; a few looks at a time, since one
// domain whose name servers are gone must not hold up the others.
//
// Threads: the control loop. The store must outlive it, and it its tasks; stop() ends run().
#pragma once

#include "base/net/task.hpp"
#include "base/process/metrics.hpp"
#include "dns-backend/domains/domains.hpp"
#include "dns-backend/store/store.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace domain_watch {

struct Settings {
  std::string address;  // of the resolver
  std::uint16_t port = 53;
  std::string challenge_zone;
  std::chrono::milliseconds pause{5000};  // between looks for what is due
  // What CAs are proved to by, as domains::Wanted has it; empty function: _acme-challenge.
  std::function<std::vector<std::string>()> challenge_labels = {};
};

using Caa = std::map<std::string, std::vector<std::string>>;  // by name, without final dot

class DomainWatch {
 public:
  DomainWatch(net::asio::any_io_executor executor, store::Store& store, process::Metrics& metrics, Settings settings);
  ~DomainWatch();

  net::Task<void> run();
  void poke();
  void stop();

  // Now; who asks while a look at the domain is under way gets what that one finds. not_found when the domain is gone.
  net::Task<base::Result<domains::Verdict>> look(std::int64_t domain_id, std::int64_t now_ms);
  // Whether this label is delegated, whatever else the domain does; nothing is settled by it.
  net::Task<base::Result<domains::Verdict>> look_at_challenge(std::int64_t domain_id, std::string label);
  // The CAA contents of the name and of each name above it, down to two labels, that has any; the closest are enough
  // (RFC 8659 section 3). host_unreachable when one cannot be looked up: a CA could not either.
  net::Task<base::Result<Caa>> caa(std::string name);
  // Everything that is due.
  net::Task<base::Result<void>> pass(std::int64_t now_ms);

 private:
  struct Looking {
    explicit Looking(net::asio::any_io_executor executor) : done(executor) {}
    net::Signal done;
    std::optional<base::Result<domains::Verdict>> verdict;
  };
  net::Task<base::Result<domains::Wanted>> wanted(std::int64_t domain_id);
  net::Task<base::Result<domains::Verdict>> look_now(std::int64_t domain_id, std::int64_t now_ms);

  net::asio::any_io_executor executor_;
  store::Store& store_;
  Settings settings_;
  process::Counter good_, bad_;
  net::Signal wake_;
  std::map<std::int64_t, std::shared_ptr<Looking>> looks_;  // by domain, under way
  std::shared_ptr<std::atomic<bool>> stopped_ = std::make_shared<std::atomic<bool>>(false);
  boost::asio::thread_pool threads_{4};
};

}  // namespace domain_watch
