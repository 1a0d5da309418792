#include "mesh/graph/graph.hpp"

#include "topology/allocation.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <set>
#include <tuple>

namespace graph {
namespace {

namespace json = boost::json;

char const* role_name(topology::Role role) {
  switch (role) {
    case topology::Role::central:
      return "central";
    case topology::Role::regional:
      return "regional";
    case topology::Role::edge:
      return "edge";
  }
  return "edge";
}

// What `from` says of its link to `to`; 0: nothing. Between two nodes there is one link.
std::uint32_t cost(bird::OspfState const& state, std::string const& from, std::string const& to) {
  auto const speaker = state.find(from);
  if (speaker == state.end()) {
    return 0;
  }
  auto const link = speaker->second.links.find(to);
  return link == speaker->second.links.end() || link->second.empty() ? 0 : link->second.front();
}

bool reachable(bird::OspfState const& state, std::string const& id) {
  auto const found = state.find(id);
  return found != state.end() && found->second.reachable;
}

// The areas of the node that was asked, which its databases describe; none: all of them.
class Known {
 public:
  Known(topology::Topology const& topology, std::string const& node)
      : areas_(node.empty() ? std::vector<std::string>() : topology.areas_of(node)) {}
  [[nodiscard]] bool has(std::string const& area) const {
    return areas_.empty() || std::find(areas_.begin(), areas_.end(), area) != areas_.end();
  }
  // Whether a router of that node's would show in the databases.
  [[nodiscard]] bool has(topology::Node const& node) const {
    return has(node.area.empty() ? topology::Area{}.id : node.area) ||
           std::any_of(node.border_areas.begin(), node.border_areas.end(),
                       [this](std::string const& area) { return has(area); });
  }

 private:
  std::vector<std::string> areas_;
};

}  // namespace

char const* name(LinkState state) {
  switch (state) {
    case LinkState::full:
      return "full";
    case LinkState::partial:
      return "partial";
    case LinkState::down:
      return "down";
    case LinkState::absent:
      return "absent";
    case LinkState::unknown:
      return "unknown";
  }
  return "down";
}

Picture picture(plan::World const& world, Observed const& observed) {
  Picture out;
  out.title = world.topology.name + ", revision " + std::to_string(world.revision);
  Known const known(world.topology, observed.node);
  std::map<std::string, std::string> ids;
  for (auto const& node : world.topology.nodes) {
    std::string const id = topology::loopback4(world.topology, world.allocation, node.name).to_string();
    ids[node.name] = id;
    bool const there = reachable(observed.v4, id) && reachable(observed.v6, id);
    out.nodes.push_back({node.name, node.site, role_name(node.role), world.keys.count(node.name) != 0, there,
                         there || known.has(node)});
  }
  std::set<std::string> seen_ends;  // a node borders the area of each of its links
  for (auto const& link : world.topology.links) {
    Link one{link.a, link.b, LinkState::down, 0, 0, std::nullopt};
    auto const& a = ids[link.a];
    auto const& b = ids[link.b];
    one.cost_a = cost(observed.v4, a, b);
    one.cost_b = cost(observed.v4, b, a);
    std::uint32_t const said[] = {one.cost_a, one.cost_b, cost(observed.v6, a, b), cost(observed.v6, b, a)};
    auto const ends = std::count_if(std::begin(said), std::end(said), [](std::uint32_t value) { return value != 0; });
    if (ends == 4) {
      one.state = LinkState::full;
    } else if (ends != 0) {
      one.state = LinkState::partial;
    } else if (world.keys.count(link.a) == 0 || world.keys.count(link.b) == 0) {
      one.state = LinkState::absent;
    } else if (!known.has(world.topology.area_of(link))) {
      one.state = LinkState::unknown;
    }
    if (one.state != LinkState::unknown) {
      seen_ends.insert({link.a, link.b});
    }
    if (auto const rtt = observed.rtt.find(link.name()); rtt != observed.rtt.end()) {
      one.rtt = rtt->second;
    }
    out.links.push_back(std::move(one));
  }
  for (auto& node : out.nodes) {
    node.known = node.known || seen_ends.contains(node.name);
  }
  std::sort(out.nodes.begin(), out.nodes.end(),
            [](Node const& x, Node const& y) { return std::tie(x.site, x.name) < std::tie(y.site, y.name); });
  std::sort(out.links.begin(), out.links.end(),
            [](Link const& x, Link const& y) { return std::tie(x.a, x.b) < std::tie(y.a, y.b); });
  return out;
}

std::string to_json(Picture const& picture) {
  json::array nodes;
  for (auto const& node : picture.nodes) {
    nodes.push_back(json::object{{"name", node.name},
                                 {"site", node.site},
                                 {"role", node.role},
                                 {"joined", node.joined},
                                 {"reachable", node.known ? json::value(node.reachable) : json::value(nullptr)}});
  }
  json::array links;
  for (auto const& link : picture.links) {
    links.push_back(json::object{{"a", link.a},
                                 {"b", link.b},
                                 {"state", name(link.state)},
                                 {"cost_a", link.cost_a},
                                 {"cost_b", link.cost_b},
                                 {"rtt_us", link.rtt ? json::value(link.rtt->count()) : json::value(nullptr)}});
  }
  json::object out;
  out["title"] = picture.title;
  out["nodes"] = std::move(nodes);
  out["links"] = std::move(links);
  return json::serialize(out);
}

}  // namespace graph
