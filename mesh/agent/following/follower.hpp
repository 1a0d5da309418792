// Asks the controller for the world, again and again: a long poll over mTLS; renews the certificate that it is done
// with, and tells the controller now and then how this node fares.
//
// GET {url}/v1/world?since=N&wait_ms=W answers 200 with a signed world when there is a revision above N, else 204
// (or 304) after W, which is 0 until the controller has answered once and after a failure. An answer may ask the node
// to examine itself (header Privateer-Examine, a number): what comes of it is sent to POST /v1/findings?number=N, and
// the polls name the number from then on (examined=N). Failures back off from half a second to fifteen. POST
// {url}/v1/report takes a JSON object, with a mark of this process that no copy of the disk has (header
// Privateer-Process); where the controller hears the marks of two in turns, it answers {"twins":["198.51.100.7"]}.
// An answer may be compressed (gzip). Its header Privateer-Revocations is the number of the list of revoked
// certificates: another than here is fetched, GET {url}/v1/crl (revocations.hpp).
//
// A controller whose store is an older copy answers 409 with its revision: it is shown the newest signed world that
// this node has (POST {url}/v1/world), learns from that, and goes on above it.
//
// Threads: one object on one loop.
#pragma once

#include "base/net/task.hpp"
#include "mesh/internal_ca/credentials.hpp"
#include "mesh/signed_world/signed_world.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace agent {

struct FollowerSettings {
  std::string controller_url;                  // empty: nobody is asked
  std::string controller_name = "controller";  // the name in its certificate
  std::string state_directory;                 // node.crt, node.key, ca.crt
  std::string node;
  // What this node finds wrong with itself, as JSON; empty: it does not examine itself.
  std::function<net::Task<std::string>()> examine = {};
  // The newest world that this node has, with its revision; unsigned: none.
  struct Newest {
    std::int64_t revision = 0;
    signed_world::SignedWorld world;
  };
  std::function<Newest()> newest = [] { return Newest(); };
};

struct FollowerStatus {
  bool connected = false;          // the last poll was answered
  std::int64_t last_answer_s = 0;  // wall clock; 0: never
  std::int64_t certificate_until_s = 0;
  internal_ca::Validity issuer;                      // of what issued the certificate; zero: not known
  std::string renewal_failure;                       // of the last try to get the next certificate
  std::string revocations_failure;                   // why ca.crl here is not the controller's; empty: it is
  std::string failure;                               // of the last poll
  std::chrono::steady_clock::time_point answered{};  // when a poll was answered last
  // The revision that the controller is at, when that is behind what this node has seen; it was restored from an older
  // copy of its store, most likely, and knows nothing of what came since.
  std::optional<std::int64_t> behind = {};
  std::optional<std::int64_t> clock_ahead_s = {};  // of the controller's, by the date of its last answer
  std::vector<std::string> twins = {};             // where the controller hears others with this node's credential from
};

// How far a clock that says `now_s` is ahead of one that wrote an HTTP date (RFC 9110, 5.6.7). nullopt: it is no date.
std::optional<std::int64_t> clock_ahead_s(std::string_view date, std::int64_t now_s);

// The places in the answer to a report; none in an empty one, or in what is no such answer.
std::vector<std::string> twins_in(std::string_view report_answer);

class Follower {
 public:
  // Called on the loop with every world that the follower has not seen. Its revision, when it is the controller's word
  // (whether or not it is used); a failure when it is not: then it is asked for again, and the controller is not taken
  // as answering.
  using Sink = std::function<base::Result<std::int64_t>(signed_world::SignedWorld)>;
  // The report's JSON, asked for on the loop.
  using Reporter = std::function<std::string()>;

  Follower(net::asio::any_io_executor executor, FollowerSettings settings, Sink sink, Reporter reporter);
  ~Follower();
  Follower(Follower const&) = delete;
  Follower& operator=(Follower const&) = delete;

  // Begins to ask for what came after `since`. Once. Ends with the object.
  void start(std::int64_t since);
  [[nodiscard]] FollowerStatus const& status() const;

  // Whether the controller answers at this moment, asked over a connection of its own: one that is open already may
  // outlive the way it took. Not before start().
  net::Task<bool> reach();

  // One request to the controller over the same client; the body of a 2xx answer. Not before start().
  net::Task<base::Result<std::string>> ask(std::string method, std::string path, std::string body);

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace agent
