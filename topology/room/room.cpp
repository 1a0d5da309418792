#include "topology/room/room.hpp"

#include "base/config/document.hpp"
#include "topology/room/second_port.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace topology {
namespace {

std::string date(std::int64_t at_s) {
  auto const time = static_cast<std::time_t>(at_s);
  std::tm broken{};
  std::array<char, 16> text{};
  gmtime_r(&time, &broken);
  return std::string(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", &broken));
}

config::Node const* member(config::Node const& section, std::string_view key) {
  auto const found = std::find_if(section.entries.begin(), section.entries.end(),
                                  [&](config::Entry const& entry) { return entry.key == key; });
  return found == section.entries.end() ? nullptr : &found->value;
}

// Finds the lines that a problem is about.
class Places {
 public:
  Places(std::string_view text, std::string source) : source_(std::move(source)) {
    if (auto document = config::Document::parse(text, source_)) {
      document_ = std::move(*document);
    }
  }

  // The key of a node, else the node, else the list.
  [[nodiscard]] std::pair<base::Place, std::string> node(std::string const& name, std::string const& key) const {
    return of_item("nodes", key, [&](config::Node const& item) {
      auto const* const found = member(item, "name");
      return found != nullptr && found->text == name;
    });
  }
  [[nodiscard]] std::pair<base::Place, std::string> link(Link const& link, std::string const& key) const {
    return of_item("links", key, [&](config::Node const& item) {
      auto const* const ends = member(item, "ends");
      return ends != nullptr && ends->items.size() == 2 &&
             std::set<std::string>{ends->items[0].text, ends->items[1].text} == std::set<std::string>{link.a, link.b};
    });
  }
  [[nodiscard]] std::pair<base::Place, std::string> mesh(std::string const& key) const {
    auto const* const section = document_ ? member(document_->root(), "mesh") : nullptr;
    auto const* const value = section == nullptr ? nullptr : member(*section, key);
    return {place(value == nullptr ? section : value), "mesh." + key};
  }

 private:
  template <class Matches>
  std::pair<base::Place, std::string> of_item(std::string const& list, std::string const& key, Matches matches) const {
    auto const* const items = document_ ? member(document_->root(), list) : nullptr;
    if (items == nullptr) {
      return {place(nullptr), list};
    }
    auto const found = std::find_if(items->items.begin(), items->items.end(), matches);
    if (found == items->items.end()) {
      return {place(items), list};
    }
    auto const* const value = member(*found, key);
    std::string const path = list + "[" + std::to_string(found - items->items.begin()) + "]";
    return value == nullptr ? std::pair(place(&*found), path) : std::pair(place(value), path + "." + key);
  }
  [[nodiscard]] base::Place place(config::Node const* node) const {
    return node == nullptr ? base::Place{source_, 0, 0} : base::Place{source_, node->line, node->column};
  }

  std::string source_;
  std::optional<config::Document> document_;
};

class Room {
 public:
  Room(Places places, Topology const& topology, Allocation const& previous, std::int64_t now_s)
      : places_(std::move(places)), topology_(topology), now_s_(now_s) {
    for (auto const& [name, identity] : previous.nodes) {
      if (topology.node(name) != nullptr || !forgotten(identity.removed_at)) {
        nodes_.emplace(name, identity);
      }
    }
    std::set<std::string> wanted;
    for (auto const& link : topology.links) {
      wanted.insert(link.name());
    }
    for (auto const& [name, identity] : previous.links) {
      if (wanted.contains(name) || !forgotten(identity.removed_at)) {
        links_.emplace(name, identity);
      }
    }
  }

  base::Problems judge() {
    fixed_ids();
    room_for_nodes();
    find_ports();
    fixed_ports();
    room_for_ports();
    second_ports();
    return std::move(problems_);
  }

 private:
  [[nodiscard]] bool forgotten(std::int64_t removed_at) const {
    return removed_at != 0 && now_s_ - removed_at >= quarantine_s;
  }
  // Of something that the topology does not name: when its numbers are free again.
  [[nodiscard]] std::string free_from(std::int64_t removed_at) const {
    return date((removed_at == 0 ? std::max<std::int64_t>(now_s_, 1) : removed_at) + quarantine_s);
  }

  void fail(std::pair<base::Place, std::string> at, std::string message, std::string hint) {
    problems_.push_back({std::move(at.first), std::move(at.second), std::move(message), std::move(hint)});
  }

  void fixed_ids() {
    for (auto const& node : topology_.nodes) {
      auto const holder = std::find_if(nodes_.begin(), nodes_.end(), [&](auto const& entry) {
        return node.id != 0 && entry.second.id == node.id && entry.first != node.name;
      });
      if (holder == nodes_.end()) {
        continue;
      }
      bool const living = topology_.node(holder->first) != nullptr;
      fail(places_.node(node.name, "id"),
           "the id " + std::to_string(node.id) +
               (living ? " is that of node '" + holder->first + "'"
                       : " was that of node '" + holder->first + "', which was removed less than 30 days ago"),
           living ? "another id, or none: then a free one is given; a node keeps the one it has"
                  : "another id, or none: then a free one is given; this one is free from " +
                        free_from(holder->second.removed_at) + " on");
    }
  }

  void room_for_nodes() {
    auto const most = largest_node_id(topology_.mesh);
    std::set<std::uint32_t> taken;
    std::size_t buried = 0;
    std::int64_t first_free_s = 0;
    for (auto const& [name, identity] : nodes_) {
      taken.insert(identity.id);
      if (topology_.node(name) == nullptr) {
        ++buried;
        auto const at = identity.removed_at == 0 ? now_s_ : identity.removed_at;
        first_free_s = first_free_s == 0 ? at : std::min(first_free_s, at);
      } else if (identity.id > most) {
        fail(places_.mesh("prefix4"),
             "node '" + name + "' has the id " + std::to_string(identity.id) +
                 ", and the mesh prefixes have room for " + std::to_string(most),
             "a prefix as long as before, or shorter: a node keeps its id");
      }
    }
    for (auto const& node : topology_.nodes) {
      if (node.id != 0) {
        taken.insert(node.id);
      }
    }
    auto const within = std::count_if(taken.begin(), taken.end(), [&](std::uint32_t id) { return id <= most; });
    auto free = static_cast<std::int64_t>(most) - within;
    for (auto const& node : topology_.nodes) {  // in the order of names, as numbers are given
      if (node.id != 0 || nodes_.contains(node.name)) {
        continue;
      }
      if (free <= 0) {
        fail(places_.node(node.name, "name"), "the mesh prefixes have no address left for node '" + node.name + "'",
             "a shorter mesh.prefix4 or mesh.prefix6" + (buried == 0
                                                             ? ""
                                                             : "; " + std::to_string(buried) +
                                                                   " ids are kept for removed nodes, the first is free "
                                                                   "from " +
                                                                   free_from(first_free_s) + " on"));
        continue;
      }
      --free;
    }
  }

  // Who listens at each port of a node, or did in the last 30 days.
  void find_ports() {
    for (auto const& [name, identity] : links_) {
      auto const middle = name.find("--");
      ports_[name.substr(0, middle)].emplace(identity.port_a, name);
      ports_[name.substr(middle + 2)].emplace(identity.port_b, name);
    }
  }

  // In the order in which they are given out, as a link that moves leaves its port to those behind it.
  void fixed_ports() {
    for (auto const& link : topology_.links) {
      auto const own = links_.find(link.name());
      for (bool const first : {true, false}) {
        auto const wanted = first ? link.port_a : link.port_b;
        std::string const& node = first ? link.a : link.b;
        auto const present = own == links_.end() ? std::uint16_t{0} : first ? own->second.port_a : own->second.port_b;
        if (wanted == 0 || (own != links_.end() && wanted == present)) {
          continue;
        }
        auto const [holder, is_free] = ports_[node].emplace(wanted, link.name());
        if (!is_free) {
          taken_port(link, node, wanted, holder->second);
        } else if (own != links_.end()) {
          ports_[node].erase(present);
        }
      }
    }
  }

  void taken_port(Link const& link, std::string const& node, std::uint16_t port, std::string const& holder) {
    bool const living = std::any_of(topology_.links.begin(), topology_.links.end(),
                                    [&](Link const& one) { return one.name() == holder; });
    fail(places_.link(link, "ports"),
         "the port " + std::to_string(port) + " of '" + node + "' is that of link " + holder +
             (living ? "" : ", which was removed less than 30 days ago"),
         living ? "another port, or none: then a free one is given"
                : "another port, or none: then a free one is given; this one is free from " +
                      free_from(links_.at(holder).removed_at) + " on");
  }

  void room_for_ports() {
    std::set<std::string> told;
    for (auto const& link : topology_.links) {
      if (links_.contains(link.name())) {
        continue;
      }
      for (auto const& [node, fixed] : {std::pair(link.a, link.port_a), std::pair(link.b, link.port_b)}) {
        if (fixed == 0 && !give_port(ports_[node], link.name()) && told.insert(node).second) {
          fail(places_.mesh("port_base"),
               "no UDP port from " + std::to_string(topology_.mesh.port_base) + " up is left on node '" + node +
                   "' for link " + link.name(),
               "a lower mesh.port_base, or fewer links: ports of removed links are kept for 30 days");
        }
      }
    }
  }

  // A port of the file's own choice must leave room for the key changes of the node's other links, and for its own.
  void second_ports() {
    for (auto const& link : topology_.links) {
      for (auto const& [node, fixed] : {std::pair(link.a, link.port_a), std::pair(link.b, link.port_b)}) {
        for (auto const& [port, holder] : ports_[node]) {
          bool const clash = second_port(port) == fixed || second_port(fixed) == port;
          if (fixed != 0 && clash && holder != link.name()) {
            fail(places_.link(link, "ports"),
                 "the ports " + std::to_string(fixed) + " and " + std::to_string(port) + " of '" + node +
                     "' cannot both be used: link " + holder + " listens at the other while a key is changed",
                 "a port that is not " + std::to_string(second_port_distance) + " away from one of another link");
          }
        }
      }
    }
  }

  [[nodiscard]] bool give_port(std::map<std::uint16_t, std::string>& held, std::string const& link) const {
    unsigned candidate = topology_.mesh.port_base;
    for (auto it = held.lower_bound(topology_.mesh.port_base); it != held.end() && it->first == candidate; ++it) {
      ++candidate;
    }
    return candidate <= 65535 && held.emplace(static_cast<std::uint16_t>(candidate), link).second;
  }

  Places places_;
  Topology const& topology_;
  std::int64_t now_s_;
  std::map<std::string, NodeIdentity> nodes_;  // with those that keep their numbers for a while
  std::map<std::string, LinkIdentity> links_;
  std::map<std::string, std::map<std::uint16_t, std::string>> ports_;  // node -> port -> link
  base::Problems problems_;
};

}  // namespace

base::Problems room_problems(std::string_view text, std::string const& source, Topology const& topology,
                             Allocation const& previous, std::int64_t now_s) {
  auto problems = Room(Places(text, source), topology, previous, now_s).judge();
  std::stable_sort(problems.begin(), problems.end(), [](base::Problem const& a, base::Problem const& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
  return problems;
}

}  // namespace topology
