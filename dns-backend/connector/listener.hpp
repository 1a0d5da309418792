// The sockets PowerDNS connects to: the control loop accepts, threads and lookup loops serve.
//
// A unix connection gets a thread of its own, because PowerDNS keeps one request in flight on it; those above
// `threads_max`, and http, are dealt round robin to N loops. All read the published snapshot and the health table
// without a lock. PowerDNS opens a handful of connections and keeps them; above `connections_max` a connection is
// closed at once and counted.
//
//   PowerDNS ==unix==> Door (control loop) --> LineSession, a thread each:     request -> answer | Writer -> reply
//            ==http==> Door                --> LookupLoop 1..N, its Sessions:  the same
//
// Another process can go on where this one ends (a restart without a lost query): settle() ends what cannot be divided,
// hand_over() yields every socket between two requests. What PowerDNS asks meanwhile waits in the kernel.
//
// Threads: constructed, stopped and destroyed on the control loop's thread, as is every call and `listed`. The Store
// must outlive the Listener, since stop() waits for writes in hand.
#pragma once

#include "base/net/task.hpp"
#include "base/process/metrics.hpp"
#include "dns-backend/geo/geo.hpp"
#include "dns-backend/handover/sockets.hpp"
#include "dns-backend/pool/health_table.hpp"
#include "dns-backend/snapshot/published.hpp"
#include "dns-backend/snapshot/snapshot.hpp"
#include "dns-backend/store/store.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace connector {

struct ListenerSettings {
  std::string path;  // of the unix socket; at most 107 octets; empty: none
  unsigned mode = 0660;
  std::string group;  // of the socket, by name; empty: "pdns" where it can be, else this process's
  std::string http;   // "127.0.0.1:18053": loopback only; empty: none
  unsigned loops = 2;
  std::size_t threads_max = 32;  // unix connections with a thread of their own; 0: all are the loops'
  std::size_t connections_max = 64;
  bool refuse_while_empty = false;  // a replica: no answers before the first zone arrived
};

struct ListenerSources {
  store::Published<store::Snapshot> const& published;
  pool::HealthTable const& health;
  store::Store* store = nullptr;  // takes the writes; nullptr: they are refused
  // Called on the control loop when a PowerDNS fetched the list of zones, with what it was told; may be empty.
  std::function<void(store::Snapshot const&)> listed = {};
  // Where clients are and how far sites are, for balancers that steer by it; published anew whenever either changes.
  // nullptr: nobody knows.
  store::Published<geo::Surroundings> const* surroundings = nullptr;
};

class Listener {
 public:
  // Takes over those of `sockets` that fit the settings (others are closed), makes what is missing, starts the loops.
  // Failures: net::errc::in_use with the holder's pid, or the system's error.
  static base::Result<std::unique_ptr<Listener>> open(net::asio::any_io_executor control, ListenerSettings settings,
                                                      ListenerSources sources, process::Metrics& metrics,
                                                      handover::OpenSockets sockets = {});
  ~Listener();  // stop()
  Listener(Listener const&) = delete;
  Listener& operator=(Listener const&) = delete;

  // From now on no write begins; waits until those under way and open transactions have ended. False at the deadline.
  net::Task<bool> settle(std::chrono::milliseconds deadline);
  // Stops accepting and takes every connection from its session between two requests; what is not at such a point at
  // the deadline is closed. Then the socket file stays. The Listener serves nobody until go_on().
  net::Task<handover::OpenSockets> hand_over(std::chrono::milliseconds deadline);
  // The handing over came to nothing: serves again, writes included. `sockets` is what hand_over() yielded, if it was
  // called.
  void go_on(handover::OpenSockets sockets);

  // Stops accepting, closes every connection, removes the socket file, joins the threads. May be called twice.
  void stop();
  [[nodiscard]] std::size_t connections() const;

 private:
  struct State;
  explicit Listener(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace connector
