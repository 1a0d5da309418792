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

struct WorldDocument {
  std::int64_t revision = 0;                 // raised by every change; never goes back
  std::string topology;                      // the topology file's text
  std::string allocation;                    // topology::to_text of the allocation
  std::map<std::string, std::string> nodes;  // name -> WireGuard public key in base64; nodes that joined
  bool operator==(WorldDocument const&) const = default;
};

// {"revision":7,"topology":"...","allocation":"...","nodes":{"ams-1":"base64"}}; the same value gives the same bytes.
std::string to_json(WorldDocument const& document);
// Reads exactly that; unknown members are ignored so that an older agent understands a newer controller.
// errc::bad_document.
base::Result<WorldDocument> parse_world_document(std::string_view json);

struct World {
  std::int64_t revision = 0;
  topology::Topology topology;
  topology::Allocation allocation;
  std::map<std::string, wireguard::PublicKey> keys;  // only of nodes that the topology names
};

// Loads the texts. `source` is what problems name as the topology's file.
base::Result<World> build_world(WorldDocument const& document, std::string const& source = "topology");

}  // namespace plan

template <>
struct boost::system::is_error_code_enum<plan::errc> : std::true_type {};
