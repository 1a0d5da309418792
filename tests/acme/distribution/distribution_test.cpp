#include "acme/distribution/distribution.hpp"

#include "tests/acme/certificates_fixture.hpp"
#include "tests/support/described.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/json.hpp>

namespace acme {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class DistributionTest : public CertificatesFixture {
 protected:
  DistributionTest() {
    distribution.add_routes(router);
    tenant = add_tenant("acme-tv");
    start();
    issuer->on_change([this](std::int64_t id) { distribution.poke(id); });
    EXPECT_TRUE(issued(1));
    issuer->stop();
  }
  // Whoever waits is woken by it.
  void follow() { net::spawn(loop.get_executor(), "distribution", distribution.run()); }
  struct Poll {
    static net::Task<void> run(net::Router const& router, net::HttpRequest made,
                               std::shared_ptr<std::optional<net::HttpResponse>> answer) {
      *answer = co_await router.dispatch(std::move(made));
    }
  };
  // A poll that waits; its answer when there is one.
  std::shared_ptr<std::optional<net::HttpResponse>> wait(std::string const& edge, std::string const& query) {
    auto made = request("GET", "/v1/edge/bundles", edge);
    made.target += query + "&wait_ms=60000";
    auto const slot = std::make_shared<std::optional<net::HttpResponse>>();
    net::spawn(loop.get_executor(), "poll", Poll::run(router, made, slot));
    return slot;
  }
  boost::json::object delta(std::string const& edge, std::string const& query) {
    auto made = request("GET", "/v1/edge/bundles", edge);
    made.target += query + "&delta=1";
    auto const response = call(made);
    EXPECT_EQ(response.status, 200) << response.body;
    return boost::json::parse(response.body).as_object();
  }
  std::vector<vault::Acknowledgment> heard() { return run(vault.acknowledgments()).value(); }
  net::HttpRequest request(std::string method, std::string path, std::string edge, std::string body = "") {
    net::HttpRequest made;
    made.method = std::move(method);
    made.target = made.path = std::move(path);
    made.peer.certificate_name = std::move(edge);
    made.body = std::move(body);
    return made;
  }
  net::HttpResponse call(net::HttpRequest made) { return run(router.dispatch(std::move(made))); }
  boost::json::object list(std::string const& edge) {
    auto const response = call(request("GET", "/v1/edge/bundles", edge));
    EXPECT_EQ(response.status, 200) << response.body;
    return boost::json::parse(response.body).as_object();
  }
  std::string acknowledgment() {
    auto const row = certificates().back();
    return R"({"id":"tenant-)" + std::to_string(tenant.id) + R"(","fingerprint":")" + row.fingerprint +
           R"(","sequence":)" + std::to_string(row.sequence) + "}";
  }
  std::optional<std::set<std::string>> ready() const {
    auto const name = dns::Name::parse("acme-tv.stream.example").value();
    auto const entry = store->published().copy()->enclosing(name)->find(name);
    return entry->balancer->ready;
  }
  net::Router router;
  Distribution distribution{loop.get_executor(), *store, vault,
                            [](net::HttpRequest const& made) { return made.peer.is_unix; },
                            [this] { return store->revision() - (lag ? 1 : 0); }};
  store::Tenant tenant;
};

TEST_F(DistributionTest, AnEdgeOfThePoolGetsTheBundleWithItsKey) {
  auto const items = list("edge-ams-1").at("bundles").as_array();
  ASSERT_EQ(items.size(), 1U);
  std::string const id(items[0].at("id").as_string());
  auto const response = call(request("GET", "/v1/edge/bundles/" + id, "edge-ams-1"));
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Cache-Control"), "no-store");
  auto const bundle = boost::json::parse(response.body);
  std::string const chain(bundle.at("chain_pem").as_string());
  std::string const key(bundle.at("key_pem").as_string());
  EXPECT_TRUE(crypto::check_issued(chain, crypto::Key::from_pem(key).value(),
                                   {"*.acme-tv.stream.example", "acme-tv.stream.example"}, crypto::wall_now()));
}

