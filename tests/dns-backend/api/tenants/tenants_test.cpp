#include "dns-backend/api/tenants/tenants.hpp"

#include "dns-backend/api/tenants/routes.hpp"
#include "tests/dns-backend/api/tenants/world.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

namespace api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class TenantsApi : public testing::Test {
 protected:
  json::value ok(net::HttpResponse const& response, int status = 200) {
    EXPECT_EQ(response.status, status) << response.body;
    return json::parse(response.body);
  }
  // Fields of a 422; every one of its problems has a hint.
  std::vector<std::string> wrong(net::HttpResponse const& response) {
    EXPECT_EQ(response.status, 422) << response.body;
    EXPECT_EQ(response.headers.get("Content-Type"), "application/problem+json");
    std::vector<std::string> out;
    json::value const body = json::parse(response.body);
    for (auto const& one : body.at("errors").as_array()) {
      out.emplace_back(one.at("field").as_string());
    }
    return out;
  }
  net::Headers header(std::string name, std::string value) {
    net::Headers headers;
    headers.set(std::move(name), std::move(value));
    return headers;
  }

  World world;
};

TEST_F(TenantsApi, ATenantLivesFromPostToDelete) {
  auto const made =
      world.send("POST", "/v1/tenants",
                 R"({"label":"Acme-TV","zone":"example.org","plan":"gold","primary":"ams","backups":["fra"]})");
  EXPECT_EQ(ok(made, 201).at("name"), "acme-tv.example.org.");
  EXPECT_EQ(ok(world.send("GET", "/v1/tenants")).at("tenants").as_array().size(), 1U);
  EXPECT_EQ(ok(world.send("GET", "/v1/tenants/acme-tv")).at("backups"), json::array{"fra"});
  EXPECT_EQ(world.send("POST", "/v1/tenants", R"({"label":"acme-tv","zone":"example.org","plan":"a","primary":"ams"})")
                .status,
            409);
  EXPECT_EQ(world.send("DELETE", "/v1/tenants/acme-tv").status, 204);
  EXPECT_EQ(world.send("GET", "/v1/tenants/acme-tv").status, 404);
  EXPECT_EQ(world.send("DELETE", "/v1/tenants/acme-tv").status, 404);
}

TEST_F(TenantsApi, AWrongTenantIsReportedByField) {
  EXPECT_THAT(wrong(world.send("POST", "/v1/tenants",
                               R"({"label":"Not A Label","zone":"nowhere.org","plan":"gold","primary":"xxx",)"
                               R"("backups":["ams","ams"],"x":1})")),
              UnorderedElementsAre("label", "zone", "primary", "backups[1]", "x"));
}

TEST_F(TenantsApi, BadLabelsAreRefusedWithFieldAndHintAndNothingIsStored) {
  for (std::string const label : {"a\\\\.b", "\\\\097dmin", "*", "*.x", "аdmin", "арі", "ápi", "www", "ns1", "edge-1",
                                  "a_b", "ab--c", "-a", "xn--a", "ａｐｉ", "a.b", "ams"}) {
    auto const answer = world.send("POST", "/v1/tenants",
                                   R"({"label":")" + label + R"(","zone":"example.org","plan":"a","primary":"ams"})");
    EXPECT_EQ(answer.status, 422) << label << answer.body;
    if (label == "ams") {
      continue;  // the store knows the clusters
    }
    EXPECT_THAT(wrong(answer), ElementsAre("label")) << label;
    EXPECT_NE(json::parse(answer.body).at("errors").at(0).at("hint"), "") << label;
  }
  std::string const longer(64, 'a');
  EXPECT_THAT(wrong(world.send("POST", "/v1/tenants",
                               R"({"label":")" + longer + R"(","zone":"example.org","plan":"a","primary":"ams"})")),
              ElementsAre("label"));
  std::string deep = "{\"label\":";
  for (int i = 0; i < 100; ++i) {
    deep += "[";
  }
  auto const nested = world.send("POST", "/v1/tenants", deep + std::string(100, ']') + "}");
  EXPECT_EQ(nested.status, 422);
  EXPECT_THAT(nested.body, HasSubstr("nested too deeply"));
  EXPECT_EQ(ok(world.send("GET", "/v1/tenants")).at("tenants").as_array().size(), 0U);
}

