#include "dns-backend/remote/transaction.hpp"

#include "tests/dns-backend/remote/world.hpp"

#include <gmock/gmock.h>

namespace {

using remote::Record;
using remote::ReplaceRRset;
using remote::Transaction;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ReplaceRRset replacement(std::string const& owner, dns::RRType type, std::vector<std::string> const& contents) {
  ReplaceRRset out{remote::any_zone, test::name(owner), type, {}};
  for (auto const& content : contents) {
    out.records.push_back(Record{owner, dns::to_text(type), content, 60});
  }
  return out;
}

std::vector<std::string> contents(store::EntryPtr const& entry) {
  std::vector<std::string> out;
  for (auto const& rrset : entry ? entry->rrsets : std::vector<dns::RRset>()) {
    out.insert(out.end(), rrset.contents.begin(), rrset.contents.end());
  }
  return out;
}

class Edit : public testing::Test {
 protected:
  store::ZonePtr zone = test::example().zone();
  Transaction transaction{test::name("example.org."), false};
  store::EntryPtr at(std::string const& owner) { return zone->find(test::name(owner)); }
  store::EntryPtr seen(std::string const& owner) { return transaction.overlay(test::name(owner), at(owner)); }
};

TEST_F(Edit, LookupsSeeWhatWasWrittenBeforeTheCommit) {
  ASSERT_TRUE(transaction.replace(replacement("new.example.org.", dns::type_a, {"192.0.2.9"}), nullptr));
  EXPECT_THAT(contents(seen("new.example.org.")), ElementsAre("192.0.2.9"));
  ASSERT_TRUE(transaction.replace(replacement("new.example.org.", dns::type_a, {"192.0.2.9", "192.0.2.10"}), nullptr));
  EXPECT_THAT(contents(seen("new.example.org.")), ElementsAre("192.0.2.10", "192.0.2.9"));
  EXPECT_EQ(seen("ns1.example.org."), at("ns1.example.org.")) << "untouched names are the stored ones";
}

TEST_F(Edit, OtherTypesOfANameStay) {
  ASSERT_TRUE(transaction.replace(replacement("www.example.org.", dns::type_a, {}), at("www.example.org.")));
  EXPECT_THAT(contents(seen("www.example.org.")), ElementsAre(HasSubstr("quoted")));
}

TEST_F(Edit, TypeAnyTakesEverythingAwayAlsoWhatThisTransactionAdded) {
  ASSERT_TRUE(transaction.replace(replacement("www.example.org.", dns::type_aaaa, {"2001:db8::1"}), at("www.example.org.")));
  ASSERT_TRUE(transaction.replace(replacement("www.example.org.", dns::type_any, {}), at("www.example.org.")));
  EXPECT_EQ(seen("www.example.org."), nullptr);
  auto const all = transaction.take();
  EXPECT_EQ(all.size(), 3U);
  for (auto const& owned : all) {
    EXPECT_THAT(owned.rrset.contents, IsEmpty());
  }
}

TEST_F(Edit, RepeatedRecordsMergeAndComeOutSorted) {
  ASSERT_TRUE(transaction.replace(replacement("m.example.org.", dns::type_mx, {"20 b.example.org", "10 a.example.org.", "20 B.example.org."}),
                                  nullptr));
  auto const all = transaction.take();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_THAT(all[0].rrset.contents, ElementsAre("10 a.example.org.", "20 b.example.org."));
  EXPECT_TRUE(transaction.empty());
}

TEST_F(Edit, ABadRecordSpoilsTheWholeTransaction) {
  EXPECT_FALSE(transaction.replace(replacement("new.example.org.", dns::type_a, {"not an address"}), nullptr));
  EXPECT_THAT(transaction.broken(), HasSubstr("new.example.org. A"));
  EXPECT_TRUE(transaction.replace(replacement("fine.example.org.", dns::type_a, {"192.0.2.9"}), nullptr));
  EXPECT_THAT(transaction.broken(), HasSubstr("new.example.org. A")) << "the first reason stays";
}

TEST_F(Edit, OwnersOutsideTheZoneAreRefused) {
  EXPECT_FALSE(transaction.replace(replacement("www.example.com.", dns::type_a, {"192.0.2.9"}), nullptr));
  EXPECT_FALSE(transaction.broken().empty());
}

TEST(Whole, RecordsAreCollectedByNameAndType) {
  Transaction transaction(test::name("example.org."), true);
  EXPECT_TRUE(transaction.feed({"example.org.", "SOA", "ns1.example.org hostmaster.example.org 5 10800 3600 604800 300", 3600}));
  EXPECT_TRUE(transaction.feed({"www.example.org.", "A", "192.0.2.2", 60}));
  EXPECT_TRUE(transaction.feed({"www.example.org.", "A", "192.0.2.1", 60}));
  EXPECT_TRUE(transaction.feed({"ent.example.org.", "", "", 0})) << "empty non-terminals are derived by the store";
  auto const all = transaction.take();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].owner.text(), "example.org.");
  EXPECT_THAT(all[1].rrset.contents, ElementsAre("192.0.2.1", "192.0.2.2"));
}

TEST(Whole, UnknownTypesAndForeignOwnersSpoilIt) {
  Transaction transaction(test::name("example.org."), true);
  EXPECT_FALSE(transaction.feed({"www.example.org.", "NOSUCH", "x", 60}));
  EXPECT_FALSE(transaction.broken().empty());
  Transaction other(test::name("example.org."), true);
  EXPECT_FALSE(other.feed({"www.example.com.", "A", "192.0.2.1", 60}));
  EXPECT_FALSE(other.broken().empty());
}

}  // namespace
