// How a running Navigator makes room for the next one without PowerDNS noticing: over a unix socket, outside systemd.
//
//   navigator serve --replace                        the running one
//     "navigator 1 release"            ------------>   ends open transactions, closes the store, goes on answering
//     reads opens the store, builds its snapshot  <-------   "released" "give"                           ------------>
//     takes its sockets back from its sessions, between two requests holds them                       <------------
//     "socket KIND" (SCM_RIGHTS) ..., "end COUNT" "taken COUNT"                    ------------>   the point of no
//     return: closes the hand-over socket serves                           <------------   "go", and ends
//
// Whoever does not hear the next word does not serve: the new one serves after "go" only, the running one goes on
// unless it said "go". So a successor that dies, or is too slow, costs nothing but a pause.
//
// Threads: an Offer belongs to the control loop; a Predecessor blocks and belongs to the start of the program.
#pragma once

#include "base/net/task.hpp"
#include "dns-backend/handover/sockets.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace handover {

struct OfferSteps {
  // Ends writing and frees the store. Reads go on.
  std::function<net::Task<void>()> release;
  // Every socket, each between two requests.
  std::function<net::Task<OpenSockets>()> give;
  // The successor serves: end without touching the sockets.
  std::function<void()> gone;
  // It ended or was too slow; `sockets` is what give() yielded, if it came so far.
  std::function<void(OpenSockets sockets)> stay;
};

struct OfferLimits {
  std::chrono::milliseconds load{600000};  // for the successor to open the store
  std::chrono::milliseconds word{5000};    // for any other word
};

class Offer {
 public:
  // Listens at `path` (mode 0600), which the predecessor has left by then; a stale socket there goes. Failures:
  // net::errc::in_use, or the system's error.
  static base::Result<std::unique_ptr<Offer>> open(net::asio::any_io_executor executor, std::string path,
                                                   OfferSteps steps, OfferLimits limits = {});
  ~Offer();
  Offer(Offer const&) = delete;
  Offer& operator=(Offer const&) = delete;

 private:
  struct State;
  explicit Offer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// The successor's side.
class Predecessor {
 public:
  // Asks whoever listens at `path` to free the store, and waits until it did; nothing when nobody listens. An error
  // when it refuses, is gone in the middle or takes longer than `deadline`.
  static base::Result<std::optional<Predecessor>> ask(std::string const& path, std::chrono::milliseconds deadline);
  // Its sockets; afterwards it is gone and this process must serve them.
  base::Result<OpenSockets> take(std::chrono::milliseconds deadline);

 private:
  explicit Predecessor(process::Descriptor socket) : socket_(std::move(socket)) {}
  base::Result<process::Packet> next(std::chrono::steady_clock::time_point end) const;

  process::Descriptor socket_;
};

}  // namespace handover
