#include "dns-backend/api/tenant_pools/tenant_pools.hpp"

#include "dns-backend/domains/domains.hpp"
#include "dns-backend/pool/select.hpp"
#include "dns-backend/tenant_pools/write.hpp"
#include "tests/dns-backend/api/tenants/world.hpp"

namespace api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class TenantPools : public testing::Test {
 protected:
  TenantPools() {
    world.add_tenant("acme-tv");
    token = world.token_of("acme-tv").first;
  }
  net::HttpResponse put(std::string const& name, std::string const& body, net::Headers headers = {}) {
    return world.as(token, "PUT", "/v1/tenants/acme-tv/pools/" + name, body, std::move(headers));
  }
  // IPv4 addresses that the name answers now.
  std::vector<std::string> answered(std::string const& name) {
    auto const zone = world.store->published().copy()->zone(dns::Name::parse("example.org").value());
    auto const entry = zone->find(dns::Name::parse(name).value());
    std::vector<std::string> out;
    if (entry != nullptr && entry->balancer != nullptr) {
      auto const chosen = pool::select(*entry->balancer, {world.health}, pool::Family::ipv4);
      for (auto const* endpoint : chosen.endpoints) {
        out.push_back(endpoint->address4);
      }
    }
    return out;
  }
  void set_health(std::string const& endpoint, probe::Health health) {
    world.health.set(world.health.slot(endpoint), health, 1000);
  }
  static std::vector<std::string> fields(net::HttpResponse const& response) {
    EXPECT_EQ(response.status, 422) << response.body;
    std::vector<std::string> out;
    json::value const body = json::parse(response.body);
    for (auto const& one : body.at("errors").as_array()) {
      EXPECT_NE(one.at("hint"), "") << response.body;
      out.emplace_back(one.at("field").as_string());
    }
    return out;
  }

  World world;
  std::string token;
  std::string const two = R"({"origins":[{"address":"203.0.113.1"},{"address":"203.0.113.2"}],"names":["@","www"]})";
};

TEST_F(TenantPools, NamesAnswerByTheHealthOfThePoolAndAsBeforeWithoutIt) {
  EXPECT_THAT(answered("acme-tv.example.org"), ElementsAre("198.51.100.1"));
  ASSERT_EQ(put("web", two).status, 201);
  EXPECT_THAT(answered("acme-tv.example.org"), UnorderedElementsAre("203.0.113.1", "203.0.113.2"));
  EXPECT_THAT(answered("www.acme-tv.example.org"), UnorderedElementsAre("203.0.113.1", "203.0.113.2"));
  EXPECT_THAT(answered("*.acme-tv.example.org"), ElementsAre("198.51.100.1")) << "the cluster's still";
  set_health("tenant-1/1/1", probe::Health::down);
  set_health("tenant-1/1/2", probe::Health::up);
  EXPECT_THAT(answered("www.acme-tv.example.org"), ElementsAre("203.0.113.2"));
  ASSERT_EQ(world.as(token, "DELETE", "/v1/tenants/acme-tv/pools/web").status, 204);
  EXPECT_THAT(answered("acme-tv.example.org"), ElementsAre("198.51.100.1"));
  EXPECT_THAT(answered("www.acme-tv.example.org"), ElementsAre());
}

TEST_F(TenantPools, TheyFollowTheTenantsRenameSuspensionAndEnd) {
  ASSERT_EQ(put("web", two).status, 201);
  ASSERT_EQ(world.send("PATCH", "/v1/tenants/acme-tv", R"({"label":"beta-tv"})").status, 200);
  EXPECT_EQ(answered("www.acme-tv.example.org").size(), 2U) << "the former label answers as well";
  EXPECT_EQ(answered("www.beta-tv.example.org").size(), 2U);
  ASSERT_EQ(world.send("PATCH", "/v1/tenants/beta-tv", R"({"state":"suspended"})").status, 200);
  EXPECT_THAT(answered("www.beta-tv.example.org"), ElementsAre());
  EXPECT_EQ(world.as(token, "PUT", "/v1/tenants/beta-tv/pools/web", two).status, 403);
  ASSERT_EQ(world.send("PATCH", "/v1/tenants/beta-tv", R"({"state":"active"})").status, 200);
  EXPECT_EQ(answered("www.beta-tv.example.org").size(), 2U);
  ASSERT_EQ(world.send("DELETE", "/v1/tenants/beta-tv").status, 204);
  EXPECT_THAT(answered("www.beta-tv.example.org"), ElementsAre());
  EXPECT_EQ(json::parse(world.send("GET", "/v1/pools").body).at("pools").as_array().size(), 2U) << "the clusters";
}

