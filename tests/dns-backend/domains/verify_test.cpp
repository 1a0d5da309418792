#include "dns-backend/domains/verify.hpp"

#include "dns-backend/domains/domains.hpp"

#include <gmock/gmock.h>

#include <map>

namespace {

using domains::judge;
using domains::LookupAnswer;
using domains::Wanted;
using testing::HasSubstr;

dns::Name name(std::string_view text) {
  return dns::Name::parse(text).value();
}

// What an authoritative server would say of a few names.
class Verify : public testing::Test {
 protected:
  Verify() {
    wanted.domain = name("www.customer.example");
    wanted.targets = {name("acme-tv.example.org"), name("old-tv.example.org")};
    wanted.challenge_target = name("slug.acme.example.org");
    wanted.proof = "proof";
    wanted.addresses = {"198.51.100.1", "2001:db8::1"};
    set("_navigator-challenge.www.customer.example", dns::type_txt, "\"proof\"");
    set("www.customer.example", dns::type_cname, "acme-tv.example.org.");
    set("_acme-challenge.www.customer.example", dns::type_cname, "slug.acme.example.org.");
  }
  void set(std::string_view owner, dns::RRType type, std::string content) {
    records[{name(owner), type}] = {std::move(content)};
  }
  void remove(std::string_view owner, dns::RRType type) { records.erase({name(owner), type}); }
  domains::Verdict verdict() {
    return judge(wanted, [this](dns::Name const& at, dns::RRType type) {
      LookupAnswer answer;
      ++lookups;
      answer.failed = at == failing;
      answer.error = answer.failed ? "SERVFAIL" : "";
      if (auto const found = records.find({at, type}); found != records.end()) {
        answer.answer.push_back({at, {type, 60, found->second}});
      }
      return answer;
    });
  }
  std::string code() { return verdict().code; }

