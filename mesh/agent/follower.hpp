// Asks the controller for the world, again and again: a long poll over mTLS; renews the certificate that it is done
// with, and tells the controller now and then how this node fares.
//
// GET {url}/v1/world?since=N&wait_ms=W answers 200 with a WorldDocument when there is a revision above N, else 204
// (or 304) after W. Failures back off from half a second to fifteen. POST {url}/v1/report takes a JSON object.
//
// Threads: one object on one loop.
#pragma once

#include "base/net/task.hpp"
#include "mesh/plan/world.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace agent {

struct FollowerSettings {
  std::string controller_url;                  // empty: nobody is asked
  std::string controller_name = "controller";  // the name in its certificate
  std::string state_directory;                 // node.crt, node.key, ca.crt
  std::string node;
};

struct FollowerStatus {
  bool connected = false;          // the last poll was answered
  std::int64_t last_answer_s = 0;  // wall clock; 0: never
  std::int64_t certificate_until_s = 0;
  std::string failure;  // of the last poll
};

class Follower {
 public:
  // Called on the loop with every document of a revision the follower has not seen.
  using Sink = std::function<void(plan::WorldDocument)>;
  // The report's JSON, asked for on the loop.
  using Reporter = std::function<std::string()>;

  Follower(net::asio::any_io_executor executor, FollowerSettings settings, Sink sink, Reporter reporter);
  ~Follower();
  Follower(Follower const&) = delete;
  Follower& operator=(Follower const&) = delete;

  // Begins to ask for what came after `since`. Once. Ends with the object.
  void start(std::int64_t since);
  [[nodiscard]] FollowerStatus const& status() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace agent