TEST_F(DistributionTest, NobodyElseGetsIt) {
  EXPECT_TRUE(list("edge-fra-1").at("bundles").as_array().empty());
  std::string const path = "/v1/edge/bundles/tenant-" + std::to_string(tenant.id);
  EXPECT_EQ(call(request("GET", path, "edge-fra-1")).status, 404);
  EXPECT_EQ(call(request("GET", path, "")).status, 403);
  EXPECT_EQ(call(request("GET", "/v1/edge/bundles", "")).status, 403);
  EXPECT_EQ(call(request("POST", "/v1/edge/acknowledgments", "", acknowledgment())).status, 403);
  EXPECT_EQ(call(request("POST", "/v1/edge/acknowledgments", "edge-fra-1", acknowledgment())).status, 404);
}

TEST_F(DistributionTest, BeforeTheFirstAcknowledgmentNothingIsRestricted) {
  EXPECT_FALSE(ready().has_value());
}

TEST_F(DistributionTest, AnAcknowledgmentMakesTheEdgeReadyInDns) {
  ASSERT_EQ(call(request("POST", "/v1/edge/acknowledgments", "edge-ams-2", acknowledgment())).status, 204);
  EXPECT_THAT(ready().value(), ElementsAre("edge-ams-2"));
  ASSERT_EQ(call(request("POST", "/v1/edge/acknowledgments", "edge-ams-1", acknowledgment())).status, 204);
  EXPECT_THAT(ready().value(), ElementsAre("edge-ams-1", "edge-ams-2"));
}

TEST_F(DistributionTest, RepeatingAnAcknowledgmentChangesNothing) {
  ASSERT_EQ(call(request("POST", "/v1/edge/acknowledgments", "edge-ams-1", acknowledgment())).status, 204);
  auto const revision = store->revision();
  ASSERT_EQ(call(request("POST", "/v1/edge/acknowledgments", "edge-ams-1", acknowledgment())).status, 204);
  EXPECT_EQ(store->revision(), revision);
}

TEST_F(DistributionTest, AnAcknowledgmentOfAnotherCertificateIsRefused) {
  std::string stale = acknowledgment();
  stale.replace(stale.find("fingerprint\":\"") + 14, 4, "zzzz");
  EXPECT_EQ(call(request("POST", "/v1/edge/acknowledgments", "edge-ams-1", stale)).status, 409);
  EXPECT_FALSE(ready().has_value());
}

TEST_F(DistributionTest, ABadBodyIsAnsweredWithAllItsProblems) {
  auto const response = call(request("POST", "/v1/edge/acknowledgments", "edge-ams-1", R"({"id":7,"sequence":-1})"));
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("id"));
  EXPECT_THAT(response.body, HasSubstr("fingerprint"));
  EXPECT_THAT(response.body, HasSubstr("sequence"));
  EXPECT_EQ(call(request("POST", "/v1/edge/acknowledgments", "edge-ams-1", "]")).status, 400);
}

TEST_F(DistributionTest, ReadinessIsRestoredAtStart) {
  auto const row = certificates().back();
  ASSERT_TRUE(run(vault.acknowledge({tenant.id, "edge-ams-1", row.sequence, row.fingerprint}, crypto::wall_now())));
  EXPECT_FALSE(ready().has_value());
  follow();
  EXPECT_TRUE(until([this] { return ready().has_value(); }));
  distribution.stop();
}

TEST_F(DistributionTest, TheLongPollAnswersWhenATenantIsGone) {
  follow();
  std::int64_t const sequence = list("edge-ams-1").at("sequence").as_int64();
  auto const slot = wait("edge-ams-1", "?since=" + std::to_string(sequence));
  lag = true;  // a site answers the tenant yet
  run(store->delete_tenant("acme-tv")).value();
  distribution.poke();
  EXPECT_EQ(list("edge-ams-1").at("bundles").as_array().size(), 1U);
  EXPECT_FALSE(slot->has_value());
  lag = false;
  distribution.poke();
  ASSERT_TRUE(until([&slot] { return slot->has_value(); }));
  EXPECT_TRUE(boost::json::parse((*slot)->body).at("bundles").as_array().empty());
  distribution.stop();
}

