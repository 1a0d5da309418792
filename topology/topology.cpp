#include "topology/topology.hpp"

#include <algorithm>
#include <iterator>
#include <set>

namespace topology {
namespace {

// A topology that was read is in order of names, so the middle usually leads there; one that was put together by hand
// need not be, and then everything is looked at.
template <class T>
T const* find_by_name(std::vector<T> const& all, std::string_view name) {
  std::size_t least = 0;
  std::size_t behind = all.size();
  while (least < behind) {
    auto const middle = least + (behind - least) / 2;
    if (all[middle].name == name) {
      return &all[middle];
    }
    (all[middle].name < name ? least : behind) = all[middle].name < name ? middle + 1 : middle;
  }
  auto const found = std::find_if(all.begin(), all.end(), [&](T const& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

Node const* Topology::node(std::string_view wanted) const {
  return find_by_name(nodes, wanted);
}

Site const* Topology::site(std::string_view wanted) const {
  return find_by_name(sites, wanted);
}

Cluster const* Topology::cluster(std::string_view wanted) const {
  return find_by_name(clusters, wanted);
}

std::vector<Link> Topology::links_of(std::string_view node) const {
  std::vector<Link> out;
  std::copy_if(links.begin(), links.end(), std::back_inserter(out),
               [&](Link const& link) { return link.a == node || link.b == node; });
  return out;
}

Segment const* Topology::segment_of(std::string_view node) const {
  auto const found = std::find_if(segments.begin(), segments.end(), [&](Segment const& segment) {
    return std::find(segment.nodes.begin(), segment.nodes.end(), node) != segment.nodes.end();
  });
  return found == segments.end() ? nullptr : &*found;
}

std::vector<Node> Topology::platform_nodes() const {
  std::set<std::string_view> of_tenants;
  for (auto const& segment : segments) {
    of_tenants.insert(segment.nodes.begin(), segment.nodes.end());
  }
  std::vector<Node> out;
  std::copy_if(nodes.begin(), nodes.end(), std::back_inserter(out),
               [&](Node const& one) { return !of_tenants.contains(one.name); });
  return out;
}

std::string Topology::area_of(Link const& link) const {
  if (!link.area.empty()) {
    return link.area;
  }
  std::string const backbone = Area{}.id;
  auto const area = [&](std::string const& end_name) {
    auto const* const end = node(end_name);
    return end == nullptr || end->area.empty() ? backbone : end->area;
  };
  auto const area_a = area(link.a);
  return area_a == backbone ? area(link.b) : area_a;
}

std::vector<std::string> Topology::areas_of(std::string_view wanted) const {
  std::set<std::string> out;
  if (auto const* const found = node(wanted)) {
    out.insert(found->area.empty() ? Area{}.id : found->area);
    out.insert(found->border_areas.begin(), found->border_areas.end());
  }
  for (auto const& link : links_of(wanted)) {
    out.insert(area_of(link));
  }
  return {out.begin(), out.end()};
}

}  // namespace topology
