#include "dns-backend/api/acme_dns/acme_accounts.hpp"

#include "tests/dns-backend/api/tenants/world.hpp"
#include "tests/support/described.hpp"

namespace api {
namespace {

class AcmeDns : public testing::Test {
 protected:
  AcmeDns() {
    world.add_tenant("acme-tv");
    token = world.token_of("acme-tv", R"({"actions":["acme"]})").first;
  }
  json::value enroll(std::string const& body = "") {
    auto const answer = world.as(token, "POST", "/register", body);
    EXPECT_EQ(answer.status, 201) << answer.body;
    return json::parse(answer.body);
  }
  net::HttpResponse update(json::value const& account, std::string const& txt,
                           std::string const& from = "203.0.113.9:1") {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/update";
    request.peer.address = from;
    request.headers.set("X-Api-User", std::string(account.at("username").as_string()));
    request.headers.set("X-Api-Key", std::string(account.at("password").as_string()));
    request.body = json::serialize(json::object{{"subdomain", account.at("subdomain")}, {"txt", txt}});
    return world.send(std::move(request));
  }
  std::vector<std::string> served(json::value const& account) {
    auto const zone = world.store->published().copy()->zone(dns::Name::parse("acme.example.org").value());
    auto const entry = zone->find(dns::Name::parse(std::string(account.at("fulldomain").as_string())).value());
    return entry == nullptr || entry->rrsets.empty() ? std::vector<std::string>() : entry->rrsets.front().contents;
  }
  static std::string value(int number) { return std::to_string(100 + number) + std::string(40, 'x'); }

