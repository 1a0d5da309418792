// A world of three nodes in three sites; `edge-1` is behind NAT, `nyc-1` speaks IPv6 only outside.
#pragma once

#include "mesh/plan/world.hpp"

#include <boost/asio/ip/address.hpp>

namespace plan::sample {

inline wireguard::PublicKey key(std::uint8_t number) {
  wireguard::KeyBytes bytes{};
  bytes.fill(number);
  return wireguard::PublicKey(bytes);
}

inline topology::Address address(char const* text) {
  return boost::asio::ip::make_address(text);
}

inline World world() {
  World out;
  out.revision = 7;
  auto& topology = out.topology;
  topology.name = "sample";
  topology.domain = "stream.example.";
  topology.mesh.prefix4 = boost::asio::ip::make_network_v4("10.200.0.0/16");
  topology.mesh.prefix6 = boost::asio::ip::make_network_v6("fd5e:70::/48");
  for (auto const* name : {"ams-1", "edge-1", "nyc-1"}) {
    topology::Node node;
    node.name = name;
    node.site = name;
    node.area = "0.0.0.0";
    topology.nodes.push_back(node);
  }
  topology.nodes[0].underlay = {address("2001:db8::1"), address("192.0.2.1")};
  topology.nodes[2].underlay = {address("2001:db8::3")};
  topology.links = {{"ams-1", "edge-1", 5, 1400}, {"ams-1", "nyc-1", 10, 1420}, {"edge-1", "nyc-1", 20, 1420}};
  topology::Service dns;
  dns.name = "dns";
  dns.addresses = {address("198.51.100.53"), address("2001:db8:53::53")};
  dns.nodes = {"ams-1", "nyc-1"};
  topology.services = {dns};
  out.allocation.nodes["ams-1"].id = 1;
  out.allocation.nodes["edge-1"].id = 2;
  out.allocation.nodes["nyc-1"].id = 3;
  out.allocation.links["ams-1--edge-1"] = {1, 51820, 51820, 0};
  out.allocation.links["ams-1--nyc-1"] = {2, 51821, 51820, 0};
  out.allocation.links["edge-1--nyc-1"] = {3, 51821, 51821, 0};
  out.keys = {{"ams-1", key(1)}, {"edge-1", key(2)}, {"nyc-1", key(3)}};
  return out;
}

}  // namespace plan::sample