TEST_F(TenantsApi, RenamedWithAnOverlapAndBothLabelsAnswer) {
  world.add_tenant("acme-tv");
  auto const renamed = ok(world.send("PATCH", "/v1/tenants/acme-tv", R"({"label":"acme-video","overlap_ms":60000})"));
  EXPECT_EQ(renamed.at("name"), "acme-video.example.org.");
  EXPECT_EQ(renamed.at("former").at(0).at("label"), "acme-tv");
  EXPECT_EQ(renamed.at("former").at(0).at("until_ms"), world.now_ms + 60000);
  auto const zone = world.store->published().copy()->zone(dns::Name::parse("example.org").value());
  for (char const* const name : {"acme-tv.example.org", "*.acme-video.example.org"}) {
    auto const entry = zone->find(dns::Name::parse(name).value());
    EXPECT_TRUE(entry != nullptr && entry->balancer != nullptr) << name;
  }
  EXPECT_EQ(world.send("GET", "/v1/tenants/acme-tv").status, 404);
  auto const status = ok(world.send("GET", "/v1/tenants/acme-video/status"));
  EXPECT_EQ(status.at("everywhere"), false);
  EXPECT_EQ(status.at("pending").as_array().size(), 3U);
  EXPECT_THAT(wrong(world.send("PATCH", "/v1/tenants/acme-video", R"({"overlap_ms":1})")), ElementsAre("overlap_ms"));
  EXPECT_THAT(wrong(world.send("PATCH", "/v1/tenants/acme-video", R"({"state":"odd","primary":"nowhere","y":1})")),
              UnorderedElementsAre("state", "primary", "y"));
}

TEST_F(TenantsApi, AnETagHoldsAChangeAgainstWhatItsCallerSaw) {
  world.add_tenant("acme-tv");
  std::string const token = world.token_of("acme-tv").first;
  std::string const record = "/v1/tenants/acme-tv/records/mail/A";
  auto const first = world.as(token, "PUT", record, R"({"contents":["192.0.2.1"]})");
  std::string const tag(first.headers.get("ETag"));
  ASSERT_FALSE(tag.empty());
  std::string const read(world.as(token, "GET", "/v1/tenants/acme-tv").headers.get("ETag"));
  EXPECT_TRUE(read.starts_with(tag.substr(0, tag.size() - 1) + "-")) << read << " begins with the revision";
  EXPECT_EQ(world.as(token, "PUT", record, R"({"contents":["192.0.2.2"]})", header("If-Match", read)).status, 200);
  auto const late = world.as(token, "PUT", record, R"({"contents":["192.0.2.3"]})", header("If-Match", tag));
  EXPECT_EQ(late.status, 412) << late.body;
  EXPECT_EQ(world.as(token, "DELETE", record, "", header("If-Match", "\"nonsense\"")).status, 412);
  EXPECT_EQ(ok(world.as(token, "GET", record)).at("contents"), json::array{"192.0.2.2"});
}

TEST_F(TenantsApi, EverywhereIsWhatEverySiteHasOfAllThatIsTheTenants) {
  store::Revision everybodys = 0;
  world.tenants.is_everywhere = [&everybodys](store::Revision revision) { return revision <= everybodys; };
  world.add_tenant("acme-tv");
  auto const everywhere = [this] { return ok(world.send("GET", "/v1/tenants/acme-tv/status")).at("everywhere"); };
  store::Body apply = [](store::Write const& write) {
    return write.run("INSERT INTO tenant_applied (tenant_id, label, revision, at_ms) VALUES (1, 'acme-tv', 0, 0)", {});
  };
  test::run_task(world.loop, world.store->write(std::move(apply))).value();
  EXPECT_EQ(everywhere(), false);
  everybodys = world.store->revision();
  EXPECT_EQ(everywhere(), true);
  // The label is where it was; a record is not yet.
  ASSERT_EQ(world.send("PUT", "/v1/tenants/acme-tv/records/mail/A", R"({"contents":["192.0.2.1"]})").status, 200);
  EXPECT_EQ(everywhere(), false);
  everybodys = world.store->revision();
  EXPECT_EQ(everywhere(), true);
}

TEST_F(TenantsApi, TheSameRequestWithItsKeyGetsTheSameAnswerForADay) {
  std::string const body = R"({"label":"acme-tv","zone":"example.org","plan":"a","primary":"ams"})";
  auto const post = [&](std::string const& text) {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/v1/tenants";
    request.body = text;
    request.peer.is_unix = true;
    request.headers.set("Idempotency-Key", "k1");
    return world.send(std::move(request));
  };
  auto const first = post(body);
  ASSERT_EQ(first.status, 201);
  auto const again = post(body);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.headers.get("ETag"), first.headers.get("ETag"));
  EXPECT_EQ(again.headers.get("Idempotency-Replayed"), "true");
  EXPECT_EQ(post(R"({"label":"other-tv","zone":"example.org","plan":"a","primary":"ams"})").status, 422);
  world.now_ms += 24LL * 3600 * 1000 + 1;
  EXPECT_EQ(post(body).status, 409) << "after a day it is a new request";
}

