#include "mesh/world_store/catch_up.hpp"

#include "mesh/enrolment/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace world_store {
namespace {

using testing::ElementsAre;

constexpr std::int64_t now_s = 1'800'000'000;
constexpr char const* topology_text = R"(name: t
domain: t.example
mesh: {prefix4: 10.200.0.0/16, prefix6: 'fd00:c0de::/48', shape: full}
sites: [{name: s}]
nodes:
  - {name: ann, site: s, role: edge, underlay: [192.0.2.1]}
  - {name: bob, site: s, role: edge, underlay: [192.0.2.2]}
  - {name: cat, site: s, role: edge, underlay: [192.0.2.3]}
  - {name: dan, site: s, role: edge, underlay: [192.0.2.4]}
)";

// A store as it was when it was copied: ann, bob and cat are members.
struct CatchUpTest : testing::Test {
  CatchUpTest() {
    EXPECT_TRUE(set_topology(*database, topology_text, "t", now_s));
    for (auto const* name : {"ann", "bob", "cat"}) {
      add(name, std::string("key of ") + name);
    }
  }

  void add(std::string const& name, std::string const& key) {
    auto const body = [&](database::Transaction& transaction) -> base::Result<void> {
      for (auto const* sql : {"INSERT INTO enrolment_node (name, public_key, joined_at_s) VALUES (?, ?, 1)",
                              "INSERT INTO enrolment_certificate VALUES (?, ?)"}) {
        if (auto const done = transaction.execute(sql, {name, key}); !done) {
          return done.error();
        }
      }
      return {};
    };
    EXPECT_TRUE(database->write(body));
  }
  Stored stored() { return read_world(*database).value(); }
  // What the mesh had seen: bob was removed, cat changed her key, dan joined.
  plan::WorldDocument later() {
    auto out = stored().document;
    out.revision = 100;
    out.nodes = {{"ann", "key of ann"}, {"cat", "new key of cat"}, {"dan", "key of dan"}};
    out.generations = {{"cat", 1}};
    out.removed = {"key of bob", "key of cat"};
    return out;
  }

  std::unique_ptr<database::Database> database =
      database::Database::open("sqlite://:memory:", {schema(), enrolment::schema(), link_costs::schema()}).value();
};

TEST_F(CatchUpTest, WhatWasRemovedSinceIsLearntAndTheRevisionIsAboveWhatWasSeen) {
  auto const before = stored();
  ASSERT_LT(before.document.revision, 100);
  EXPECT_TRUE(forgotten(before, 100));
  auto const learnt = catch_up(*database, later(), now_s);
  ASSERT_TRUE(learnt) << learnt.error().what();
  EXPECT_THAT(learnt->members.removed, ElementsAre("bob"));
  EXPECT_THAT(learnt->members.changed, ElementsAre("cat"));
  EXPECT_THAT(learnt->members.joined, ElementsAre("dan"));
  EXPECT_FALSE(learnt->other_topology);
  auto const after = stored();
  EXPECT_EQ(after.document.revision, learnt->revision);
  EXPECT_GT(after.document.revision, 100 + 900);
  EXPECT_EQ(after.document.nodes, later().nodes);
  EXPECT_EQ(after.document.generations, later().generations);
  EXPECT_EQ(after.document.removed, later().removed);
  EXPECT_EQ(after.certificate_keys.at("cat"), "key of cat") << "her certificate is good";
  EXPECT_EQ(after.certificate_keys.at("dan"), "") << "whose is his cannot be known";
  EXPECT_FALSE(forgotten(after, 100));
}

TEST_F(CatchUpTest, ANodeThatHasSeenMoreThanTheOneBeforeShowsThatToo) {
  auto first = later();
  first.revision = 98;
  first.nodes["bob"] = "key of bob";
  first.removed.erase("key of bob");
  ASSERT_TRUE(catch_up(*database, first, now_s));
  auto const between = stored();
  EXPECT_TRUE(between.document.nodes.contains("bob"));
  EXPECT_FALSE(forgotten(between, 98));
  EXPECT_TRUE(forgotten(between, 100)) << "below where it goes on, and never of this life";
  ASSERT_TRUE(catch_up(*database, later(), now_s));
  auto const after = stored();
  EXPECT_FALSE(after.document.nodes.contains("bob"));
  EXPECT_EQ(after.document.revision, between.document.revision + 1);
}

TEST_F(CatchUpTest, WhatTheStoreKnowsChangesNothing) {
  auto known = stored().document;
  ASSERT_TRUE(catch_up(*database, known, now_s));
  EXPECT_EQ(stored().document, known);
  ASSERT_TRUE(catch_up(*database, later(), now_s));
  auto const after = stored().document;
  ASSERT_TRUE(catch_up(*database, later(), now_s)) << "two nodes show the same";
  EXPECT_EQ(stored().document, after);
}

TEST_F(CatchUpTest, WhoWasRemovedAfterTheCopyCameBackStaysRemoved) {
  ASSERT_TRUE(members::remove_node(*database, "ann", now_s));
  ASSERT_TRUE(catch_up(*database, later(), now_s));
  auto const after = stored().document;
  EXPECT_FALSE(after.nodes.contains("ann"));
  EXPECT_TRUE(after.removed.contains("key of ann"));
}

