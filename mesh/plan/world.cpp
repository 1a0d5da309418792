#include "mesh/plan/world.hpp"

#include "routing/repair_links/repair_links.hpp"
#include "topology/load.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <limits>

namespace plan {
namespace {

namespace json = boost::json;

// Boost's base class has a protected, non-virtual destructor on purpose: a category is never deleted through it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  [[nodiscard]] char const* name() const noexcept override { return "plan"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::bad_document:
        return "not a world document";
      case errc::bad_topology:
        return "the topology does not load";
      case errc::bad_allocation:
        return "the allocation does not fit the topology";
      case errc::bad_key:
        return "not a public key";
      case errc::unknown_node:
        return "no such node";
    }
    return "unknown plan error";
  }
};
#pragma GCC diagnostic pop

base::Failure bad(std::string detail) {
  return base::fail(errc::bad_document, std::move(detail));
}

base::Result<std::string> text_member(json::object const& object, char const* name) {
  auto const* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) {
    return bad(std::string("the world has no text '") + name + "'");
  }
  return std::string(value->get_string());
}

// A member that may be missing and then is empty.
base::Result<json::object const*> object_member(json::object const& object, char const* name) {
  static json::object const none;
  auto const* value = object.if_contains(name);
  if (value == nullptr) {
    return &none;
  }
  if (!value->is_object() || value->get_object().size() > world_nodes_limit) {
    return bad(std::string("'") + name + "' is to be an object of at most " + std::to_string(world_nodes_limit));
  }
  return &value->get_object();
}

base::Result<void> read_texts(json::object const& object, char const* name, std::map<std::string, std::string>& out) {
  auto const member = object_member(object, name);
  if (!member) {
    return member.error();
  }
  for (auto const& [key, value] : **member) {
    if (!value.is_string()) {
      return bad(std::string("in '") + name + "' everything is to be text");
    }
    out.emplace(std::string(key), std::string(value.get_string()));
  }
  return {};
}

base::Result<void> read_numbers(json::object const& object, char const* name,
                                std::map<std::string, std::uint32_t>& out) {
  auto const member = object_member(object, name);
  if (!member) {
    return member.error();
  }
  for (auto const& [key, value] : **member) {
    if (!value.is_int64() || value.get_int64() < 0 || value.get_int64() > std::numeric_limits<std::uint32_t>::max()) {
      return bad(std::string("in '") + name + "' everything is to be a whole number");
    }
    out.emplace(std::string(key), static_cast<std::uint32_t>(value.get_int64()));
  }
  return {};
}

base::Result<void> read_set(json::object const& object, char const* name, std::set<std::string>& out) {
  auto const* value = object.if_contains(name);
  if (value == nullptr) {
    return {};
  }
  if (!value->is_array()) {
    return bad(std::string("'") + name + "' is to be a list");
  }
  for (auto const& one : value->get_array()) {
    if (!one.is_string()) {
      return bad(std::string("in '") + name + "' everything is to be text");
    }
    out.emplace(one.get_string());
  }
  return {};
}

base::Result<void> read_members(json::object const& object, WorldDocument& out) {
  if (object.if_contains("nodes") == nullptr) {
    return bad("the world has no object 'nodes'");
  }
  for (auto const& done : {read_texts(object, "nodes", out.nodes), read_texts(object, "next_keys", out.next_keys),
                           read_numbers(object, "generations", out.generations),
                           read_numbers(object, "costs", out.costs), read_set(object, "removed", out.removed),
                           read_set(object, "draining", out.draining), read_set(object, "rotate", out.rotate)}) {
    if (!done) {
      return done.error();
    }
  }
  if (auto const* mesh = object.if_contains("mesh"); mesh != nullptr && mesh->is_string()) {
    out.mesh = std::string(mesh->get_string());
  }
  if (auto const* issued = object.if_contains("issued_at_s"); issued != nullptr && issued->is_int64()) {
    out.issued_at_s = issued->get_int64();
  }
  return {};
}

template <class Map>
void put_map(json::object& out, char const* name, Map const& map) {
  json::object inner;
  for (auto const& [key, value] : map) {
    inner.emplace(key, value);
  }
  if (!inner.empty()) {
    out.emplace(name, std::move(inner));
  }
}

void put_set(json::object& out, char const* name, std::set<std::string> const& set) {
  json::array inner;
  for (auto const& one : set) {
    inner.emplace_back(one);
  }
  if (!inner.empty()) {
    out.emplace(name, std::move(inner));
  }
}