TEST_F(TenantPools, WhereRecordsOrAnotherPoolAnswerItCannotAndTheOtherWayRound) {
  ASSERT_EQ(world.as(token, "PUT", "/v1/tenants/acme-tv/records/mail/A", R"({"contents":["203.0.113.9"]})").status,
            200);
  auto const taken = put("web", R"({"origins":[{"address":"203.0.113.1"}],"names":["www","mail","x.mail"]})");
  EXPECT_THAT(fields(taken), ElementsAre("names[1]"));
  ASSERT_EQ(put("web", two).status, 201);
  EXPECT_THAT(fields(put("more", two)), ElementsAre("names[0]", "names[1]"));
  auto const record = world.as(token, "PUT", "/v1/tenants/acme-tv/records/www/A", R"({"contents":["203.0.113.9"]})");
  EXPECT_EQ(record.status, 422) << record.body;
  EXPECT_EQ(world.as(token, "PUT", "/v1/tenants/acme-tv/records/www/TXT", R"({"contents":["\"beside\""]})").status,
            200);
  EXPECT_EQ(answered("www.acme-tv.example.org").size(), 2U);
}

TEST_F(TenantPools, NothingOfThePlatformIsChecked) {
  auto const inside = put("web", R"({"origins":[{"address":"127.0.0.1","port":8081},{"address":"::1"},
      {"address":"169.254.169.254"},{"address":"10.0.0.1"},{"address":"203.0.113.1","address6":"fe80::1"}]})");
  EXPECT_THAT(fields(inside), ElementsAre("origins[0].address", "origins[1].address", "origins[2].address",
                                          "origins[3].address", "origins[4].address6"));
  EXPECT_THAT(fields(put("web", R"({"origins":[{"address":"198.51.100.1"},{"address":"2001:db8::1"}]})")),
              ElementsAre("origins[0].address", "origins[1].address"))
      << "nodes of the clusters";
  EXPECT_EQ(json::parse(world.send("GET", "/v1/tenants/acme-tv/pools").body).at("pools").as_array().size(), 0U);
}

TEST_F(TenantPools, OperatorsSetsLeaveThemAloneAndCannotNameThem) {
  ASSERT_EQ(put("web", two).status, 201);
  EXPECT_THAT(world.send("GET", "/v1/steering").body, testing::Not(HasSubstr("tenant-")));
  ASSERT_EQ(world.send("PUT", "/v1/steering", world.send("GET", "/v1/steering").body).status, 200);
  EXPECT_EQ(answered("www.acme-tv.example.org").size(), 2U);
  EXPECT_EQ(world.send("PUT", "/v1/load_balancers/lb.example.org", R"({"default_pools":["tenant-1/1"]})").status, 422);
  EXPECT_EQ(world.send("PUT", "/v1/pools/mine", R"({"pools":["tenant-1/1"]})").status, 422);
  EXPECT_EQ(
      world
          .send("PUT", "/v1/pools/mine", R"({"monitor":"tenant-1/1","origins":[{"name":"a","address":"203.0.113.1"}]})")
          .status,
      422);
  EXPECT_EQ(world.send("PUT", "/v1/pools/tenant-1%2F1", R"({"origins":[{"name":"a","address":"10.0.0.1"}]})").status,
            422);
  EXPECT_GE(world.send("DELETE", "/v1/pools/tenant-1%2F1").status, 400);
  EXPECT_EQ(world.send("PUT", "/v1/load_balancers/www.acme-tv.example.org", R"({"default_pools":["ams"]})").status, 422)
      << "the name is the tenant's";
}