TEST_F(TenantsApi, ASecretIsShownOnceAndNeverKept) {
  world.add_tenant("acme-tv");
  net::HttpRequest request;
  request.method = "POST";
  request.target = "/v1/tenants/acme-tv/tokens";
  request.body = "{}";
  request.peer.is_unix = true;
  request.headers.set("Idempotency-Key", "k1");
  auto const first = ok(world.send(request), 201);
  auto const second = ok(world.send(request), 201);
  EXPECT_NE(first.at("token"), second.at("token"));
  std::function<base::Result<database::Rows>(database::Database&)> const look = [](database::Database& database) {
    return database.query(
        "SELECT hash FROM token UNION ALL SELECT body FROM kept_answer UNION ALL SELECT detail FROM audit");
  };
  std::string const secret(first.at("token").as_string());
  for (auto const& row : test::run_task(world.loop, world.store->thread().run<database::Rows>(look)).value()) {
    EXPECT_EQ(database::text(row[0]).find(secret), std::string::npos);
  }
}

// Every quota of a plan, when a tenant shall move to it.
TEST(TenantPlans, ASmallerPlanIsRefusedWithEveryQuotaThatIsExceeded) {
  tenants::Plan gold{"gold"};
  tenants::Plan small{"small", 0, 1, 1, 1, {}, 1, 1};
  World world({{gold, small}, 24LL * 3600 * 1000, "acme.example.org."});
  std::string const tenant = "/v1/tenants/acme-tv";
  ASSERT_EQ(world
                .send("POST", "/v1/tenants",
                      R"({"label":"acme-tv","zone":"example.org","plan":"gold","primary":"ams","backups":["fra"]})")
                .status,
            201);
  auto const move = [&world, &tenant](std::string const& more = {}) {
    return world.send("PATCH", tenant, R"({"plan":"small")" + more + "}");
  };
  EXPECT_EQ(move().status, 422) << "a backup cluster";
  ASSERT_EQ(world.send("PATCH", tenant, R"({"backups":[]})").status, 200);
  std::string const token = world.token_of("acme-tv").first;
  auto const [second, id] = world.token_of("acme-tv");
  for (char const* const name : {"a", "b", "c"}) {
    ASSERT_EQ(world.send("PUT", tenant + "/records/" + name + "/A", R"({"contents":["192.0.2.9"]})").status, 200);
  }
  for (char const* const name : {"www.customer.example", "shop.customer.example"}) {
    ASSERT_EQ(world.send("POST", tenant + "/domains", std::string(R"({"name":")") + name + R"("})").status, 201);
  }
  std::vector<std::string> registrations;
  for (int i = 0; i < 2; ++i) {
    auto const made = world.as(token, "POST", "/register");
    ASSERT_EQ(made.status, 201);
    registrations.emplace_back(json::parse(made.body).at("subdomain").as_string());
  }
  for (char const* const name : {"one", "two"}) {
    ASSERT_EQ(world
                  .send("PUT", tenant + "/pools/" + name,
                        R"({"origins":[{"address":"203.0.113.1"},{"address":"203.0.113.2"}],"names":[")" +
                            std::string(name) + R"("]})")
                  .status,
              201);
  }
  auto const refused = move(R"(,"label":"beta-tv")");
  ASSERT_EQ(refused.status, 422) << refused.body;
  std::vector<std::string> messages;
  json::value const problem = json::parse(refused.body);
  for (json::value const& error : problem.at("errors").as_array()) {
    EXPECT_EQ(error.at("field"), "plan");
    EXPECT_FALSE(error.at("hint").as_string().empty());
    messages.emplace_back(error.at("message").as_string());
  }
  EXPECT_THAT(messages, ElementsAre(HasSubstr("1 RRsets at most, and there are 3"), HasSubstr("1 domains at most"),
                                    HasSubstr("1 registrations"), HasSubstr("1 tokens at most, and there are 2"),
                                    HasSubstr("1 origins in a pool"), HasSubstr("1 origins in a pool"),
                                    HasSubstr("1 pools at most, and there are 2")));
  json::value const still = json::parse(world.send("GET", tenant).body);
  EXPECT_EQ(still.at("plan"), "gold") << "nothing was changed, the label neither";
  // Room is made, one quota after the other.
  for (std::string const& target :
       {tenant + "/records/a/A", tenant + "/records/b/A", tenant + "/domains/shop.customer.example",
        tenant + "/registrations/" + registrations[0], tenant + "/tokens/" + id, tenant + "/pools/two"}) {
    EXPECT_EQ(move().status, 422) << target;
    EXPECT_EQ(world.send("DELETE", target).status, 204) << target;
  }
  ASSERT_EQ(
      world.send("PUT", tenant + "/pools/one", R"({"origins":[{"address":"203.0.113.1"}],"names":["one"]})").status,
      200);
  EXPECT_EQ(move().status, 200) << move().body;
}

