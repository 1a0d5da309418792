#include "mesh/agent/belief/checks.hpp"

#include "base/process/service.hpp"
#include "mesh/agent/belief/snapshots.hpp"
#include "topology/load.hpp"

#include <algorithm>
#include <set>

namespace agent {

base::Result<plan::WorldDocument> seed_of_topology(std::string const& file) {
  auto text = process::read_file(file);
  if (!text) {
    return text.error();
  }
  auto const topology = topology::load_topology(*text, file);
  if (!topology) {
    return base::fail(plan::errc::bad_topology, base::text(topology.error()));
  }
  auto const allocation = topology::allocate(*topology, {}, 0);
  if (!allocation) {
    return allocation.error();
  }
  plan::WorldDocument out;
  out.topology = std::move(*text);
  out.allocation = topology::to_text(*allocation);
  return out;
}

base::Result<void> check_for_us(plan::WorldDocument const& document, std::string const& node, Identity const& identity,
                                bool must_name) {
  auto const found = document.nodes.find(node);
  if (found == document.nodes.end()) {
    return must_name ? base::Result<void>(base::fail(errc::cut_off, "it does not have this node among its members"))
                     : base::Result<void>();
  }
  if (found->second != identity.own_public() && found->second != identity.next_public()) {
    return base::fail(errc::other_node, "its key of '" + node + "' is " + found->second + ", and not this node's");
  }
  return {};
}

base::Result<void> check_links(plan::World const& before, plan::World const& after, std::string const& node) {
  auto const others = [&](plan::World const& world) {
    std::set<std::string> out;
    for (auto const& link : world.topology.links_of(node)) {
      out.insert(link.a == node ? link.b : link.a);
    }
    return out;
  };
  auto const now = others(after);
  bool const linked = std::any_of(now.begin(), now.end(), [&](auto const& one) { return after.keys.contains(one); });
  auto const was = others(before);
  // A topology without any link of it is nobody's intention; else, whoever was removed is lost in any case.
  bool const none_planned = now.empty() && !was.empty();
  bool const had = std::any_of(was.begin(), was.end(),
                               [&](auto const& one) { return before.keys.contains(one) && after.keys.contains(one); });
  if (linked || (!had && !none_planned)) {
    return {};
  }
  std::string waiting;
  for (auto const& one : now) {
    waiting += (waiting.empty() ? ": not yet " : ", ") + one;
  }
  return base::fail(errc::cut_off, "it leaves '" + node + "' without a link" +
                                       (now.empty() ? "" : " to a node that has joined" + waiting));
}

}  // namespace agent
