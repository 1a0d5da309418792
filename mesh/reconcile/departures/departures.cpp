#include "mesh/reconcile/departures/departures.hpp"

#include "routing/bird/config.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace reconcile {
namespace {

std::string_view next_line(std::string_view& text) {
  auto const size = std::min(text.find('\n'), text.size() - 1) + 1;
  auto const out = text.substr(0, size);
  text.remove_prefix(size);
  return out;
}

constexpr std::string_view interface_head = "    interface \"";
constexpr std::string_view block_end = "    };\n";

// What comes behind the head line of an area, by protocol and area.
std::map<std::pair<std::string, std::string>, std::string> blocks_of(std::string_view before,
                                                                     Departing const& devices) {
  std::map<std::pair<std::string, std::string>, std::string> out;
  std::string protocol;
  std::string area;
  bool inside = false;
  bool last_resort = false;
  while (!before.empty()) {
    auto const line = next_line(before);
    if (line.starts_with("protocol ")) {
      protocol = line;
    } else if (line.starts_with("  area ")) {
      area = line;
    } else if (line.starts_with(interface_head)) {
      auto const name = line.substr(interface_head.size());
      auto const device = devices.find(std::string(name.substr(0, name.find('"'))));
      inside = protocol.starts_with("protocol ospf ") && device != devices.end();
      last_resort = inside && device->second;
    }
    if (inside) {
      out[{protocol, area}] += last_resort && line.starts_with("      cost ")
                                   ? "      cost " + std::to_string(bird::cost_of_last_resort) + ";\n"
                                   : std::string(line);
      inside = line != block_end;
    }
  }
  return out;
}

// "protocol ospf v2 ospf4 {area 0.0.0.1 {interface "wg-a" {..." for each of them.
std::set<std::string> places_of(std::string_view bird) {
  std::set<std::string> out;
  std::string protocol;
  std::string area;
  while (!bird.empty()) {
    auto const line = next_line(bird);
    if (line.starts_with("protocol ")) {
      protocol = line;
    } else if (line.starts_with("  area ")) {
      area = line;
    } else if (line.starts_with(std::string(interface_head) + std::string(plan::interface_prefix)) &&
               protocol.starts_with("protocol ospf ")) {
      out.insert(protocol + area + std::string(line.substr(0, line.find('"', interface_head.size()))));
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> waits_for_handshake(std::string_view before, plan::NodePlan const& plan,
                                               std::vector<wireguard::ObservedDevice> const& seen, std::int64_t now_s) {
  constexpr std::int64_t alive_s = 180;  // a session of WireGuard's ends then
  auto const was = places_of(before);
  auto const now = places_of(plan.bird);
  if (was.empty() || std::any_of(was.begin(), was.end(), [&](auto const& place) { return now.contains(place); })) {
    return std::nullopt;
  }
  std::string names;
  for (auto const& device : plan.devices) {
    auto const found = std::find_if(seen.begin(), seen.end(), [&](auto const& one) { return one.name == device.name; });
    bool const alive = found != seen.end() &&
                       std::any_of(found->peers.begin(), found->peers.end(), [&](wireguard::ObservedPeer const& one) {
                         return one.last_handshake_s != 0 && now_s - one.last_handshake_s <= alive_s;
                       });
    if (alive) {
      return std::nullopt;
    }
    names += (names.empty() ? "" : ", ") + device.name;
  }
  return "bird: every adjacency would end, because this node comes to other areas, and there is no WireGuard handshake "
         "yet over " +
         (names.empty() ? std::string("any device") : names);
}

std::string with_departing(std::string bird, std::string_view before, Departing const& devices) {
  for (auto const& [place, blocks] : blocks_of(before, devices)) {
    auto const protocol = bird.find(place.first);
    auto const end = protocol == std::string::npos ? protocol : bird.find("\n}\n", protocol);
    auto const area = protocol == std::string::npos ? protocol : bird.find("\n" + place.second, protocol);
    if (area != std::string::npos && area < end) {
      bird.insert(area + 1 + place.second.size(), blocks);
    }
  }
  return bird;
}

std::optional<std::string> router_of(wireguard::ObservedDevice const& device, plan::World const& world) {
  for (auto const* const keys : {&world.keys, &world.next_keys}) {
    for (auto const& [name, key] : *keys) {
      bool const peer = std::any_of(device.peers.begin(), device.peers.end(),
                                    [&](wireguard::ObservedPeer const& one) { return one.peer.public_key == key; });
      if (peer && world.topology.node(name) != nullptr) {
        return topology::loopback4(world.topology, world.allocation, name).to_string();
      }
    }
  }
  return std::nullopt;
}

bool another_way(bird::OspfState const& state, std::string const& own, std::string const& other) {
  auto const tells = [&](std::string const& from, std::string const& to) {
    auto const found = state.find(from);
    return found != state.end() && found->second.links.contains(to);
  };
  std::set<std::string> known{own};
  std::vector<std::string> next{own};
  while (!next.empty()) {
    auto const here = std::move(next.back());
    next.pop_back();
    auto const found = state.find(here);
    if (found == state.end()) {
      continue;
    }
    for (auto const& [there, costs] : found->second.links) {
      bool const between = here == own && there == other;
      if (!between && tells(there, here) && known.insert(there).second) {
        next.push_back(there);
      }
    }
  }
  return known.contains(other);
}

bool left_there(bird::OspfState const& state, std::string const& own, std::string const& other) {
  auto const router = state.find(other);
  if (router == state.end()) {
    return true;
  }
  auto const costs = router->second.links.find(own);
  return costs == router->second.links.end() ||
         std::all_of(costs->second.begin(), costs->second.end(),
                     [](std::uint32_t cost) { return cost >= bird::cost_of_last_resort; });
}

bool leads_elsewhere(bird::Lines const& routes, Departing const& devices) {
  return std::any_of(routes.begin(), routes.end(), [&](std::string const& line) {
    auto const via = line.find("via ");
    auto const on = via == std::string::npos ? via : line.find(" on ", via);
    if (on == std::string::npos) {
      return false;
    }
    auto const name = line.substr(on + 4);
    return !devices.contains(name.substr(0, name.find(' ')));
  });
}

void Departure::look(bool another_way, bool blind, Moment now) {
  if (!another_way) {
    seen.reset();
  } else {
    seen = seen.value_or(now);
  }
  if (!last_resort && ((blind && !patient(now)) || (seen && now - *seen >= settled))) {
    last_resort = now;
  }
}

bool Departure::may_go(bool ready_now, Moment now) {
  if (!ready_now) {
    ready.reset();
    return false;
  }
  ready = ready.value_or(now);
  return now - *ready >= settled;
}

}  // namespace reconcile