TEST_F(CatchUpTest, ATopologyThatIsSetAfterwardsCountsOnFromThere) {
  auto document = later();
  document.topology += "# another\n";
  auto const learnt = catch_up(*database, document, now_s);
  ASSERT_TRUE(learnt);
  EXPECT_TRUE(learnt->other_topology);
  EXPECT_THAT(sentence(*learnt), testing::HasSubstr("Removed since the copy: bob; changed their keys: cat;"));
  EXPECT_THAT(sentence(*learnt), testing::HasSubstr("is to be set again"));
  EXPECT_EQ(stored().document.topology, topology_text) << "not taken over";
  auto const set = set_topology(*database, document.topology, "t", now_s);
  ASSERT_TRUE(set);
  EXPECT_EQ(*set, learnt->revision + 1);
  EXPECT_EQ(stored().document.revision, *set);
  EXPECT_EQ(set_topology(*database, document.topology, "t", now_s).value(), *set) << "the same again";
}

TEST_F(CatchUpTest, AnotherMachineOfTheNameShowsItsTokenFirst) {
  auto document = later();
  document.generations.clear();  // cat did not change her key: she joined again
  auto const learnt = catch_up(*database, document, now_s);
  ASSERT_TRUE(learnt);
  EXPECT_THAT(learnt->members.joined, ElementsAre("cat", "dan"));
  EXPECT_EQ(stored().certificate_keys.at("cat"), "");
}

TEST_F(CatchUpTest, AnotherMachineOfTheNameThatThenChangedItsKeyShowsItsTokenToo) {
  auto document = later();
  document.removed.insert("key of cat's second machine");  // joined without a change of the count, then changed
  auto const learnt = catch_up(*database, document, now_s);
  ASSERT_TRUE(learnt);
  EXPECT_THAT(learnt->members.changed, ElementsAre());
  EXPECT_THAT(learnt->members.joined, ElementsAre("cat", "dan"));
  EXPECT_EQ(stored().document.nodes.at("cat"), "new key of cat") << "it keeps its links";
  EXPECT_EQ(stored().certificate_keys.at("cat"), "");
}

TEST_F(CatchUpTest, TwoChangesOfAKeyAreNotToldFromAnotherMachine) {
  auto document = later();
  document.generations = {{"cat", 2}};
  auto const learnt = catch_up(*database, document, now_s);
  ASSERT_TRUE(learnt);
  EXPECT_THAT(learnt->members.joined, ElementsAre("cat", "dan"));
}

TEST_F(CatchUpTest, WhoChangedItsKeyAfterTheCopyCameBackIsNotMissing) {
  ASSERT_TRUE(members::ask_for_rotation(*database, "ann", now_s));
  ASSERT_TRUE(members::offer_key(*database, "ann", "next key of ann"));
  ASSERT_TRUE(members::complete_rotation(*database, "ann", "next key of ann", now_s));
  auto document = later();
  document.issued_at_s = 2;
  ASSERT_TRUE(catch_up(*database, document, now_s));
  EXPECT_EQ(stored().document.nodes.at("ann"), "next key of ann");
}

TEST(Claims, StandBesideEachOtherForTenMinutes) {
  Claims claims;
  EXPECT_FALSE(claims.newest(1000));
  EXPECT_TRUE(claims.add("mallory", 1'000'000'000, 1000));
  EXPECT_TRUE(claims.add("ann", 100, 1001));
  EXPECT_EQ(claims.newest(1001)->by, "ann") << "not hidden by what is larger";
  EXPECT_FALSE(claims.add("mallory", 1'000'000'001, 1002)) << "told once";
  EXPECT_EQ(claims.newest(1002)->by, "ann");
  EXPECT_EQ(claims.newest(1600)->by, "ann");
  EXPECT_FALSE(claims.newest(1601));
  EXPECT_TRUE(claims.add("mallory", 5, 1601));
  claims.clear();
  EXPECT_FALSE(claims.newest(1601));
}

TEST_F(CatchUpTest, WhoIsMissingWasRemovedUnlessItJoinedLater) {
  auto document = later();
  document.removed = {"key of cat"};  // a world names the last thousand
  auto const undated = catch_up(*database, document, now_s);
  ASSERT_TRUE(undated);
  EXPECT_THAT(undated->members.removed, ElementsAre());
  document.revision = 101;
  document.issued_at_s = 1;
  ASSERT_TRUE(catch_up(*database, document, now_s));
  EXPECT_TRUE(stored().document.nodes.contains("bob")) << "joined at 1";
  document.revision = 102;
  document.issued_at_s = 2;
  auto const learnt = catch_up(*database, document, now_s);
  ASSERT_TRUE(learnt);
  EXPECT_THAT(learnt->members.removed, ElementsAre("bob"));
  EXPECT_TRUE(stored().document.removed.contains("key of bob"));
}

}  // namespace
}  // namespace world_store
