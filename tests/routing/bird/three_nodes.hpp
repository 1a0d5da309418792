// The topology of the tests of routing/: three nodes, full mesh, an anycast service on two of them, one with an uplink.
#pragma once

#include "topology/allocation.hpp"
#include "topology/topology.hpp"

#include <boost/asio/ip/address.hpp>

namespace three_nodes {

inline topology::Address address(char const* text) {
  return boost::asio::ip::make_address(text);
}

inline topology::Service dns_service() {
  topology::Service dns;
  dns.name = "dns";
  dns.addresses = {address("198.51.100.53"), address("2001:db8:53::53")};
  dns.nodes = {"dns-ams", "dns-nyc"};
  return dns;
}

inline topology::Topology topology() {
  topology::Topology value;
  value.name = "three";
  value.domain = "stream.example.";
  value.mesh.prefix4 = boost::asio::ip::make_network_v4("10.200.0.0/16");
  value.mesh.prefix6 = boost::asio::ip::make_network_v6("fd5e:70::/48");
  for (auto const* name : {"dns-ams", "dns-nyc", "edge-1"}) {
    topology::Node node;
    node.name = name;
    node.site = name;
    node.area = "0.0.0.0";
    value.nodes.push_back(node);
  }
  value.nodes[0].upstreams = {{address("198.18.1.1"), 65001, 65101}, {address("2001:db8:1::1"), 65001, 65101}};
  value.links = {{"dns-ams", "dns-nyc", 10, 1420}, {"dns-ams", "edge-1", 5, 1420}, {"dns-nyc", "edge-1", 20, 1380}};
  value.services = {dns_service()};
  return value;
}

inline topology::Allocation allocation() {
  topology::Allocation value;
  value.nodes["dns-ams"].id = 1;
  value.nodes["dns-nyc"].id = 2;
  value.nodes["edge-1"].id = 3;
  value.links["dns-ams--dns-nyc"] = {1, 51820, 51820, 0};
  value.links["dns-ams--edge-1"] = {2, 51821, 51820, 0};
  value.links["dns-nyc--edge-1"] = {3, 51821, 51821, 0};
  return value;
}

}  // namespace three_nodes
