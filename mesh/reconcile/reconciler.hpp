// One pass over the machine: what the plan wants against what is there, and doing the difference.
//
// Order: devices, their settings, addresses on lo, packet-filter rules, BIRD, stray routes, and only then the devices
// that nobody wants any more: they wait until every wanted link has its OSPF neighbours Full (after 30 s
// until one has), so that traffic has somewhere to go. A device whose peers are no members any more does not wait.
// A pass over a machine that is already right writes nothing.
//
// Threads: one object on one loop; one pass at a time.
#pragma once

#include "mesh/guard/rules.hpp"
#include "mesh/guard/strays.hpp"
#include "mesh/reconcile/bird_service.hpp"
#include "mesh/reconcile/departures/departures.hpp"
#include "mesh/reconcile/machine.hpp"
#include "mesh/wireguard/backend/backend.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace reconcile {

// What a pass found and did. Private keys are wiped from `devices`.
struct Pass {
  std::vector<std::string> changes;    // sentences
  std::vector<std::string> failures;   // sentences
  std::vector<std::string> remaining;  // what still differs after everything was applied
  std::vector<wireguard::ObservedDevice> devices;
  bool bird_running = false;
  bool bird_took = false;  // it goes by the plan's configuration
  std::vector<bird::Neighbor> neighbors;
  std::vector<bird::BfdSession> bfd;
  std::vector<std::string> waiting_removals;  // devices that go when the others are Full (departures.hpp)
};

class Reconciler {
 public:
  // `nft` is the command that loads rules; empty: there are none to be kept.
  Reconciler(wireguard::Backend backend, BirdSettings bird, std::vector<std::string> nft,
             std::string const& state_directory);

  // `next` may be unset; then no device is made with it.
  void set_keys(wireguard::PrivateKey own, wireguard::PrivateKey next);

  // `live_bird` is the configuration with the announced services enabled; equal to plan.bird when there are none.
  // On a `trial` (its number, 0: none) BIRD takes a new configuration back by itself after `confirm_within` unless
  // confirm() is called (BirdService::converge).
  net::Task<Pass> run(std::shared_ptr<plan::NodePlan const> plan, std::shared_ptr<plan::World const> world,
                      std::string live_bird, std::uint64_t trial);
  net::Task<base::Result<void>> confirm() { return bird_.confirm(); }

  // The next pass looks at routes too, which it otherwise does once a minute.
  void look_at_routes() { routes_due_ = {}; }

  [[nodiscard]] char const* backend_name() const { return backend_.name(); }

 private:
  // Gives the names that somebody else's interfaces have.
  net::Task<std::set<std::string>> devices(std::shared_ptr<plan::NodePlan const> plan,
                                           std::shared_ptr<plan::World const> world, Pass* pass);
  // True when a device has its name again: look anew.
  bool restore_names(plan::NodePlan const& plan, Pass& pass);
  void remember_devices(Pass const& pass);
  net::Task<void> rules(std::shared_ptr<plan::NodePlan const> plan, Pass* pass);
  void strays(plan::NodePlan const& plan, Pass& pass);
  net::Task<void> removals(std::shared_ptr<plan::NodePlan const> plan, std::shared_ptr<plan::World const> world,
                           bool trial, Pass* pass);
  // Of both instances; none when BIRD does not say.
  net::Task<std::vector<bird::OspfState>> link_states();
  net::Task<bool> has_another_way(wireguard::ObservedDevice device, std::shared_ptr<plan::World const> world,
                                  Pass const* pass);
  net::Task<void> routing(std::shared_ptr<plan::NodePlan const> plan, std::string live_bird, std::uint64_t trial,
                          Pass* pass);
  net::Task<void> look_at_routing(Pass* pass);
  net::Task<void> recalculate_when_due(Pass* pass);
  net::Task<void> verify(std::shared_ptr<plan::NodePlan const> plan, Pass* pass);
  [[nodiscard]] std::vector<wireguard::Device> with_keys(plan::NodePlan const& plan) const;
  net::Task<base::Result<std::vector<wireguard::Change>>> difference(std::shared_ptr<plan::NodePlan const> plan,
                                                                     Pass* pass);
  net::Task<void> apply(std::vector<wireguard::Change> changes, Pass* pass);
  void loopback(plan::NodePlan const& plan, Pass& pass);
  void settings(plan::NodePlan const& plan, Pass& pass);