TEST_F(TenantsApi, ListsComeInPages) {
  for (char const* const label : {"a-tv", "b-tv", "c-tv"}) {
    world.add_tenant(label);
  }
  auto const first = ok(world.send("GET", "/v1/tenants?limit=2"));
  EXPECT_EQ(first.at("tenants").as_array().size(), 2U);
  auto const rest = ok(world.send("GET", "/v1/tenants?limit=2&cursor=" + std::string(first.at("next").as_string())));
  EXPECT_EQ(rest.at("tenants").at(0).at("label"), "c-tv");
  EXPECT_FALSE(rest.as_object().contains("next"));
  auto const zones = ok(world.send("GET", "/v1/zones?limit=1"));
  EXPECT_EQ(zones.at("zones").at(0).at("name"), "acme.example.org.");
  EXPECT_EQ(ok(world.send("GET", "/v1/zones?limit=1&cursor=" + std::string(zones.at("next").as_string())))
                .at("zones")
                .at(0)
                .at("name"),
            "example.org.");
  auto const pools = ok(world.send("GET", "/v1/pools?limit=1"));
  EXPECT_EQ(pools.at("pools").as_array().size(), 1U);
  EXPECT_EQ(pools.at("next"), "ams");
  for (char const* const list : {"tenants", "zones", "pools", "tenants/a-tv/certificates", "tenants/a-tv/domains"}) {
    EXPECT_THAT(wrong(world.send("GET", "/v1/" + std::string(list) + "?limit=0")), ElementsAre("limit")) << list;
  }
  EXPECT_THAT(wrong(world.send("GET", "/v1/audit?cursor=x")), ElementsAre("cursor"));
  std::size_t seen = 0;
  std::string cursor;
  do {
    auto const page = ok(world.send("GET", "/v1/audit?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor)));
    seen += page.at("entries").as_array().size();
    cursor = page.as_object().contains("next") ? std::string(page.at("next").as_string()) : "";
  } while (!cursor.empty());
  EXPECT_EQ(seen, 5U) << "two imports and three tenants";
}

TEST_F(TenantsApi, ATokenReachesAsFarAsItsScope) {
  world.add_tenant("acme-tv");
  std::string const narrow =
      world.token_of("acme-tv", R"({"actions":["records"],"names":["_acme-challenge.*"],"types":["TXT"]})").first;
  std::string const records = "/v1/tenants/acme-tv/records/";
  auto const put = [&](std::string const& where, std::string const& content) {
    return world.as(narrow, "PUT", records + where, json::serialize(json::object{{"contents", json::array{content}}}))
        .status;
  };
  EXPECT_EQ(put("_acme-challenge.www/TXT", "\"x\""), 200);
  EXPECT_EQ(put("www/TXT", "\"x\""), 403);
  EXPECT_EQ(put("_acme-challenge.www/A", "192.0.2.1"), 403);
  EXPECT_EQ(world.as(narrow, "GET", "/v1/tenants/acme-tv").status, 403);
  EXPECT_EQ(world.as(narrow, "POST", "/v1/tenants/acme-tv/tokens", "{}").status, 403);
  std::string const maker = world.token_of("acme-tv", R"({"actions":["tokens","read"],"expires_in_s":3600})").first;
  EXPECT_THAT(wrong(world.as(maker, "POST", "/v1/tenants/acme-tv/tokens", R"({"actions":["records"]})")),
              UnorderedElementsAre("actions", "expires_in_s"));
  EXPECT_EQ(world.as(maker, "POST", "/v1/tenants/acme-tv/tokens", R"({"actions":["read"],"expires_in_s":60})").status,
            201);
  EXPECT_THAT(
      wrong(world.as(world.token_of("acme-tv").first, "POST", "/v1/tenants/acme-tv/tokens", R"({"admin":true})")),
      ElementsAre("admin"));
}

TEST_F(TenantsApi, ATokenOfRecordsHasNoDomainsAndNoCertificates) {
  world.add_tenant("acme-tv");
  std::string const domains = "/v1/tenants/acme-tv/domains";
  ASSERT_EQ(world.send("POST", domains, R"({"name":"www.customer.example"})").status, 201);
  std::string const records = world.token_of("acme-tv", R"({"zones":["example.org"],"types":["TXT"]})").first;
  EXPECT_EQ(world.as(records, "PUT", "/v1/tenants/acme-tv/records/a/TXT", R"({"contents":["\"x\""]})").status, 200);
  std::string const one = domains + "/www.customer.example";
  EXPECT_EQ(world.as(records, "DELETE", one).status, 403);
  EXPECT_EQ(world.as(records, "POST", one + "/verify").status, 403);
  EXPECT_EQ(world.as(records, "POST", domains, R"({"name":"shop.customer.example"})").status, 403);
  for (char const* const method : {"PUT", "DELETE"}) {
    EXPECT_EQ(world.as(records, method, "/v1/tenants/acme-tv/certificates/www.customer.example", "{}").status, 403);
  }
  EXPECT_EQ(world.as(records, "POST", "/register").status, 401);
  EXPECT_EQ(world.as(records, "POST", "/v1/tenants/acme-tv/tokens", "{}").status, 403);
  EXPECT_EQ(world.send("GET", one).status, 200);
  std::string const named = world.token_of("acme-tv", R"({"actions":["domains"],"zones":["example.org"]})").first;
  EXPECT_EQ(world.as(named, "DELETE", one).status, 204);
}

TEST_F(TenantsApi, ATokensNamesHoldForDomainsCertificatesAndRegistrations) {
  world.add_tenant("acme-tv");
  world.tenants.certificates = [](std::int64_t tenant_id) {
    EXPECT_EQ(tenant_id, 1);
    return json::array{json::object{{"name", "shop.customer.example"}}, json::object{{"name", "www.customer.example"}}};
  };
  world.tenants.verify = [](std::int64_t) -> net::Task<base::Result<domains::Verdict>> {
    co_return domains::Verdict{"ok", "", ""};
  };
  std::string const tenant = "/v1/tenants/acme-tv";
  for (char const* const body : {R"({"name":"shop.customer.example"})", R"({"name":"www.customer.example"})"}) {
    ASSERT_EQ(world.send("POST", tenant + "/domains", body).status, 201);
  }
  std::string const all = world.token_of("acme-tv").first;
  json::value const account = json::parse(world.as(all, "POST", "/register").body);
  std::string const registration = tenant + "/registrations/" + std::string(account.at("subdomain").as_string());
  std::string const narrow =
      world.token_of("acme-tv", R"({"actions":["read","domains","acme"],"names":["shop.*"]})").first;
  auto const listed = [&](std::string const& what) {
    std::vector<std::string> names;
    json::value const body = json::parse(world.as(narrow, "GET", tenant + "/" + what).body);
    for (json::value const& one : body.at(what == "status" ? "certificates" : what).as_array()) {
      names.emplace_back(one.at(what == "registrations" ? "subdomain" : "name").as_string());
    }
    return names;
  };
  EXPECT_THAT(listed("domains"), ElementsAre("shop.customer.example"));
  EXPECT_THAT(listed("certificates"), ElementsAre("shop.customer.example"));
  EXPECT_THAT(listed("status"), ElementsAre("shop.customer.example"));
  EXPECT_THAT(listed("registrations"), ElementsAre());
  EXPECT_EQ(world.as(narrow, "GET", tenant + "/domains/shop.customer.example").status, 200);
  EXPECT_EQ(world.as(narrow, "GET", tenant + "/domains/www.customer.example").status, 403);
  EXPECT_EQ(world.as(narrow, "POST", tenant + "/domains/shop.customer.example/verify").status, 200);
  EXPECT_EQ(world.as(narrow, "POST", tenant + "/domains/www.customer.example/verify").status, 403);
  EXPECT_EQ(world.as(narrow, "POST", "/register").status, 401);
  EXPECT_EQ(world.as(narrow, "DELETE", registration).status, 403);
  std::string const wide = world.token_of("acme-tv", R"({"actions":["acme"],"names":["*.acme.example.org"]})").first;
  EXPECT_EQ(world.as(wide, "POST", "/register").status, 201);
  EXPECT_EQ(world.as(wide, "DELETE", registration).status, 204);
}

TEST_F(TenantsApi, ATenantsTokenChangesItsClustersAloneAndNothingWhileSuspended) {
  world.add_tenant("acme-tv");
  std::string const token = world.token_of("acme-tv").first;
  std::string const tenant = "/v1/tenants/acme-tv";
  EXPECT_EQ(ok(world.as(token, "PATCH", tenant, R"({"primary":"fra","backups":["ams"]})")).at("primary"), "fra");
  for (char const* const body : {R"({"label":"x-tv"})", R"({"state":"suspended"})", R"({"plan":"b"})"}) {
    EXPECT_EQ(world.as(token, "PATCH", tenant, body).status, 403) << body;
  }
  EXPECT_EQ(world.send("PATCH", tenant, R"({"state":"suspended"})").status, 200);
  EXPECT_EQ(world.as(token, "PATCH", tenant, R"({"primary":"ams","backups":[]})").status, 403);
  EXPECT_EQ(world.as(token, "GET", tenant).status, 200);
}

TEST_F(TenantsApi, AnAdministratorsTokenDoesWhatTheSocketDoes) {
  std::string const admin(ok(world.send("POST", "/v1/tokens", R"({"admin":true})"), 201).at("token").as_string());
  EXPECT_EQ(world.as(admin, "GET", "/v1/zones").status, 200);
  EXPECT_EQ(world.as(admin, "GET", "/v1/tenants").status, 200);
  EXPECT_THAT(wrong(world.send("POST", "/v1/tokens", "{}")), ElementsAre("admin"));
  auto const log = ok(world.send("GET", "/v1/audit?limit=1"));
  EXPECT_EQ(log.at("entries").at(0).at("status"), 422);
  EXPECT_EQ(log.at("entries").at(0).at("actor"), "unix");
}

TEST_F(TenantsApi, TheAuditLogCannotBeChangedAndGoesAfterFourHundredDays) {
  world.add_tenant("acme-tv");
  auto const attempt = [this](std::string sql) {
    std::function<base::Result<void>(database::Database&)> const work = [sql](database::Database& database) {
      auto const done = database.write([&sql](database::Transaction& transaction) -> base::Result<void> {
        auto const run = transaction.execute(sql);
        return run ? base::Result<void>() : run.error();
      });
      return done ? base::Result<void>() : base::Result<void>(done.error());
    };
    return test::run_task(world.loop, world.store->thread().run<void>(work));
  };
  // The world's clock stands in 2023: its rows are old enough to go, those of today are not.
  EXPECT_TRUE(
      attempt("INSERT INTO audit (at_ms, actor, tenant_id, source, method, target, status, request_id, detail) "
              "VALUES (unixepoch() * 1000, 'a', 0, '', '', '', 1, '', '')"));
  EXPECT_TRUE(attempt("UPDATE audit SET actor = 'nobody'").has_error());
  EXPECT_TRUE(attempt("DELETE FROM audit").has_error());
  EXPECT_TRUE(attempt("DELETE FROM audit WHERE actor <> 'a'"));
}

TEST_F(TenantsApi, AStrangerWhoIsRefusedFillsNoTable) {
  for (char const* const name : {"X-Api-User", "X-API-Key"}) {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/v1/tenants";
    request.body = "{}";
    request.peer.address = "203.0.113.9:4000";
    request.headers.set(name, "whoever");
    request.headers.set("Idempotency-Key", "k1");
    EXPECT_EQ(world.send(request).status, 403);
    EXPECT_EQ(world.send(request).headers.get("Idempotency-Replayed"), "");
  }
  auto const log = ok(world.send("GET", "/v1/audit"));
  for (auto const& entry : log.at("entries").as_array()) {
    EXPECT_EQ(entry.at("actor"), "unix");
  }
}

TEST_F(TenantsApi, TooManyRequestsAreToldHowLongToWait) {
  tokens::Rate rate({1, 2});
  auto const now = std::chrono::steady_clock::now();
  EXPECT_EQ(rate.take("a", now), 0);
  EXPECT_EQ(rate.take("a", now), 0);
  EXPECT_EQ(rate.take("a", now), 1);
  EXPECT_EQ(rate.take("b", now), 0);
  EXPECT_EQ(rate.take("a", now + std::chrono::seconds(1)), 0);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(world.as("nav_guess", "GET", "/v1/tenants").status, 401);
  }
  auto const refused = world.as("nav_guess", "GET", "/v1/tenants");
  EXPECT_EQ(refused.status, 429);
  EXPECT_NE(refused.headers.get("Retry-After"), "");
}

