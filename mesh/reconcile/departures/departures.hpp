// Devices that nobody wants any more, and how they go without a packet lost: OSPF keeps them as the last resort until
// the node at the other end is reached another way, and for a moment longer, because the other end calculates later.
// Both ends judge by that, so that neither takes away what is all that the other one has.
//
// Threads: pure functions over values.
#pragma once

#include "mesh/plan/plan.hpp"
#include "mesh/plan/world.hpp"
#include "mesh/wireguard/device.hpp"
#include "routing/bird/status.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace reconcile {

// BIRD's configuration with the interfaces of these devices as `before` had them, in the same area, at a cost that
// nobody pays who has another way. Left out where the text does not know the area: a node that comes to a second one
// would begin OSPF anew.
std::string with_departing(std::string bird, std::string_view before, std::set<std::string> const& devices);

// Why BIRD is not to be given the plan's configuration yet; nothing: it may. By that no adjacency of `before` would go
// on (the node comes to other areas, and an area that is left ends at once), so that the ways into the new ones are to
// be seen to carry packets first: one of the plan's devices must have had a handshake of WireGuard's, which needs no
// OSPF. `seen` are the devices as they are; times in Unix seconds.
std::optional<std::string> waits_for_handshake(std::string_view before, plan::NodePlan const& plan,
                                               std::vector<wireguard::ObservedDevice> const& seen, std::int64_t now_s);

// IPv4 loopback of the device's peer. Nothing when that is no member or not in the topology: nobody waits for it.
std::optional<std::string> router_of(wireguard::ObservedDevice const& device, plan::World const& world);

// Whether a route of BIRD's `show route` has a next hop that is none of these devices.
bool leads_elsewhere(bird::Lines const& routes, std::set<std::string> const& devices);

// One device's way out.
struct Departure {
  using Moment = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds patience{30};  // for links that are not Full as long as one is
  static constexpr std::chrono::seconds settled{3};

  Moment since{};
  std::optional<Moment> ready = {};

  [[nodiscard]] bool patient(Moment now) const { return now - since < patience; }
  // `ready_now`: the others carry, nothing is on trial, and the other end has another way. True: remove it.
  bool may_go(bool ready_now, Moment now);
};

}  // namespace reconcile
