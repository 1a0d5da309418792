// A node's part in a change of keys, its own or a neighbour's, without losing a packet: every link gets a second device
// with the new key beside the first; when its adjacencies are Full and everybody knows it, the first becomes the last
// resort, so that traffic moves while both still carry; when all have moved and the news has gone round, the change is
// done and the first devices go.
//
// A router tells of its links at most every five seconds and looks at what others told every second (BIRD). Before
// `flooded` a neighbour may know that the first device is the last resort and not yet that there is a second one: the
// two then send each other's packets in a circle for a second (OSPFv3, which looks for both ends of each link). After
// it distances never change, so no other node routes differently meanwhile; `settle` waits for the same once more.
//
// Threads: one object on one loop; only offer_next_key does input and output.
#pragma once

#include "mesh/agent/belief/identity.hpp"
#include "mesh/agent/following/follower.hpp"
#include "mesh/agent/trial/trial.hpp"
#include "mesh/plan/plan.hpp"
#include "routing/bird/status.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace agent {

class Rotation {
 public:
  static constexpr std::chrono::seconds flooded{7};
  static constexpr std::chrono::seconds settle{10};
  static constexpr std::chrono::seconds pause{2};  // between two tries to tell the controller

  // Devices that traffic is to leave; input of the next plan.
  std::set<std::string> left;

  // True when `left` changed: plan again. Not `may_leave`: a world is on trial, and BIRD keeps what it has till then.
  bool observe(plan::NodePlan const& plan, std::vector<bird::Neighbor> const& neighbors, Moment now,
               bool may_leave = true);

  // A link of this node has two devices.
  [[nodiscard]] bool running() const { return running_; }

  enum class Step {
    none,
    offer,  // make the next key and show it to the controller
    done,   // say that all links run with it
    drop,   // the change was ended: forget the next key
  };
  // `newest`: no newer world is known here, on trial or taken back. An older one may not know that the controller has
  // the next key already, and says nothing of it; and there is no way back behind the world with the new key, so that
  // it is not asked for before what is here has been seen to hold.
  Step step(plan::WorldDocument const& document, std::string const& node, Identity const& identity,
            plan::NodePlan const& plan, Moment now, bool newest = true);

 private:
  std::map<std::string, Moment> full_since_;  // device -> when its successor became Full in both families
  bool running_ = false;
  bool all_moved_ = false;
  Moment moved_at_{};
  std::optional<Moment> tried_;
};

// What shows the next key to the controller; `greeting` is its answer to GET /v1/join. enrolment::errc::refused.
base::Result<std::string> offer_body(std::string_view greeting, std::string const& node, Identity const& identity);

// Makes the next key and shows it to the controller. Both must outlive the task.
net::Task<base::Result<void>> offer_next_key(Follower* controller, std::string node, Identity* identity);

}  // namespace agent
