// Looks at tenants' domains through a resolver: when each is due, and when somebody asks; what it finds goes to the
// store.
//
// The resolver is asked on threads of their own, so that a slow one delays nobody. Several looks at a time, one of each
// tenant, and each ends after a while: name servers that take their time hold up the other domains of their tenant.
//
// Threads: the control loop. The store must outlive it, and it its tasks; stop() ends run().
#pragma once

#include "base/net/task.hpp"
#include "base/process/metrics.hpp"
#include "dns-backend/domains/domains.hpp"
#include "dns-backend/domains/trace.hpp"
#include "dns-backend/store/store.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace domain_watch {

struct Settings {
  std::string address;  // of the resolver
  std::uint16_t port = 53;
  std::string challenge_zone;
  std::chrono::milliseconds pause{5000};  // between looks for what is due
  // What CAs are proved to by, as domains::Wanted has it; empty function: _acme-challenge.
  std::function<std::vector<std::string>()> challenge_labels = {};
  std::chrono::milliseconds look_deadline{15000};  // no question of a look begins after it: the lookup has failed
};

using Caa = std::map<std::string, std::vector<std::string>>;  // by name, without final dot

class DomainWatch {
 public:
  DomainWatch(net::asio::any_io_executor executor, store::Store& store, process::Metrics& metrics, Settings settings);
  ~DomainWatch();

  net::Task<void> run();
  void poke();
  void stop();

  // When the tenant has no other look under way; who asks while one at this domain is gets what that one finds.
  // not_found when the domain is gone, too_many when the tenant's others take longer than half a minute.
  net::Task<base::Result<domains::Verdict>> look(std::int64_t domain_id, std::int64_t now_ms);
  // Whether this label is delegated, whatever else the domain does; nothing is settled by it.
  net::Task<base::Result<domains::Verdict>> look_at_challenge(std::int64_t domain_id, std::string label);
  // The CAA contents of the name, or of the closest name above it that has any (RFC 8659 section 3). host_unreachable
  // when one cannot be looked up: a CA could not either. A look of this tenant, as the others: too_many. 0: of nobody.
  net::Task<base::Result<Caa>> caa(std::int64_t tenant_id, std::string name);
  // The same for a name above the platform's own zones, which many names share: an answer is kept for half a minute,
  // a failed look for five seconds.
  net::Task<base::Result<Caa>> caa_above(std::string name);
  // Where the CNAMEs at the name lead, as a CA passes through them; too_many as above.
  net::Task<base::Result<domains::Trace>> trace(std::int64_t tenant_id, std::string name);
  // What is due, many tenants' at a time; what does not fit into a pause is the next pass's.
  net::Task<base::Result<void>> pass(std::int64_t now_ms);

 private:
  static constexpr std::size_t at_once = 16;
  struct Looking {
    explicit Looking(net::asio::any_io_executor executor) : done(executor) {}
    net::Signal done;
    std::optional<base::Result<domains::Verdict>> verdict;
  };
  using Busy = std::map<std::int64_t, std::shared_ptr<net::Signal>>;  // by tenant, with a look under way
  class Turn;
  struct Round;
  using ByTenant = std::vector<std::vector<std::int64_t>>;  // domains, the tenant whose is due first in front
  net::Task<base::Result<std::shared_ptr<Turn>>> turn_of(std::int64_t domain_id);
  net::Task<base::Result<std::shared_ptr<Turn>>> turn_of_tenant(std::int64_t tenant_id);
  // `there` on one of the threads, when it is the tenant's turn.
  template <class T>
  net::Task<base::Result<T>> in_turn(std::int64_t tenant_id, net::Task<base::Result<T>> there);
  std::optional<base::Result<Caa>> known_above(std::string const& name);
  net::Task<base::Result<ByTenant>> due(std::int64_t now_ms);
  net::Task<void> work(std::shared_ptr<Round> round, std::int64_t now_ms);
  net::Task<base::Result<domains::Wanted>> wanted(std::int64_t domain_id);
  net::Task<base::Result<domains::Verdict>> look_now(std::int64_t domain_id, std::int64_t now_ms);

  net::asio::any_io_executor executor_;
  store::Store& store_;
  Settings settings_;
  process::Counter good_, bad_;
  net::Signal wake_;
  std::map<std::int64_t, std::shared_ptr<Looking>> looks_;  // by domain, under way
  std::shared_ptr<std::atomic<bool>> stopped_ = std::make_shared<std::atomic<bool>>(false);
  // With the end of its time.
  std::map<std::string, std::pair<std::chrono::steady_clock::time_point, base::Result<Caa>>> above_;
  std::shared_ptr<Busy> busy_ = std::make_shared<Busy>();  // shared with looks that are cancelled at the end
  boost::asio::thread_pool threads_{at_once};
};

}  // namespace domain_watch