  Wanted wanted;
  std::map<std::pair<dns::Name, dns::RRType>, std::vector<std::string>> records;
  dns::Name failing;
  std::size_t lookups = 0;
};

TEST_F(Verify, ADomainThatIsSetUpIsFine) {
  EXPECT_EQ(code(), "ok");
  set("www.customer.example", dns::type_cname, "old-tv.example.org.");
  EXPECT_EQ(code(), "ok") << "a former label answers too";
  set("www.customer.example", dns::type_cname, "cdn.customer.example.");
  set("cdn.customer.example", dns::type_cname, "acme-tv.example.org.");
  EXPECT_EQ(code(), "ok") << "by way of another name of the customer's";
}

TEST_F(Verify, ItSaysWhichNamesItLeadsThrough) {
  using testing::ElementsAre;
  using testing::IsEmpty;
  EXPECT_THAT(verdict().through, ElementsAre(name("acme-tv.example.org")));
  set("www.customer.example", dns::type_cname, "cdn.customer.example.");
  set("cdn.customer.example", dns::type_cname, "other-tv.example.org.");
  set("other-tv.example.org", dns::type_a, "198.51.100.1");
  EXPECT_EQ(code(), "ok") << "another tenant's name, on the same cluster";
  EXPECT_THAT(verdict().through, ElementsAre(name("cdn.customer.example"), name("other-tv.example.org")));
  wanted.served_here = true;
  EXPECT_THAT(verdict().through, ElementsAre(name("cdn.customer.example"), name("other-tv.example.org")));
  wanted.needs_proof = false;
  EXPECT_THAT(verdict().through, IsEmpty()) << "nobody needs to know of what is his already";
}

TEST_F(Verify, EachFailureHasItsOwnReason) {
  remove("_navigator-challenge.www.customer.example", dns::type_txt);
  EXPECT_EQ(code(), "proof_missing");
  EXPECT_THAT(verdict().hint, HasSubstr("_navigator-challenge.www.customer.example. TXT \"proof\""));
  set("_navigator-challenge.www.customer.example", dns::type_txt, "\"other\"");
  EXPECT_EQ(code(), "proof_wrong");
  wanted.needs_proof = false;
  EXPECT_EQ(code(), "ok") << "it is proved already";
  remove("_acme-challenge.www.customer.example", dns::type_cname);
  EXPECT_EQ(code(), "challenge_missing");
  set("_acme-challenge.www.customer.example", dns::type_cname, "elsewhere.example.");
  EXPECT_EQ(code(), "challenge_elsewhere");
  set("www.customer.example", dns::type_cname, "other.example.");
  EXPECT_EQ(code(), "cname_elsewhere");
  remove("www.customer.example", dns::type_cname);
  EXPECT_EQ(code(), "cname_missing");
  set("www.customer.example", dns::type_a, "203.0.113.1");
  EXPECT_EQ(code(), "address_elsewhere");
  failing = name("www.customer.example");
  EXPECT_EQ(code(), "lookup_failed");
  EXPECT_TRUE(verdict().temporary());
  EXPECT_THAT(verdict().reason, HasSubstr("SERVFAIL"));
}

TEST_F(Verify, AnApexMayHaveTheTenantsAddresses) {
  remove("www.customer.example", dns::type_cname);
  set("www.customer.example", dns::type_a, "198.51.100.1");
  EXPECT_EQ(code(), "ok");
  set("www.customer.example", dns::type_aaaa, "2001:db8::2");
  EXPECT_EQ(code(), "address_elsewhere");
  remove("www.customer.example", dns::type_a);
  remove("www.customer.example", dns::type_aaaa);
  wanted.served_here = true;
  EXPECT_EQ(code(), "ok") << "a zone of this store answers as the tenant does";
}

TEST_F(Verify, CirclesAndLongWaysEnd) {
  set("www.customer.example", dns::type_cname, "b.customer.example.");
  set("b.customer.example", dns::type_cname, "www.customer.example.");
  EXPECT_EQ(code(), "cname_loop");
  set("b.customer.example", dns::type_cname, "b.customer.example.");
  EXPECT_EQ(code(), "cname_loop");
  for (int i = 0; i < 20; ++i) {
    set("h" + std::to_string(i) + ".example", dns::type_cname, "h" + std::to_string(i + 1) + ".example.");
  }
  set("www.customer.example", dns::type_cname, "h0.example.");
  lookups = 0;
  EXPECT_EQ(code(), "cname_too_long");
  EXPECT_LT(lookups, 15U);
}

TEST(ReadDomain, HostNamesOfTwoLabelsAndMore) {
  EXPECT_EQ(domains::read_domain("WWW.Customer.Example").name, "www.customer.example.");
  EXPECT_EQ(domains::read_domain("bücher.example").name, "xn--bcher-kva.example.");
  for (char const* const bad : {"", ".", "com", "*.customer.example", "a\\.b.example", "a\\046b.example", "-a.example",
                                "a-.example", "_a.example", "a b.example", "a..b"}) {
    auto const verdict = domains::read_domain(bad);
    EXPECT_EQ(verdict.name, "") << bad;
    EXPECT_NE(verdict.problem, "") << bad;
    EXPECT_NE(verdict.hint, "") << bad;
  }
  std::string longest = std::string(60, 'a');
  for (int i = 0; i < 3; ++i) {
    longest += "." + std::string(60, 'a');
  }
  EXPECT_EQ(domains::read_domain(longest).name, "") << "the names below it would be too long";
}

TEST(NextLook, ComesSoonForAClaimAndDailyForWhatIsFine) {
  EXPECT_EQ(domains::next_look_ms("claimed", 1), 60000);
  EXPECT_EQ(domains::next_look_ms("claimed", 100), 3600000);
  EXPECT_EQ(domains::next_look_ms("verified", 0), 6 * 3600000);
  EXPECT_EQ(domains::next_look_ms("failing", 1), 600000);
  EXPECT_EQ(domains::next_look_ms("failing", 100), 6 * 3600000);
}

TEST_F(Verify, OneOfSeveralChallengesThatIsDelegatedWillDo) {
  wanted.challenge_labels = {"_abc._acme-challenge", "_validation-persist"};
  auto const missing = verdict();
  EXPECT_EQ(missing.code, "challenge_missing");
  EXPECT_THAT(missing.hint, HasSubstr("_abc._acme-challenge.www.customer.example. CNAME slug.acme.example.org."));
  set("_validation-persist.www.customer.example", dns::type_cname, "slug.acme.example.org.");
  EXPECT_EQ(code(), "ok");
  set("_validation-persist.www.customer.example", dns::type_cname, "elsewhere.example.");
  EXPECT_EQ(code(), "challenge_missing") << "what the first needs is said";
  wanted.challenge_labels.clear();
  EXPECT_EQ(code(), "ok") << "nothing is known to be needed";
}

}  // namespace
