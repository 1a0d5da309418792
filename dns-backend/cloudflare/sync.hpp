// Keeps marked zones published at Cloudflare: wanted, observed, difference, and again.
//
// A poke is coalesced (a burst of changes is one run); without one the zones are looked at again every ten minutes,
// which mends what others changed. A failure of one zone does not stop the others; the next try comes after a backoff,
// and never before Cloudflare's own Retry-After. When Cloudflare rejects a batch it is halved until the records at
// fault stand alone: the rest is published, those are in the status. Nothing else in this program waits for Cloudflare.
//
// Threads: one object on the control loop.
#pragma once

#include "dns-backend/cloudflare/client.hpp"
#include "dns-backend/cloudflare/wanted.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cloudflare {

struct SyncSettings {
  std::string mark;                          // comment of our records, "navigator:example"; at most 100 characters
  std::chrono::milliseconds coalesce{1000};  // between a poke and the run
  std::chrono::milliseconds look_again{600000};
  std::chrono::milliseconds retry_first{5000};
  std::chrono::milliseconds retry_limit{300000};
  std::size_t operations_max = 200;  // of one batch: 200 on free plans, 3,500 on paid ones
};

struct ZoneStatus {
  std::string zone_id;
  dns::Name apex;
  std::size_t records = 0;             // wanted at the last run
  std::uint64_t writes = 0;            // operations that Cloudflare accepted, since the start
  std::int64_t published_at_ms = 0;    // wall clock of the last complete run; 0: never
  std::vector<std::string> obstacles;  // what is not published and why
  std::string last_error;              // empty after a complete run
};

class Sync {
 public:
  using Wanted = std::function<std::vector<WantedZone>()>;

  // `client` must outlive it; `wanted` is called on the loop at the start of each run. Starts at once.
  Sync(net::asio::any_io_executor executor, Client& client, Wanted wanted, SyncSettings settings);
  ~Sync();
  Sync(Sync const&) = delete;
  Sync& operator=(Sync const&) = delete;

  // Something that is exported may have changed.
  void poke();
  [[nodiscard]] std::vector<ZoneStatus> status() const;
  [[nodiscard]] std::uint64_t runs() const;  // finished

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace cloudflare
