// A replica's side: follows a primary's change feed for ever, applies what comes, and goes on serving when nothing
// does.
//
// Threads: one object on the control loop.
#pragma once

#include "base/http_client/http_client.hpp"
#include "base/process/metrics.hpp"
#include "dns-backend/store/store.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace feed {

struct FollowerSettings {
  std::string primary_url;                     // "https://10.200.0.1:18010"
  std::chrono::milliseconds wait{25000};       // of one long poll
  std::chrono::milliseconds retry_first{200};  // after a failure; doubles up to the limit, with jitter
  std::chrono::milliseconds retry_limit{5000};
};

struct FollowStatus {
  bool connected = false;            // the last poll succeeded
  database::Revision revision = 0;   // applied here
  database::Revision lag = 0;        // how far the primary was ahead at the last contact
  std::string last_error;            // empty while connected
  std::int64_t last_contact_ms = 0;  // wall clock; 0: never
  std::uint64_t batches = 0;         // applied
};

class Follower {
 public:
  // `store`, `client` and `metrics` must outlive it. Starts at once. Metrics: navigator_replica_connected,
  // navigator_replica_revision, navigator_replica_lag_revisions and navigator_replica_failures_total.
  Follower(net::asio::any_io_executor executor, store::Store& store, net::HttpClient& client,
           FollowerSettings settings, process::Metrics& metrics);
  // Nothing is asked or applied any more; a poll under way ends unheard.
  ~Follower();
  Follower(Follower const&) = delete;
  Follower& operator=(Follower const&) = delete;

  [[nodiscard]] FollowStatus status() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace feed
