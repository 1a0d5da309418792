#include "topology/graph.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <tuple>
#include <utility>

namespace topology {
namespace {

bool has_family(Node const& node, bool v4) {
  return std::any_of(node.underlay.begin(), node.underlay.end(), [&](Address const& a) { return a.is_v4() == v4; });
}

// 64 bits of FNV-1a over both names: spreads nodes over equally near hubs, the same way on every machine.
std::uint64_t spread(std::string_view node, std::string_view hub) {
  std::uint64_t hash = 14695981039346656037U;
  for (auto const part : {node, std::string_view("/"), hub}) {
    for (char const c : part) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    }
  }
  return hash;
}

// Great-circle distance in whole kilometres; 0 when either place is unknown.
std::uint32_t distance_km(Site const* a, Site const* b) {
  if (a == nullptr || b == nullptr || !a->latitude || !a->longitude || !b->latitude || !b->longitude) {
    return 0;
  }
  constexpr double earth_km = 6371;
  auto const radians = [](double degrees) { return degrees * std::numbers::pi / 180; };
  double const half_latitude = std::sin(radians(*b->latitude - *a->latitude) / 2);
  double const half_longitude = std::sin(radians(*b->longitude - *a->longitude) / 2);
  double const chord = half_latitude * half_latitude + std::cos(radians(*a->latitude)) *
                                                           std::cos(radians(*b->latitude)) * half_longitude *
                                                           half_longitude;
  return static_cast<std::uint32_t>(2 * earth_km * std::asin(std::min(1.0, std::sqrt(chord))));
}

class Builder {
 public:
  Builder(Mesh const& mesh, std::vector<Link> const& by_hand, std::vector<Site> const& sites)
      : mesh_(mesh), sites_(sites) {
    for (auto const& link : by_hand) {
      links_.emplace(std::pair(link.a, link.b), link);
    }
  }

  void add(Node const& one, Node const& other) {
    auto const& a = one.name < other.name ? one : other;
    auto const& b = one.name < other.name ? other : one;
    if (a.name == b.name || !can_link(a, b)) {
      return;
    }
    auto const cost = a.site == b.site ? mesh_.cost_within_site : mesh_.cost;
    links_.emplace(std::pair(a.name, b.name), Link{a.name, b.name, cost, mesh_.mtu});
  }

  void add_all_pairs(std::vector<Node const*> const& nodes) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      for (std::size_t j = i + 1; j < nodes.size(); ++j) {
        add(*nodes[i], *nodes[j]);
      }
    }
  }

  // Two hubs that one failure does not take together, where there are such.
  void add_two_hubs(Node const& node, std::vector<Node const*> hubs) {
    std::erase_if(hubs, [&](Node const* hub) { return !can_link(node, *hub); });
    if (hubs.empty()) {
      return;
    }
    auto const nearness = [&](Node const* hub) {
      return std::tuple(hub->site != node.site, distance_km(site(node), site(*hub)), spread(node.name, hub->name));
    };
    auto const* const first = *std::min_element(
        hubs.begin(), hubs.end(), [&](auto const* a, auto const* b) { return nearness(a) < nearness(b); });
    add(node, *first);
    auto const apart = [&](Node const* hub) {
      return std::tuple(hub == first, hub->site == first->site, provider(*hub) == provider(*first), nearness(hub));
    };
    auto const* const second =
        *std::min_element(hubs.begin(), hubs.end(), [&](auto const* a, auto const* b) { return apart(a) < apart(b); });
    add(node, *second);
  }

  std::vector<Link> take() {
    std::vector<Link> out;
    for (auto& [ends, link] : links_) {
      out.push_back(std::move(link));
    }
    return out;
  }

 private:
  [[nodiscard]] Site const* site(Node const& node) const {
    auto const found = std::find_if(sites_.begin(), sites_.end(), [&](Site const& s) { return s.name == node.site; });
    return found == sites_.end() ? nullptr : &*found;
  }
  [[nodiscard]] std::string provider(Node const& node) const {
    auto const* const at = site(node);
    return at == nullptr || at->provider.empty() ? node.site : at->provider;
  }

  Mesh const& mesh_;
  std::vector<Site> const& sites_;
  std::map<std::pair<std::string, std::string>, Link> links_;
};

std::vector<Node const*> of_role(std::vector<Node> const& nodes, Role role) {
  std::vector<Node const*> out;
  for (auto const& node : nodes) {
    if (node.role == role) {
      out.push_back(&node);
    }
  }
  return out;
}

}  // namespace

bool can_link(Node const& a, Node const& b) {
  if (a.underlay.empty() || b.underlay.empty()) {
    return !(a.underlay.empty() && b.underlay.empty());
  }
  return (has_family(a, true) && has_family(b, true)) || (has_family(a, false) && has_family(b, false));
}

std::vector<Link> build_links(Mesh const& mesh, std::vector<Node> const& nodes, std::vector<Link> const& by_hand,
                              std::vector<Site> const& sites) {
  Builder builder(mesh, by_hand, sites);
  if (mesh.shape == Shape::full) {
    std::vector<Node const*> all;
    for (auto const& node : nodes) {
      all.push_back(&node);
    }
    builder.add_all_pairs(all);
  } else if (mesh.shape == Shape::hub) {
    auto const centrals = of_role(nodes, Role::central);
    auto const regionals = of_role(nodes, Role::regional);
    builder.add_all_pairs(centrals);
    for (auto const* node : regionals) {
      builder.add_two_hubs(*node, centrals);
    }
    for (auto const* node : of_role(nodes, Role::edge)) {
      builder.add_two_hubs(*node, regionals.size() >= 2 ? regionals : centrals);
    }
  }
  return builder.take();
}

}  // namespace topology
