#include "dns-backend/topology_pools/topology_pools.hpp"

#include <gtest/gtest.h>

namespace {

topology::Address address(char const* text) { return boost::asio::ip::make_address(text); }

topology::Topology two_edges() {
  topology::Topology topology;
  topology.nodes.push_back({"edge-1", "ams", topology::Role::edge, "0.0.0.0", {}, {address("192.0.2.1"), address("2001:db8::1")}, {}});
  topology.nodes.push_back({"edge-2", "ams", topology::Role::edge, "0.0.0.0", {}, {address("2001:db8::2")}, {}});
  topology::Cluster cluster;
  cluster.name = "ams";
  cluster.site = "ams";
  cluster.nodes = {"edge-1", "edge-2"};
  cluster.minimum_origins = 2;
  cluster.monitor.type = topology::MonitorType::http;
  cluster.monitor.port = 80;
  cluster.monitor.path = "/healthz";
  cluster.monitor.interval_ms = 500;
  topology.clusters.push_back(cluster);
  return topology;
}

TEST(TopologyPools, AClusterBecomesAPoolWithItsMonitor) {
  auto const pools = topology_pools::pools_of(two_edges());
  ASSERT_EQ(pools.size(), 1U);
  EXPECT_EQ(pools[0].name, "ams");
  EXPECT_EQ(pools[0].minimum_origins, 2U);
  EXPECT_EQ(pools[0].type, "http");
  EXPECT_EQ(pools[0].port, 80);
  EXPECT_EQ(pools[0].path, "/healthz");
  EXPECT_EQ(pools[0].interval_ms, 500U);
}

TEST(TopologyPools, AClusterThatIsCheckedOverDnsIsAskedForItsName) {
  topology::Topology topology = two_edges();
  topology.clusters[0].monitor.type = topology::MonitorType::dns;
  topology.clusters[0].monitor.host = "not.this.one";
  topology.clusters[0].monitor.qname = "stream.example.";
  EXPECT_EQ(topology_pools::pools_of(topology)[0].host, "stream.example.");
}

TEST(TopologyPools, AnEndpointIsAnsweredInTheFamiliesItHasAndProbedOnOne) {
  auto const pools = topology_pools::pools_of(two_edges());
  ASSERT_EQ(pools[0].endpoints.size(), 2U);
  EXPECT_EQ(pools[0].endpoints[0].address4, "192.0.2.1");
  EXPECT_EQ(pools[0].endpoints[0].address6, "2001:db8::1");
  EXPECT_EQ(pools[0].endpoints[0].probe_address, "192.0.2.1");
  EXPECT_EQ(pools[0].endpoints[1].address4, "");
  EXPECT_EQ(pools[0].endpoints[1].probe_address, "2001:db8::2");
}

}  // namespace
