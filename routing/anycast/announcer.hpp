// Announces the anycast services of one node while their own checks succeed.
//
// A loop per address: every `interval_ms` the service is asked on its own address on this machine (dns: the SOA of
// check_name with authority, then a name that no cache can hold, see backend_check.hpp; other types: what probe::run
// does), the verdict is counted (rise, fall), and BIRD is told
// the difference between what it should announce and what `show protocols` says it does. So a restarted agent, a
// restarted BIRD or a protocol someone switched by hand converge within an interval.
//
// It ends without withdrawing: an agent that is restarted must lose no query. Whoever stops a node for good withdraws
// first (withdraw()).
//
// Threads: one object on the control loop.
#pragma once

#include "base/net/task.hpp"
#include "base/probe/probe.hpp"
#include "routing/anycast/announcement.hpp"
#include "routing/bird/control.hpp"
#include "topology/topology.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace anycast {

struct AddressStatus {
  std::string service;
  std::string address;
  std::string protocol;                           // BIRD's name
  probe::Health health = probe::Health::unknown;  // wanted: announced while up
  Observed observed = Observed::absent;           // as BIRD last said
  std::string reason;                             // of the last check
  std::string failure;                            // why BIRD could not be asked or told; empty when it could
  std::int64_t changed_at_ms = 0;                 // wall clock of the last transition, 0: never
};

// How a service's address is checked; a test brings its own. The default is check_service.
using Prober = std::function<net::Task<probe::Verdict>(probe::Check)>;

class Announcer {
 public:
  // `listener` is called after each transition of an address, on the loop.
  using Listener = std::function<void(AddressStatus const&)>;

  Announcer(net::asio::any_io_executor executor, bird::Control control, Listener listener = {}, Prober prober = {});
  ~Announcer();  // stops every loop, withdraws nothing
  Announcer(Announcer const&) = delete;
  Announcer& operator=(Announcer const&) = delete;

  // The services this node is to serve: what is new starts, what is gone stops (its protocol is gone from BIRD's
  // configuration too), what is unchanged keeps its state. `domain` is the check name of services that declare none.
  void serve(std::vector<topology::Service> const& services, std::string const& domain);

  // Stops checking and disables every protocol: the first step of taking a node out of service.
  net::Task<base::Result<void>> withdraw();

  // Names of services of which an address is announced now: bird::RenderSettings::announced of a reconfiguration.
  [[nodiscard]] std::set<std::string> announced() const;
  [[nodiscard]] std::vector<AddressStatus> status() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// The check of one address of a service.
[[nodiscard]] probe::Check check_of(topology::Service const& service, topology::Address const& address,
                                    std::string const& domain);

}  // namespace anycast