  wireguard::Backend backend_;
  wireguard::PrivateKey given_own_, given_next_;  // for the next pass
  wireguard::PrivateKey own_key_, next_key_;      // of this one
  BirdService bird_;
  std::string owned_file_;
  std::optional<guard::Rules> rules_;
  std::optional<guard::Strays> strays_;
  std::chrono::steady_clock::time_point routes_due_{};
  std::map<std::string, unsigned> index_of_;  // of each device of ours when it was last seen under its name
  static constexpr int rewrites_per_loss = 2;
  Departing departing_;  // of the last look
  std::map<std::string, Departure> departures_;
  // Passes that still have to make BIRD write its routes again: two, because BIRD may learn of a new interface after
  // the first.
  int rewrites_owed_ = 0;
  std::set<std::string> come_before_;  // adjacencies() of the last pass
  std::optional<std::chrono::steady_clock::time_point> recalculate_at_;
};

// Pure: interfaces that are wanted devices under other names, and those names. One is known by its index, or, when this
// process has not seen it before, by its alias under a name that is not ours.
std::map<unsigned, std::string> renamed(std::vector<wireguard::Device> const& wanted,
                                        std::vector<wireguard::ObservedDevice> const& all,
                                        std::map<std::string, unsigned> const& index_of);
// Pure: names of the devices that carry the mesh: what is wanted or is left over of it, but nobody else's. `wanted`
// with their private keys.
std::set<std::string> mesh_devices(std::vector<wireguard::Device> const& wanted,
                                   std::vector<wireguard::ObservedDevice> const& seen, wireguard::Owner owner);
// Pure: whose devices the plan's are. It must not outlive the plan.
wireguard::Owner owner_of(plan::NodePlan const& plan);
// Pure: BIRD's configuration without these interfaces, and the plan without these devices and all that is said of them.
// A name that somebody else's interface has must get no settings, rules or OSPF of ours.
std::string without_interfaces(std::string bird, std::set<std::string> const& names);
plan::NodePlan without_devices(plan::NodePlan plan, std::set<std::string> const& names);
// A change, said in the log too.
void note_change(Pass& pass, std::string text);

// Pure: the kernel drops routes by itself when this was needed (the interface, or an address of it, had gone).
bool loses_routes(wireguard::Change const& change);
// Pure: whether the links of the plan carry routing, so that others may go: every one, or, when nobody is `patient` any
// more, at least one. With none, what is left over may be all that connects this node.
bool others_carry(plan::NodePlan const& plan, std::vector<bird::Neighbor> const& neighbors, bool patient);
// Pure: no router but the two ends goes by this device that nobody wants: it carries nothing, or a wanted one leads to
// the same node.
bool nobody_calculates(wireguard::ObservedDevice const& device, plan::NodePlan const& plan, plan::World const& world,
                       std::vector<bird::Neighbor> const& neighbors);
// Pure: what stands between this node and its neighbours, named so that one which went and came back between two looks
// is another one: OSPF says of an adjacency only that it is Full, but BFD says since when its session is up, and a
// neighbour that was lost has lost that too.
std::set<std::string> adjacencies(std::vector<bird::Neighbor> const& neighbors,
                                  std::vector<bird::BfdSession> const& sessions);
// Pure: a session whose peer came through the mesh itself (its packets took a route they must not take, and WireGuard
// follows whoever speaks) counts as dead, so that the declared endpoint is put back although it is alive.
std::vector<wireguard::ObservedDevice> without_inner_sessions(std::vector<wireguard::ObservedDevice> devices,
                                                              std::vector<wireguard::Network> const& mesh_prefixes);
// Pure: none of the device's peers is a member of the world.
bool is_orphan(wireguard::ObservedDevice const& device, plan::World const& world);

}  // namespace reconcile
