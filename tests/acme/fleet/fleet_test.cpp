#include "acme/fleet/fleet.hpp"

#include <gmock/gmock.h>

#include <random>

namespace acme {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

crypto::Time const now = crypto::from_ms(1'800'000'000'000);

// Of subject 10 * tenant unless said otherwise.
vault::CertificateRow row_of(std::int64_t sequence, std::int64_t tenant, std::string const& label, char digest,
                             crypto::Time not_after = now + hours(1), std::int64_t subject = 0) {
  return {sequence,
          subject == 0 ? 10 * tenant : subject,
          tenant,
          label + ".stream.example",
          {"*." + label + ".stream.example", label + ".stream.example"},
          std::string(64, digest),
          now - hours(1),
          not_after};
}
Wanted wanted_of(std::int64_t tenant, std::string const& label, Wanted::Kind kind = Wanted::Kind::own) {
  Wanted one;
  one.kind = kind;
  one.tenant_id = tenant;
  one.tenant = one.label = label;
  one.name = label + ".stream.example";
  one.names = {"*." + one.name, one.name};
  return one;
}
Wanted domain_of(std::int64_t tenant, std::string const& label, std::string const& name) {
  return {Wanted::Kind::domain, tenant, 3, label, {}, name, {name}, {}, false};
}
TenantFacts facts_of(std::int64_t tenant, std::vector<std::string> pools, std::string const& label,
                     std::vector<vault::CertificateRow> certificates) {
  return {tenant, std::move(pools), {wanted_of(tenant, label)}, std::move(certificates)};
}
// "id tenant first-of-the-fingerprint" of each.
std::vector<std::string> list_of(Fleet const& fleet, std::string const& edge, std::size_t at_once = 1000) {
  std::vector<std::string> out;
  std::int64_t after = 0;
  do {
    Fleet::Page const page = fleet.page(edge, after, at_once);
    for (EdgeBundle const& bundle : page.bundles) {
      out.push_back(bundle.id + " " + bundle.tenant + " " + bundle.fingerprint.substr(0, 1));
    }
    after = page.next;
  } while (after != 0);
  return out;
}

TEST(Fleet, KnowsWhatAnEdgeServesAlsoOfWhatIsLeaving) {
  Fleet fleet;
  fleet.set_pools({{"ams", {"edge-1"}}, {"fra", {"edge-2"}}}, 1);
  fleet.take(facts_of(7, {"ams"}, "acme-tv", {row_of(1, 7, "acme-tv", 'a')}), now, 2);
  EXPECT_TRUE(fleet.serves("edge-1", 7, 70));
  EXPECT_FALSE(fleet.serves("edge-1", 7, 71));
  EXPECT_FALSE(fleet.serves("edge-1", 8, 70));
  EXPECT_FALSE(fleet.serves("edge-2", 7, 70));
  EXPECT_FALSE(fleet.serves("nobody", 7, 70));
  fleet.take(facts_of(7, {"fra"}, "acme-tv", {row_of(1, 7, "acme-tv", 'a')}), now, 3);
  EXPECT_TRUE(fleet.serves("edge-1", 7, 70)) << "until every site has the revision";
  EXPECT_TRUE(fleet.serves("edge-2", 7, 70));
  fleet.release(3);
  EXPECT_FALSE(fleet.serves("edge-1", 7, 70));
}

class FleetTest : public testing::Test {
 protected:
  FleetTest() { fleet.set_pools({{"ams", {"e1", "e2"}}, {"fra", {"e3"}}}, 1); }
  Fleet::Edges take(TenantFacts const& facts, Fleet::Revision revision = 1, Fleet::Revision everywhere = 1000) {
    auto edges = fleet.take(facts, now, revision).edges;
    edges.merge(fleet.release(everywhere));
    for (std::string const& edge : fleet.edges()) {
      EXPECT_TRUE(fleet.verify(edge)) << edge;
      EXPECT_EQ(list_of(fleet, edge).size(), fleet.size(edge)) << edge;
    }
    return edges;
  }
  Fleet fleet;
};

TEST_F(FleetTest, AnEdgeSeesOnlyTheTenantsOfItsPools) {
  EXPECT_THAT(take(facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a')})), ElementsAre("e1", "e2"));
  EXPECT_THAT(take(facts_of(2, {"fra", "ams"}, "b", {row_of(2, 2, "b", 'b')})), ElementsAre("e1", "e2", "e3"));
  EXPECT_THAT(take(facts_of(3, {"fra"}, "c", {row_of(3, 3, "c", 'c')})), ElementsAre("e3"));
  EXPECT_THAT(list_of(fleet, "e1"), ElementsAre("tenant-1 a a", "tenant-2 b b"));
  EXPECT_THAT(list_of(fleet, "e3"), ElementsAre("tenant-2 b b", "tenant-3 c c"));
  EXPECT_THAT(list_of(fleet, "stranger"), IsEmpty());
  EXPECT_FALSE(fleet.find("e1", "tenant-3"));
  EXPECT_EQ(fleet.find("e3", "tenant-3")->names.size(), 2U);
  for (char const* bad : {"", "tenant-", "tenant-3x", "tenant-03", "tenant-3-0", "tenant-3-", "3"}) {
    EXPECT_FALSE(fleet.find("e3", bad)) << bad;
  }
}

TEST_F(FleetTest, WhatDoesNotChangeTouchesNobody) {
  TenantFacts const facts = facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a')});
  take(facts);
  auto const before = fleet.sequence("e1");
  EXPECT_FALSE(fleet.take(facts, now, 2).changed);
  EXPECT_EQ(fleet.sequence("e1"), before);
}

TEST_F(FleetTest, TheNewestCertificateCountsAndOnlyUnderItsOwnNames) {
  take(facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a'), row_of(5, 1, "a", 'b')}));
  EXPECT_THAT(list_of(fleet, "e1"), ElementsAre("tenant-1 a b"));
  // A tenant that was renamed does not get the certificate of its former name.
  take(facts_of(1, {"ams"}, "other", {row_of(1, 1, "a", 'a')}));
  EXPECT_THAT(list_of(fleet, "e1"), IsEmpty());
}

TEST_F(FleetTest, DuringARenameTheFormerLabelKeepsItsCertificate) {
  TenantFacts facts = facts_of(1, {"ams"}, "new", {row_of(1, 1, "old", 'a', now + hours(1), 11)});
  facts.wanted.push_back(wanted_of(1, "old", Wanted::Kind::former));
  take(facts);
  EXPECT_THAT(list_of(fleet, "e1"), ElementsAre("tenant-1-11 old a"));
  facts.certificates.push_back(row_of(2, 1, "new", 'b'));
  take(facts);
  EXPECT_THAT(list_of(fleet, "e1"), ElementsAre("tenant-1 new b", "tenant-1-11 old a"));
  facts.wanted.pop_back();
  take(facts);
  EXPECT_THAT(list_of(fleet, "e1"), ElementsAre("tenant-1 new b"));
  // Nor does another tenant's certificate go out under it.
  take(facts_of(2, {"ams"}, "new", {row_of(2, 1, "new", 'b')}));
  EXPECT_THAT(list_of(fleet, "e1"), ElementsAre("tenant-1 new b"));
}

TEST_F(FleetTest, ADomainHasABundleOfItsOwn) {
  vault::CertificateRow issued = row_of(2, 1, "a", 'b', now + hours(1), 12);
  issued.subject = "www.customer.example";
  issued.names = {"www.customer.example"};
  vault::CertificateRow brought = issued;
  brought.sequence = 3;
  brought.fingerprint = std::string(64, 'c');
  brought.names = {"*.customer.example", "customer.example"};
  brought.uploaded = true;
  TenantFacts facts = facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a'), issued});
  facts.wanted.push_back(domain_of(1, "a", "www.customer.example"));
  take(facts);
  EXPECT_THAT(list_of(fleet, "e1"), ElementsAre("tenant-1 a a", "tenant-1-12 a b"));
  facts.certificates.push_back(brought);
  take(facts);
  EXPECT_THAT(list_of(fleet, "e1"), ElementsAre("tenant-1 a a", "tenant-1-12 a c")) << "what the tenant brought last";
  EXPECT_THAT(fleet.find("e1", "tenant-1-12")->names, ElementsAre("www.customer.example")) << "for its domain alone";
  facts.wanted.pop_back();
  take(facts);
  EXPECT_THAT(list_of(fleet, "e1"), ElementsAre("tenant-1 a a")) << "a domain that is gone has none";
}

TEST_F(FleetTest, UnknownPoolsHaveNoEdges) {
  EXPECT_THAT(take(facts_of(2, {"gone"}, "b", {row_of(2, 2, "b", 'b')})), IsEmpty());
  // And get them when they come.
  EXPECT_THAT(fleet.set_pools({{"gone", {"e4"}}}, 2).edges, ElementsAre("e4"));
  EXPECT_THAT(list_of(fleet, "e4"), ElementsAre("tenant-2 b b"));
}

TEST(Newest, WhatIsGoodComesFirstWhatIsExpiredLast) {
  Wanted const wanted = wanted_of(1, "a");
  auto const serve = [&](std::vector<vault::CertificateRow> const& rows) {
    auto const* const row = newest(wanted, rows, now);
    return row == nullptr ? '-' : row->fingerprint[0];
  };
  vault::CertificateRow revoked = row_of(9, 1, "a", 'r');
  revoked.revoked_reason = 1;
  vault::CertificateRow const expired = row_of(8, 1, "a", 'x', now - hours(1));
  vault::CertificateRow const good = row_of(3, 1, "a", 'g');
  vault::CertificateRow const older = row_of(2, 1, "a", 'o');
  EXPECT_EQ(serve({older, good, expired, revoked}), 'g');
  EXPECT_EQ(serve({revoked, expired, older}), 'o');
  EXPECT_EQ(serve({expired, revoked}), 'r') << "few clients find out that it is revoked, all that one is expired";
  EXPECT_EQ(serve({revoked, row_of(10, 1, "a", 'y', now)}), 'r');
  EXPECT_EQ(serve({expired}), 'x');
  EXPECT_EQ(serve({row_of(1, 2, "a", 'b')}), '-');
}

TEST_F(FleetTest, ATenantIsLookedAtAgainWhenItsCertificateEnds) {
  TenantFacts const facts =
      facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a', now + hours(9)), row_of(2, 1, "a", 'b', now + hours(1))});
  take(facts);
  EXPECT_THAT(list_of(fleet, "e1"), ElementsAre("tenant-1 a b"));
  EXPECT_EQ(fleet.next_lapse(), now + hours(1));
  EXPECT_THAT(fleet.lapsed(now), IsEmpty());
  EXPECT_THAT(fleet.lapsed(now + hours(1)), ElementsAre(1));
  fleet.take(facts, now + hours(1), 2);
  EXPECT_THAT(list_of(fleet, "e1"), ElementsAre("tenant-1 a a"));
  EXPECT_EQ(fleet.next_lapse(), now + hours(9));
}

TEST_F(FleetTest, ABundleStaysWithItsEdgeUntilEverySiteHasHeard) {
  take(facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a')}));
  auto const before = fleet.sequence("e1");
  EXPECT_THAT(take({1, {}, {}, {}}, 7, 6), IsEmpty());
  EXPECT_THAT(list_of(fleet, "e1"), ElementsAre("tenant-1 a a"));
  EXPECT_EQ(fleet.sequence("e1"), before);
  EXPECT_EQ(fleet.next_release(), 7);
  EXPECT_THAT(take({1, {}, {}, {}}, 8, 6), IsEmpty()) << "later changes do not keep it longer";
  EXPECT_TRUE(fleet.find("e1", "tenant-1"));
  EXPECT_THAT(fleet.release(7), ElementsAre("e1", "e2"));
  EXPECT_THAT(list_of(fleet, "e1"), IsEmpty());
  EXPECT_FALSE(fleet.next_release());
}

TEST_F(FleetTest, WhatIsWantedAgainDoesNotLeave) {
  TenantFacts const facts = facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a')});
  take(facts);
  take({1, {}, {}, {}}, 7, 6);
  EXPECT_THAT(take(facts, 8, 6), IsEmpty());
  EXPECT_THAT(fleet.release(100), IsEmpty());
  EXPECT_THAT(list_of(fleet, "e1"), ElementsAre("tenant-1 a a"));
}

TEST_F(FleetTest, ATenantThatMovesLeavesWhereItIsNoLonger) {
  take(facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a')}));
  EXPECT_THAT(take(facts_of(1, {"fra"}, "a", {row_of(1, 1, "a", 'a')}), 7, 6), ElementsAre("e3"));
  EXPECT_TRUE(fleet.find("e1", "tenant-1"));
  EXPECT_THAT(fleet.release(7), ElementsAre("e1", "e2"));
  EXPECT_FALSE(fleet.find("e1", "tenant-1"));
  EXPECT_TRUE(fleet.find("e3", "tenant-1"));
}

TEST_F(FleetTest, PoolsThatChangeMoveTheirTenants) {
  take(facts_of(1, {"ams", "fra"}, "a", {row_of(1, 1, "a", 'a')}));
  take(facts_of(2, {"ams"}, "b", {row_of(2, 2, "b", 'b')}));
  // e2 goes from one pool to the other: tenant 1 stays there, tenant 2 leaves.
  EXPECT_THAT(fleet.set_pools({{"ams", {"e1"}}, {"fra", {"e2", "e3"}}}, 7).edges, IsEmpty());
  EXPECT_THAT(fleet.release(7), ElementsAre("e2"));
  EXPECT_THAT(list_of(fleet, "e2"), ElementsAre("tenant-1 a a"));
  EXPECT_THAT(fleet.set_pools({{"ams", {"e1", "e9"}}, {"fra", {"e2", "e3"}}}, 8).edges, ElementsAre("e9"));
  EXPECT_THAT(list_of(fleet, "e9"), ElementsAre("tenant-1 a a", "tenant-2 b b"));
  EXPECT_FALSE(fleet.set_pools({{"ams", {"e1", "e9"}}, {"fra", {"e2", "e3"}}}, 9).changed);
}

TEST_F(FleetTest, AfterAStartWhatEdgesAcknowledgedIsTheListBefore) {
  TenantFacts const here = facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a')});
  take(here);
  EdgeBundle const gone{{}, "b", {"*.b.stream.example", "b.stream.example"}, 20, 2, std::string(64, 'b')};
  EdgeBundle const served{{}, "a", {"*.a.stream.example", "a.stream.example"}, 10, 1, std::string(64, 'a')};
  EXPECT_THAT(fleet.recall("e1", 1, served, true, 7), IsEmpty()) << "it serves that still";
  EXPECT_THAT(fleet.recall("e1", 2, gone, true, 7), ElementsAre("e1"));
  EXPECT_THAT(fleet.recall("e3", 1, served, true, 7), ElementsAre("e3")) << "the tenant was there once";
  EXPECT_THAT(list_of(fleet, "e1"), ElementsAre("tenant-1 a a", "tenant-2 b b"));
  EXPECT_THAT(fleet.release(6), IsEmpty());
  EXPECT_THAT(fleet.release(7), ElementsAre("e1", "e3"));
  EXPECT_THAT(list_of(fleet, "e1"), ElementsAre("tenant-1 a a"));
  EXPECT_TRUE(fleet.verify("e1"));
}

TEST_F(FleetTest, WhatWasDroppedIsKnownOnceTheEdgeAppliedTheList) {
  take(facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a')}));
  auto const before = fleet.sequence("e1");
  take({1, {}, {}, {}}, 7, 7);
  EXPECT_THAT(fleet.confirm("e1", before), IsEmpty()) << "it has not heard of it";
  EXPECT_THAT(fleet.confirm("e1", fleet.sequence("e1")), ElementsAre(Fleet::Dropped{10, 1}));
  EXPECT_THAT(fleet.confirm("e1", fleet.sequence("e1")), IsEmpty());
  // One that comes back before the edge heard of anything was never dropped.
  take(facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a')}), 8, 8);
  EXPECT_EQ(fleet.sequence("e2"), before);
  EXPECT_THAT(fleet.confirm("e2", before), IsEmpty());
}

TEST_F(FleetTest, TheSequenceIsTheListsAndSurvivesARestart) {
  Fleet other;
  take(facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a')}));
  take(facts_of(2, {"ams"}, "b", {row_of(2, 2, "b", 'b')}));
  other.take(facts_of(2, {"ams"}, "b", {row_of(2, 2, "b", 'b')}), now, 5);
  other.take(facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a')}), now, 5);
  other.set_pools({{"ams", {"e1"}}}, 9);
  EXPECT_EQ(fleet.sequence("e1"), other.sequence("e1"));
  EXPECT_NE(fleet.sequence("e1"), fleet.sequence("e3"));
  EXPECT_EQ(fleet.sequence("e3"), fleet.sequence("stranger")) << "of an empty list";
  for (char const* edge : {"e1", "e3"}) {
    EXPECT_GT(fleet.sequence(edge), 0);
    EXPECT_LE(fleet.sequence(edge), std::int64_t{1} << 52);
  }
}

TEST_F(FleetTest, ADeltaSaysWhatCameChangedAndWent) {
  take(facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a')}));
  take(facts_of(2, {"ams"}, "b", {row_of(2, 2, "b", 'b')}));
  auto const since = fleet.sequence("e1");
  EXPECT_EQ(fleet.changed_since("e1", since), Fleet::Delta());
  take(facts_of(1, {"ams"}, "a", {row_of(3, 1, "a", 'c')}));
  take(facts_of(3, {"ams"}, "d", {row_of(4, 3, "d", 'd')}));
  take({2, {}, {}, {}});
  auto const delta = fleet.changed_since("e1", since);
  ASSERT_TRUE(delta);
  ASSERT_EQ(delta->bundles.size(), 2U);
  EXPECT_EQ(delta->bundles[0].fingerprint[0], 'c');
  EXPECT_EQ(delta->bundles[1].id, "tenant-3");
  EXPECT_THAT(delta->gone, ElementsAre("tenant-2"));
  EXPECT_FALSE(fleet.changed_since("e1", 12345)) << "never was";
}

TEST(Delta, ALogThatDoesNotReachBackSaysSo) {
  Fleet fleet(3);
  fleet.set_pools({{"ams", {"e1"}}}, 1);
  auto const since = fleet.sequence("e1");
  for (std::int64_t id = 1; id <= 3; ++id) {
    fleet.take(facts_of(id, {"ams"}, "a", {row_of(id, id, "a", 'a')}), now, 1);
  }
  EXPECT_TRUE(fleet.changed_since("e1", since));
  fleet.take(facts_of(4, {"ams"}, "a", {row_of(4, 4, "a", 'a')}), now, 1);
  EXPECT_FALSE(fleet.changed_since("e1", since));
}

TEST_F(FleetTest, AListThatIsAgainWhatItWasIsToldToWhoReadPagesMeanwhile) {
  TenantFacts const facts = facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a')});
  take(facts);
  auto const since = fleet.sequence("e1");
  take(facts_of(1, {"ams"}, "a", {row_of(2, 1, "a", 'b')}));
  take(facts);
  ASSERT_EQ(fleet.sequence("e1"), since);
  EXPECT_EQ(fleet.changed_since("e1", since), Fleet::Delta());
  EXPECT_EQ(fleet.changed_since("e1", since, true)->bundles.size(), 1U);
}

TEST_F(FleetTest, ATenantWithManyDomainsGoesOnInTheNextPage) {
  TenantFacts facts = facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a')});
  for (std::int64_t i = 1; i <= 9; ++i) {
    std::string const name = "d" + std::to_string(i) + ".example";
    facts.wanted.push_back(domain_of(1, "a", name));
    facts.certificates.push_back(row_of(10 + i, 1, "a", 'd', now + hours(1), 100 + i));
    facts.certificates.back().subject = name;
    facts.certificates.back().names = {name};
  }
  take(facts);
  take(facts_of(2, {"ams"}, "b", {row_of(2, 2, "b", 'b')}));
  ASSERT_EQ(fleet.size("e1"), 11U);
  std::size_t pages = 0;
  for (std::int64_t after = 0; pages == 0 || after != 0; ++pages) {
    auto const page = fleet.page("e1", after, 3);
    EXPECT_LE(page.bundles.size(), 3U);
    EXPECT_TRUE(page.next == 0 || page.next > after) << "as agents want it";
    after = page.next;
  }
  EXPECT_EQ(pages, 4U);
  EXPECT_EQ(list_of(fleet, "e1", 3), list_of(fleet, "e1"));
  EXPECT_EQ(list_of(fleet, "e1", 1).size(), 11U);
}

TEST_F(FleetTest, WhatLeavesIsSaidToWhoTakesItsNames) {
  take(facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", 'a')}));
  take({1, {}, {}, {}}, 2, 1);
  auto const since = fleet.sequence("e1");
  EXPECT_TRUE(fleet.find("e1", "tenant-1")->leaving);
  EXPECT_TRUE(fleet.page("e1", 0, 10).bundles.at(0).leaving);
  take(facts_of(3, {"ams"}, "other", {row_of(3, 3, "other", 'c')}), 2, 1);
  EXPECT_EQ(fleet.changed_since("e1", since)->bundles.size(), 1U) << "nobody else's affair";
  take(facts_of(2, {"ams"}, "a", {row_of(2, 2, "a", 'b')}), 2, 1);
  auto const delta = fleet.changed_since("e1", since);
  ASSERT_TRUE(delta);
  std::vector<std::string> said;
  for (EdgeBundle const& bundle : delta->bundles) {
    said.push_back(bundle.id + (bundle.leaving ? " leaving" : ""));
  }
  EXPECT_THAT(said, UnorderedElementsAre("tenant-1 leaving", "tenant-2", "tenant-3"));
}

TEST(Delta, WhoReadPagesBeforeWhatTheLogHasReadsThemAgain) {
  Fleet fleet(3);
  fleet.set_pools({{"ams", {"e1"}}}, 1);
  auto const set = [&fleet](char digest) {
    fleet.take(facts_of(1, {"ams"}, "a", {row_of(1, 1, "a", digest)}), now, 1);
  };
  set('a');
  auto const since = fleet.sequence("e1");
  EXPECT_FALSE(fleet.changed_since("e1", since, true))
      << "the log does not have it at all, though it is the present one";
  for (char const digest : {'b', 'a', 'b', 'c'}) {  // the entry of the first time is dropped, that of the second is not
    set(digest);
  }
  EXPECT_TRUE(fleet.changed_since("e1", since));
  EXPECT_FALSE(fleet.changed_since("e1", since, true));
}

TEST_F(FleetTest, PagesFollowEachOther) {
  for (std::int64_t id = 1; id <= 7; ++id) {
    take(facts_of(id, id % 2 == 0 ? std::vector<std::string>{"ams", "fra"} : std::vector<std::string>{"ams"}, "a",
                  {row_of(id, id, "a", 'a')}));
  }
  EXPECT_EQ(fleet.page("e1", 0, 3).bundles.size(), 3U);
  std::int64_t const second = fleet.page("e1", 0, 3).next;
  EXPECT_EQ(fleet.page("e1", second, 3).bundles.at(0).id, "tenant-4");
  EXPECT_EQ(fleet.page("e1", fleet.page("e1", second, 3).next, 3).next, 0);
  EXPECT_EQ(fleet.page("e1", 0, 7).next, 0) << "the last page says that it is";
  EXPECT_EQ(list_of(fleet, "e1", 3), list_of(fleet, "e1"));
  EXPECT_EQ(list_of(fleet, "e3", 1), list_of(fleet, "e3"));
}

// Whatever happens in whatever order: an edge that follows the deltas has what one has that reads everything anew, and
// the state made in steps is the one made at once.
TEST(Fleet, StepsLeadWhereEverythingAtOnceDoes) {
  std::mt19937 random(7);
  auto const draw = [&random](int below) { return static_cast<std::int64_t>(random() % static_cast<unsigned>(below)); };
  Fleet fleet(50);
  std::map<std::int64_t, TenantFacts> facts;
  Fleet::Pools pools{{"p0", {"e0"}}, {"p1", {"e1"}}, {"p2", {"e0", "e2"}}};
  fleet.set_pools(pools, 0);
  std::map<std::string, std::map<std::string, EdgeBundle>> seen;
  std::map<std::string, std::int64_t> sequences;
  for (int step = 1; step <= 3000; ++step) {
    if (draw(20) == 0) {
      auto& edges = pools["p" + std::to_string(draw(3))];
      std::string const edge = "e" + std::to_string(draw(4));
      if (edges.erase(edge) == 0) {
        edges.insert(edge);
      }
      fleet.set_pools(pools, step);
    } else {
      std::int64_t const id = 1 + draw(30);
      TenantFacts one{id, {}, {}, {}};
      if (draw(4) != 0) {
        one = facts_of(id, {"p" + std::to_string(draw(3)), "p" + std::to_string(draw(3))}, "a",
                       {row_of(1 + draw(3), id, "a", static_cast<char>('a' + draw(3)))});
      }
      facts[id] = one;
      fleet.take(one, now, step);
    }
    fleet.release(step - draw(5));
    std::string const edge = "e" + std::to_string(draw(4));
    auto const delta = fleet.changed_since(edge, sequences[edge]);
    auto& its = seen[edge];
    if (!delta) {
      its.clear();
      for (EdgeBundle const& bundle : fleet.page(edge, 0, 10000).bundles) {
        its[bundle.id] = bundle;
      }
    } else {
      for (EdgeBundle const& bundle : delta->bundles) {
        its[bundle.id] = bundle;
      }
      for (std::string const& id : delta->gone) {
        its.erase(id);
      }
    }
    sequences[edge] = fleet.sequence(edge);
    std::vector<EdgeBundle> list;
    for (auto const& [id, bundle] : its) {
      list.push_back(bundle);
    }
    auto present = fleet.page(edge, 0, 10000).bundles;
    std::ranges::sort(present, {}, &EdgeBundle::id);
    ASSERT_EQ(list, present) << "step " << step;
    ASSERT_TRUE(fleet.verify(edge)) << "step " << step;
  }
  fleet.release(3000);
  Fleet anew;
  anew.set_pools(pools, 1);
  for (auto const& [id, one] : facts) {
    anew.take(one, now, 1);
  }
  for (char const* edge : {"e0", "e1", "e2", "e3"}) {
    EXPECT_EQ(fleet.sequence(edge), anew.sequence(edge)) << edge;
    EXPECT_EQ(list_of(fleet, edge), list_of(anew, edge)) << edge;
  }
}

}  // namespace
}  // namespace acme