TEST_F(TenantsApi, QuotasOfThePlanHold) {
  World small({{{"tiny", 0, 1, 1, 1, {"ams"}}}, 0, "acme.example.org."});
  EXPECT_THAT(
      small.send("POST", "/v1/tenants", R"({"label":"x-tv","zone":"example.org","plan":"gold","primary":"ams"})").body,
      HasSubstr("no plan 'gold'"));
  ASSERT_EQ(small.send("POST", "/v1/tenants", R"({"label":"x-tv","zone":"example.org","plan":"tiny","primary":"ams"})")
                .status,
            201);
  EXPECT_EQ(small.send("POST", "/v1/tenants", R"({"label":"y-tv","zone":"example.org","plan":"tiny","primary":"fra"})")
                .status,
            422);
  std::string const token = small.token_of("x-tv").first;
  EXPECT_THAT(small.as(token, "POST", "/v1/tenants/x-tv/tokens", "{}").body, HasSubstr("1 tokens at most"));
  EXPECT_EQ(small.as(token, "PUT", "/v1/tenants/x-tv/records/a/TXT", R"({"contents":["\"1\""]})").status, 200);
  EXPECT_THAT(small.as(token, "PUT", "/v1/tenants/x-tv/records/b/TXT", R"({"contents":["\"1\""]})").body,
              HasSubstr("1 RRsets at most"));
  EXPECT_EQ(small.as(token, "POST", "/v1/tenants/x-tv/domains", R"({"name":"a.customer.example"})").status, 201);
  EXPECT_THAT(small.as(token, "POST", "/v1/tenants/x-tv/domains", R"({"name":"b.customer.example"})").body,
              HasSubstr("1 domains at most"));
}

