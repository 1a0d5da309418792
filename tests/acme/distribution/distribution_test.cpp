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
// Of subject 10 * tenant.
vault::CertificateRow row_of(std::int64_t sequence, std::int64_t tenant, std::string const& label, char digest,
                             crypto::Time not_after = now + hours(1), std::int64_t subject = 0) {
  return {sequence,
          subject == 0 ? 10 * tenant : subject,
          tenant,
          label + ".stream.example",
          {"*." + label + ".stream.example", label + ".stream.example"},
          std::string(64, digest),
          now,
          not_after};
}
Wanted wanted_of(store::Tenant const& tenant, std::string const& label) {
  Wanted one;
  one.kind = label == tenant.label ? Wanted::Kind::own : Wanted::Kind::former;
  one.tenant_id = tenant.id;
  one.tenant = tenant.label;
  one.label = label;
  one.name = label + ".stream.example";
  one.names = {"*." + one.name, one.name};
  return one;
}
Wanted domain_of(store::Tenant const& tenant, std::string const& name) {
  Wanted one{Wanted::Kind::domain, tenant.id, 3, tenant.label, {}, name, {name}, {}, false};
  return one;
}
EdgeView view_of(std::vector<store::Tenant> const& tenants, std::vector<store::PoolRow> const& pools,
                 std::vector<vault::CertificateRow> const& certificates, std::vector<Wanted> wanted = {}) {
  for (store::Tenant const& tenant : tenants) {
    wanted.push_back(wanted_of(tenant, tenant.label));
    for (store::FormerLabel const& former : tenant.former) {
      wanted.push_back(wanted_of(tenant, former.label));
    }
  }
  return make_view(wanted, tenants, pools, certificates);
}

