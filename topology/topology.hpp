// The declared world: sites, nodes, links, areas, segments, services and clusters, as one immutable value.
//
// A Topology exists only when everything in the file is right: every reference resolves, no name, address or network
// is there twice, nothing overlaps. It comes from load_topology (load.hpp); identities that must never move (node ids,
// link ids, ports) come from allocate (allocation.hpp) and are not written by people.
//
// Words: a *site* is a place; a *node* is a machine in it; a *link* is one WireGuard adjacency of two nodes; an *area*
// is an OSPF area; a *segment* is a tenant's own network; a *service* is an anycast address pair served by several
// nodes; a *cluster* is a set of edge nodes that answer for tenants and the monitor that judges them.
//
// Threads: immutable value; share it freely.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace topology {

using Address = boost::asio::ip::address;
using Network4 = boost::asio::ip::network_v4;
using Network6 = boost::asio::ip::network_v6;

struct Site {
  std::string name;
  std::string provider;  // shared-risk group; empty: the site itself
  std::optional<double> latitude;
  std::optional<double> longitude;
};

enum class Role { central, regional, edge };

// eBGP towards the network outside, over which anycast services are announced.
struct Upstream {
  Address neighbor;
  std::uint32_t neighbor_asn = 0;
  std::uint32_t local_asn = 0;
};

struct Node {
  std::string name;  // a DNS label
  std::string site;
  Role role = Role::edge;
  std::string area;                       // OSPF area, default "0.0.0.0"
  std::vector<Address> underlay;          // where peers reach its WireGuard ports; may be empty behind NAT
  std::vector<Address> public_addresses;  // what DNS answers for it (edges); default: underlay
  std::vector<Upstream> upstreams;
  std::uint32_t id = 0;                        // fixed by the operator; 0: allocated
  std::vector<std::string> risks = {};         // what else it shares a fate with: a rack, a power feed
  std::vector<std::string> border_areas = {};  // areas it is in from day one though no link of it may be in them yet
};

struct Link {
  std::string a;  // names, a < b
  std::string b;
  std::uint32_t cost = 10;   // OSPF, symmetric
  std::uint32_t mtu = 1420;  // equal on both ends: BIRD has no mtu-ignore
  std::uint16_t port_a = 0;  // fixed by the operator; 0: allocated
  std::uint16_t port_b = 0;
  std::string area = {};                // OSPF area; empty: follows from the areas of the ends (Topology::area_of)
  std::vector<std::string> risks = {};  // what else it shares a fate with: a cable, a carrier
  bool cost_by_hand = false;            // its cost was written for it, and stays
  bool repair = false;                  // nobody's way but a detour's (routing/repair_links)
  [[nodiscard]] std::string name() const { return a + "--" + b; }
  bool operator==(Link const&) const = default;
};

struct Area {
  std::string id = "0.0.0.0";
};

// A tenant's own network, never part of the platform's OSPF domain. Its `nodes` are the tenant's machines: declared
// like any node, but without mesh links; its `gateways` are platform nodes, the only places where the two meet.
struct Segment {
  std::string name;
  std::string tenant;
  std::optional<Network4> prefix4;
  std::optional<Network6> prefix6;
  std::vector<std::string> nodes;
  std::vector<std::string> gateways;
};

enum class MonitorType { tcp, http, https, dns };

// Cloudflare's field names; times in milliseconds.
struct Monitor {
  MonitorType type = MonitorType::tcp;
  std::uint16_t port = 443;
  std::string method = "GET";
  std::string path = "/";
  std::string host;
  std::string expected_codes = "2xx";
  std::string expected_body;
  std::string qname;  // dns: its SOA must be answered with authority; default: the domain
  std::uint32_t interval_ms = 5000;
  std::uint32_t timeout_ms = 1000;
  std::uint32_t consecutive_up = 2;
  std::uint32_t consecutive_down = 3;
};