  World world;
  std::string token;
};

TEST_F(AcmeDns, MoreThanTwoValuesAreServedAndTheOldestGoes) {
  json::value const account = enroll();
  EXPECT_GE(account.at("subdomain").as_string().size(), 26U) << "128 bits and more";
  for (int i = 0; i < 3; ++i) {
    ++world.now_ms;
    EXPECT_EQ(update(account, value(i)).status, 200);
  }
  EXPECT_EQ(served(account).size(), 3U);
  for (int i = 3; i < 20; ++i) {
    ++world.now_ms;
    EXPECT_EQ(update(account, value(i)).status, 200);
  }
  auto const values = served(account);
  EXPECT_EQ(values.size(), acme_values_max);
  EXPECT_EQ(std::count(values.begin(), values.end(), "\"" + value(0) + "\""), 0);
  EXPECT_EQ(std::count(values.begin(), values.end(), "\"" + value(19) + "\""), 1);
  EXPECT_EQ(world.send("DELETE", "/v1/tenants/acme-tv").status, 204);
  EXPECT_TRUE(served(account).empty()) << "nothing is left of a tenant that left";
  EXPECT_EQ(update(account, value(1)).status, 401);
}

// Each is a commit at every site and a row of a log that keeps 400 days.
TEST_F(AcmeDns, ATenantsValuesComeAtABoundedRate) {
  json::value const account = enroll();
  int taken = 0;
  net::HttpResponse last;
  for (int i = 0; i < 60; ++i) {
    last = update(account, value(i));
    taken += last.status == 200 ? 1 : 0;
  }
  EXPECT_GE(taken, 50);
  EXPECT_LT(taken, 60);
  EXPECT_EQ(last.status, 429);
  EXPECT_NE(last.headers.get("Retry-After"), "");
}

TEST_F(AcmeDns, WhoMayNotIsRefused) {
  json::value const account = enroll(R"({"allowfrom":["203.0.113.0/24","2001:db8::/32"]})");
  EXPECT_EQ(update(account, value(1), "203.0.113.77:9").status, 200);
  EXPECT_EQ(update(account, value(1), "[2001:db8::7]:9").status, 200);
  EXPECT_EQ(update(account, value(1), "203.0.114.1:9").status, 401);
  EXPECT_EQ(update(account, "short").status, 400);
  EXPECT_EQ(update(account, std::string(42, 'a') + "!").status, 400);
  json::value other = account;
  other.as_object()["password"] = "wrong";
  EXPECT_EQ(update(other, value(1)).status, 401);
  other = account;
  other.as_object()["subdomain"] = enroll().at("subdomain");
  EXPECT_EQ(update(other, value(1)).status, 401) << "another name's";
  EXPECT_EQ(world.as(token, "POST", "/register", R"({"allowfrom":["nonsense"]})").status, 400);
  EXPECT_EQ(world.as(token, "POST", "/register", "{").status, 400);
  EXPECT_EQ(world.as(world.token_of("acme-tv", R"({"actions":["read"]})").first, "POST", "/register").status, 401);
  EXPECT_EQ(world.send("POST", "/register").status, 401) << "a name belongs to a tenant";
}

TEST_F(AcmeDns, AValueIsOfAnAccountThatIsStillThere) {
  json::value const given = enroll();
  auto const found =
      test::run_task(world.loop, find_acme_account(*world.store, std::string(given.at("username").as_string()),
                                                   std::string(given.at("password").as_string())));
  ASSERT_TRUE(found.value().has_value());
  AcmeAccount const account = **found;
  auto const set = [&] {
    return test::run_task(world.loop, set_acme_value(*world.store, account, value(1), "acme.example.org.", 1));
  };
  // Between the look at the account and the write.
  ASSERT_EQ(world.send("PATCH", "/v1/tenants/acme-tv", R"({"state":"suspended"})").status, 200);
  EXPECT_EQ(set().error().code, store::errc::not_found);
  ASSERT_EQ(world.send("DELETE", "/v1/tenants/acme-tv").status, 204);
  EXPECT_EQ(set().error().code, store::errc::not_found);
  EXPECT_TRUE(served(given).empty());
}

TEST_F(AcmeDns, ASuspendedTenantGetsNoNames) {
  ASSERT_EQ(world.send("PATCH", "/v1/tenants/acme-tv", R"({"state":"suspended"})").status, 200);
  EXPECT_EQ(world.as(token, "POST", "/register").status, 422);
  ASSERT_EQ(world.send("PATCH", "/v1/tenants/acme-tv", R"({"state":"active"})").status, 200);
  EXPECT_EQ(world.as(token, "POST", "/register").status, 201);
}

TEST_F(AcmeDns, TheChallengeZonesSerialRisesWhenATenantsValuesGo) {
  json::value const account = enroll();
  ASSERT_EQ(update(account, value(1)).status, 200);
  auto const serial = [this] {
    return world.store->published().copy()->zone(dns::Name::parse("acme.example.org").value())->serial;
  };
  auto const before = serial();
  ASSERT_EQ(world.send("DELETE", "/v1/tenants/acme-tv").status, 204);
  EXPECT_GT(serial(), before) << "secondaries ask by it";
}

TEST_F(AcmeDns, BehindAReplicaTheClientsAddressCounts) {
  json::value const account = enroll(R"({"allowfrom":["203.0.113.0/24"]})");
  auto const passed_on = [&](std::string const& certificate, std::string const& client) {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/update";
    request.peer.address = "198.51.100.50:7000";
    request.peer.certificate_name = certificate;
    request.headers.set("X-Api-User", std::string(account.at("username").as_string()));
    request.headers.set("X-Api-Key", std::string(account.at("password").as_string()));
    request.headers.set("navigator-client", client);
    request.body = json::serialize(json::object{{"subdomain", account.at("subdomain")}, {"txt", value(1)}});
    return world.send(std::move(request)).status;
  };
  EXPECT_EQ(passed_on("admin.internal", "203.0.113.9"), 200);
  EXPECT_EQ(passed_on("admin.internal", "203.0.114.9"), 401);
  EXPECT_EQ(passed_on("admin.internal", "nonsense"), 401);
  EXPECT_EQ(passed_on("other.internal", "203.0.113.9"), 401) << "anybody could say so";
  EXPECT_EQ(passed_on("", "203.0.113.9"), 401);
  EXPECT_THAT(world.send("GET", "/v1/audit").body, testing::HasSubstr("203.0.113.9"));
}

TEST_F(AcmeDns, BehindAReplicaEachAccountIsItsOwnActor) {
  json::value const account = enroll();
  json::value const other = enroll();
  auto const passed_on = [&](json::value const& who, std::string const& key) {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/update";
    request.peer.address = "198.51.100.50:7000";
    request.peer.certificate_name = "admin.internal";
    request.headers.set("X-Api-User", std::string(who.at("username").as_string()));
    request.headers.set("X-Api-Key", key.empty() ? std::string(who.at("password").as_string()) : key);
    request.headers.set("Navigator-Client", "203.0.113.9");
    request.headers.set("Idempotency-Key", "k1");
    request.body = json::serialize(json::object{{"subdomain", who.at("subdomain")}, {"txt", value(1)}});
    return world.send(std::move(request));
  };
  EXPECT_EQ(passed_on(account, "").status, 200);
  net::HttpResponse const repeat = passed_on(account, "wrong");
  EXPECT_EQ(repeat.status, 401) << "a stranger gets no kept answer";
  EXPECT_EQ(passed_on(other, "").status, 200) << "its keys are no matter of the first's";
  std::string const log = world.send("GET", "/v1/audit").body;
  EXPECT_THAT(log, testing::HasSubstr("acme-dns:" + std::string(account.at("username").as_string())));
  EXPECT_THAT(log, testing::Not(testing::HasSubstr("certificate:admin.internal")));
  EXPECT_THAT(log, testing::Not(testing::HasSubstr(R"("status":401)"))) << "what is refused fills no log";
}

TEST_F(AcmeDns, NetworksAreComparedByTheirBits) {
  EXPECT_TRUE(is_network("192.0.2.1"));
  EXPECT_TRUE(is_network("2001:db8::/32"));
  for (char const* const bad : {"", "192.0.2.1/33", "192.0.2/24", "x", "192.0.2.1/", "192.0.2.0/24/8"}) {
    EXPECT_FALSE(is_network(bad)) << bad;
  }
  EXPECT_TRUE(allows_from({}, "whoever"));
  EXPECT_FALSE(allows_from({"0.0.0.0/0"}, "whoever"));
  EXPECT_TRUE(allows_from({"192.0.2.128/25"}, "192.0.2.200:1"));
  EXPECT_FALSE(allows_from({"192.0.2.128/25"}, "192.0.2.100:1"));
  EXPECT_TRUE(allows_from({"192.0.2.0/24"}, "[::ffff:192.0.2.9]:1"));
}

TEST_F(AcmeDns, RegistrationsAreListedAndDeletedAndTheirNamesNeverGivenOutAgain) {
  test::Described described;
  json::value const first = enroll(R"({"allowfrom":["203.0.113.0/24"]})");
  json::value const second = enroll();
  ASSERT_EQ(update(first, value(1)).status, 200);
  ASSERT_EQ(update(first, value(2)).status, 200);
  ASSERT_EQ(update(second, value(3)).status, 200);
  std::string const all = "/v1/tenants/acme-tv/registrations";
  std::string const reader = world.token_of("acme-tv", R"({"actions":["read"]})").first;
  auto const listed = world.as(reader, "GET", all);
  ASSERT_EQ(listed.status, 200) << listed.body;
  json::value const list = json::parse(listed.body);
  described.expect_form(list, "Registrations");
  described.expect_first(list, "registrations", "Registration");
  ASSERT_EQ(list.at("registrations").as_array().size(), 2U);
  for (json::value const& one : list.at("registrations").as_array()) {
    bool const is_first = one.at("subdomain") == first.at("subdomain");
    EXPECT_EQ(one.at("values"), is_first ? 2 : 1);
    EXPECT_EQ(one.at("allowfrom").as_array().size(), is_first ? 1U : 0U);
    EXPECT_EQ(one.at("fulldomain"), (is_first ? first : second).at("fulldomain"));
  }
  EXPECT_EQ(listed.body.find(first.at("password").as_string()), std::string::npos);
  auto const page = json::parse(world.send("GET", all + "?limit=1").body);
  EXPECT_EQ(page.at("registrations").as_array().size(), 1U);
  EXPECT_EQ(json::parse(world.send("GET", all + "?limit=1&cursor=" + std::string(page.at("next").as_string())).body)
                .at("registrations")
                .as_array()
                .size(),
            1U);
  // Who may not, and what is not there.
  std::string const one = all + "/" + std::string(first.at("subdomain").as_string());
  EXPECT_EQ(world.as(reader, "DELETE", one).status, 403);
  EXPECT_EQ(world.as(token, "GET", all).status, 403);
  EXPECT_EQ(world.as(token, "DELETE", all + "/none").status, 404);
  net::Headers stale;
  stale.set("If-Match", "\"1\"");
  EXPECT_EQ(world.as(token, "DELETE", one, {}, stale).status, 412);
  ASSERT_EQ(served(first).size(), 2U);
  // Gone: values, account, row; the name is remembered.
  EXPECT_EQ(world.as(token, "DELETE", one).status, 204);
  EXPECT_TRUE(served(first).empty());
  EXPECT_EQ(served(second).size(), 1U);
  EXPECT_EQ(update(first, value(4)).status, 401);
  EXPECT_EQ(world.as(token, "DELETE", one).status, 404);
  EXPECT_EQ(json::parse(world.send("GET", all).body).at("registrations").as_array().size(), 1U);
  std::function<base::Result<database::Rows>(database::Database&)> const look = [&](database::Database& database) {
    return database.query("SELECT tenant_id FROM slug WHERE slug = ?",
                          {std::string(first.at("subdomain").as_string())});
  };
  EXPECT_EQ(test::run_task(world.loop, world.store->thread().run<database::Rows>(look))->size(), 1U)
      << "never given out again";
  // An administrator may too.
  EXPECT_EQ(world.send("DELETE", all + "/" + std::string(second.at("subdomain").as_string())).status, 204);
}

TEST_F(AcmeDns, ADaysRegistrationsAndDomainsAreBounded) {
  world.tenants.policy.claims_per_day = 3;
  json::value const first = enroll();
  EXPECT_EQ(world.send("POST", "/v1/tenants/acme-tv/domains", R"({"name":"www.customer.example"})").status, 201);
  world.now_ms += 1000;
  enroll();
  EXPECT_EQ(world.send("DELETE", "/v1/tenants/acme-tv/registrations/" + std::string(first.at("subdomain").as_string()))
                .status,
            204);
  auto const refused = world.as(token, "POST", "/register");
  EXPECT_EQ(refused.status, 429) << "what is given back was given out all the same";
  EXPECT_EQ(refused.headers.get("Retry-After"), std::to_string(24 * 3600 - 1));
  EXPECT_EQ(refused.body, "{\"error\":\"too_many_requests\"}\n");
  auto const claim = world.send("POST", "/v1/tenants/acme-tv/domains", R"({"name":"shop.customer.example"})");
  EXPECT_EQ(claim.status, 429) << claim.body;
  EXPECT_EQ(claim.headers.get("Retry-After"), std::to_string(24 * 3600 - 1));
  EXPECT_EQ(world.send("POST", "/v1/tenants/acme-tv/domains", R"({"name":"www.customer.example"})").status, 201)
      << "what it has is no new one";
  world.add_tenant("beta-tv");
  EXPECT_EQ(world.send("POST", "/v1/tenants/beta-tv/domains", R"({"name":"shop.customer.example"})").status, 201);
  world.now_ms += 24LL * 3600 * 1000 - 1000;
  EXPECT_EQ(world.as(token, "POST", "/register").status, 201);
  world.tenants.policy.claims_per_day = 0;
  EXPECT_EQ(world.as(token, "POST", "/register").status, 201) << "0: any number";
}

}  // namespace
}  // namespace api
