#include "acme/distribution/distribution.hpp"

#include "tests/acme/certificates_fixture.hpp"

#include <boost/json.hpp>

namespace acme {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

crypto::Time const now = crypto::wall_now();
using std::chrono::hours;

store::Tenant tenant_of(std::int64_t id, std::string label, std::string primary,
                        std::vector<std::string> backups = {}) {
  store::Tenant tenant;
  tenant.id = id;
  tenant.label = std::move(label);
  tenant.zone = "stream.example.";
  tenant.primary = std::move(primary);
  tenant.backups = std::move(backups);
  return tenant;
}
store::PoolRow pool(std::string name, std::vector<std::string> const& endpoints) {
  store::PoolRow row;
  row.name = std::move(name);
  for (std::string const& endpoint : endpoints) {
    row.endpoints.push_back({endpoint, {}, {}, {}, true, 1});
  }
  return row;
}
vault::CertificateRow row_of(std::int64_t sequence, std::int64_t tenant, std::string const& label, char digest,
                             crypto::Time not_after = now + hours(1)) {
  return {sequence, tenant,   {"*." + label + ".stream.example", label + ".stream.example"}, std::string(64, digest),
          now,      not_after};
}

TEST(View, AnEdgeSeesOnlyTheTenantsOfItsPools) {
  EdgeView const view =
      make_view({tenant_of(1, "a", "ams"), tenant_of(2, "b", "fra", {"ams"}), tenant_of(3, "c", "fra")},
                {pool("ams", {"e1", "e2"}), pool("fra", {"e3"})},
                {row_of(1, 1, "a", 'a'), row_of(2, 2, "b", 'b'), row_of(3, 3, "c", 'c')});
  auto const tenants = [&view](char const* edge) {
    std::vector<std::string> labels;
    for (EdgeBundle const& bundle : view.by_edge.at(edge)) {
      labels.push_back(bundle.tenant);
    }
    return labels;
  };
  EXPECT_THAT(tenants("e1"), ElementsAre("a", "b"));
  EXPECT_THAT(tenants("e3"), ElementsAre("b", "c"));
  EXPECT_FALSE(view.by_edge.contains("stranger"));
}

TEST(View, TheNewestCertificateCountsAndOnlyUnderItsOwnNames) {
  auto const pools = std::vector{pool("ams", {"e1"})};
  EdgeView const view = make_view({tenant_of(1, "a", "ams")}, pools, {row_of(1, 1, "a", 'a'), row_of(5, 1, "a", 'b')});
  EXPECT_EQ(view.by_edge.at("e1").front().row.fingerprint, std::string(64, 'b'));
  EXPECT_EQ(view.by_edge.at("e1").front().id, "tenant-1");
  // A tenant that was renamed does not get the certificate of its former name.
  EXPECT_TRUE(make_view({tenant_of(1, "other", "ams")}, pools, {row_of(1, 1, "a", 'a')}).by_edge.empty());
}

TEST(View, DuringARenameTheFormerLabelKeepsItsCertificate) {
  store::Tenant tenant = tenant_of(1, "new", "ams");
  tenant.former = {{"old", "stream.example.", 0}};
  auto const pools = std::vector{pool("ams", {"e1"})};
  auto const ids = [&](std::vector<vault::CertificateRow> const& rows) {
    std::vector<std::string> out;
    EdgeView const view = make_view({tenant}, pools, rows);
    if (auto const edge = view.by_edge.find("e1"); edge != view.by_edge.end()) {
      for (EdgeBundle const& bundle : edge->second) {
        out.push_back(bundle.id + " " + bundle.tenant + " " + bundle.row.fingerprint.substr(0, 1));
        EXPECT_EQ(bundle.former, bundle.id != "tenant-1");
      }
    }
    return out;
  };
  EXPECT_THAT(ids({row_of(1, 1, "old", 'a')}), ElementsAre("tenant-1-old old a"));
  EXPECT_THAT(ids({row_of(1, 1, "old", 'a'), row_of(2, 1, "new", 'b')}),
              ElementsAre("tenant-1 new b", "tenant-1-old old a"));
  // Nor does another tenant's certificate go out under it.
  EXPECT_THAT(ids({row_of(1, 2, "old", 'a')}), IsEmpty());
  tenant.former.clear();
  EXPECT_THAT(ids({row_of(1, 1, "old", 'a'), row_of(2, 1, "new", 'b')}), ElementsAre("tenant-1 new b"));
}

TEST(View, SuspendedTenantsAndUnknownPoolsHaveNoBundles) {
  store::Tenant suspended = tenant_of(1, "a", "ams");
  suspended.state = "suspended";
  EXPECT_TRUE(make_view({suspended, tenant_of(2, "b", "gone")}, {pool("ams", {"e1"})},
                        {row_of(1, 1, "a", 'a'), row_of(2, 2, "b", 'b')})
                  .by_edge.empty());
}

TEST(View, TheDigestChangesWithEveryChangeOfTheListAndOnlyThen) {
  std::vector<EdgeBundle> const one{{"tenant-1", "a", row_of(1, 1, "a", 'a')}};
  std::vector<EdgeBundle> const renewed{{"tenant-1", "a", row_of(2, 1, "a", 'b')}};
  EXPECT_EQ(digest_of(one), digest_of(one));
  EXPECT_NE(digest_of(one), digest_of(renewed));
  EXPECT_NE(digest_of(one), digest_of({}));
  EXPECT_GT(digest_of({}), 0);
  EXPECT_LE(digest_of(one), std::int64_t{1} << 52);
}

TEST(Ready, EdgesWithAValidCertificateAreReadyTheOthersAreNot) {
  auto const ready =
      ready_edges({{1, "e2", 1, std::string(64, 'a')},
                   {1, "e1", 2, std::string(64, 'b')},
                   {1, "e3", 3, std::string(64, 'x')},
                   {2, "e1", 4, std::string(64, 'd')}},
                  {row_of(1, 1, "a", 'a'), row_of(2, 1, "a", 'b'), row_of(4, 2, "b", 'd', now - hours(1))}, now);
  EXPECT_THAT(ready.at(1), ElementsAre("e1", "e2"));
  EXPECT_THAT(ready.at(2), IsEmpty());
  EXPECT_FALSE(ready.contains(3));
}

TEST(Ready, AFormerCertificateCountsOnlyForTheSameNames) {
  std::vector<vault::Acknowledgment> const acknowledged{{1, "renewed", 2, std::string(64, 'b')},
                                                        {1, "former", 1, std::string(64, 'a')}};
  EXPECT_THAT(ready_edges(acknowledged, {row_of(1, 1, "a", 'a'), row_of(2, 1, "a", 'b')}, now).at(1),
              ElementsAre("former", "renewed"));
  EXPECT_THAT(ready_edges(acknowledged, {row_of(1, 1, "a", 'a'), row_of(2, 1, "c", 'b')}, now).at(1),
              ElementsAre("renewed"));
}

class DistributionTest : public CertificatesFixture {
 protected:
  DistributionTest() {
    distribution.add_routes(router);
    tenant = add_tenant("acme-tv");
    start();
    issuer->on_change([this] { distribution.poke(); });
    EXPECT_TRUE(issued(1));
    issuer->stop();
  }
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
  std::optional<std::set<std::string>> ready() {
    auto const name = dns::Name::parse("acme-tv.stream.example").value();
    auto const entry = store->published().copy()->enclosing(name)->find(name);
    return entry->balancer->ready;
  }
  net::Router router;
  Distribution distribution{loop.get_executor(), *store, vault,
                            [](net::HttpRequest const& made) { return made.peer.is_unix; }};
  store::Tenant tenant;
};

TEST_F(DistributionTest, AnEdgeOfThePoolGetsTheBundleWithItsKey) {
  auto const items = list("edge-ams-1").at("bundles").as_array();
  ASSERT_EQ(items.size(), 1U);
  std::string const id(items[0].at("id").as_string());
  auto const response = call(request("GET", "/v1/edge/bundles/" + id, "edge-ams-1"));
  ASSERT_EQ(response.status, 200);
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
  net::spawn(loop.get_executor(), "distribution", distribution.run());
  EXPECT_TRUE(until([this] { return ready().has_value(); }));
  distribution.stop();
}

TEST_F(DistributionTest, TheLongPollAnswersWhenATenantIsGone) {
  std::int64_t const sequence = list("edge-ams-1").at("sequence").as_int64();
  auto waiting = request("GET", "/v1/edge/bundles", "edge-ams-1");
  waiting.target += "?since=" + std::to_string(sequence) + "&wait_ms=60000";
  auto const slot = std::make_shared<std::optional<net::HttpResponse>>();
  struct Poll {
    static net::Task<void> run(net::Router const& router, net::HttpRequest made,
                               std::shared_ptr<std::optional<net::HttpResponse>> answer) {
      *answer = co_await router.dispatch(std::move(made));
    }
  };
  net::spawn(loop.get_executor(), "poll", Poll::run(router, waiting, slot));
  run(store->delete_tenant("acme-tv")).value();
  EXPECT_FALSE(slot->has_value());
  distribution.poke();
  ASSERT_TRUE(until([&slot] { return slot->has_value(); }));
  EXPECT_TRUE(boost::json::parse((*slot)->body).at("bundles").as_array().empty());
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

}  // namespace
}  // namespace acme
