#include "acme/explain/explain.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace acme {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A domain whose certificate is as it should be.
class ExplainTest : public testing::Test {
 protected:
  ExplainTest() {
    seen.status.tenant = "acme-tv";
    seen.status.kind = "domain";
    seen.status.name = "www.customer.example";
    seen.status.names = {"www.customer.example"};
    seen.status.state = "valid";
    seen.status.source = "acme";
    seen.status.challenge_name = "slug.acme.example";
    seen.issuer.leads = true;
    seen.chain.names = {"_acme-challenge.www.customer.example", "slug.acme.example"};
    seen.authorities.push_back(
        {"https://ca/dir", "https://ca/account/1", "asked", 0, "", 0, "", {"ca.example"}, "dns-01"});
    seen.sites = {{"ams", true, 0, "", "", {}}, {"fra", true, 0, "", "", {}}};
  }
  std::vector<std::string> codes() {
    std::vector<std::string> list;
    std::ranges::transform(faults_of(seen), std::back_inserter(list), &Fault::code);
    return list;
  }
  Fault only() {
    auto const list = faults_of(seen);
    EXPECT_EQ(list.size(), 1U);
    EXPECT_FALSE(list.at(0).fix.empty());
    return list.at(0);
  }
  void said(std::string outcome, std::string detail) {
    seen.events.insert(seen.events.begin(), {1, {}, "https://ca/dir", std::move(outcome), std::move(detail)});
  }
  Seen seen;
};

TEST_F(ExplainTest, WhatIsFineHasNoFaultAndWhatTakesItsTimeNeither) {
  EXPECT_THAT(codes(), IsEmpty());
  seen.hindrances = {{"", {std::nullopt, "not due", {}}}, {"", {std::nullopt, "pace", {}}}};
  said("transient", "earlier");
  said("issued", "");
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(ExplainTest, AChallengeThatDoesNotLeadHereIsNamedWithTheCnameThatMendsIt) {
  seen.chain.names.pop_back();
  EXPECT_EQ(only().code, "challenge_missing");
  EXPECT_THAT(only().fix, HasSubstr("_acme-challenge.www.customer.example. CNAME slug.acme.example."));
  seen.chain.names.emplace_back("other.example");
  EXPECT_EQ(only().code, "challenge_elsewhere");
  EXPECT_THAT(only().what, HasSubstr("other.example"));
  seen.chain = {{"a", "b"}, "cname_loop", "the CNAME at 'b' leads back to 'a'"};
  EXPECT_EQ(only().code, "cname_loop");
  seen.chain.trouble = "lookup_failed";
  EXPECT_EQ(only().code, "challenge_lookup_failed");
}

TEST_F(ExplainTest, CaaIsHeldAgainstEachAuthorityAndItsPlaceTold) {
  seen.caa["www.customer.example"] = {"0 issue \"other.example\""};
  EXPECT_EQ(only().code, "caa_forbids");
  EXPECT_THAT(only().fix, HasSubstr("'ca.example' at 'www.customer.example'"));
  seen.caa = {{"example", {"0 issue \"other.example\""}}};
  EXPECT_EQ(only().code, "caa_above_forbids");
  EXPECT_THAT(only().what, HasSubstr("'example'"));
  seen.caa = {{"example", {"0 issue \"ca.example; accounturi=https://ca/account/1\""}}};
  EXPECT_THAT(codes(), IsEmpty());
  seen.caa.clear();
  seen.caa_failure = "SERVFAIL";
  EXPECT_EQ(only().code, "caa_lookup_failed");
}

TEST_F(ExplainTest, EachSitesTroubleIsItsOwn) {
  seen.sites[1].udp = seen.sites[1].tcp = "timeout";
  EXPECT_EQ(only().code, "site_down");
  seen.sites[1].udp.clear();
  EXPECT_EQ(only().code, "site_without_tcp");
  seen.sites[1].tcp.clear();
  seen.sites[1].lacking = {{"\"second\"", "over UDP other content"}};
  EXPECT_EQ(only().code, "site_without_value");
  EXPECT_THAT(only().what, HasSubstr("second"));
  seen.sites[1].lacking.clear();
  seen.sites[1].behind = 3;
  EXPECT_EQ(only().code, "site_behind");
  seen.sites[1].in_service = false;
  EXPECT_EQ(only().code, "site_out_of_service");
}

TEST_F(ExplainTest, WhatTheAuthoritySaidLastIsAFaultByItsClass) {
  for (auto const& [outcome, code] : std::vector<std::pair<std::string, std::string>>{{"validation", "ca_saw_no_proof"},
                                                                                      {"rate limited", "ca_limits"},
                                                                                      {"transient", "ca_away"},
                                                                                      {"account", "account_refused"},
                                                                                      {"protocol", "ca_misunderstood"},
                                                                                      {"policy", "ca_refuses"},
                                                                                      {"deferred", "deferred"}}) {
    seen.events.clear();
    said("validation", "older");
    said(outcome, "Its own words");
    EXPECT_THAT(codes(), ElementsAre(code));
  }
  seen.events.clear();
  said("deferred", "cname_missing: 'www.customer.example' has neither (www.customer.example. CNAME x)");
  EXPECT_EQ(only(), (Fault{"cname_missing", "'www.customer.example' has neither", "www.customer.example. CNAME x"}));
}

TEST_F(ExplainTest, LimitsRestsAndAccountsAreFaultsOfTheAuthority) {
  seen.hindrances = {{"https://ca/dir", {0, "limit: domain", {}}}, {"https://ca/dir", {0, "resting", {}}}};
  EXPECT_THAT(codes(), ElementsAre("limit_reached", "ca_rests"));
  seen.hindrances.clear();
  seen.authorities[0].state = "blocked";
  EXPECT_EQ(only().code, "account_key_unreadable");
  seen.authorities[0].action_required = "https://ca/agree";
  EXPECT_EQ(only().code, "account_needs_a_person");
  EXPECT_THAT(only().fix, HasSubstr("https://ca/agree"));
}

TEST_F(ExplainTest, TheCertificateItselfItsKeyAndItsEdges) {
  seen.edges_without = {"edge-1", "edge-2"};
  EXPECT_EQ(only().code, "edge_without_it");
  EXPECT_THAT(only().what, HasSubstr("edge-1, edge-2"));
  seen.edges_without.clear();
  seen.key_problem = "damaged";
  EXPECT_EQ(only().code, "key_unreadable");
  seen.key_problem.clear();
  seen.status.alarm = true;
  EXPECT_EQ(only().code, "expires_soon");
  seen.status.missing = true;
  EXPECT_EQ(only().code, "first_one_missing");
  seen.status.missing = false;
  seen.status.state = "expired";
  EXPECT_EQ(only().code, "expired");
  seen.status.source = "upload";
  seen.status.fallback = false;
  EXPECT_EQ(only().code, "upload_expires");
  seen.status = {};
  seen.chain.names.pop_back();
  seen.issuer = {false, "other", 1, 0, 0, 0, 0};
  EXPECT_EQ(only().code, "not_the_issuer");
}

TEST(Unwanted, SaysWhyAndWhatMendsIt) {
  EXPECT_THAT(suspended("acme-tv").fix, HasSubstr("resume acme-tv"));
  EXPECT_THAT(unverified("acme-tv", "www.customer.example", "proof_missing: no TXT").what, HasSubstr("no TXT"));
}

}  // namespace
}  // namespace acme