TEST_F(TenantsApi, ADomainIsToldWhatTheChallengesInUseNeed) {
  world.add_tenant("acme-tv");
  auto const names = [&] {
    json::value const domain = json::parse(world.send("GET", "/v1/tenants/acme-tv/domains/www.customer.example").body);
    std::vector<std::string> out;
    for (json::value const& record : domain.at("records_to_set").as_array()) {
      out.emplace_back(record.at("name").as_string());
    }
    return out;
  };
  ASSERT_EQ(world.send("POST", "/v1/tenants/acme-tv/domains", R"({"name":"www.customer.example"})").status, 201);
  std::string const proof = "_navigator-challenge.www.customer.example.";
  EXPECT_THAT(names(), ElementsAre(proof, "www.customer.example.", "_acme-challenge.www.customer.example."));
  world.tenants.challenge_labels = [] {
    return std::vector<std::string>{"_validation-persist", "_abc._acme-challenge"};
  };
  EXPECT_THAT(names(), ElementsAre(proof, "www.customer.example.", "_validation-persist.www.customer.example.",
                                   "_abc._acme-challenge.www.customer.example."));
}

TEST_F(TenantsApi, BadRecordsAndDomainsAreRefusedByField) {
  world.add_tenant("acme-tv");
  std::string const token = world.token_of("acme-tv").first;
  auto const put = [&](std::string const& where, std::string const& body) {
    return world.as(token, "PUT", "/v1/tenants/acme-tv/records/" + where, body);
  };
  std::string const fine = R"({"contents":["192.0.2.1"]})";
  EXPECT_THAT(wrong(put("a%5C.b/A", fine)), ElementsAre("name"));
  EXPECT_THAT(wrong(put("a.*.b/A", fine)), ElementsAre("name"));
  EXPECT_THAT(wrong(put("other.example.org./A", fine)), ElementsAre("name"));
  EXPECT_THAT(wrong(put(std::string(64, 'a') + "/A", fine)), ElementsAre("name"));
  EXPECT_THAT(wrong(put("a/NS", fine)), ElementsAre("type"));
  EXPECT_THAT(wrong(put("a/A", R"({"contents":["nonsense"],"ttl":-1,"z":1})")),
              UnorderedElementsAre("contents[0]", "ttl", "z"));
  EXPECT_THAT(wrong(put("a/A", R"({"contents":[]})")), ElementsAre("contents"));
  EXPECT_EQ(put("@/A", fine).status, 422) << "its address is its clusters'";
  for (std::string const name : {"*.customer.example", "customer\\\\.example", "com", "a..b", "_x.customer.example",
                                 "-a.example", "victim.example.org", "example.org", "x.acme.example.org"}) {
    auto const answer = world.as(token, "POST", "/v1/tenants/acme-tv/domains", R"({"name":")" + name + R"("})");
    EXPECT_EQ(answer.status, 422) << name << answer.body;
  }
  EXPECT_EQ(ok(world.as(token, "GET", "/v1/tenants/acme-tv/domains")).at("domains").as_array().size(), 0U);
  EXPECT_EQ(ok(world.as(token, "GET", "/v1/tenants/acme-tv/records")).at("records").as_array().size(), 0U);
}

