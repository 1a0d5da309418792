// The primary's side of replication: GET /v1/changes?since=N&history=H&wait_ms=M, a long poll that answers what
// changed.
//
// A follower that asks since N, naming the history this store is in, has applied N: that is its acknowledgment, which
// the certificate gate waits for. Whoever names another history, or none, acknowledges nothing and gets a complete
// copy. The answer's header Sovereign-Revision is the primary's newest revision, so that a follower knows how far
// behind it is.
//
// Threads: the control loop.
#pragma once

#include "base/http/http.hpp"
#include "base/process/metrics.hpp"
#include "dns-backend/store/store.hpp"

#include <boost/json/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace feed {

struct FollowerStatus {
  std::string name;  // of its certificate; "unix" for whoever comes over the socket
  database::Revision acknowledged = 0;
  std::chrono::steady_clock::time_point last_heard;  // its last request came or ended
  bool polling = false;                              // a request of it waits here now
  unsigned requests = 0;                             // how many do
};

class FeedServer {
 public:
  // `followers`: certificate names that may follow; the unix socket always may. `store` must outlive the server of the
  // routes. Metrics, from the start for each of them: navigator_follower_connected and
  // navigator_follower_acknowledged_revision, labelled `follower`. `metrics` must outlive it.
  FeedServer(store::Store& store, std::set<std::string> followers, process::Metrics& metrics);
  FeedServer(FeedServer const&) = delete;
  FeedServer& operator=(FeedServer const&) = delete;

  // The router's server must be stopped before this object ends.
  void add_routes(net::Router& router);
  [[nodiscard]] std::map<std::string, FollowerStatus> const& followers() const { return *followers_; }
  // The same as people read it: a list of {name, acknowledged, behind, polling, silent_ms}.
  [[nodiscard]] boost::json::array describe() const;
  // Called whenever a follower acknowledged a revision.
  void on_acknowledgment(std::function<void()> listener) { acknowledged_ = std::move(listener); }

 private:
  net::Task<net::HttpResponse> answer(net::HttpRequest request);

  store::Store& store_;
  std::set<std::string> allowed_;
  process::Metrics& metrics_;
  std::shared_ptr<std::map<std::string, FollowerStatus>> followers_;  // shared with requests that wait
  std::function<void()> acknowledged_;
};

}  // namespace feed
