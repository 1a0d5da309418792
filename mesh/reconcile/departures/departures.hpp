// Devices that nobody wants any more, and how they go without a packet lost. OSPF keeps them as they were until the
// node at the other end has other links, of which every router has heard; then as the last resort until that node is
// reached another way, and for a moment longer, because the other end calculates later. Were they the last resort from
// the beginning, routers would leave them in the same second in which the new link comes, each at its own moment, and
// packets would turn in a circle between two of them. Both ends judge alike, so that neither takes away what is all that
// the other one has.
//
// Threads: pure functions over values.
#pragma once

#include "mesh/plan/plan.hpp"
#include "mesh/plan/world.hpp"
#include "mesh/wireguard/device.hpp"
#include "routing/bird/state.hpp"
#include "routing/bird/status.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace reconcile {

// Each device, and whether it is the last resort yet.
using Departing = std::map<std::string, bool>;

// BIRD's configuration with the interfaces of these devices as `before` had them, in the same area; last resorts at a
// cost that nobody pays who has another way. Left out where the text does not know the area: a node that comes to a
// second one would begin OSPF anew.
std::string with_departing(std::string bird, std::string_view before, Departing const& devices);

// Why BIRD is not to be given the plan's configuration yet; nothing: it may. By that no adjacency of `before` would go
// on (the node comes to other areas, and an area that is left ends at once), so that the ways into the new ones are to
// be seen to carry packets first: one of the plan's devices must have had a handshake of WireGuard's, which needs no
// OSPF. `seen` are the devices as they are; times in Unix seconds.
std::optional<std::string> waits_for_handshake(std::string_view before, plan::NodePlan const& plan,
                                               std::vector<wireguard::ObservedDevice> const& seen, std::int64_t now_s);

// IPv4 loopback of the device's peer. Nothing when that is no member or not in the topology: nobody waits for it.
std::optional<std::string> router_of(wireguard::ObservedDevice const& device, plan::World const& world);

// Whether two routers reach each other over links of which both ends tell, without those between the two themselves.
bool another_way(bird::OspfState const& state, std::string const& own, std::string const& other);

// Whether `other` tells of no link to `own` but last resorts: it sends nothing that way any more.
bool left_there(bird::OspfState const& state, std::string const& own, std::string const& other);

// Whether a route of BIRD's `show route` has a next hop that is none of these devices.
bool leads_elsewhere(bird::Lines const& routes, Departing const& devices);

// One device's way out.
struct Departure {
  using Moment = std::chrono::steady_clock::time_point;
  // For links that are not Full as long as one is, and for another way that is not seen, as through another area.
  static constexpr std::chrono::seconds patience{30};
  static constexpr std::chrono::seconds settled{3};
  // For the other end, which may be on trial or refuse the change.
  static constexpr std::chrono::seconds patience_with_other{120};

  Moment since{};
  std::optional<Moment> seen = {};         // the other way
  std::optional<Moment> last_resort = {};  // since when
  std::optional<Moment> ready = {};

  [[nodiscard]] bool patient(Moment now) const { return now - since < patience; }
  // `another_way` is there now. It becomes the last resort when that has been so for as long as routers take to
  // calculate with it, and remains it. Who is `blind` to some ways becomes it when nobody is patient any more.
  void look(bool another_way, bool blind, Moment now);
  [[nodiscard]] bool awaits_other_end(Moment now) const {
    return last_resort && now - *last_resort < patience_with_other;
  }
  // `ready_now`: the others carry, nothing is on trial, it is the last resort at both ends, and the other end is
  // reached another way. True: remove it.
  bool may_go(bool ready_now, Moment now);
};

}  // namespace reconcile
