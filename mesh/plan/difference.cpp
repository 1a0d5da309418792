#include "mesh/plan/difference.hpp"

#include "mesh/plan/area_moves/area_moves.hpp"
#include "mesh/plan/lines/lines.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace plan {
namespace {

namespace json = boost::json;

wireguard::ObservedDevice observed(wireguard::Device const& device) {
  wireguard::ObservedDevice out;
  out.name = device.name;
  out.alias = device.alias;
  out.wireguard = true;
  out.up = true;
  out.mtu = device.mtu;
  out.addresses = device.addresses;
  out.listen_port = device.listen_port;
  for (auto const& peer : device.peers) {
    out.peers.push_back({peer, 0, 0, 0});
  }
  return out;
}

template <class Item, class Text>
void compare_sets(std::vector<Item> const& before, std::vector<Item> const& after, Text const& text,
                  std::vector<std::string>& out) {
  for (auto const& item : after) {
    if (std::find(before.begin(), before.end(), item) == before.end()) {
      out.push_back("+ " + text(item));
    }
  }
  for (auto const& item : before) {
    if (std::find(after.begin(), after.end(), item) == after.end()) {
      out.push_back("- " + text(item));
    }
  }
}

void warn_of_ospf(NodePlan const& before, NodePlan const& after, std::vector<std::string>& out) {
  if ((before.areas.size() > 1) != (after.areas.size() > 1)) {
    out.push_back(after.areas.size() > 1 ? "OSPF restarts here: the node comes from one area to several"
                                         : "OSPF restarts here: the node comes from several areas to one");
  }
  if (before.loopback.empty() || after.loopback.empty() || before.loopback.front() != after.loopback.front()) {
    out.push_back("OSPF and BGP restart here: the router id changes");
  }
  for (auto& sentence : area_moves(before.area_of_device, after.area_of_device)) {
    out.push_back(std::move(sentence));
  }
}

void warn_of_devices(NodePlan const& before, NodePlan const& after, std::vector<std::string>& out) {
  for (auto const& device : after.devices) {
    auto const old_device = std::find_if(before.devices.begin(), before.devices.end(),
                                         [&](auto const& one) { return one.name == device.name; });
    if (old_device == before.devices.end()) {
      continue;
    }
    if (old_device->listen_port != device.listen_port) {
      out.push_back("the session over " + device.name + " pauses until the other end knows the new port");
    }
    if (old_device->mtu != device.mtu) {
      out.push_back("the MTU of " + device.name + " must change at both ends: until then an adjacency that comes up " +
                    "anew stays in exchange");
    }
  }
}

// A world of a topology alone knows no keys: a difference of keys is then none of the topology's.
World with_keys_of(World world, World const& other) {
  world.keys.insert(other.keys.begin(), other.keys.end());
  return world;
}

void compare_node(Planner const& before, Planner const& after, std::string const& name, PlanOptions const& options,
                  Difference& out) {
  auto const old_plan = before.node(name, options);
  auto const new_plan = after.node(name, options);
  NodePlan nothing;
  auto one = difference(old_plan ? *old_plan : nothing, new_plan ? *new_plan : nothing);
  if (old_plan && new_plan && one.lines.empty()) {
    ++out.unchanged;
    return;
  }
  one.node = name;
  if (!old_plan || !new_plan) {
    one.kind = old_plan ? NodeDifference::Kind::leaves : NodeDifference::Kind::joins;
    one.warnings.clear();
    std::erase_if(one.lines, [](std::string const& line) { return line.find(".conf: ") != std::string::npos; });
  }
  out.nodes.push_back(std::move(one));
}

char const* name_of(NodeDifference::Kind kind) {
  switch (kind) {
    case NodeDifference::Kind::joins:
      return "joins";
    case NodeDifference::Kind::leaves:
      return "leaves";
    case NodeDifference::Kind::changes:
      break;
  }
  return "changes";
}

}  // namespace

NodeDifference difference(NodePlan const& before, NodePlan const& after) {
  NodeDifference out;
  out.node = after.node;
  std::vector<wireguard::ObservedDevice> there;
  for (auto const& device : before.devices) {
    there.push_back(observed(device));
  }
  for (auto const& change : wireguard::diff(after.devices, there, {interface_prefix, after.node}, 0)) {
    out.lines.push_back(change.text());
  }
  compare_sets(
      before.loopback, after.loopback, [](auto const& one) { return "lo: address " + one.text(); }, out.lines);
  compare_sets(
      before.sysctls, after.sysctls, [](auto const& one) { return one.path + " = " + one.value; }, out.lines);
  compare_lines("bird.conf", before.bird, after.bird, out.lines);
  compare_lines("nftables.conf", before.rules, after.rules, out.lines);
  warn_of_ospf(before, after, out.warnings);
  warn_of_devices(before, after, out.warnings);
  return out;
}

Difference difference(World const& before, World const& after, PlanOptions const& options) {
  auto const old_world = with_keys_of(before, after);
  auto const new_world = with_keys_of(after, before);
  Planner const old_planner(old_world);
  Planner const new_planner(new_world);
  std::set<std::string> names;
  for (auto const* world : {&before, &after}) {
    for (auto const& node : world->topology.nodes) {
      names.insert(node.name);
    }
  }
  Difference out;
  for (auto const& name : names) {
    compare_node(old_planner, new_planner, name, options, out);
  }
  return out;
}

std::string to_text(Difference const& difference, std::size_t most_lines) {
  std::string out;
  std::size_t counts[3] = {0, 0, 0};
  for (auto const& node : difference.nodes) {
    ++counts[static_cast<std::size_t>(node.kind)];
    out += "node " + node.node + " " + name_of(node.kind) + "\n";
    for (auto const& warning : node.warnings) {
      out += "  ! " + warning + "\n";
    }
    for (std::size_t i = 0; i < std::min(most_lines, node.lines.size()); ++i) {
      out += "  " + node.lines[i] + "\n";
    }
    if (node.lines.size() > most_lines) {
      out += "  and " + std::to_string(node.lines.size() - most_lines) + " lines more\n";
    }
  }
  return out + std::to_string(counts[0]) + " nodes join, " + std::to_string(counts[1]) + " leave, " +
         std::to_string(counts[2]) + " change, " + std::to_string(difference.unchanged) + " stay as they are\n";
}

std::string to_json(Difference const& difference) {
  json::array nodes;
  for (auto const& node : difference.nodes) {
    nodes.emplace_back(json::object{{"node", node.node},
                                    {"kind", name_of(node.kind)},
                                    {"lines", json::value_from(node.lines)},
                                    {"warnings", json::value_from(node.warnings)}});
  }
  return json::serialize(json::object{{"unchanged", difference.unchanged}, {"nodes", std::move(nodes)}});
}

}  // namespace plan
