#include "topology/neighbourhood/neighbourhood.hpp"

#include <algorithm>
#include <set>

namespace topology {

Neighbourhoods::Neighbourhoods(Topology const& topology) : whole_(topology) {
  for (std::uint32_t i = 0; i < topology.nodes.size(); ++i) {
    nodes_.emplace(topology.nodes[i].name, i);
  }
  for (std::uint32_t i = 0; i < topology.links.size(); ++i) {
    links_[topology.links[i].a].push_back(i);
    links_[topology.links[i].b].push_back(i);
  }
}

Topology Neighbourhoods::of(std::string_view node) const {
  Topology out;
  out.name = whole_.name;
  out.domain = whole_.domain;
  out.internal_domain = whole_.internal_domain;
  out.mesh = whole_.mesh;
  out.areas = whole_.areas;
  out.services = whole_.services;
  out.navigator = whole_.navigator;
  out.controller = whole_.controller;
  for (auto const& segment : whole_.segments) {
    if (std::find(segment.gateways.begin(), segment.gateways.end(), node) != segment.gateways.end()) {
      out.segments.push_back(segment);
    }
  }
  std::set<std::uint32_t> members;
  if (auto const own = nodes_.find(node); own != nodes_.end()) {
    members.insert(own->second);
  }
  if (auto const own = links_.find(node); own != links_.end()) {
    for (auto const number : own->second) {
      auto const& link = whole_.links[number];
      out.links.push_back(link);
      if (auto const other = nodes_.find(link.a == node ? link.b : link.a); other != nodes_.end()) {
        members.insert(other->second);
      }
    }
  }
  for (auto const number : members) {
    out.nodes.push_back(whole_.nodes[number]);
  }
  return out;
}

}  // namespace topology
