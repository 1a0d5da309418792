#include "mesh/reconcile/machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace reconcile {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using wireguard::Network;

Network network(char const* text) {
  return wireguard::parse_network(text).value();
}

TEST(Loopback, NothingChangesWhenEverythingIsThere) {
  auto const changes = loopback_changes({network("10.200.0.1/32")}, {network("127.0.0.1/8"), network("10.200.0.1/32")},
                                        {network("10.200.0.1/32")});
  EXPECT_THAT(changes.add, IsEmpty());
  EXPECT_THAT(changes.remove, IsEmpty());
}

TEST(Loopback, OnlyAddressesOfOursAreRemoved) {
  auto const changes = loopback_changes({network("10.200.0.2/32")},
                                        {network("127.0.0.1/8"), network("192.0.2.53/32"), network("10.200.0.1/32")},
                                        {network("10.200.0.1/32"), network("10.200.0.7/32")});
  EXPECT_THAT(changes.add, ElementsAre(network("10.200.0.2/32")));
  EXPECT_THAT(changes.remove, ElementsAre(network("10.200.0.1/32")));
}

TEST(Loopback, WhatIsOwnedSurvivesItsTextForm) {
  std::vector<Network> const owned{network("10.200.0.1/32"), network("fd5e:70::1/128")};
  EXPECT_EQ(parse_owned(owned_text(owned)), owned);
  EXPECT_EQ(owned_text({owned[1], owned[0]}), owned_text(owned));
  EXPECT_THAT(parse_owned("\nnonsense\n10.0.0.1/32"), ElementsAre(network("10.0.0.1/32")));
}

class Sysctls : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "sysctlXXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root = name;
  }
  void TearDown() override { fs::remove_all(root); }

  void put(std::string const& path, std::string const& value) const {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << value << "\n";
  }
  [[nodiscard]] std::string get(std::string const& path) const {
    std::ifstream file(root / path);
    std::string out;
    file >> out;
    return out;
  }

  fs::path root;
};

TEST_F(Sysctls, AreWrittenOnlyWhenTheyDiffer) {
  put("net/ipv4/ip_forward", "0");
  EXPECT_TRUE(apply_sysctl({"net/ipv4/ip_forward", "1"}, {}, root.string()).value());
  EXPECT_EQ(get("net/ipv4/ip_forward"), "1");
  EXPECT_FALSE(apply_sysctl({"net/ipv4/ip_forward", "1"}, {}, root.string()).value());
}

TEST_F(Sysctls, AMissingOneIsAFailureOnlyWhenItIsRequired) {
  EXPECT_FALSE(apply_sysctl({"net/none", "1"}, {}, root.string()).has_value());
  EXPECT_FALSE(apply_sysctl({"net/none", "1", false}, {}, root.string()).value());
}

TEST_F(Sysctls, LoweringTheFilterOfAllLeavesOtherInterfacesAsStrictAsTheyWere) {
  put("net/ipv4/conf/all/rp_filter", "1");
  put("net/ipv4/conf/default/rp_filter", "0");
  put("net/ipv4/conf/eth0/rp_filter", "0");
  put("net/ipv4/conf/eth1/rp_filter", "2");
  put("net/ipv4/conf/wg-a/rp_filter", "0");
  put("net/ipv4/conf/wg-office/rp_filter", "0");
  EXPECT_TRUE(apply_sysctl({"net/ipv4/conf/all/rp_filter", "0"}, {"wg-a"}, root.string()).value());
  EXPECT_EQ(get("net/ipv4/conf/all/rp_filter"), "0");
  EXPECT_EQ(get("net/ipv4/conf/default/rp_filter"), "1");
  EXPECT_EQ(get("net/ipv4/conf/eth0/rp_filter"), "1");
  EXPECT_EQ(get("net/ipv4/conf/eth1/rp_filter"), "2");
  EXPECT_EQ(get("net/ipv4/conf/wg-a/rp_filter"), "0");
  EXPECT_EQ(get("net/ipv4/conf/wg-office/rp_filter"), "1") << "the beginning of a name makes no device ours";
}

TEST_F(Sysctls, ForwardingDoesNotCostARouteThatARouterAdvertised) {
  put("net/ipv6/conf/all/forwarding", "0");
  put("net/ipv6/conf/all/accept_ra", "1");
  put("net/ipv6/conf/eth0/accept_ra", "1");
  put("net/ipv6/conf/eth1/accept_ra", "0");
  put("net/ipv6/conf/wg-a/accept_ra", "1");
  EXPECT_TRUE(apply_sysctl({"net/ipv6/conf/all/forwarding", "1"}, {"wg-a"}, root.string()).value());
  EXPECT_EQ(get("net/ipv6/conf/all/forwarding"), "1");
  EXPECT_EQ(get("net/ipv6/conf/eth0/accept_ra"), "2");
  EXPECT_EQ(get("net/ipv6/conf/eth1/accept_ra"), "0") << "something else takes them";
  EXPECT_EQ(get("net/ipv6/conf/wg-a/accept_ra"), "1");
}

}  // namespace
}  // namespace reconcile