// An anycast service: the same addresses at several nodes, announced by each only while its own check succeeds.
struct Service {
  std::string name;                // "dns"
  std::vector<Address> addresses;  // at most one IPv4 and one IPv6
  std::vector<std::string> nodes;
  // The check asks the service's own address on the node itself.
  MonitorType check = MonitorType::dns;
  std::uint16_t port = 53;
  std::string check_name;  // dns: a name whose SOA must be answered with authority; default: the domain
  std::uint32_t interval_ms = 500;
  std::uint32_t timeout_ms = 400;
  std::uint32_t rise = 3;
  std::uint32_t fall = 2;
};

struct Cluster {
  std::string name;  // what `tenant create --primary NAME` means
  std::string site;
  std::vector<std::string> nodes;
  Monitor monitor;
  std::uint32_t minimum_origins = 1;  // fewer healthy endpoints: the cluster counts as down
};

struct Ospf {
  std::uint32_t hello_s = 1;
  std::uint32_t dead_s = 4;
};

struct Bfd {
  std::uint32_t interval_ms = 100;
  std::uint32_t multiplier = 5;
};

enum class Shape { links, full, hub, tiers, cycles };  // how links come to be when not all are given by hand

// Where the costs of links come from: as declared, or measured round trips (routing/cost) for those that nobody wrote.
enum class Costing { fixed, latency };

struct Mesh {
  Network4 prefix4;  // loopbacks: one /32 a node
  Network6 prefix6;  // one /128 a node
  Shape shape = Shape::full;
  std::uint16_t port_base = 51820;
  std::uint32_t mtu = 1420;
  std::uint32_t cost = 10;  // default cost between sites
  std::uint32_t cost_within_site = 5;
  Costing costs = Costing::fixed;
  Ospf ospf;
  Bfd bfd;
  std::uint32_t cycles = 2;            // cycles: how many
  std::string seed = {};               // cycles: of all but the first; empty: the deployment's name
  std::vector<std::string> tour = {};  // cycles: sites in the order of the first; those left out are put in
  std::uint32_t areas_above = 300;     // tiers: with more platform nodes than this the edges get areas of their own
  std::uint32_t links_per_node = 110;  // more do not fit one router LSA in one packet of 1420 bytes
  bool repair_links = false;           // links that carry detours alone are chosen, and kept in the allocation
};

// Where the DNS store lives and who follows it.
struct Navigator {
  std::string primary;                // node
  std::vector<std::string> replicas;  // nodes
  std::uint16_t port = 18010;
};

struct Controller {
  std::string node;
  std::uint16_t port = 18012;
};

struct Topology {
  std::string name;
  std::string domain;           // absolute, lower case, final dot: tenants live under it
  std::string internal_domain;  // "internal."
  Mesh mesh;
  std::vector<Site> sites;
  std::vector<Node> nodes;  // by name
  std::vector<Link> links;  // by (a, b); complete after shape was applied
  std::vector<Area> areas;  // those that a node or a link is in
  std::vector<Segment> segments;
  std::vector<Service> services;
  std::vector<Cluster> clusters;
  std::optional<Navigator> navigator;
  std::optional<Controller> controller;

  [[nodiscard]] Node const* node(std::string_view name) const;  // nullptr when there is none
  [[nodiscard]] Site const* site(std::string_view name) const;
  [[nodiscard]] Cluster const* cluster(std::string_view name) const;
  [[nodiscard]] std::vector<Link> links_of(std::string_view node) const;
  // The segment whose own node this is; nullptr: a platform node (gateways are platform nodes).
  [[nodiscard]] Segment const* segment_of(std::string_view node) const;
  // Everything that takes part in the mesh: the nodes that are no segment's own.
  [[nodiscard]] std::vector<Node> platform_nodes() const;
  // Whether the link's cost follows measurements.
  [[nodiscard]] bool measured(Link const& link) const { return mesh.costs == Costing::latency && !link.cost_by_hand; }
  // The OSPF area of a link: its own, or the area of both ends, or, towards the backbone, of the end that is not in it.
  [[nodiscard]] std::string area_of(Link const& link) const;
  // Every area the node takes part in, sorted: its own, those of its links, those it is to border from day one.
  [[nodiscard]] std::vector<std::string> areas_of(std::string_view node) const;
};

}  // namespace topology