TEST_F(TenantsApi, AChangeIsRememberedThoughItsClientHangsUp) {
  net::HttpRequest request;
  request.method = "POST";
  request.target = "/v1/tenants";
  request.body = R"({"label":"acme-tv","zone":"example.org","plan":"gold","primary":"ams"})";
  request.peer.is_unix = true;
  boost::asio::cancellation_signal hung_up;
  bool ended = false;
  world.loop.restart();
  boost::asio::co_spawn(world.loop, world.router.dispatch(std::move(request)),
                        boost::asio::bind_cancellation_slot(
                            hung_up.slot(), [&ended](std::exception_ptr, net::HttpResponse const&) { ended = true; }));
  world.loop.run_one();  // it begins, and waits for the store
  hung_up.emit(boost::asio::cancellation_type::terminal);
  auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!ended && std::chrono::steady_clock::now() < deadline) {
    world.loop.run_one_for(std::chrono::milliseconds(100));
  }
  ASSERT_TRUE(ended);
  ASSERT_EQ(world.send("GET", "/v1/tenants/acme-tv").status, 200);
  EXPECT_THAT(world.send("GET", "/v1/audit").body, HasSubstr(R"("target":"/v1/tenants","status":201)"));
}

TEST_F(TenantsApi, ARequestWithAKeyMayOutliveTheGate) {
  auto ending = std::make_unique<World>();
  net::HttpRequest request;
  request.method = "POST";
  request.target = "/v1/tenants";
  request.body = R"({"label":"acme-tv","zone":"example.org","plan":"gold","primary":"ams"})";
  request.peer.is_unix = true;
  request.headers.set("Idempotency-Key", "k");
  bool ended = false;
  ending->loop.restart();
  boost::asio::co_spawn(ending->loop, ending->router.dispatch(std::move(request)),
                        [&ended](std::exception_ptr, net::HttpResponse const&) { ended = true; });
  ending->loop.run_one();  // it begins, and waits for the store
  ending.reset();          // the loop goes last, with what waits on it
  EXPECT_FALSE(ended);
}