TEST(View, AnEdgeSeesOnlyTheTenantsOfItsPools) {
  EdgeView const view = view_of({tenant_of(1, "a", "ams"), tenant_of(2, "b", "fra", {"ams"}), tenant_of(3, "c", "fra")},
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
  EdgeView const view = view_of({tenant_of(1, "a", "ams")}, pools, {row_of(1, 1, "a", 'a'), row_of(5, 1, "a", 'b')});
  EXPECT_EQ(view.by_edge.at("e1").front().row.fingerprint, std::string(64, 'b'));
  EXPECT_EQ(view.by_edge.at("e1").front().id, "tenant-1");
  // A tenant that was renamed does not get the certificate of its former name.
  EXPECT_TRUE(view_of({tenant_of(1, "other", "ams")}, pools, {row_of(1, 1, "a", 'a')}).by_edge.empty());
}

TEST(View, DuringARenameTheFormerLabelKeepsItsCertificate) {
  store::Tenant tenant = tenant_of(1, "new", "ams");
  tenant.former = {{"old", "stream.example.", 0}};
  auto const pools = std::vector{pool("ams", {"e1"})};
  auto const ids = [&](std::vector<vault::CertificateRow> const& rows) {
    std::vector<std::string> out;
    EdgeView const view = view_of({tenant}, pools, rows);
    if (auto const edge = view.by_edge.find("e1"); edge != view.by_edge.end()) {
      for (EdgeBundle const& bundle : edge->second) {
        out.push_back(bundle.id + " " + bundle.tenant + " " + bundle.row.fingerprint.substr(0, 1));
      }
    }
    return out;
  };
  EXPECT_THAT(ids({row_of(1, 1, "old", 'a', now + hours(1), 11)}), ElementsAre("tenant-1-11 old a"));
  EXPECT_THAT(ids({row_of(1, 1, "old", 'a', now + hours(1), 11), row_of(2, 1, "new", 'b')}),
              ElementsAre("tenant-1 new b", "tenant-1-11 old a"));
  // Nor does another tenant's certificate go out under it.
  EXPECT_THAT(ids({row_of(1, 2, "old", 'a', now + hours(1), 11)}), IsEmpty());
  tenant.former.clear();
  EXPECT_THAT(ids({row_of(1, 1, "old", 'a', now + hours(1), 11), row_of(2, 1, "new", 'b')}),
              ElementsAre("tenant-1 new b"));
}

TEST(View, ADomainHasABundleOfItsOwn) {
  store::Tenant const tenant = tenant_of(1, "a", "ams");
  vault::CertificateRow issued = row_of(2, 1, "a", 'b', now + hours(1), 12);
  issued.subject = "www.customer.example";
  issued.names = {"www.customer.example"};
  vault::CertificateRow brought = issued;
  brought.sequence = 3;
  brought.fingerprint = std::string(64, 'c');
  brought.names = {"*.customer.example", "customer.example"};
  brought.uploaded = true;
  auto const pools = std::vector{pool("ams", {"e1"})};
  auto const domain = domain_of(tenant, "www.customer.example");
  EdgeView const view = view_of({tenant}, pools, {row_of(1, 1, "a", 'a'), issued}, {domain});
  ASSERT_EQ(view.by_edge.at("e1").size(), 2U);
  EXPECT_EQ(view.by_edge.at("e1")[1].id, "tenant-1-12");
  EXPECT_THAT(view.by_edge.at("e1")[1].names, ElementsAre("www.customer.example"));
  EdgeView const after = view_of({tenant}, pools, {row_of(1, 1, "a", 'a'), issued, brought}, {domain});
  EXPECT_EQ(after.by_edge.at("e1")[1].row.fingerprint, std::string(64, 'c')) << "what the tenant brought last";
  EXPECT_THAT(after.by_edge.at("e1")[1].names, ElementsAre("www.customer.example")) << "served for its domain alone";
  EXPECT_EQ(view_of({tenant}, pools, {row_of(1, 1, "a", 'a'), issued}).by_edge.at("e1").size(), 1U)
      << "a domain that is gone has none";
}

TEST(View, UnwantedNamesAndUnknownPoolsHaveNoBundles) {
  store::Tenant const suspended = tenant_of(1, "a", "ams");
  store::Tenant const lost = tenant_of(2, "b", "gone");
  EXPECT_TRUE(make_view({wanted_of(lost, "b")}, {suspended, lost}, {pool("ams", {"e1"})},
                        {row_of(1, 1, "a", 'a'), row_of(2, 2, "b", 'b')})
                  .by_edge.empty());
}

TEST(View, ABundleStaysWithItsEdgeUntilEverySiteHasHeard) {
  store::Tenant const tenant = tenant_of(1, "a", "ams");
  auto const pools = std::vector{pool("ams", {"e1"})};
  EdgeView const before = view_of({tenant}, pools, {row_of(1, 1, "a", 'a')});
  std::vector<Leaving> leaving;
  auto const after = [&](store::Revision revision, store::Revision everywhere, EdgeView const& from) {
    EdgeView next;
    hold_back(from, next, revision, everywhere, leaving);
    return next;
  };
  EdgeView const held = after(7, 6, before);
  ASSERT_EQ(held.by_edge.at("e1").size(), 1U);
  EXPECT_EQ(after(8, 6, held).by_edge.at("e1").size(), 1U);
  EXPECT_EQ(leaving.front().since, 7) << "later changes do not keep it longer";
  EXPECT_TRUE(after(9, 7, held).by_edge.empty());
  EXPECT_TRUE(leaving.empty());
  EXPECT_TRUE(after(7, 7, before).by_edge.empty()) << "one site alone has heard at once";
}

TEST(View, TheDigestChangesWithEveryChangeOfTheListAndOnlyThen) {
  std::vector<EdgeBundle> const one{{"tenant-1", "a", {"a.stream.example"}, row_of(1, 1, "a", 'a')}};
  std::vector<EdgeBundle> const renewed{{"tenant-1", "a", {"a.stream.example"}, row_of(2, 1, "a", 'b')}};
  EXPECT_EQ(digest_of(one), digest_of(one));
  EXPECT_NE(digest_of(one), digest_of(renewed));
  EXPECT_NE(digest_of(one), digest_of({}));
  EXPECT_GT(digest_of({}), 0);
  EXPECT_LE(digest_of(one), std::int64_t{1} << 52);
}

TEST(Ready, EdgesWithAValidCertificateAreReadyTheOthersAreNot) {
  std::vector<Wanted> const wanted{wanted_of(tenant_of(1, "a", "ams"), "a"), wanted_of(tenant_of(2, "b", "ams"), "b"),
                                   domain_of(tenant_of(3, "c", "ams"), "www.customer.example")};
  vault::CertificateRow domain = row_of(5, 3, "c", 'e');
  domain.subject = "www.customer.example";
  auto const ready = ready_edges(
      wanted,
      {{10, "e2", 1, std::string(64, 'a')},
       {10, "e1", 2, std::string(64, 'b')},
       {10, "e3", 3, std::string(64, 'x')},
       {20, "e1", 4, std::string(64, 'd')},
       {30, "e1", 5, std::string(64, 'e')}},
      {row_of(1, 1, "a", 'a'), row_of(2, 1, "a", 'b'), row_of(4, 2, "b", 'd', now - hours(1)), domain}, now);
  EXPECT_THAT(ready.at(1), ElementsAre("e1", "e2"));
  EXPECT_THAT(ready.at(2), IsEmpty());
  EXPECT_FALSE(ready.contains(3)) << "a domain restricts no answer of its tenant";
}

TEST(Ready, AFormerCertificateCountsOnlyForTheSameName) {
  std::vector<vault::Acknowledgment> const acknowledged{{12, "renewed", 2, std::string(64, 'b')},
                                                        {10, "former", 1, std::string(64, 'a')}};
  std::vector<vault::CertificateRow> const rows{row_of(1, 1, "a", 'a'), row_of(2, 1, "c", 'b', now + hours(1), 12)};
  store::Tenant tenant = tenant_of(1, "c", "ams");
  EXPECT_THAT(ready_edges({wanted_of(tenant, "c"), wanted_of(tenant, "a")}, acknowledged, rows, now).at(1),
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
  lag = true;  // a site answers the tenant yet
  run(store->delete_tenant("acme-tv")).value();
  distribution.poke();
  EXPECT_EQ(list("edge-ams-1").at("bundles").as_array().size(), 1U);
  EXPECT_FALSE(slot->has_value());
  lag = false;
  distribution.poke_leaving();
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