TEST_F(DistributionTest, ADeltaHasWhatChanged) {
  auto const whole = delta("edge-ams-1", "?since=0");
  EXPECT_TRUE(whole.at("complete").as_bool());
  ASSERT_EQ(whole.at("bundles").as_array().size(), 1U);
  EXPECT_FALSE(whole.contains("next"));
  std::string const since = "?since=" + std::to_string(whole.at("sequence").as_int64());
  auto const nothing = delta("edge-ams-1", since);
  EXPECT_FALSE(nothing.at("complete").as_bool());
  EXPECT_TRUE(nothing.at("bundles").as_array().empty());
  run(store->delete_tenant("acme-tv")).value();
  auto const gone = delta("edge-ams-1", since);
  EXPECT_FALSE(gone.at("complete").as_bool());
  EXPECT_EQ(gone.at("gone").as_array().at(0).as_string(), "tenant-" + std::to_string(tenant.id));
  EXPECT_TRUE(delta("edge-ams-1", "?since=4711").at("complete").as_bool()) << "never was";
  EXPECT_FALSE(delta("edge-ams-1", "?since=" + std::to_string(gone.at("sequence").as_int64())).contains("next"));
}

TEST_F(DistributionTest, AChangeWakesOnlyTheEdgesItTouches) {
  follow();
  auto const mine = wait("edge-ams-1", "?since=" + std::to_string(list("edge-ams-1").at("sequence").as_int64()));
  auto const other = wait("edge-fra-1", "?since=" + std::to_string(list("edge-fra-1").at("sequence").as_int64()));
  tenants::TenantChange suspended;
  suspended.state = "suspended";
  change_tenant("acme-tv", suspended);
  distribution.poke();
  ASSERT_TRUE(until([&mine] { return mine->has_value(); }));
  EXPECT_FALSE(other->has_value());
  distribution.stop();
}

TEST_F(DistributionTest, EverybodyWhoAsksAfterAChangeIsAnsweredByOneLook) {
  auto const sequence = std::to_string(list("edge-ams-1").at("sequence").as_int64());
  follow();
  ASSERT_TRUE(until([this] { return distribution.following().looks() > 0; }));
  run(store->delete_tenant("acme-tv")).value();
  auto const before = distribution.following().looks();
  std::vector<std::shared_ptr<std::optional<net::HttpResponse>>> asked;
  for (int i = 0; i < 50; ++i) {
    asked.push_back(wait("edge-ams-1", "?since=" + sequence));
  }
  ASSERT_TRUE(until([&asked] { return std::ranges::all_of(asked, [](auto const& one) { return one->has_value(); }); }));
  EXPECT_EQ(distribution.following().looks() - before, 1U);
  for (auto const& one : asked) {
    EXPECT_TRUE(boost::json::parse((*one)->body).at("bundles").as_array().empty());
  }
  distribution.stop();
}

TEST_F(DistributionTest, AnEdgeThatComesIntoAPoolGetsItsBundlesAndOneThatLeavesItLosesThem) {
  EXPECT_TRUE(list("edge-ams-3").at("bundles").as_array().empty());
  run(store->set_pools({pool_of("ams", {"edge-ams-1", "edge-ams-3"}), pool_of("fra", {"edge-fra-1"})})).value();
  EXPECT_EQ(list("edge-ams-3").at("bundles").as_array().size(), 1U);
  EXPECT_EQ(list("edge-ams-1").at("bundles").as_array().size(), 1U);
  EXPECT_TRUE(list("edge-ams-2").at("bundles").as_array().empty());
}

