#include "topology/verify/areas.hpp"

#include <algorithm>
#include <optional>

namespace verify {
namespace {

constexpr std::uint32_t nowhere = 0xffffffffU;

base::Result<void> shared_out(Certificate const& whole) {
  std::vector<bool> taken(whole.links.size(), false);
  std::size_t count = 0;
  for (std::size_t i = 0; i < whole.areas.size(); ++i) {
    auto const place = "areas[" + std::to_string(i) + "]";
    if ((i == 0) != (whole.areas[i].name == "0.0.0.0")) {
      return base::fail(errc::not_proved, place + ": the backbone, 0.0.0.0, is the first and no other");
    }
    for (auto const link : whole.areas[i].links) {
      if (taken[link]) {
        return base::fail(errc::not_proved, place + ".links: a link is in two areas");
      }
      taken[link] = true;
      ++count;
    }
  }
  if (!whole.areas.empty() && count != whole.links.size()) {
    return base::fail(errc::not_proved, "areas: a link is in none of them");
  }
  return {};
}

// The ends of an area's links, ascending.
std::vector<std::uint32_t> ends_of(Certificate const& whole, ReadArea const& area) {
  std::vector<std::uint32_t> out;
  for (auto const link : area.links) {
    out.push_back(whole.links[link].first);
    out.push_back(whole.links[link].second);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// Whether what a group leaves is all in this area, and not in the backbone: then nobody misses the backbone.
bool leaves_only(std::vector<std::uint32_t> const& number, ReadGroup const& group,
                 std::vector<std::uint32_t> const& backbone) {
  for (std::uint32_t node = 0; node < number.size(); ++node) {
    bool const lost = std::binary_search(group.nodes.begin(), group.nodes.end(), node);
    if (!lost && (number[node] == nowhere || std::binary_search(backbone.begin(), backbone.end(), node))) {
      return false;
    }
  }
  return true;
}

Certificate area_of(Certificate const& whole, ReadArea const& area, std::vector<std::uint32_t> const* backbone) {
  Certificate out;
  auto const nodes = ends_of(whole, area);
  std::vector<std::uint32_t> number(whole.nodes.size(), nowhere);
  for (auto const node : nodes) {
    number[node] = static_cast<std::uint32_t>(out.nodes.size());
    out.nodes.push_back(whole.nodes[node]);
  }
  for (auto const link : area.links) {
    out.links.emplace_back(number[whole.links[link].first], number[whole.links[link].second]);
  }
  auto of_area = out.links;  // in the order of area.links
  if (backbone != nullptr) {
    auto const stands_for_it = static_cast<std::uint32_t>(out.nodes.size());
    out.nodes.emplace_back("the backbone");
    for (auto const node : *backbone) {
      if (number[node] != nowhere) {
        out.links.emplace_back(number[node], stands_for_it);
      }
    }
  }
  std::sort(out.links.begin(), out.links.end());
  for (auto const& group : whole.groups) {
    ReadGroup here{group.kind, group.name, {}, {}};
    for (auto const node : group.nodes) {
      if (number[node] != nowhere) {
        here.nodes.push_back(number[node]);
      }
    }
    for (auto const link : group.links) {
      auto const found = std::lower_bound(area.links.begin(), area.links.end(), link);
      if (found != area.links.end() && *found == link) {
        auto const ends = of_area[static_cast<std::size_t>(found - area.links.begin())];
        auto const at = std::lower_bound(out.links.begin(), out.links.end(), ends);
        here.links.push_back(static_cast<std::uint32_t>(at - out.links.begin()));
      }
    }
    if (here.nodes.empty() && here.links.empty()) {
      continue;
    }
    if (backbone != nullptr && leaves_only(number, group, *backbone)) {
      here.nodes.push_back(static_cast<std::uint32_t>(out.nodes.size() - 1));
    }
    out.groups.push_back(std::move(here));
  }
  out.order = area.order;
  out.back = area.back;
  out.onward = area.onward;
  out.trees = area.trees;
  return out;
}

// Numbers of nodes and links were only held against the whole graph when they were read.
base::Result<void> in_range(Certificate const& area, std::string const& place) {
  auto const below = [](std::vector<std::uint32_t> const& list, std::size_t bound) {
    return std::all_of(list.begin(), list.end(), [bound](std::uint32_t one) { return one < bound; });
  };
  bool const fine = below(area.order, area.nodes.size()) && below(area.back, area.links.size()) &&
                    below(area.onward, area.links.size()) &&
                    std::all_of(area.trees.begin(), area.trees.end(),
                                [&](auto const& tree) { return below(tree, area.links.size()); });
  return fine ? base::Result<void>()
              : base::fail(errc::not_proved, place + ": names a node or a link that is not in it");
}

}  // namespace

base::Result<std::vector<Certificate>> areas_of(Certificate const& whole) {
  if (auto const done = shared_out(whole); !done) {
    return done.error();
  }
  std::vector<Certificate> out;
  std::optional<std::vector<std::uint32_t>> backbone;
  for (std::size_t i = 0; i < whole.areas.size(); ++i) {
    out.push_back(area_of(whole, whole.areas[i], backbone ? &*backbone : nullptr));
    if (auto const done = in_range(out.back(), "areas[" + std::to_string(i) + "]"); !done) {
      return done.error();
    }
    if (!backbone) {
      backbone = ends_of(whole, whole.areas[i]);
    }
  }
  return out;
}

}  // namespace verify
