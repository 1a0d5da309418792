#include "mesh/plan/world.hpp"

#include "topology/load.hpp"

#include <boost/json.hpp>

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

base::Result<std::map<std::string, std::string>> read_nodes(json::object const& object) {
  auto const* value = object.if_contains("nodes");
  if (value == nullptr || !value->is_object()) {
    return bad("the world has no object 'nodes'");
  }
  if (value->get_object().size() > world_nodes_limit) {
    return bad("the world has more than " + std::to_string(world_nodes_limit) + " nodes");
  }
  std::map<std::string, std::string> out;
  for (auto const& [name, key] : value->get_object()) {
    if (!key.is_string()) {
      return bad("a node's key is not text");
    }
    out.emplace(std::string(name), std::string(key.get_string()));
  }
  return out;
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
  auto nodes = read_nodes(object);
  if (!nodes) {
    return nodes.error();
  }
  out.nodes = std::move(*nodes);
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
  World out;
  out.revision = document.revision;
  out.topology = std::move(*topology);
  out.allocation = std::move(*allocation);
  if (auto checked = check_allocation(out.topology, out.allocation); !checked) {
    return checked.error();
  }
  for (auto const& [name, text] : document.nodes) {
    if (out.topology.node(name) == nullptr) {
      continue;  // it joined and was taken out of the topology later
    }
    auto key = wireguard::PublicKey::from_base64(text);
    if (!key) {
      return base::fail(errc::bad_key, "node " + name + ": " + key.error().detail);
    }
    out.keys.emplace(name, *key);
  }
  return out;
}

}  // namespace plan
