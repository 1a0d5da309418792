// What counts against a CA's limits: the orders that it placed, each once, however often one is gone on with.
#include "tests/acme/certificates_fixture.hpp"
#include "tests/support/cutting_proxy.hpp"

namespace acme {
namespace {

using testing::HasSubstr;

class LimitsOfOrdersTest : public CertificatesFixture {
 protected:
  LimitsOfOrdersTest() {
    settings.authorities[0].limits.set = {1, std::chrono::hours(1)};
    settings.authorities[0].limits.domain = {1, std::chrono::hours(1)};
  }
  bool tried(std::size_t times) {
    return until([this, times] { return run(vault.events(1))->size() >= times; });
  }
};

TEST_F(LimitsOfOrdersTest, AnOrderThatIsGoneOnWithCountsOnce) {
  settings.gate.deadline = std::chrono::milliseconds(20);
  lag = true;
  add_tenant("one");
  start();
  ASSERT_TRUE(tried(3));
  EXPECT_THAT(status_of("one.stream.example").last_error, HasSubstr("deferred"));
  retire();
  start();  // and a restart forgets neither the order nor what it took
  ASSERT_TRUE(tried(5));
  lag = false;
  issuer->poke_gate();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(ca->counters.orders, 1);
  add_tenant("two");
  issuer->poke();
  ASSERT_TRUE(until([this] { return status_of("two.stream.example").subject_id != 0; }));
  auto const why = run(issuer->explain(status_of("two.stream.example").subject_id));
  ASSERT_TRUE(why);
  ASSERT_FALSE(why->hindrances.empty());
  EXPECT_EQ(why->hindrances[0].second.what, "limit: domain") << "the one was counted";
  EXPECT_LE(why->hindrances[0].second.until, crypto::wall_now() + std::chrono::hours(1)) << "and no more";
}

TEST_F(LimitsOfOrdersTest, WhatNeverReachedTheAuthorityCountsForNothing) {
  test::CuttingProxy proxy(loop.get_executor());
  test::ScriptedAcme::Place place;
  place.base = proxy.base();
  test::ScriptedAcme behind(
      loop.get_executor(),
      [this](std::string name, std::string value) {
        auto const values = txt(name);
        return std::ranges::find(values, value) != values.end();
      },
      place);
  settings.authorities[0].directory_url = behind.directory_url();
  add_tenant("one");
  start();
  ASSERT_TRUE(tried(1));
  EXPECT_THAT(status_of("one.stream.example").last_error, HasSubstr("transient"));
  proxy.forward_to(behind.port());
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(behind.counters.orders, 1);
  behind.stop();
}

// The CA placed it, and its frontend died before it said so.
TEST_F(LimitsOfOrdersTest, AnOrderWhoseConnectionEndedBehindItIsNotPlacedTwice) {
  test::CuttingProxy proxy(loop.get_executor());
  test::ScriptedAcme::Place place;
  place.base = proxy.base();
  test::ScriptedAcme behind(
      loop.get_executor(),
      [this](std::string name, std::string value) {
        auto const values = txt(name);
        return std::ranges::find(values, value) != values.end();
      },
      place);
  proxy.forward_to(behind.port());
  proxy.cut("POST /new-order");
  settings.authorities[0].directory_url = behind.directory_url();
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(proxy.cuts(), 1);
  EXPECT_EQ(behind.counters.orders, 1);
  behind.stop();
}

}  // namespace
}  // namespace acme
