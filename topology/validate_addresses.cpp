#include "base/config/nearest.hpp"
#include "topology/draft.hpp"
#include "topology/values/values.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace topology {
namespace {

using config::quoted;
using config::Reader;

// A network that is ours alone: what it is, and where it is written.
struct Claim {
  Block block;
  std::string what;
  Reader reader;
  std::string key;
  std::size_t index = no_index;

  static constexpr std::size_t no_index = static_cast<std::size_t>(-1);
};

void fail_at(Claim& claim, std::string message, std::string hint = {}) {
  if (claim.index == Claim::no_index) {
    claim.reader.fail(claim.key, std::move(message), std::move(hint));
  } else {
    claim.reader.fail_item(claim.key, claim.index, std::move(message), std::move(hint));
  }
}

// Where the address is among the texts of a list. An item that did not parse is a problem of its own and has no claim.
std::size_t index_of(Reader& reader, std::string_view key, Address const& address) {
  auto const texts = reader.texts(key);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (parse_address(texts[i]) == address) {
      return i;
    }
  }
  return Claim::no_index;
}

// The last index, so that of an address written twice the second is pointed at.
std::size_t last_index_of(Reader& reader, std::string_view key, Address const& address) {
  auto const texts = reader.texts(key);
  for (std::size_t i = texts.size(); i > 0; --i) {
    if (parse_address(texts[i - 1]) == address) {
      return i - 1;
    }
  }
  return Claim::no_index;
}

std::vector<Claim> claims_of(Draft& draft) {
  std::vector<Claim> out;
  auto& topology = draft.topology;
  out.push_back({Block(topology.mesh.prefix4), "the mesh prefix", draft.mesh, "prefix4"});
  out.push_back({Block(topology.mesh.prefix6), "the mesh prefix", draft.mesh, "prefix6"});
  for (std::size_t i = 0; i < topology.segments.size(); ++i) {
    auto const& segment = topology.segments[i];
    std::string const what = "the prefix of segment " + quoted(segment.name);
    if (segment.prefix4) {
      out.push_back({Block(*segment.prefix4), what, draft.segments[i], "prefix4"});
    }
    if (segment.prefix6) {
      out.push_back({Block(*segment.prefix6), what, draft.segments[i], "prefix6"});
    }
  }
  for (std::size_t i = 0; i < topology.services.size(); ++i) {
    for (auto const& address : topology.services[i].addresses) {
      out.push_back({Block(address), "the address of service " + quoted(topology.services[i].name), draft.services[i],
                     "addresses", last_index_of(draft.services[i], "addresses", address)});
    }
  }
  return out;
}

// Everything the underlay already uses: endpoints, public addresses, neighbours.
std::vector<Claim> endpoints_of(Draft& draft) {
  std::vector<Claim> out;
  for (std::size_t i = 0; i < draft.topology.nodes.size(); ++i) {
    auto const& node = draft.topology.nodes[i];
    auto& reader = draft.nodes[i];
    std::string const of_node = " of node " + quoted(node.name);
    for (auto const& address : node.underlay) {
      out.push_back({Block(address), "the underlay address" + of_node, reader, "underlay",
                     index_of(reader, "underlay", address)});
    }
    if (reader.has("public")) {
      for (auto const& address : node.public_addresses) {
        out.push_back(
            {Block(address), "the public address" + of_node, reader, "public", index_of(reader, "public", address)});
      }
    }
    for (std::size_t u = 0; u < node.upstreams.size(); ++u) {
      out.push_back({Block(node.upstreams[u].neighbor), "the neighbor" + of_node, draft.upstreams[i][u], "neighbor"});
    }
  }
  return out;
}

void validate_overlaps(Draft& draft) {
  auto claims = claims_of(draft);
  for (std::size_t i = 0; i < claims.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (overlap(claims[i].block, claims[j].block)) {
        fail_at(claims[i], claims[i].block.text() + " overlaps " + claims[j].what + ", " + claims[j].block.text(),
                "take another block for one of the two");
      }
    }
  }
  for (auto& endpoint : endpoints_of(draft)) {
    for (auto const& claim : claims) {
      if (overlap(endpoint.block, claim.block)) {
        fail_at(endpoint,
                endpoint.what + ", " + endpoint.block.text() + ", is inside " + claim.what + ", " + claim.block.text(),
                "the mesh would then route its own packets into itself");
      }
    }
  }
}

// One address belongs to one node, and stands once in a list. A node's public address may be its underlay address.
void validate_owners(Draft& draft, std::string const& key, std::vector<Address> Node::*member) {
  std::map<Address, std::string> owners;
  auto const& nodes = draft.topology.nodes;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!draft.nodes[i].has(key)) {
      continue;
    }
    for (auto const& address : nodes[i].*member) {
      auto const [first, is_new] = owners.emplace(address, nodes[i].name);
      if (!is_new) {
        auto const index = last_index_of(draft.nodes[i], key, address);
        draft.nodes[i].fail_item(key, index,
                                 address.to_string() + " is also " + key + " of node " + quoted(first->second));
      }
    }
  }
}

// What is announced as public by one node but is another's underlay would answer for the wrong machine.
void validate_public_against_underlay(Draft& draft) {
  auto const& nodes = draft.topology.nodes;
  std::map<Address, std::string> underlay;
  for (auto const& node : nodes) {
    for (auto const& address : node.underlay) {
      underlay.emplace(address, node.name);
    }
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (auto const& address : nodes[i].public_addresses) {
      auto const owner = underlay.find(address);
      if (owner != underlay.end() && owner->second != nodes[i].name && draft.nodes[i].has("public")) {
        draft.nodes[i].fail_item("public", index_of(draft.nodes[i], "public", address),
                                 address.to_string() + " is the underlay address of node " + quoted(owner->second));
      }
    }
  }
}

void validate_upstreams(Draft& draft) {
  auto const& nodes = draft.topology.nodes;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    std::set<Address> neighbors;
    for (std::size_t u = 0; u < nodes[i].upstreams.size(); ++u) {
      auto const& upstream = nodes[i].upstreams[u];
      auto& reader = draft.upstreams[i][u];
      if (!neighbors.insert(upstream.neighbor).second) {
        reader.fail("neighbor", upstream.neighbor.to_string() + " is there twice");
      }
      if (upstream.neighbor_asn == upstream.local_asn) {
        reader.fail("local_asn", "is the neighbor's number too", "upstreams are eBGP: two numbers");
      }
    }
  }
}

void validate_services(Draft& draft) {
  auto const& services = draft.topology.services;
  for (std::size_t i = 0; i < services.size(); ++i) {
    auto const& addresses = services[i].addresses;
    auto const count4 = std::count_if(addresses.begin(), addresses.end(), [](auto const& a) { return a.is_v4(); });
    auto const count6 = static_cast<std::ptrdiff_t>(addresses.size()) - count4;
    if (draft.services[i].texts("addresses").empty()) {
      draft.services[i].fail("addresses", "a service needs an address", "at most one IPv4 and one IPv6");
    }
    if (count4 > 1 || count6 > 1) {
      draft.services[i].fail("addresses", "a service has at most one IPv4 and one IPv6 address");
    }
  }
}

}  // namespace

void validate_addresses(Draft& draft) {
  validate_services(draft);
  validate_overlaps(draft);
  validate_owners(draft, "underlay", &Node::underlay);
  validate_owners(draft, "public", &Node::public_addresses);
  validate_public_against_underlay(draft);
  validate_upstreams(draft);
}

}  // namespace topology