base::Result<void> read_keys(std::map<std::string, std::string> const& texts, topology::Topology const& topology,
                             std::map<std::string, wireguard::PublicKey>& out) {
  for (auto const& [name, text] : texts) {
    if (topology.node(name) == nullptr) {
      continue;  // it joined and was taken out of the topology later
    }
    auto key = wireguard::PublicKey::from_base64(text);
    if (!key) {
      return base::fail(errc::bad_key, "node " + name + ": " + key.error().detail);
    }
    out.emplace(name, *key);
  }
  return {};
}

// Everything that planning looks up must be there, because a plan trusts its world.
base::Result<void> check_allocation(topology::Topology const& topology, topology::Allocation const& allocation) {
  for (auto const& node : topology.nodes) {
    auto const found = allocation.nodes.find(node.name);
    if (found == allocation.nodes.end() || found->second.removed_at != 0) {
      return base::fail(errc::bad_allocation, "node " + node.name + " has no identity");
    }
  }
  for (auto const& link : topology.links) {
    auto const found = allocation.links.find(link.name());
    if (found == allocation.links.end() || found->second.removed_at != 0) {
      return base::fail(errc::bad_allocation, "link " + link.name() + " has no identity");
    }
  }
  return {};
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static Category const category;
  return {static_cast<int>(code), category};
}

std::string to_json(WorldDocument const& document) {
  json::object nodes;
  for (auto const& [name, key] : document.nodes) {
    nodes.emplace(name, key);
  }
  json::object out;
  out.emplace("revision", document.revision);
  out.emplace("topology", document.topology);
  out.emplace("allocation", document.allocation);
  out.emplace("nodes", std::move(nodes));
  if (!document.mesh.empty()) {
    out.emplace("mesh", document.mesh);
  }
  if (document.issued_at_s != 0) {
    out.emplace("issued_at_s", document.issued_at_s);
  }
  put_set(out, "removed", document.removed);
  put_set(out, "draining", document.draining);
  put_set(out, "rotate", document.rotate);
  put_map(out, "next_keys", document.next_keys);
  put_map(out, "generations", document.generations);
  put_map(out, "costs", document.costs);
  return json::serialize(out);
}

base::Result<WorldDocument> parse_world_document(std::string_view text) {
  if (text.size() > world_size_limit) {
    return bad("the world is larger than " + std::to_string(world_size_limit) + " bytes");
  }
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 8;
  auto const value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) {
    return bad("the world is not JSON: " + error.message());
  }
  if (!value.is_object()) {
    return bad("the world is not a JSON object");
  }
  auto const& object = value.get_object();
  WorldDocument out;
  auto const* revision = object.if_contains("revision");
  if (revision == nullptr || !revision->is_int64() || revision->get_int64() < 0) {
    return bad("the world has no whole number 'revision'");
  }
  out.revision = revision->get_int64();
  auto topology = text_member(object, "topology");
  if (!topology) {
    return topology.error();
  }
  out.topology = std::move(*topology);
  auto allocation = text_member(object, "allocation");
  if (!allocation) {
    return allocation.error();
  }
  out.allocation = std::move(*allocation);
  if (auto const read = read_members(object, out); !read) {
    return read.error();
  }
  return out;
}

base::Result<World> build_world(WorldDocument const& document, std::string const& source) {
  auto topology = topology::load_topology(document.topology, source);
  if (!topology) {
    return base::fail(errc::bad_topology, base::text(topology.error()));
  }
  auto allocation = topology::parse_allocation(document.allocation);
  if (!allocation) {
    return base::fail(errc::bad_allocation, allocation.error().what());
  }
  World out{document.revision, std::move(*topology), std::move(*allocation), {}};
  repair_links::add(out.topology, repair_links::chosen_in(out.topology, out.allocation));
  if (auto checked = check_allocation(out.topology, out.allocation); !checked) {
    return checked.error();
  }
  auto keys = read_keys(document.nodes, out.topology, out.keys);
  keys = keys ? read_keys(document.next_keys, out.topology, out.next_keys) : keys;
  if (!keys) {
    return keys.error();
  }
  std::erase_if(out.next_keys, [&](auto const& entry) { return !out.keys.contains(entry.first); });
  out.generations = document.generations;
  out.draining = document.draining;
  take_costs(out, document.costs);
  return out;
}

void take_costs(World& world, std::map<std::string, std::uint32_t> const& costs) {
  for (auto& link : world.topology.links) {
    if (auto const found = costs.find(link.name()); found != costs.end() && world.topology.measured(link)) {
      link.cost = std::clamp<std::uint32_t>(found->second, 1, 65535);
    }
  }
}

}  // namespace plan
