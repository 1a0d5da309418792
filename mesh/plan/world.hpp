// The world a mesh node lives in: the declared topology, the identities that never move, and the public keys of the
// nodes that joined, at one revision.
//
// A WorldDocument is what travels (controller -> agent, agent -> its snapshot on disk): texts and keys, nothing
// secret. A World is the same after everything in it was parsed and proved; only a World is planned from.
//
// Threads: plain values.
#pragma once

#include "base/result/result.hpp"
#include "mesh/wireguard/key.hpp"
#include "topology/allocation.hpp"
#include "topology/topology.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace plan {

enum class errc {
  bad_document = 1,  // not a world: not JSON, a member missing or of another type, too large
  bad_topology,      // the topology text inside it does not load
  bad_allocation,    // the allocation text inside it does not parse, or a node of the topology has no identity
  bad_key,           // a public key is not one
  unknown_node,      // the node to plan for is not in the topology
};
boost::system::error_code make_error_code(errc code);

inline constexpr std::size_t world_size_limit = 16U << 20U;  // bytes of JSON
inline constexpr std::size_t world_nodes_limit = 20000;

// A node changes its key without losing a packet: while it has a next key, each of its links has a second device with
// that key; when the next key has become the key, `generations` has counted one more, and the second device is the only
// one. Which of its two devices a link has is the parity of its ends' generations.
struct WorldDocument {
  std::int64_t revision = 0;                              // raised by every change; never goes back
  std::string mesh = {};                                  // the random name of the mesh; empty: made by hand
  std::int64_t issued_at_s = 0;                           // by the controller's clock
  std::string topology = {};                              // the topology file's text
  std::string allocation = {};                            // topology::to_text of the allocation
  std::map<std::string, std::string> nodes = {};          // name -> WireGuard public key in base64; nodes that joined
  std::set<std::string> removed = {};                     // keys in base64 that were members once and are not any more
  std::set<std::string> draining = {};                    // nodes that traffic is to avoid
  std::set<std::string> rotate = {};                      // nodes that are to make their next key
  std::map<std::string, std::string> next_keys = {};      // name -> the key it is changing to, in base64
  std::map<std::string, std::uint32_t> generations = {};  // name -> changes of key that were completed
  std::map<std::string, std::uint32_t> costs = {};        // link -> OSPF cost that was measured
  bool operator==(WorldDocument const&) const = default;
};

// {"revision":7,"topology":"...","allocation":"...","nodes":{"ams-1":"base64"}, ...}; what is empty is left out, and
// the same value gives the same bytes.
std::string to_json(WorldDocument const& document);
// Reads exactly that; unknown members are ignored so that an older agent understands a newer controller.
// errc::bad_document.
base::Result<WorldDocument> parse_world_document(std::string_view json);

struct World {
  std::int64_t revision = 0;
  topology::Topology topology;
  topology::Allocation allocation;
  std::map<std::string, wireguard::PublicKey> keys;  // only of nodes that the topology names
  std::set<std::string> draining = {};
  std::map<std::string, wireguard::PublicKey> next_keys = {};  // only of nodes that have a key
  std::map<std::string, std::uint32_t> generations = {};
};

// Loads the texts; measured costs take the place of declared ones where the topology wants that, and never of one that
// was written for the link. `source` is what problems name as the topology's file.
base::Result<World> build_world(WorldDocument const& document, std::string const& source = "topology");
void take_costs(World& world, std::map<std::string, std::uint32_t> const& costs);  // as build_world does at last

}  // namespace plan

template <>
struct boost::system::is_error_code_enum<plan::errc> : std::true_type {};
