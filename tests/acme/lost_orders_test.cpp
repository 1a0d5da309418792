// Orders whose URL, certificate or end was lost on the way, with a process or with an answer.
#include "tests/acme/certificates_fixture.hpp"

namespace acme {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using LostOrdersTest = CertificatesFixture;

TEST_F(LostOrdersTest, AnOrderWhosePlacingWasNotHeardOfIsFoundAgain) {
  ca->knobs.lose["new-order"] = 1;
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(ca->counters.orders, 1);
  // By another process, too: the first one gave up.
  ca->knobs.lose["new-order"] = 1;
  settings.order.lost_max = 0;
  settings.first_retry = std::chrono::hours(1);
  retire();
  store::Tenant const two = add_tenant("two");
  start();
  ASSERT_TRUE(until([this] { return status_of("two.stream.example").state == "failed"; }));
  ASSERT_TRUE(run(vault.find_order(two.id, ca->directory_url()))->has_value());
  EXPECT_EQ(ca->counters.orders, 2);
  retire();
  ASSERT_TRUE(run(vault.save_attempt({two.id, ca->directory_url(), 1, crypto::wall_now(), "earlier"})));
  start();
  ASSERT_TRUE(issued(2));
  EXPECT_EQ(ca->counters.orders, 2);
}

// A successor waits for the store: what the CA is about to answer is written down first.
TEST_F(LostOrdersTest, WhoMakesRoomWritesDownTheOrderThatIsBeingPlaced) {
  ca->knobs.orders_a_page = 0;  // nothing could be looked up
  add_tenant("one");
  start();
  ASSERT_TRUE(until([this] { return ca->counters.orders == 1; }));
  issuer->stop();
  run(issuer->settle(std::chrono::seconds(5)));
  auto const row = run(vault.find_order(1, ca->directory_url())).value();
  ASSERT_TRUE(row);
  EXPECT_THAT(row->order_url, HasSubstr("/order/"));
  retire();
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(ca->counters.orders, 1);
}

TEST_F(LostOrdersTest, AnAuthorityThatFinishedWhileAnotherOneWasAskedIsNotForgotten) {
  test::ScriptedAcme second(loop.get_executor(), [this](std::string name, std::string value) {
    auto const values = txt(name);
    return std::ranges::find(values, value) != values.end();
  });
  settings.authorities.emplace_back();
  settings.authorities[1].directory_url = second.directory_url();
  // The first signs and is not heard any more; the second refuses.
  ca->knobs.lose["cert"] = 3;
  second.knobs.rate_limited = 1;
  settings.first_retry = std::chrono::milliseconds(2000);  // until the first is asked again
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(certificates().back().directory_url, ca->directory_url());
  EXPECT_EQ(ca->counters.orders, 1) << "what it signed was fetched";
  EXPECT_EQ(ca->counters.finalizes, 1);
  EXPECT_EQ(second.counters.limited + second.counters.bad_requests, 1);
  ASSERT_TRUE(until([this] { return run(vault.ordering())->empty(); }));
  EXPECT_THAT(txt("_acme-challenge.one.stream.example"), IsEmpty());
  second.stop();
}

// What a death between the certificate and the end of its order left.
TEST_F(LostOrdersTest, ValuesWithoutAnOrderAreSweptAtTheStart) {
  auto const name = dns::Name::parse("_acme-challenge.one.stream.example").value();
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  retire();
  run(store->add_challenges({{name, "left over"}}, "acme/1/1/order/1")).value();
  run(store->add_challenges({{name, "another program's"}}, "other/1")).value();
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_THAT(txt("_acme-challenge.one.stream.example"), ElementsAre("another program's"));
}

}  // namespace
}  // namespace acme