TEST_F(TenantsApi, TokensThatEndedLongAgoGo) {
  world.add_tenant("acme-tv");
  auto const [revoked, id] = world.token_of("acme-tv");
  auto const expired = world.token_of("acme-tv", R"({"expires_in_s":60})").second;
  auto const [kept, kept_id] = world.token_of("acme-tv");
  ASSERT_EQ(world.send("DELETE", "/v1/tenants/acme-tv/tokens/" + id).status, 204);
  test::run_task(world.loop, world.tokens.sweep(world.now_ms + tokens::Tokens::ended_kept_ms)).value();
  EXPECT_EQ(world.tokens.all().size(), 3U) << "for thirty days lists show them";
  test::run_task(world.loop, world.tokens.sweep(world.now_ms + tokens::Tokens::ended_kept_ms + 60001)).value();
  ASSERT_EQ(world.tokens.all().size(), 1U);
  EXPECT_EQ(world.tokens.by_id(id), nullptr);
  EXPECT_EQ(world.tokens.by_id(expired), nullptr);
  EXPECT_EQ(world.as(kept, "GET", "/v1/tenants/acme-tv").status, 200);
}

TEST_F(TenantsApi, ARenameTakesNoLoadBalancerOfTheOperators) {
  world.add_tenant("acme-tv");
  ASSERT_EQ(
      world.send("PUT", "/v1/load_balancers/www.beta-tv.example.org", R"({"default_pools":["ams"]})").status / 100, 2);
  auto const refused = world.send("PATCH", "/v1/tenants/acme-tv", R"({"label":"beta-tv"})");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("www.beta-tv.example.org"));
}

TEST_F(TenantsApi, ARenameOverwritesNoRecordsOfOthers) {
  world.add_tenant("acme-tv");
  ASSERT_EQ(world.send("PUT", "/v1/tenants/acme-tv/records/@/TXT", R"({"contents":["\"of the tenant\""]})").status,
            200);
  ASSERT_EQ(world
                .send("PUT", "/v1/zones/example.org/rrsets",
                      R"([{"name":"beta-tv","type":"TXT","ttl":60,"contents":["\"of the platform\""]}])")
                .status,
            200);
  EXPECT_EQ(world.send("PATCH", "/v1/tenants/acme-tv", R"({"label":"beta-tv"})").status, 422);
  EXPECT_THAT(world.send("GET", "/v1/zones/example.org/export").body, HasSubstr("of the platform"));
  // Back to a label it had, its own records are the newer ones.
  ASSERT_EQ(world.send("PATCH", "/v1/tenants/acme-tv", R"({"label":"gamma-tv"})").status, 200);
  ASSERT_EQ(world.send("PATCH", "/v1/tenants/gamma-tv", R"({"label":"acme-tv"})").status, 200);
}

}  // namespace
}  // namespace api
