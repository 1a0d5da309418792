// docs/openapi.yaml against the routes and their answers. Both directions, over everything that a daemon serves:
// tests/integration/api_description_test.py.
#include "dns-backend/api/tenants/openapi.hpp"

#include "tests/dns-backend/api/tenants/world.hpp"
#include "tests/support/described.hpp"

#include <set>

namespace api {
namespace {

class OpenApi : public testing::Test, protected test::Described {
 protected:
  void expect_answer(net::HttpResponse const& answer, int status, std::string const& schema) {
    ASSERT_EQ(answer.status, status) << answer.body;
    expect_form(json::parse(answer.body), schema);
  }
};

TEST_F(OpenApi, DescribesTheRoutes) {
  std::set<std::string> const described = routes();
  World world;
  std::vector<net::RouteName> const served = world.router.routes();
  for (net::RouteName const& route : served) {
    EXPECT_TRUE(described.contains(route.method + " " + route.pattern))
        << route.method << " " << route.pattern << " is served and not in docs/openapi.yaml";
  }
  EXPECT_GT(served.size(), 60U);
  EXPECT_GE(described.size(), served.size());
}

TEST_F(OpenApi, AnswersHaveTheFormItSays) {
  World world;
  auto const text = world.send("GET", "/v1/openapi.yaml");
  EXPECT_EQ(text.body, openapi_yaml());
  expect_answer(world.send("POST", "/v1/tenants",
                           R"({"display_name":"Acme TV","zone":"example.org","plan":"a","primary":"ams"})"),
                201, "Tenant");
  world.add_tenant("acme-tv");
  std::string const tenant = "/v1/tenants/acme-tv";
  expect_answer(world.send("GET", "/v1/tenants?limit=1"), 200, "Tenants");
  auto const routes = world.send("GET", "/v1/routes");
  expect_answer(routes, 200, "Routes");
  expect_form(json::parse(routes.body).at("routes").as_array().at(0), "RouteName");
  auto const zones = world.send("GET", "/v1/zones?limit=1");
  expect_answer(zones, 200, "Zones");
  expect_form(json::parse(zones.body).at("zones").as_array().at(0), "Zone");
  auto const renamed = world.send("PATCH", tenant, R"({"label":"beta-tv"})");
  expect_answer(renamed, 200, "Tenant");
  expect_form(json::parse(renamed.body).at("former").as_array().at(0), "FormerLabel");
  ASSERT_EQ(world.send("PATCH", "/v1/tenants/beta-tv", R"({"label":"acme-tv"})").status, 200);
  auto const status = world.send("GET", tenant + "/status");
  expect_answer(status, 200, "TenantStatus");
  expect_form(json::parse(status.body).at("pending").as_array().at(0), "Pending");
  auto const clusters = world.send("GET", tenant + "/clusters");
  expect_answer(clusters, 200, "Clusters");
  json::value const cluster = json::parse(clusters.body).at("clusters").as_array().at(0);
  expect_form(cluster, "Cluster");
  expect_form(cluster.at("endpoints").as_array().at(0), "Endpoint");
  expect_answer(world.send("GET", tenant + "/certificates"), 200, "Certificates");
  expect_answer(world.send("PUT", tenant + "/records/mail/MX", R"({"contents":["10 mx.example.net."]})"), 200,
                "Record");
  expect_answer(world.send("GET", tenant + "/records/mail/MX"), 200, "Record");
  auto const records = world.send("GET", tenant + "/records");
  expect_answer(records, 200, "Records");
  expect_form(json::parse(records.body).at("records").as_array().at(0), "Record");
  EXPECT_EQ(world.send("DELETE", tenant + "/records/mail/MX").status, 204);
  auto const domain = world.send("POST", tenant + "/domains", R"({"name":"www.customer.example"})");
  expect_answer(domain, 201, "Domain");
  expect_form(json::parse(domain.body).at("records_to_set").as_array().at(0), "RecordToSet");
  expect_answer(world.send("GET", tenant + "/domains"), 200, "Domains");
  expect_answer(world.send("GET", tenant + "/domains/www.customer.example"), 200, "Domain");
  expect_answer(world.send("POST", tenant + "/domains/www.customer.example/verify"), 503, "Problem");
  EXPECT_EQ(world.send("DELETE", tenant + "/domains/www.customer.example").status, 204);
}

TEST_F(OpenApi, AnswersAboutPoolsHaveTheFormItSays) {
  World world;
  world.add_tenant("acme-tv");
  std::string const one = "/v1/tenants/acme-tv/pools/web";
  std::string const body = R"({"origins":[{"address":"203.0.113.1"}],"names":["www"],"monitor":{"type":"https"}})";
  auto const made = world.send("PUT", one, body);
  expect_answer(made, 201, "Pool");
  json::value const pool = json::parse(made.body);
  expect_form(pool.at("origins").as_array().at(0), "Origin");
  expect_form(pool.at("monitor"), "PoolMonitor");
  expect_answer(world.send("PUT", one, body), 200, "Pool");
  expect_answer(world.send("GET", one), 200, "Pool");
  auto const listed = world.send("GET", "/v1/tenants/acme-tv/pools");
  expect_answer(listed, 200, "Pools");
  expect_form(json::parse(listed.body).at("pools").as_array().at(0), "Pool");
  expect_answer(world.send("PUT", one, R"({"origins":[]})"), 422, "Problem");
  EXPECT_EQ(world.send("DELETE", one).status, 204);
  expect_answer(world.send("GET", one), 404, "Problem");
}

TEST_F(OpenApi, AnswersAboutCertificatesHaveTheFormItSays) {
  World world;
  world.add_tenant("acme-tv");
  std::string const one = "/v1/tenants/acme-tv/certificates/www.customer.example";
  std::string const body = R"({"chain_pem":"chain","key_pem":"key","fallback_to_acme":false})";
  expect_answer(world.send("PUT", one, body), 503, "Problem");
  std::vector<BroughtCertificate> brought;
  base::Problems found;
  struct Keeper {
    static net::Task<base::Result<Taking>> take(std::string name, base::Problems wrong) {
      json::object certificate{{"tenant", "acme-tv"},      {"kind", "domain"},   {"name", name},
                               {"state", "valid"},         {"names", {name}},    {"fingerprint", "00"},
                               {"not_after_ms", 1},        {"source", "upload"}, {"revoked", false},
                               {"fallback_to_acme", false}};
      co_return Taking{std::move(wrong), std::move(certificate)};
    }
    static net::Task<base::Result<void>> drop(std::string name) {
      co_return name == "www.customer.example" ? base::Result<void>()
                                               : base::fail(store::errc::not_found, "none was brought");
    }
  };
  world.tenants.take_certificate = [&](std::int64_t, std::string name, BroughtCertificate given) {
    brought.push_back(std::move(given));
    return Keeper::take(std::move(name), found);
  };
  world.tenants.drop_certificate = [](std::int64_t, std::string name) { return Keeper::drop(std::move(name)); };
  expect_answer(world.send("PUT", one, body), 200, "Certificate");
  ASSERT_EQ(brought.size(), 1U);
  EXPECT_EQ(brought[0].key_pem, "key");
  EXPECT_FALSE(brought[0].fallback);
  expect_answer(world.send("PUT", one, R"({"chain_pem":1,"fallback_to_acme":"yes","more":1})"), 422, "Problem");
  found = {{{"request body", 0, 0}, "key_pem", "is encrypted", "decrypt it"}};
  auto const refused = world.send("PUT", one, R"({"chain_pem":"chain","key_pem":"SECRET"})");
  expect_answer(refused, 422, "Problem");
  EXPECT_EQ(json::parse(refused.body).at("errors").as_array().at(0).at("field"), "key_pem");
  EXPECT_TRUE(brought.back().fallback) << "the default";
  EXPECT_EQ(world.send("DELETE", one).status, 204);
  EXPECT_EQ(world.send("DELETE", "/v1/tenants/acme-tv/certificates/other.example").status, 404);
  EXPECT_EQ(world.send("PUT", "/v1/tenants/acme-tv/certificates/no_name", body).status, 404);
  // A token needs the action, and reaches the names of its scope.
  std::string const reader = world.token_of("acme-tv", R"({"actions":["read","records"]})").first;
  EXPECT_EQ(world.as(reader, "PUT", one, body).status, 403);
  std::string const narrow = world.token_of("acme-tv", R"({"actions":["certificates"],"names":["shop.*"]})").first;
  EXPECT_EQ(world.as(narrow, "PUT", one, body).status, 403);
  std::string const fit = world.token_of("acme-tv", R"({"actions":["certificates"],"names":["www.*"]})").first;
  found.clear();
  EXPECT_EQ(world.as(fit, "PUT", one, body).status, 200);
  for (std::string const& what : {std::string("audit"), std::string("certificates")}) {
    EXPECT_EQ(world.send("GET", "/v1/tenants/acme-tv/" + what).body.find("SECRET"), std::string::npos);
  }
}

// Refusals of certificates that only time mends.
TEST_F(OpenApi, WhatIsUnderWayOrElsewhereIsAskedAgainLater) {
  World world;
  world.add_tenant("acme-tv");
  std::string const one = "/v1/tenants/acme-tv/certificates/www.customer.example";
  std::string const body = R"({"chain_pem":"chain","key_pem":"key"})";
  struct Later {
    static net::Task<base::Result<Taking>> take(boost::system::errc::errc_t code) {
      co_return base::fail(code, "try again");
    }
    static net::Task<base::Result<void>> drop() {
      co_return base::fail(boost::system::errc::resource_unavailable_try_again, "not here");
    }
  };
  auto code = boost::system::errc::device_or_resource_busy;
  world.tenants.take_certificate = [&code](std::int64_t, std::string, BroughtCertificate) { return Later::take(code); };
  world.tenants.drop_certificate = [](std::int64_t, std::string) { return Later::drop(); };
  expect_answer(world.send("PUT", one, body), 409, "Problem");
  code = boost::system::errc::resource_unavailable_try_again;
  auto const elsewhere = world.send("PUT", one, body);
  expect_answer(elsewhere, 503, "Problem");
  EXPECT_EQ(elsewhere.headers.get("Retry-After"), "15");
  EXPECT_EQ(world.send("DELETE", one).headers.get("Retry-After"), "15");
}

TEST_F(OpenApi, AnswersAboutSignUpsHaveTheFormItSays) {
  World world;
  auto const made = world.send("POST", "/v1/invitations", R"({"label":"acme-*","uses":2,"expires_in_s":3600})");
  expect_answer(made, 201, "InvitationMade");
  json::value const invitation = json::parse(made.body);
  auto const listed = world.send("GET", "/v1/invitations");
  expect_answer(listed, 200, "Invitations");
  expect_form(json::parse(listed.body).at("invitations").as_array().at(0), "Invitation");
  expect_answer(world.send("POST", "/v1/invitations", R"({"uses":0})"), 422, "Problem");
  json::object body{{"label", "acme-tv"}, {"invitation", invitation.at("invitation")}};
  auto const signed_up = world.send("POST", "/v1/sign-up", json::serialize(body));
  expect_answer(signed_up, 201, "SignedUp");
  expect_form(json::parse(signed_up.body).at("tenant"), "Tenant");
  expect_form(json::parse(signed_up.body).at("token"), "TokenMade");
  expect_answer(world.send("POST", "/v1/sign-up", "{}"), 422, "Problem");
  body["invitation"] = "inv_none";
  expect_answer(world.send("POST", "/v1/sign-up", json::serialize(body)), 403, "Problem");
  EXPECT_EQ(world.send("DELETE", "/v1/invitations/" + std::string(invitation.at("id").as_string())).status, 204);
}

TEST_F(OpenApi, AnswersAboutTokensHaveTheFormItSays) {
  World world;
  world.add_tenant("acme-tv");
  std::string const tenant = "/v1/tenants/acme-tv";
  auto const made = world.send("POST", tenant + "/tokens", R"({"note":"ci","actions":["acme","records"]})");
  expect_answer(made, 201, "TokenMade");
  json::value const token = json::parse(made.body);
  auto const listed = world.send("GET", tenant + "/tokens");
  expect_answer(listed, 200, "Tokens");
  expect_form(json::parse(listed.body).at("tokens").as_array().at(0), "Token");
  std::string const secret(token.at("token").as_string());
  auto const account = world.as(secret, "POST", "/register", R"({"allowfrom":["203.0.113.0/24"]})");
  expect_answer(account, 201, "AcmeAccount");
  json::value const given = json::parse(account.body);
  net::HttpRequest update;
  update.method = "POST";
  update.target = "/update";
  update.peer.address = "203.0.113.9:4000";
  update.headers.set("X-Api-User", std::string(given.at("username").as_string()));
  update.headers.set("X-Api-Key", std::string(given.at("password").as_string()));
  update.body = json::serialize(json::object{{"subdomain", given.at("subdomain")}, {"txt", std::string(43, 'a')}});
  expect_answer(world.send(update), 200, "AcmeValue");
  update.body = "{}";
  expect_answer(world.send(update), 401, "AcmeError");
  expect_answer(world.send("POST", "/v1/tokens", R"({"admin":true})"), 201, "TokenMade");
  expect_answer(world.send("GET", "/v1/tokens"), 200, "Tokens");
  auto const log = world.send("GET", "/v1/audit");
  expect_answer(log, 200, "Audit");
  expect_form(json::parse(log.body).at("entries").as_array().at(0), "AuditEntry");
  expect_answer(world.send("GET", tenant + "/audit"), 200, "Audit");
  auto const wrong = world.send("POST", tenant + "/tokens", R"({"actions":["fly"]})");
  expect_answer(wrong, 422, "Problem");
  expect_form(json::parse(wrong.body).at("errors").as_array().at(0), "FieldProblem");
  EXPECT_EQ(world.send("DELETE", tenant + "/tokens/" + std::string(token.at("id").as_string())).status, 204);
  EXPECT_EQ(world.as(secret, "GET", tenant).status, 401);
}

}  // namespace
}  // namespace api