TEST_F(TenantPools, QuotasTagsKeysScopesAndTheLog) {
  auto const made = put("web", two);
  std::string const tag(made.headers.get("ETag"));
  EXPECT_EQ(put("web", two).headers.get("ETag"), tag) << "an equal one changes nothing";
  net::Headers old;
  old.set("If-Match", "\"1\"");
  EXPECT_EQ(put("web", R"({"origins":[{"address":"203.0.113.5"}]})", old).status, 412);
  net::Headers fresh;
  fresh.set("If-Match", tag);
  fresh.set("Idempotency-Key", "k");
  EXPECT_EQ(put("web", R"({"origins":[{"address":"203.0.113.5"}]})", fresh).status, 200);
  EXPECT_EQ(put("web", R"({"origins":[{"address":"203.0.113.5"}]})", fresh).headers.get("Idempotency-Replayed"),
            "true");
  for (std::string const name : {"a", "b", "c", "d"}) {
    EXPECT_EQ(put(name, R"({"origins":[{"address":"203.0.113.5"}]})").status, 201);
  }
  EXPECT_EQ(put("e", R"({"origins":[{"address":"203.0.113.5"}]})").status, 422);
  std::string const reader = world.token_of("acme-tv", R"({"actions":["read","records"]})").first;
  EXPECT_EQ(world.as(reader, "GET", "/v1/tenants/acme-tv/pools/web").status, 200);
  EXPECT_EQ(world.as(reader, "PUT", "/v1/tenants/acme-tv/pools/web", two).status, 403);
  EXPECT_EQ(world.as(reader, "DELETE", "/v1/tenants/acme-tv/pools/web").status, 403);
  ASSERT_EQ(put("web", R"({"origins":[{"address":"203.0.113.5"}],"names":["shop"]})").status, 200);
  std::string const narrow = world.token_of("acme-tv", R"({"actions":["pools"],"names":["www.*"]})").first;
  EXPECT_EQ(
      world.as(narrow, "PUT", "/v1/tenants/acme-tv/pools/web", R"({"origins":[{"address":"203.0.113.6"}]})").status,
      403)
      << "it would take shop away";
  EXPECT_EQ(world.as(narrow, "DELETE", "/v1/tenants/acme-tv/pools/web").status, 403);
  std::string const looker = world.token_of("acme-tv", R"({"actions":["read"],"names":["www.*"]})").first;
  EXPECT_EQ(world.as(looker, "GET", "/v1/tenants/acme-tv/pools/web").status, 403);
  EXPECT_EQ(world.as(looker, "GET", "/v1/tenants/acme-tv/pools").body.find("\"web\""), std::string::npos);
  std::string const four = world.token_of("acme-tv", R"({"actions":["pools"],"types":["A"]})").first;
  EXPECT_EQ(world.as(four, "PUT", "/v1/tenants/acme-tv/pools/web", two).status, 403) << "it answers AAAA as well";
  EXPECT_EQ(world.as(four, "DELETE", "/v1/tenants/acme-tv/pools/web").status, 403);
  std::string const both = world.token_of("acme-tv", R"({"actions":["pools"],"types":["A","AAAA"]})").first;
  EXPECT_EQ(world.as(both, "DELETE", "/v1/tenants/acme-tv/pools/web").status, 204);
  EXPECT_THAT(world.send("GET", "/v1/tenants/acme-tv/audit").body, HasSubstr("/v1/tenants/acme-tv/pools/web"));
}

TEST_F(TenantPools, WhatChangedMeanwhileIsNotTakenAway) {
  ASSERT_EQ(put("web", two).status, 201);
  auto const remove = [this](steering::Objects const& seen) {
    store::Body body = [seen](store::Write const& write) {
      return tenant_pools::remove(write, "acme-tv", "web", seen, {});
    };
    return test::run_task(world.loop, world.store->write(std::move(body)));
  };
  auto const seen = test::run_task(world.loop, world.store->steering()).value();
  ASSERT_EQ(put("web", R"({"origins":[{"address":"203.0.113.1"}],"names":["shop"]})").status, 200);
  EXPECT_EQ(remove(tenant_pools::own_of(seen, 1)).error().code, store::errc::changed);
  auto const now = test::run_task(world.loop, world.store->steering()).value();
  EXPECT_TRUE(remove(tenant_pools::own_of(now, 1)).has_value());
}

TEST_F(TenantPools, DomainsAnswerByThePoolWithAnewSerialAndItsOriginsAreTheTenants) {
  ASSERT_EQ(world
                .send("PUT", "/v1/zones/customer.example/import",
                      "$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\n")
                .status,
            200);
  store::Body claim = [](store::Write const& write) {
    return write.run(
        "INSERT INTO domain (tenant_id, name, slug, proof, state, created_at_ms, expires_at_ms, verified_at_ms) "
        "VALUES (1, 'customer.example.', 's', 'p', 'verified', 0, 0, 1)",
        {});
  };
  ASSERT_TRUE(test::run_task(world.loop, world.store->write(std::move(claim))).has_value());
  auto const serial = [this] {
    return world.store->published().copy()->zone(dns::Name::parse("customer.example").value())->serial;
  };
  auto const before = serial();
  ASSERT_EQ(put("web", two).status, 201);
  auto const with_pool = serial();
  EXPECT_GT(with_pool, before) << "secondaries ask by it";
  std::function<base::Result<std::set<std::string>>(store::Model const&, database::Database&)> const look =
      [](store::Model const& model, database::Database&) -> base::Result<std::set<std::string>> {
    return domains::wanted_of(model, "", model.domains().begin()->first)->addresses;
  };
  EXPECT_THAT(test::run_task(world.loop, world.store->read<std::set<std::string>>(look)).value(),
              testing::IsSupersetOf({"203.0.113.1", "203.0.113.2", "198.51.100.1"}));
  ASSERT_EQ(put("web", R"({"origins":[{"address":"203.0.113.1"}],"names":["www"]})").status, 200);
  EXPECT_THAT(test::run_task(world.loop, world.store->read<std::set<std::string>>(look)).value(),
              testing::Not(testing::Contains("203.0.113.1")));
  auto const moved = serial();
  EXPECT_GT(moved, with_pool);
  ASSERT_EQ(world.as(token, "DELETE", "/v1/tenants/acme-tv/pools/web").status, 204);
  EXPECT_GT(serial(), moved);
}

}  // namespace
}  // namespace api
