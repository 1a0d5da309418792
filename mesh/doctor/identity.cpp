// Whether this node and its neighbours are who and where the mesh thinks.
#include "mesh/doctor/examination.hpp"
#include "mesh/doctor/underlay/addresses.hpp"
#include "mesh/wireguard/diff.hpp"

#include <algorithm>

namespace doctor {
namespace {

using wireguard::Address;

std::string listed(std::vector<std::string> const& all) {
  std::string out;
  for (auto const& one : all) {
    out += (out.empty() ? "" : &one == &all.back() ? " and " : ", ") + one;
  }
  return out;
}

std::string fix_of_twins(std::string const& node) {
  return "a copied disk carries the node's keys: on the machine that is not " + node +
         ", stop privateer and BIRD, empty the state directory and join with a token of its own (privateer token "
         "create "
         "--node NAME); if nobody of yours made the copy, privateer node remove " +
         node + " ends both";
}

// Packets with one key from two places in turns. What the link does else follows from it. No error: a translator that
// changes its mind looks the same, and a node that is two is told so by the controller (duplicate-node).
void flapping(Examination& examination) {
  for (auto const& [device, places] : examination.facts().flapping) {
    auto const other = examination.peer(device);
    if (!other.empty() && !places.empty()) {
      examination.explain(device);
      examination.warning("endpoint-flaps", device,
                          examination.link(device) + " comes from " + listed(places) +
                              " in turns: two machines run as " + other +
                              ", unless what is between changes its address",
                          fix_of_twins(other));
    }
  }
}

void own_address(Examination& examination) {
  Facts const& facts = examination.facts();
  for (auto const& drift : drifts(facts.own_underlay, facts.local_addresses, facts.sources)) {
    auto const declared = drift.declared.to_string();
    examination.error("address-moved", declared,
                      "the topology has this node at " + declared +
                          ", which is no address of this machine; its packets "
                          "leave with " +
                          drift.used.to_string(),
                      "give the machine " + declared + " back, or set underlay: [" + drift.used.to_string() + "] for " +
                          facts.node + " in the topology: nodes that start anew do not find it");
  }
}

// While its session lives WireGuard follows a neighbour that moved; whoever starts anew begins at the declared address.
void addresses_of_neighbours(Examination& examination) {
  Facts const& facts = examination.facts();
  for (auto const& device : facts.devices) {
    auto const declared = facts.declared_of_device.find(device.name);
    if (declared == facts.declared_of_device.end() || declared->second.empty() || device.peers.size() != 1 ||
        facts.flapping.contains(device.name)) {
      continue;
    }
    auto const& peer = device.peers.front();
    bool const alive = facts.now_s - peer.last_handshake_s <= wireguard::session_life_s;
    auto const& all = declared->second;
    if (!alive || !peer.peer.endpoint || std::find(all.begin(), all.end(), peer.peer.endpoint->address) != all.end()) {
      continue;
    }
    auto const seen = peer.peer.endpoint->address.to_string();
    auto const other = examination.peer(device.name);
    examination.warning("endpoint-moved", device.name,
                        examination.link(device.name) + " comes from " + seen + ", and the topology has " + other +
                            " at " + all.front().to_string(),
                        "privateer doctor on " + other + " says whether its address changed: set underlay: [" + seen +
                            "] for it in the topology; where its packets are translated, underlay: [] lets it begin");
  }
}

}  // namespace

void examine_identity(Examination& examination) {
  Facts const& facts = examination.facts();
  if (!facts.controller.twins.empty()) {
    examination.error(
        "duplicate-node", "",
        "another machine runs as " + facts.node + ": the controller hears it from " + listed(facts.controller.twins),
        fix_of_twins(facts.node));
  }
  flapping(examination);
  own_address(examination);
  addresses_of_neighbours(examination);
}

}  // namespace doctor
