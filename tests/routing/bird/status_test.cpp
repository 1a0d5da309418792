#include "routing/bird/status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// As BIRD 2.0.12 prints them.
bird::Lines const neighbors{"ospf4:",
                            "Router ID   \tPri\t     State     \tDTime\tInterface  Router IP",
                            "10.200.0.2  \t  1\tFull/PtP  \t 3.923\twg-b       10.200.0.2",
                            "10.200.0.3  \t  1\tExStart/PtP  \t 3.978\twg-c       10.200.0.3",
                            "",
                            "ospf6:",
                            "Router ID   \tPri\t     State     \tDTime\tInterface  Router IP",
                            "10.200.0.2  \t  1\tFull/PtP  \t 3.923\twg-b       fe80::2",
                            ""};
bird::Lines const sessions{"bfd1:", "IP address                Interface  State      Since         Interval  Timeout",
                           "10.200.0.2                wg-b       Up         11:06:24.399    0.100    0.500",
                           "fe80::2                   wg-b       Down       2026-11-23      0.300    1.500"};

TEST(OspfNeighbors, AreReadWithTheirProtocol) {
  EXPECT_THAT(bird::parse_ospf_neighbors(neighbors),
              ElementsAre(bird::Neighbor{"ospf4", "10.200.0.2", "Full", "wg-b", "10.200.0.2", 3.923},
                          bird::Neighbor{"ospf4", "10.200.0.3", "ExStart", "wg-c", "10.200.0.3", 3.978},
                          bird::Neighbor{"ospf6", "10.200.0.2", "Full", "wg-b", "fe80::2", 3.923}));
}

TEST(OspfNeighbors, OfAnythingElseAreNone) {
  EXPECT_THAT(bird::parse_ospf_neighbors({}), IsEmpty());
  EXPECT_THAT(bird::parse_ospf_neighbors({"ospf4: is not up", "a b c d e f", "1.2.3.4 1 Full/PtP soon wg-b 1.2.3.4",
                                          "1.2.3.4 1 Full/PtP -1 wg-b 1.2.3.4", "1.2.3.4 1 Full/PtP 1e300 w 1.2.3.4"}),
              IsEmpty());
}

TEST(BfdSessions, AreReadWhateverTheFormOfSince) {
  EXPECT_THAT(bird::parse_bfd_sessions(sessions),
              ElementsAre(bird::BfdSession{"10.200.0.2", "wg-b", "Up", 0.1, 0.5, "11:06:24.399"},
                          bird::BfdSession{"fe80::2", "wg-b", "Down", 0.3, 1.5, "2026-11-23"}));
  EXPECT_THAT(bird::parse_bfd_sessions({"10.0.0.1 wg-b Up 2026-11-23 11:06:24.399 0.1 0.5"}),
              ElementsAre(bird::BfdSession{"10.0.0.1", "wg-b", "Up", 0.1, 0.5, "2026-11-23 11:06:24.399"}));
}

TEST(BfdSessions, OfAnythingElseAreNone) {
  EXPECT_THAT(bird::parse_bfd_sessions({"There is no BFD protocol running", "x.y a b c d", "x.y a b c d e"}),
              IsEmpty());
}

TEST(Protocols, AreReadWithStateAndInfo) {
  auto const rows = bird::parse_protocols({"Name       Proto      Table      State  Since         Info",
                                           "anycast_dns_4 Static     master4    down   11:06:23.328  ",
                                           "ospf4      OSPF       master4    up     11:06:23.328  Running",
                                           "upstream_1 BGP        ---        start  2026-11-23 11:06:23  Active        "
                                           "Socket: No route to host"});
  EXPECT_THAT(rows,
              ElementsAre(bird::ProtocolRow{"anycast_dns_4", "Static", "master4", "down", ""},
                          bird::ProtocolRow{"ospf4", "OSPF", "master4", "up", "Running"},
                          bird::ProtocolRow{"upstream_1", "BGP", "---", "start", "Active Socket: No route to host"}));
}

TEST(FullWithoutBfd, AreNeighboursWhoseSessionIsMissingOrNotUp) {
  auto const all = bird::parse_ospf_neighbors(neighbors);
  auto const missing = bird::full_without_bfd(all, bird::parse_bfd_sessions(sessions));
  // fe80::2's session is down; 10.200.0.3 has none, but its adjacency is not Full either.
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0].address, "fe80::2");
  EXPECT_EQ(bird::full_without_bfd(all, {}).size(), 2U);
}

TEST(FullWithoutBfd, DoesNotTakeASessionOfAnotherInterface) {
  EXPECT_EQ(bird::full_without_bfd({{"ospf6", "10.200.0.2", "Full", "wg-b", "fe80::2", 3}},
                                   {{"fe80::2", "wg-c", "Up", 0.1, 0.5}})
                .size(),
            1U);
}

}  // namespace
