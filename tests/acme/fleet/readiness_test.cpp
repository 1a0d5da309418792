#include "acme/fleet/readiness.hpp"

#include <gmock/gmock.h>

namespace acme {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::Optional;

crypto::Time const now = crypto::from_ms(1'800'000'000'000);

// One tenant whose names are subjects of their own; edges acknowledge, time goes on.
class ReadyTest : public testing::Test {
 protected:
  static std::int64_t subject_of(std::string const& label) { return 10 + label.front() - 'a'; }
  void call(std::string const& own, std::vector<std::string> const& former = {}) {
    facts.wanted.clear();
    auto const want = [this, &own](std::string const& label) {
      Wanted one;
      one.kind = label == own ? Wanted::Kind::own : Wanted::Kind::former;
      one.tenant_id = 1;
      one.tenant = own;
      one.label = label;
      one.name = label + ".stream.example";
      one.names = {"*." + one.name, one.name};
      facts.wanted.push_back(one);
    };
    want(own);
    std::ranges::for_each(former, want);
  }
  void issue(std::string const& label, char digest, crypto::Time not_after = now + hours(1)) {
    facts.certificates.push_back({static_cast<std::int64_t>(facts.certificates.size()) + 1,
                                  subject_of(label),
                                  1,
                                  label + ".stream.example",
                                  {"*." + label + ".stream.example", label + ".stream.example"},
                                  std::string(64, digest),
                                  now - hours(1),
                                  not_after});
  }
  void acknowledge(std::string const& edge, std::string const& label, char digest) {
    std::erase_if(heard, [&](auto const& one) { return one.edge == edge && one.subject_id == subject_of(label); });
    heard.push_back({subject_of(label), edge, 1, std::string(64, digest)});
  }
  std::optional<std::vector<std::string>> ready(crypto::Time at = now) const { return ready_edges(facts, heard, at); }

