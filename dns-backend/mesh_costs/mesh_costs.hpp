// What it costs the mesh to get from here to each site: asked of the BIRD on this machine, again and again.
//
// The cost is OSPF's metric of the route to the loopback of the site's DNS node. The answering site's own cost is 0; a
// site to which OSPF has no route has none.
//
// Bounds: one deadline for each site's question; the first that BIRD does not answer ends the round, and what was known
// stays, whole.
//
// Threads: one object on the control loop; parse functions are pure.
#pragma once

#include "base/net/task.hpp"
#include "dns-backend/geo/geo.hpp"
#include "routing/bird/status.hpp"

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mesh_costs {

struct Site {
  std::string name;
  net::asio::ip::address loopback;
};

struct MeshCostsSettings {
  std::string bird;         // control socket
  std::string own;          // the site that answers here; empty: none of them
  std::vector<Site> sites;  // the others
  std::chrono::milliseconds interval{3000};
  std::chrono::milliseconds deadline{1000};
};

struct MeshCostsStatus {
  std::shared_ptr<geo::SiteCosts const> costs;  // nullptr: BIRD never answered
  std::string last_error;                       // empty while it answers
};

// The cost of the best route to exactly this address, if OSPF has it, out of what BIRD 2.0 prints for `show route for
// ADDRESS primary all`. A covering prefix, or a route of another protocol, is none. Lines that are not understood are
// passed over.
[[nodiscard]] std::optional<std::uint32_t> cost_of(bird::Lines const& lines, net::asio::ip::address const& address);

class MeshCosts {
 public:
  // `changed` is called with the first costs and each time that any of them differs.
  using Listener = std::function<void(std::shared_ptr<geo::SiteCosts const> const& costs)>;
  // Begins to ask.
  MeshCosts(net::asio::any_io_executor executor, MeshCostsSettings settings, Listener changed);
  // The listener is not called again. A question on its way ends by its deadline, unheard.
  ~MeshCosts();
  MeshCosts(MeshCosts const&) = delete;
  MeshCosts& operator=(MeshCosts const&) = delete;

  [[nodiscard]] MeshCostsStatus const& status() const;

 private:
  struct State;
  static net::Task<void> run(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace mesh_costs
