#include "dns-backend/remote/neighbours.hpp"

#include "tests/dns-backend/remote/world.hpp"

#include <gmock/gmock.h>

namespace {

std::string between(store::Zone const& zone, std::string const& qname) {
  auto const found = remote::neighbours(zone, qname);
  return found ? found->before + " < " + found->after : "none";
}

TEST(Nsec, NamesAreRelativeAndInCanonicalOrder) {
  auto const zone = test::example().zone();
  EXPECT_EQ(between(*zone, "."), ". < deep.ent.");
  EXPECT_EQ(between(*zone, "ns1."), "ns1. < sub.");
  EXPECT_EQ(between(*zone, "www."), "www. < .") << "the last name is followed by the apex";
  EXPECT_EQ(between(*zone, "zzz."), "www. < .");
  EXPECT_EQ(between(*zone, "nothing."), "deep.ent. < ns1.");
}

TEST(Nsec, EmptyNonTerminalsAndGlueAreLeftOut) {
  auto const zone = test::example().zone();
  EXPECT_EQ(between(*zone, "ent."), ". < deep.ent.");
  EXPECT_EQ(between(*zone, "ns.sub."), "sub. < *.wild.");
  EXPECT_EQ(between(*zone, "wild."), "sub. < *.wild.");
}

TEST(Nsec, TheOwnerOfBeforeComesWithIt) {
  auto const found = remote::neighbours(*test::example().zone(), "x.www.");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->unhashed, "www.example.org.");
}

TEST(Nsec, AZoneOfOneNameIsItsOwnNeighbour) {
  test::ZoneDraft draft;
  draft.record("example.org.", "SOA", {"a. b. 1 2 3 4 5"});
  EXPECT_EQ(between(*draft.zone(), "a."), ". < .");
}

TEST(Nsec, NamesThatCannotExistHaveNoNeighbours) {
  EXPECT_EQ(between(*test::example().zone(), std::string(64, 'a') + "."), "none");
  EXPECT_EQ(between(store::Zone(), "a."), "none");
}

TEST(Nsec3, HashesAreFoundAtOrBeforeAndWrapAround) {
  auto draft = test::example();
  draft.metadata = {{"NSEC3PARAM", {"1 0 0 -"}}};
  draft.hashes = {{"1aaa", "www.example.org."}, {"5bbb", "example.org."}, {"9ccc", "ns1.example.org."}};
  auto const zone = draft.zone();
  EXPECT_EQ(between(*zone, "5bbb."), "5bbb < 9ccc");
  EXPECT_EQ(between(*zone, "5BBB"), "5bbb < 9ccc");
  EXPECT_EQ(between(*zone, "6000"), "5bbb < 9ccc");
  EXPECT_EQ(between(*zone, "9ccc"), "9ccc < 1aaa");
  EXPECT_EQ(between(*zone, "0000"), "9ccc < 1aaa");
  EXPECT_EQ(remote::neighbours(*zone, "2000")->unhashed, "www.example.org.");
}

TEST(Nsec3, WithoutAChainThereIsNoAnswer) {
  auto draft = test::example();
  draft.metadata = {{"NSEC3PARAM", {"1 0 0 -"}}};
  EXPECT_EQ(between(*draft.zone(), "5bbb."), "none");
}

}  // namespace