TEST_F(DistributionTest, AfterARestartABundleStaysUntilEverySiteHasHeard) {
  ASSERT_EQ(call(request("POST", "/v1/edge/acknowledgments", "edge-ams-1", acknowledgment())).status, 204);
  lag = true;
  run(store->delete_tenant("acme-tv")).value();
  Distribution again(
      loop.get_executor(), *store, vault, [](net::HttpRequest const&) { return false; },
      [this] { return store->revision() - (lag ? 1 : 0); });
  net::Router routes;
  again.add_routes(routes);
  auto const ids = [&](std::string const& edge) {
    auto const response = run(routes.dispatch(request("GET", "/v1/edge/bundles", edge)));
    std::vector<std::string> out;
    auto const body = boost::json::parse(response.body);
    for (auto const& item : body.at("bundles").as_array()) {
      out.emplace_back(item.at("id").as_string());
    }
    return out;
  };
  std::string const id = "tenant-" + std::to_string(tenant.id);
  EXPECT_THAT(ids("edge-ams-1"), ElementsAre(id)) << "it acknowledged it";
  EXPECT_THAT(ids("edge-ams-2"), IsEmpty()) << "it never did";
  EXPECT_EQ(run(routes.dispatch(request("GET", "/v1/edge/bundles/" + id, "edge-ams-1"))).status, 200);
  lag = false;
  EXPECT_THAT(ids("edge-ams-1"), IsEmpty());
}

TEST_F(DistributionTest, WhatAnEdgeDroppedIsNoLongerAcknowledged) {
  ASSERT_EQ(call(request("POST", "/v1/edge/acknowledgments", "edge-ams-1", acknowledgment())).status, 204);
  ASSERT_EQ(heard().size(), 1U);
  tenants::TenantChange moved;
  moved.primary = "fra";
  change_tenant("acme-tv", moved);
  auto const gone = delta("edge-ams-1", "?since=0");
  EXPECT_EQ(heard().size(), 1U) << "the edge was told, and has not said that it did it";
  auto const sequence = std::to_string(gone.at("sequence").as_int64());
  delta("edge-ams-1", "?since=" + sequence);
  EXPECT_EQ(heard().size(), 1U) << "it has the list, and did not apply it yet";
  delta("edge-ams-1", "?since=" + sequence + "&applied=" + sequence);
  EXPECT_THAT(heard(), IsEmpty());
}

TEST_F(DistributionTest, ReadinessFollowsARenameAtOnce) {
  ASSERT_EQ(call(request("POST", "/v1/edge/acknowledgments", "edge-ams-1", acknowledgment())).status, 204);
  run(store->set_ready(tenant.id, std::vector<std::string>{"edge-ams-2"})).value();
  tenants::TenantChange renamed;
  renamed.label = "other";
  change_tenant("acme-tv", renamed);
  (void)list("edge-ams-1");
  EXPECT_THAT(ready().value(), ElementsAre("edge-ams-1"));
}

TEST_F(DistributionTest, TheFullComparisonFindsNothingWhereNothingWasMissedAndMendsWhatWas) {
  ASSERT_EQ(call(request("POST", "/v1/edge/acknowledgments", "edge-ams-1", acknowledgment())).status, 204);
  EXPECT_EQ(run(distribution.following().compare()).value(), 0U);
  // Somebody takes the certificate away behind everybody's back.
  run(vault.forget_subject(certificates().back().subject_id)).value();
  EXPECT_EQ(run(distribution.following().compare()).value(), 1U);
  EXPECT_TRUE(list("edge-ams-1").at("bundles").as_array().empty());
  EXPECT_EQ(run(distribution.following().compare()).value(), 0U);
}

net::Task<void> tell_later(Distribution& distribution, std::int64_t tenant_id) {
  co_await net::wait_for(std::chrono::milliseconds(20));
  distribution.poke(tenant_id);
}

TEST_F(DistributionTest, WhatIsWrittenAndNotToldYetIsNoDefect) {
  ASSERT_EQ(run(distribution.following().compare()).value(), 0U);
  vault::CertificateRow const row = certificates().back();
  run(vault.forget_subject(row.subject_id)).value();
  net::spawn(loop.get_executor(), "teller", tell_later(distribution, row.tenant_id));
  EXPECT_EQ(run(distribution.following().compare()).value(), 0U);
  EXPECT_TRUE(list("edge-ams-1").at("bundles").as_array().empty());
}

TEST_F(DistributionTest, OnlyAdministratorsSeeTheWholeListAndItHasNoKeys) {
  EXPECT_EQ(call(request("GET", "/v1/certificates", "edge-ams-1")).status, 403);
  auto admin = request("GET", "/v1/certificates", "");
  admin.peer.is_unix = true;
  auto const response = call(admin);
  ASSERT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("acme-tv.stream.example"));
  EXPECT_THAT(response.body, Not(HasSubstr("PRIVATE")));
}

