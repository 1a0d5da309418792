// The unix socket PowerDNS connects to: the control loop accepts, lookup loops serve.
//
// Sockets are dealt round robin to N loops, each a thread of its own that reads the published snapshot and the health
// table without a lock. PowerDNS opens a handful of connections and keeps them; above `connections_max` a connection is
// closed at once and counted.
//
//   PowerDNS ==unix==> acceptor (control loop) --deal--> lookup loop 1..N: Session: line -> answer | Writer -> reply
//
// Threads: constructed, stopped and destroyed on the control loop's thread. The Store must outlive the Listener, since
// stop() waits for writes in hand.
#pragma once

#include "base/net/task.hpp"
#include "base/process/metrics.hpp"
#include "dns-backend/pool/health_table.hpp"
#include "dns-backend/snapshot/published.hpp"
#include "dns-backend/snapshot/snapshot.hpp"
#include "dns-backend/store/store.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace connector {

struct ListenerSettings {
  std::string path;  // of the socket; at most 107 octets
  unsigned mode = 0660;
  std::string group;  // group name of the socket; empty: this process's
  unsigned loops = 2;
  std::size_t connections_max = 64;
  bool refuse_while_empty = false;  // a replica: no answers before the first zone arrived
};

struct ListenerSources {
  store::Published<store::Snapshot> const& published;
  pool::HealthTable const& health;
  store::Store* store = nullptr;  // takes the writes; nullptr: they are refused
  // Called on the control loop when a PowerDNS fetched the list of zones, with what it was told; may be empty.
  std::function<void(store::Snapshot const&)> listed = {};
};

class Listener {
 public:
  // Removes a stale socket (one nobody listens on), binds, starts the loops. Failures: net::errc::in_use, or the system's
  // error.
  static base::Result<std::unique_ptr<Listener>> open(net::asio::any_io_executor control, ListenerSettings settings,
                                                      ListenerSources sources, process::Metrics& metrics);
  ~Listener();  // stop()
  Listener(Listener const&) = delete;
  Listener& operator=(Listener const&) = delete;

  // Stops accepting, closes every connection, removes the socket, joins the threads. May be called twice.
  void stop();
  [[nodiscard]] std::size_t connections() const;

 private:
  struct State;
  explicit Listener(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace connector
