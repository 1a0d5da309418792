#include "routing/backup/areas.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <tuple>

namespace backup {
namespace {

using topology::Graph;

constexpr std::uint32_t far = Graph::unreachable;
constexpr std::uint32_t nowhere = 0xffffffffU;

}  // namespace

Areas::Areas(topology::Topology const& topology, std::vector<topology::Link> const& links, std::string const& node)
    : graph_(topology.platform_nodes(), links) {
  areas_.emplace(topology::Area{}.id, 0);
  members_.emplace_back();
  places_of_.resize(graph_.size());
  for (Number i = 0; i < graph_.size(); ++i) {
    numbers_.emplace(graph_.name(i), i);
  }
  for (auto const& one : topology.platform_nodes()) {
    place_of(numbers_.at(one.name), one.area.empty() ? topology::Area{}.id : one.area);
  }
  for (Number number = 0; number < graph_.links().size(); ++number) {
    auto const& link = graph_.links()[number];
    auto const area = topology.area_of(link);
    auto const a = place_of(numbers_.at(link.a), area);
    auto const b = place_of(numbers_.at(link.b), area);
    places_[a].edges.push_back({b, link.cost, number});
    places_[b].edges.push_back({a, link.cost, number});
  }
  relevant_.assign(members_.size(), node.empty());
  relevant_[0] = true;
  for (Number i = 0; i < graph_.size(); ++i) {
    auto const& own = places_of_[i];
    sound_ = sound_ && (own.size() == 1 || places_[own[0]].area == 0);
    for (auto const place : own) {
      if (graph_.name(i) == node) {
        relevant_[places_[place].area] = true;
      }
    }
  }
  originates_.resize(graph_.size());
  ways_.resize(graph_.size());
  costs_.assign(places_.size(), far);
  routes_.assign(graph_.size(), Route{nowhere});
  seen_.resize(graph_.size());
}

Areas::Number Areas::place_of(Number node, std::string const& area) {
  auto const [found, is_new] = areas_.emplace(area, static_cast<Number>(members_.size()));
  if (is_new) {
    members_.emplace_back();
  }
  for (auto const place : places_of_[node]) {
    if (places_[place].area == found->second) {
      return place;
    }
  }
  auto const place = static_cast<Number>(places_.size());
  places_.push_back({node, found->second, {}});
  places_of_[node].push_back(place);
  members_[found->second].push_back(place);
  return place;
}

// Cheapest paths inside the areas of the seeds.
void Areas::spread(std::vector<std::pair<std::uint32_t, Number>> const& seeds) {
  std::priority_queue<std::pair<std::uint32_t, Number>, std::vector<std::pair<std::uint32_t, Number>>, std::greater<>>
      next;
  auto const reach = [&](Number place, std::uint32_t cost) {
    if (cost < costs_[place]) {
      if (costs_[place] == far) {
        reached_.push_back(place);
      }
      costs_[place] = cost;
      next.emplace(cost, place);
    }
  };
  for (auto const& [cost, place] : seeds) {
    reach(place, cost);
  }
  while (!next.empty()) {
    auto const [cost, place] = next.top();
    next.pop();
    if (cost == costs_[place]) {
      for (auto const& edge : places_[place].edges) {
        reach(edge.to, cost + edge.cost);
      }
    }
  }
}

// Nodes of the area that have no route yet go by its costs; a border node by no summaries but the backbone's.
void Areas::route_by(Number area, bool inside) {
  for (auto const place : members_[area]) {
    auto const node = places_[place].node;
    if (!inside && area != 0 && is_border(node)) {
      continue;
    }
    if (costs_[place] != far && routes_[node].place == nowhere) {
      routes_[node] = {place, inside};
      routed_.push_back(node);
    }
  }
}

void Areas::ways_to(Number originator) {
  for (auto const place : reached_) {
    costs_[place] = far;
  }
  for (auto const node : routed_) {
    routes_[node].place = nowhere;
  }
  reached_.clear();
  routed_.clear();
  auto const home = places_of_[originator][0];
  auto const home_area = places_[home].area;
  spread({{0, home}});
  route_by(home_area, true);
  std::vector<std::pair<std::uint32_t, Number>> seeds;
  if (home_area != 0) {
    // Border nodes of its area announce it to the backbone.
    for (auto const place : members_[home_area]) {
      auto const own = places_of_[places_[place].node][0];
      if (costs_[place] != far && places_[own].area == 0) {
        seeds.emplace_back(costs_[place], own);
      }
    }
    spread(seeds);
    route_by(0, false);
  }
  for (Number area = 1; area < members_.size(); ++area) {
    if (area == home_area || !relevant_[area]) {
      continue;
    }
    // Border nodes announce to the area what they reach otherwise.
    seeds.clear();
    for (auto const place : members_[area]) {
      auto const node = places_[place].node;
      if (is_border(node) && routes_[node].place != nowhere) {
        seeds.emplace_back(costs_[routes_[node].place], place);
      }
    }
    spread(seeds);
    route_by(area, false);
  }
}

// Of several originators a path inside an area comes first, then the cheapest.
void Areas::merge() {
  for (auto const node : routed_) {
    auto const& route = routes_[node];
    auto const& place = places_[route.place];
    auto const cost = costs_[route.place];
    bool const preferred = route.inside && place.area != 0;
    auto& way = ways_[node];
    if (way.cost == far) {
      with_way_.push_back(node);
    } else if (std::tuple(!preferred, cost) > std::tuple(!way.preferred, way.cost)) {
      continue;
    }
    if (way.cost != cost || way.preferred != preferred) {
      way.next.clear();
    }
    way.cost = cost;
    way.preferred = preferred;
    for (auto const& edge : place.edges) {
      auto const to = places_[edge.to].node;
      bool const onward = costs_[edge.to] != far && costs_[edge.to] + edge.cost == cost;
      if (onward && std::find(way.next.begin(), way.next.end(), to) == way.next.end()) {
        way.next.push_back(to);
      }
    }
  }
}

bool Areas::find_ways(Destination const& destination) {
  for (auto const node : with_way_) {
    ways_[node].cost = far;
    ways_[node].next.clear();
  }
  with_way_.clear();
  std::fill(originates_.begin(), originates_.end(), false);
  std::vector<Number> originators;
  for (auto const& [name, outer] : destination.originators) {
    auto const found = numbers_.find(name);
    if (found == numbers_.end()) {
      continue;
    }
    originators.push_back(found->second);
    originates_[found->second] = true;
    if (outer != destination.originators.begin()->second) {
      return false;
    }
  }
  bool const choice = std::any_of(originators.begin(), originators.end(), [&](Number one) { return is_border(one); });
  if (!sound_ || (originators.size() > 1 && choice)) {
    return false;
  }
  for (auto const one : originators) {
    ways_to(one);
    merge();
  }
  return true;
}

// Over all next hops of equal cost, each at its node's own choice.
bool Areas::always_arrives(Number from, Number avoided) {
  ++walk_;
  ahead_.assign(1, from);
  seen_[from] = walk_;
  while (!ahead_.empty()) {
    auto const at = ahead_.back();
    ahead_.pop_back();
    if (at == avoided) {
      return false;
    }
    if (originates_[at]) {
      continue;
    }
    if (ways_[at].next.empty()) {
      return false;
    }
    for (auto const next : ways_[at].next) {
      if (seen_[next] != walk_) {
        seen_[next] = walk_;
        ahead_.push_back(next);
      }
    }
  }
  return true;
}

std::optional<Alternate> Areas::judge(Number self, Graph::Edge const& edge, Number primary) {
  auto const onward = originates_[edge.to] ? 0 : ways_[edge.to].cost;
  if (edge.to == primary || onward == far || !always_arrives(edge.to, self)) {
    return std::nullopt;
  }
  Alternate out;
  out.neighbor = graph_.name(edge.to);
  out.cost = edge.cost + onward;
  out.downstream = onward < ways_[self].cost;
  out.node_protecting = always_arrives(edge.to, primary);
  auto const& next = ways_[self].next;
  out.equal_cost = std::find(next.begin(), next.end(), edge.to) != next.end();
  return out;
}

std::vector<Protection> Areas::protections(std::string const& node, Destination const& destination) {
  std::vector<Protection> out;
  auto const found = numbers_.find(node);
  if (found == numbers_.end() || !find_ways(destination) || originates_[found->second]) {
    return out;
  }
  auto const self = found->second;
  auto const rank = [](Alternate const& one) {
    return std::tuple(!one.node_protecting, !one.equal_cost, !one.downstream, one.cost, one.neighbor);
  };
  for (auto const primary : ways_[self].next) {
    Protection protection{destination.name, graph_.name(primary), ways_[self].cost, std::nullopt};
    for (auto const& edge : graph_.edges(self)) {
      auto candidate = judge(self, edge, primary);
      if (candidate && (!protection.alternate || rank(*candidate) < rank(*protection.alternate))) {
        protection.alternate = std::move(candidate);
      }
    }
    out.push_back(std::move(protection));
  }
  std::sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.primary < b.primary; });
  return out;
}

Survey Areas::survey(std::vector<Destination> const& all, std::size_t most_destinations) {
  Survey out;
  out.of = all.size();
  out.destinations = std::min(all.size(), most_destinations);
  for (std::size_t i = 0; i < out.destinations; ++i) {
    auto const& destination = all[i * all.size() / out.destinations];
    if (!find_ways(destination)) {
      out.cases += graph_.size() - destination.originators.size();
      continue;
    }
    for (Number node = 0; node < graph_.size(); ++node) {
      if (originates_[node]) {
        continue;
      }
      for (auto const primary : ways_[node].next) {
        auto const& edges = graph_.edges(node);
        out.cases += 1;
        out.covered += std::any_of(edges.begin(), edges.end(), [&](Graph::Edge const& edge) {
          return edge.to != primary && always_arrives(edge.to, node);
        });
      }
    }
  }
  return out;
}

}  // namespace backup