// A look is made by whoever asks first, for all; that one's client may hang up at any moment of it.
TEST_F(DistributionTest, WhoHangsUpInTheMiddleOfALookLosesNothingOfIt) {
  std::size_t cut = 0;
  for (int steps = 0; steps < 40; ++steps) {
    Following fresh(
        loop.get_executor(), *store, vault, [this] { return store->revision(); }, [](Fleet::Edges const&) {});
    boost::asio::cancellation_signal hang_up;
    bool ended = false;
    bool failed = false;
    boost::asio::co_spawn(loop, fresh.catch_up(),
                          boost::asio::bind_cancellation_slot(
                              hang_up.slot(), [&](std::exception_ptr const& thrown, base::Result<void> const&) {
                                ended = true;
                                failed = thrown != nullptr;
                              }));
    loop.restart();
    for (int step = 0; step < steps && !ended; ++step) {
      loop.run_one_for(std::chrono::milliseconds(200));
    }
    hang_up.emit(boost::asio::cancellation_type::terminal);
    ASSERT_TRUE(until([&ended] { return ended; }));
    cut += failed ? 1U : 0U;
    ASSERT_TRUE(run(fresh.catch_up()));
    EXPECT_EQ(fresh.fleet().size("edge-ams-1"), 1U) << "after " << steps << " steps";
  }
  EXPECT_GT(cut, 0U);
}

// An edge asks for it again and again; it is said once, and nobody else is concerned.
TEST_F(DistributionTest, ADamagedKeyIsItsOwnBundlesTroubleAlone) {
  std::function<base::Result<std::int64_t>(database::Database&)> const damage = [](database::Database& database) {
    return database.write([](database::Transaction& transaction) -> base::Result<void> {
      auto const done = transaction.execute("UPDATE certificate SET sealed_key = 'edited by hand'");
      return done ? base::Result<void>() : done.error();
    });
  };
  run(store->thread().run<std::int64_t>(damage)).value();
  std::string const id = "tenant-" + std::to_string(tenant.id);
  for (int i = 0; i < 3; ++i) {
    auto const answer = call(request("GET", "/v1/edge/bundles/" + id, "edge-ams-1"));
    EXPECT_EQ(answer.status, 503);
    EXPECT_THAT(answer.body, HasSubstr("Damaged key"));
    EXPECT_EQ(list("edge-ams-1").at("bundles").as_array().size(), 1U) << "the list is made as before";
  }
}

TEST_F(DistributionTest, AnswersHaveTheFormThatTheDescriptionSays) {
  test::Described described;
  boost::json::value const bundles = list("edge-ams-1");
  described.expect_form(bundles, "BundleList");
  described.expect_first(bundles, "bundles", "BundleItem");
  std::string const id(bundles.at("bundles").at(0).at("id").as_string());
  auto const bundle = call(request("GET", "/v1/edge/bundles/" + id, "edge-ams-1"));
  ASSERT_EQ(bundle.status, 200);
  described.expect_form(boost::json::parse(bundle.body), "Bundle");
  auto admin = request("GET", "/v1/certificates", "");
  admin.peer.is_unix = true;
  boost::json::value const all = boost::json::parse(call(admin).body);
  described.expect_form(all, "KeptCertificates");
  described.expect_first(all, "certificates", "KeptCertificate");
  admin.target = "/v1/certificates?limit=0";
  EXPECT_EQ(call(admin).status, 422);
  std::size_t const there = all.at("certificates").as_array().size();
  std::size_t seen = 0;
  std::string cursor;
  do {
    admin.target = "/v1/certificates?limit=1" + (cursor.empty() ? "" : "&cursor=" + cursor);
    boost::json::value const page = boost::json::parse(call(admin).body);
    seen += page.at("certificates").as_array().size();
    cursor = page.as_object().contains("next") ? std::string(page.at("next").as_string()) : "";
  } while (!cursor.empty());
  EXPECT_EQ(seen, there);
}

}  // namespace
}  // namespace acme