  TenantFacts facts{1, {"ams"}, {}, {}};
  std::vector<vault::Acknowledgment> heard;
};

TEST_F(ReadyTest, BeforeTheFirstAcknowledgmentNothingIsRestricted) {
  call("a");
  EXPECT_FALSE(ready());
  issue("a", 'a');
  EXPECT_FALSE(ready());
}

TEST_F(ReadyTest, TheCurrentAndAFormerValidCertificateCount) {
  call("a");
  issue("a", 'a');
  issue("a", 'b');
  acknowledge("e2", "a", 'a');
  acknowledge("e1", "a", 'b');
  acknowledge("e3", "a", 'x');
  EXPECT_THAT(ready(), Optional(ElementsAre("e1", "e2")));
}

TEST_F(ReadyTest, ALapseTakesEdgesOutAndNeverTheLast) {
  call("a");
  issue("a", 'a', now + hours(1));
  issue("a", 'b', now + hours(2));
  acknowledge("e1", "a", 'b');
  acknowledge("e2", "a", 'a');
  EXPECT_THAT(ready(), Optional(ElementsAre("e1", "e2")));
  EXPECT_THAT(ready(now + hours(1)), Optional(ElementsAre("e1")));
  EXPECT_FALSE(ready(now + hours(2))) << "what is there stays";
}

TEST_F(ReadyTest, ARevokedCertificateCountsUntilHalfHaveABetterOne) {
  call("a");
  issue("a", 'a', now + hours(1));
  issue("a", 'b', now + hours(2));
  for (char const* edge : {"e1", "e2", "e3"}) {
    acknowledge(edge, "a", 'b');
  }
  facts.certificates.back().revoked_reason = 4;
  EXPECT_THAT(ready(), Optional(ElementsAre("e1", "e2", "e3")));
  acknowledge("e1", "a", 'a');
  EXPECT_THAT(ready(), Optional(ElementsAre("e1", "e2", "e3"))) << "they are not left for the first alone";
  acknowledge("e2", "a", 'a');
  EXPECT_THAT(ready(), Optional(ElementsAre("e1", "e2")));
  EXPECT_THAT(ready(now + hours(1)), Optional(ElementsAre("e3"))) << "nothing better is valid any more";
}

TEST_F(ReadyTest, ADomainAloneRestrictsNothing) {
  facts.wanted = {{Wanted::Kind::domain, 1, 3, "a", {}, "a.stream.example", {"a.stream.example"}, {}, false}};
  issue("a", 'a');
  acknowledge("e1", "a", 'a');
  EXPECT_FALSE(ready());
}

class ReadyForDomainsTest : public ReadyTest {
 protected:
  ReadyForDomainsTest() {
    call("a");
    issue("a", 'a', now + hours(3));
    for (char const* edge : {"e1", "e2", "e3", "e4"}) {
      acknowledge(edge, "a", 'a');
    }
  }
  void claim(std::string const& label) {
    auto const name = label + ".stream.example";
    facts.wanted.push_back({Wanted::Kind::domain, 1, 3, "a", {}, name, {"*." + name, name}, {}, false});
  }
};

TEST_F(ReadyForDomainsTest, AnEdgeWithoutWhatHalfOfThemServeIsLeftOut) {
  claim("d");
  issue("d", 'd');
  EXPECT_THAT(ready(), Optional(ElementsAre("e1", "e2", "e3", "e4"))) << "nobody has it yet";
  acknowledge("e2", "d", 'd');
  EXPECT_THAT(ready(), Optional(ElementsAre("e1", "e2", "e3", "e4"))) << "it is on its way";
  acknowledge("e3", "d", 'd');
  EXPECT_THAT(ready(), Optional(ElementsAre("e2", "e3")));
  acknowledge("e1", "d", 'd');
  EXPECT_THAT(ready(), Optional(ElementsAre("e1", "e2", "e3"))) << "e4 is new, or refuses it";
  acknowledge("e4", "d", 'd');
  EXPECT_THAT(ready(), Optional(ElementsAre("e1", "e2", "e3", "e4")));
}

TEST_F(ReadyForDomainsTest, ARenewalOfADomainTakesNobodyOut) {
  claim("d");
  issue("d", 'd');
  for (char const* edge : {"e1", "e2", "e3", "e4"}) {
    acknowledge(edge, "d", 'd');
  }
  issue("d", 'e', now + hours(2));
  acknowledge("e1", "d", 'e');
  EXPECT_THAT(ready(), Optional(ElementsAre("e1", "e2", "e3", "e4")));
  EXPECT_THAT(ready(now + hours(1)), Optional(ElementsAre("e1", "e2", "e3", "e4")))
      << "the domain's lapsed at three of them: too few are left to lead everybody there";
}

TEST_F(ReadyForDomainsTest, ManyDomainsLeaveNoFewerThanHalf) {
  std::vector<std::string> const domains{"d", "e", "f"};
  std::vector<std::string> const edges{"e1", "e2", "e3", "e4"};
  for (std::size_t i = 0; i < domains.size(); ++i) {
    claim(domains[i]);
    issue(domains[i], domains[i][0]);
    for (std::size_t edge = 0; edge < edges.size(); ++edge) {
      if (edge != i) {  // each lacks another one
        acknowledge(edges[edge], domains[i], domains[i][0]);
      }
    }
  }
  EXPECT_THAT(ready(), Optional(ElementsAre("e3", "e4"))) << "without e3 there would be one alone";
}

TEST_F(ReadyTest, ARenameAndBackNamesOnlyWhatWasAcknowledgedAtEachStep) {
  call("a");
  issue("a", 'a');
  acknowledge("e1", "a", 'a');
  acknowledge("e2", "a", 'a');
  ASSERT_THAT(ready(), Optional(ElementsAre("e1", "e2")));
  // a -> b: no certificate of the new name yet, so those that serve the former one.
  call("b", {"a"});
  EXPECT_THAT(ready(), Optional(ElementsAre("e1", "e2")));
  // A third edge takes the former name's; nobody has the new one.
  acknowledge("e3", "a", 'a');
  EXPECT_THAT(ready(), Optional(ElementsAre("e1", "e2", "e3")));
  // The new name's is there: the first to serve it, then the next.
  issue("b", 'b');
  EXPECT_THAT(ready(), Optional(ElementsAre("e1", "e2", "e3")));
  acknowledge("e3", "b", 'b');
  EXPECT_THAT(ready(), Optional(ElementsAre("e3")));
  acknowledge("e1", "b", 'b');
  EXPECT_THAT(ready(), Optional(ElementsAre("e1", "e3")));
  // b -> a within the overlap: whoever serves the first name's.
  call("a", {"b"});
  EXPECT_THAT(ready(), Optional(ElementsAre("e1", "e2", "e3")));
  // An edge whose certificate of it lapsed meanwhile does not come back by that.
  facts.certificates.clear();
  issue("a", 'a', now);
  issue("b", 'b');
  issue("a", 'c');
  acknowledge("e2", "a", 'c');
  EXPECT_THAT(ready(), Optional(ElementsAre("e2")));
}

TEST_F(ReadyTest, ARenameBackToANameThatNobodyAcknowledged) {
  call("a");
  issue("a", 'a');  // and renamed before an edge took it
  call("b", {"a"});
  issue("b", 'b');
  acknowledge("e1", "b", 'b');
  EXPECT_THAT(ready(), Optional(ElementsAre("e1")));
  call("a", {"b"});
  EXPECT_THAT(ready(), Optional(ElementsAre("e1"))) << "the tenant was acknowledged once: not all edges again";
  acknowledge("e2", "a", 'a');
  EXPECT_THAT(ready(), Optional(ElementsAre("e2")));
}

TEST_F(ReadyTest, OnlyAFormerNamesValidCertificateCountsForIt) {
  call("b", {"a"});
  issue("a", 'a', now);
  acknowledge("e1", "a", 'a');
  EXPECT_FALSE(ready());
  // Another name's certificate is none of it.
  issue("c", 'c');
  acknowledge("e2", "c", 'c');
  EXPECT_FALSE(ready());
}

}  // namespace
}  // namespace acme
