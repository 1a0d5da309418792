// CAA records of tenants' names, with a CA that looks at them.
#include "tests/acme/certificates_fixture.hpp"

namespace acme {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class CaaPublicationTest : public CertificatesFixture {
 protected:
  CaaPublicationTest() {
    settings.publish_caa = true;
    settings.gate.caa_pause = std::chrono::milliseconds(20);
    look(*ca, "ca.example");
  }
  void look(test::ScriptedAcme& authority, std::string const& identity) {
    authority.knobs.caa_identity = identity;
    authority.knobs.caa = [this](std::string const& name) { return caa(name); };
  }
  std::unique_ptr<test::ScriptedAcme> another(std::string const& identity) {
    auto made = std::make_unique<test::ScriptedAcme>(loop.get_executor(), [this](std::string name, std::string value) {
      auto const values = txt(name);
      return std::ranges::find(values, value) != values.end();
    });
    look(*made, identity);
    settings.authorities.emplace_back();
    settings.authorities.back().directory_url = made->directory_url();
    return made;
  }
  void set_own(std::string const& content) {
    auto const apex = dns::Name::parse("stream.example").value();
    auto const owner = dns::Name::parse("one.stream.example").value();
    std::vector<std::string> contents;
    if (!content.empty()) {
      contents.push_back(content);
    }
    run(store->replace_rrsets(apex, {{owner, {dns::type_caa, 60, contents}}})).value();
  }
  bool says(std::string const& words) {
    return until([&] { return status_of("one.stream.example").last_error.find(words) != std::string::npos; });
  }
};

TEST_F(CaaPublicationTest, ATenantsNameLetsOurAccountIssueAndNobodyElse) {
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(ca->counters.caa_refusals, 0);
  std::string const account = issuer->authorities()[0].account_url;
  EXPECT_THAT(caa("one.stream.example"),
              testing::ElementsAre("0 issue \"ca.example; accounturi=" + account + "; validationmethods=dns-01\"",
                                   "0 issuewild \"ca.example; accounturi=" + account + "; validationmethods=dns-01\""));
  EXPECT_NE(test::caa_forbids(ca->knobs.caa, "one.stream.example", true, "ca.example", account + "9", "dns-01"), "");
  EXPECT_NE(test::caa_forbids(ca->knobs.caa, "x.one.stream.example", false, "ca.example", account, "http-01"), "");
  EXPECT_NE(test::caa_forbids(ca->knobs.caa, "one.stream.example", false, "other.example", account, "dns-01"), "");
  // Taken back.
  retire();
  settings.publish_caa = false;
  start();
  ASSERT_TRUE(until([this] { return caa("one.stream.example").empty(); }));
  add_tenant("two");
  issuer->poke();
  EXPECT_TRUE(issued(2));
}

TEST_F(CaaPublicationTest, WithoutTheSettingNothingIsPublished) {
  settings.publish_caa = false;
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_THAT(caa("one.stream.example"), IsEmpty());
}

TEST_F(CaaPublicationTest, NoOrderIsPlacedBeforeEverySiteHasThem) {
  settings.gate.deadline = std::chrono::milliseconds(30);
  add_tenant("one");
  lag = true;
  start();
  ASSERT_TRUE(says("not every site has the CAA records"));
  EXPECT_EQ(ca->counters.orders, 0);
  lag = false;
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(ca->counters.orders, 1);
  EXPECT_EQ(ca->counters.caa_refusals, 0);
}

// A site that acknowledged the rows and answers something else, out of a cache.
TEST_F(CaaPublicationTest, ASiteThatDoesNotAnswerThemDefersTheOrder) {
  settings.gate.deadline = std::chrono::milliseconds(50);
  bool stale = true;
  site.answer_caa([&](std::string const& name) { return stale ? std::vector<std::string>() : caa(name); });
  add_tenant("one");
  start();
  ASSERT_TRUE(says("one.stream.example over UDP"));
  EXPECT_EQ(ca->counters.challenges, 0);
  stale = false;
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(ca->counters.orders, 1);
  site.answer_caa([this](std::string const& name) { return caa(name); });
}

TEST_F(CaaPublicationTest, WhatATenantSaysHimselfIsNotOverwrittenAndIsReadBeforehand) {
  add_tenant("one");
  set_own("0 issue \"nobody.example\"");
  start();
  ASSERT_TRUE(says("the CAA RRset at 'one.stream.example' permits other"));
  EXPECT_THAT(caa("one.stream.example"), testing::ElementsAre("0 issue \"nobody.example\""));
  EXPECT_EQ(ca->counters.orders, 0);
  set_own("0 issue \"ca.example\"");
  issuer->order_now(*issuer->find("one"));
  ASSERT_TRUE(issued(1));
  EXPECT_THAT(caa("one.stream.example"), testing::ElementsAre("0 issue \"ca.example\""));
  set_own("");
  EXPECT_THAT(caa("one.stream.example"), SizeIs(2));
}

TEST_F(CaaPublicationTest, EveryAuthorityOfTheOrderIsNamedAndOneThatLeavesIsNot) {
  auto const second = another("second.example");
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  ASSERT_TRUE(until([this] { return caa("one.stream.example").size() == 4; })) << "before it is ever asked";
  EXPECT_EQ(second->counters.orders, 0);
  ca->knobs.rate_limited = 1;
  add_tenant("two");
  issuer->poke();
  ASSERT_TRUE(issued(2));
  EXPECT_EQ(second->counters.orders, 1);
  EXPECT_EQ(second->counters.caa_refusals, 0);
  retire();
  settings.authorities.pop_back();
  start();
  ASSERT_TRUE(until([this] { return caa("one.stream.example").size() == 2; }));
  EXPECT_THAT(caa("one.stream.example").front(), HasSubstr("issue \"ca.example;"));
  second->stop();
}

TEST_F(CaaPublicationTest, ANewAccountIsInThemBeforeItIsUsed) {
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  std::string const former = issuer->authorities()[0].account_url;
  ca->forget_everything();
  ca->knobs.account_mark = "-anew";
  add_tenant("two");
  issuer->poke();
  ASSERT_TRUE(issued(2));
  EXPECT_EQ(ca->counters.caa_refusals, 0);
  EXPECT_EQ(issuer->authorities()[0].account_url, former + "-anew");
  EXPECT_THAT(caa("one.stream.example").front(), HasSubstr("accounturi=" + former + "-anew;"));
  EXPECT_THAT(caa("one.stream.example"), SizeIs(2));
}

TEST_F(CaaPublicationTest, AnAuthorityWithoutANameIsAskedAllTheSame) {
  ca->knobs.caa_identity.clear();
  ca->knobs.caa = nullptr;
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_THAT(caa("one.stream.example"), IsEmpty());
}

// The records stand at the name that a customer's CNAME leads to.
TEST_F(CaaPublicationTest, TheyComeWithTheTenantAndGoWithIt) {
  start();
  ASSERT_TRUE(issued(0));
  add_tenant("one");
  issuer->poke();
  ASSERT_TRUE(issued(1));
  run(store->delete_tenant("one")).value();
  EXPECT_THAT(caa("one.stream.example"), IsEmpty());
}

}  // namespace
}  // namespace acme
