// Keeps PowerDNS's caches true: tells every configured pdns_server which names to forget, the moment they change.
//
// It speaks the control protocol itself (pdns_control costs 13 ms a call): AF_UNIX stream, one command line, the answer
// (the number of entries dropped), end of file. An exact name also drops the zone's cached metadata and DNSSEC keys
// when the name is its apex. Measured with PowerDNS 4.7.3: one command a connection (a second line is ignored); many
// words a command; no answer at all when a word is no domain name; "PURGE" alone clears everything.
//
// A socket that cannot be reached is tried again, 250 ms to 5 s apart, and loses nothing: what waits is kept, merged,
// and at worst turned into one purge of everything (purge_queue.hpp).
//
// Call it after the new snapshot is published (store.on_publish) and after a health flip is stored; and once for
// everything when this process begins to answer.
//
// Threads: belongs to the control loop.
#pragma once

#include "base/net/task.hpp"
#include "base/process/metrics.hpp"
#include "dns-backend/purge/zone_arrivals.hpp"
#include "dns-backend/store/store.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace purge {

struct PurgerSettings {
  std::vector<std::string> sockets;          // paths, for instance /run/pdns/pdns.controlsocket
  std::chrono::milliseconds deadline{1000};  // of one command
  std::chrono::milliseconds echo{500};       // until the second purge of the same names
};

struct PurgeStatus {
  std::string socket;
  std::string last_error;      // empty after a success
  std::uint64_t commands = 0;  // delivered
  std::uint64_t failures = 0;
  std::uint64_t entries = 0;  // cache entries PowerDNS said it dropped
  std::size_t waiting = 0;    // words not delivered yet
};

class Purger {
 public:
  // Metrics: navigator_purge_commands_total, navigator_purge_failures_total, navigator_purge_waiting, each by {socket}.
  Purger(net::asio::any_io_executor executor, PurgerSettings settings, process::Metrics& metrics);
  ~Purger();  // what waits is given up
  Purger(Purger const&) = delete;
  Purger& operator=(Purger const&) = delete;

  void purge(std::vector<store::Touched> const& names);
  // What changed while this process did not run is not known.
  void purge_everything();
  // A PowerDNS has fetched the list of zones: purges what it refused until now (zone_arrivals.hpp).
  void zones_listed(store::Snapshot const& snapshot);
  [[nodiscard]] std::vector<PurgeStatus> status() const;

 private:
  struct Target;
  std::vector<std::shared_ptr<Target>> targets_;
  ZoneArrivals arrivals_;
};

// One command to one socket: the answer without trailing blanks. Failures: net::errc::timed_out, or the system's.
net::Task<base::Result<std::string>> control(std::string socket, std::string command,
                                             std::chrono::milliseconds deadline);

}  // namespace purge
