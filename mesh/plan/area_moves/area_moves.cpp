#include "mesh/plan/area_moves/area_moves.hpp"

#include <algorithm>

namespace plan {

std::vector<std::string> area_moves(std::map<std::string, std::string> const& before,
                                    std::map<std::string, std::string> const& after) {
  std::vector<std::string> out;
  std::string come;
  bool one_stays = false;
  for (auto const& [device, area] : after) {
    auto const old_area = before.find(device);
    if (old_area == before.end()) {
      come += (come.empty() ? "" : ", ") + device;
    } else if (old_area->second != area) {
      come += (come.empty() ? "" : ", ") + device;
      out.push_back("the adjacency over " + device + " restarts: its link moves from area " + old_area->second +
                    " to area " + area);
    } else {
      one_stays = true;
    }
  }
  for (auto const& [device, area] : before) {
    bool const known = std::any_of(after.begin(), after.end(), [&](auto const& one) { return one.second == area; });
    if (known || after.contains(device)) {
      continue;
    }
    auto const rest = one_stays      ? std::string("what went over it is lost until OSPF has found another way")
                      : come.empty() ? std::string("the node has no other")
                                     : "the node is without routing, some seconds, until one is Full of: " + come;
    out.push_back("the adjacency over " + device + " ends at once, because the node leaves area " + area + ": " + rest);
  }
  return out;
}

}  // namespace plan
