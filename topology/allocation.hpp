// Identities that never move: node ids, link ids and ports, remembered by name, with tombstones.
//
// A node that joins or leaves changes nobody else's numbers; a name that was removed keeps its id reserved for
// `quarantine` so that stale peers and caches cannot reach a newcomer by it, and gets the same id back on return.
// Everything else is derived: loopbacks, router id, fe80 addresses, interface names.
//
// Threads: pure functions over values.
#pragma once

#include "base/result/problem.hpp"
#include "base/result/result.hpp"
#include "topology/topology.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace topology {

enum class errc {
  exhausted = 1,  // no free id in the prefix, or no free port
  bad_file,       // the allocation file is not one
  taken,          // an id or a port that the topology fixes belongs to another, or did in the last 30 days
};
boost::system::error_code make_error_code(errc code);

struct LinkIdentity {
  std::uint32_t id = 0;
  std::uint16_t port_a = 0;  // listen port on Link::a
  std::uint16_t port_b = 0;
  std::int64_t removed_at = 0;  // seconds since the epoch; 0: in use
  bool repair = false;          // chosen to carry detours alone (Link::repair): the topology does not say it
};

struct NodeIdentity {
  std::uint32_t id = 0;
  std::int64_t removed_at = 0;
};

struct Allocation {
  std::map<std::string, NodeIdentity> nodes;
  std::map<std::string, LinkIdentity> links;  // by Link::name()
};

inline constexpr std::int64_t quarantine_s = 30 * 24 * 3600;
// The largest node id whose addresses are inside both mesh prefixes and are not the last of one.
std::uint32_t largest_node_id(Mesh const& mesh);

// `previous` with everything of `topology` added and everything gone marked. Deterministic. A number that the topology
// fixes is taken as it stands; everything else keeps the one it has.
base::Result<Allocation> allocate(Topology const& topology, Allocation const& previous, std::int64_t now_s);

// The file form: one line an identity, sorted, so that a version-control diff reads well.
std::string to_text(Allocation const& allocation);
base::Result<Allocation> parse_allocation(std::string_view text);
// The same with every problem, each with its line, column and what would mend it (the first 1,000).
boost::system::result<Allocation, base::Problems> load_allocation(std::string_view text, std::string const& source);

// Derived from a node's id and the mesh prefixes.
Address loopback4(Topology const& topology, Allocation const& allocation, std::string_view node);
Address loopback6(Topology const& topology, Allocation const& allocation, std::string_view node);
// fe80::<link id>:<1 for a, 2 for b>
Address link_local(Allocation const& allocation, Link const& link, std::string_view node);
// "wg-<peer>" when that fits 15 characters, else "wg-" and 8 hex digits of a hash of the link's name.
std::string interface_name(Link const& link, std::string_view node);
std::uint16_t listen_port(Allocation const& allocation, Link const& link, std::string_view node);

}  // namespace topology

template <>
struct boost::system::is_error_code_enum<topology::errc> : std::true_type {};
