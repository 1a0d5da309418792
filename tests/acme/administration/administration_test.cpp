#include "acme/administration/administration.hpp"

#include "acme/administration/key_routes.hpp"
#include "acme/administration/why.hpp"
#include "tests/acme/certificates_fixture.hpp"
#include "tests/support/described.hpp"

#include <boost/json.hpp>

namespace acme {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class AdministrationTest : public CertificatesFixture {
 protected:
  void serve() {
    start();
    administration = std::make_unique<Administration>(
        Administration{*issuer, *store, [this] { return sites(); }, [this](net::HttpRequest const&) { return admin; }});
    add_routes(router, *administration);
  }
  net::HttpResponse call(std::string method, std::string target, std::string body = {}) {
    net::HttpRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    return run(router.dispatch(std::move(request)));
  }
  json::object get(std::string target) { return json::parse(call("GET", std::move(target)).body).as_object(); }

  std::unique_ptr<Administration> administration;
  net::Router router;
  bool admin = true;
};

TEST_F(AdministrationTest, StrangersSeeNothing) {
  serve();
  admin = false;
  EXPECT_EQ(call("GET", "/v1/acme/certificates").status, 403);
  EXPECT_EQ(call("POST", "/v1/acme/accounts/rekey").status, 403);
}

TEST_F(AdministrationTest, WhyNamesTheCauseOfAFailedValidation) {
  ca->knobs.deny = true;
  settings.first_retry = std::chrono::hours(1);
  add_tenant("acme-tv");
  serve();
  ASSERT_TRUE(until([this] { return !issuer->status().empty() && !issuer->status()[0].last_error.empty(); }));
  auto const why = get("/v1/acme/certificates/acme-tv.stream.example");
  EXPECT_EQ(why.at("state"), "failed");
  EXPECT_THAT(std::string(why.at("last_error").as_string()), HasSubstr("no such TXT value"));
  EXPECT_THAT(why.at("hindrances").as_array(), SizeIs(1));
  EXPECT_EQ(why.at("hindrances").as_array()[0].at("what"), "parked after 1 failure");
  ASSERT_TRUE(until([this] { return !get("/v1/acme/certificates/acme-tv").at("attempts").as_array().empty(); }));
  EXPECT_EQ(get("/v1/acme/certificates/acme-tv").at("attempts").as_array()[0].at("outcome"), "validation");
  EXPECT_EQ(why.at("challenge").as_array()[0], "_acme-challenge.acme-tv.stream.example");
  ASSERT_THAT(why.at("sites").as_array(), SizeIs(1));
  EXPECT_EQ(why.at("sites").as_array()[0].at("site"), "ams");
  EXPECT_EQ(call("GET", "/v1/acme/certificates/nobody").status, 404);
  // An administrator need not wait for the hour.
  ca->knobs.deny = false;
  EXPECT_EQ(call("POST", "/v1/acme/certificates/acme-tv/order").status, 200);
  EXPECT_TRUE(issued(1));
  EXPECT_THAT(get("/v1/acme/certificates?due=1").at("certificates").as_array(), SizeIs(0));
  EXPECT_THAT(get("/v1/acme/certificates").at("certificates").as_array(), SizeIs(1));
}

TEST_F(AdministrationTest, ARehearsalAtTheStagingCaKeepsNothing) {
  test::ScriptedAcme staging(loop.get_executor(), [this](std::string name, std::string value) {
    auto const values = txt(name);
    return std::ranges::find(values, value) != values.end();
  });
  settings.staging = AuthoritySettings{};
  settings.staging->directory_url = staging.directory_url();
  add_tenant("acme-tv");
  serve();
  ASSERT_TRUE(issued(1));
  auto const answer = call("POST", "/v1/acme/certificates/acme-tv/order", R"({"staging":true})");
  EXPECT_THAT(answer.body, HasSubstr(R"("outcome":"issued")"));
  EXPECT_EQ(staging.counters.orders, 1);
  EXPECT_EQ(ca->counters.orders, 1);
  EXPECT_THAT(certificates(), SizeIs(1));
  EXPECT_TRUE(txt("_acme-challenge.acme-tv.stream.example").empty());
  staging.knobs.deny = true;
  EXPECT_THAT(call("POST", "/v1/acme/certificates/acme-tv/order", R"({"staging":true})").body,
              HasSubstr("no such TXT value"));
  staging.stop();
}

TEST_F(AdministrationTest, RevocationAndAccountsAreOrdered) {
  add_tenant("acme-tv");
  serve();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(call("POST", "/v1/acme/certificates/acme-tv/order", R"({"staging":true})").status, 409);
  EXPECT_EQ(call("POST", "/v1/acme/certificates/acme-tv/revoke", R"({"reason":"boredom"})").status, 422);
  EXPECT_EQ(call("POST", "/v1/acme/certificates/acme-tv/revoke", R"({"reason":"superseded"})").status, 204);
  ASSERT_TRUE(until([this] { return certificates().size() == 2; }));
  EXPECT_EQ(call("POST", "/v1/acme/accounts/rekey", "{}").status, 204);
  EXPECT_EQ(ca->counters.key_changes, 1);
  auto const accounts = get("/v1/acme/accounts").at("accounts").as_array();
  ASSERT_THAT(accounts, SizeIs(1));
  EXPECT_EQ(accounts[0].at("state"), "asked");
  EXPECT_EQ(call("POST", "/v1/acme/accounts/agree", R"({"directory":"https://nobody.example/"})").status, 404);
}

TEST_F(AdministrationTest, ABodyThatIsNotUnderstoodDoesNothing) {
  add_tenant("acme-tv");
  serve();
  ASSERT_TRUE(issued(1));
  std::string const key = run(vault.account(ca->directory_url()))->key_pem;
  std::string const of = "/v1/acme/certificates/acme-tv/";
  for (auto const& [target, body] :
       std::vector<std::pair<std::string, std::string>>{{of + "order", R"({"staging":true)"},
                                                        {of + "order", R"({"staging":"true"})"},
                                                        {of + "order", R"({"Staging":true})"},
                                                        {of + "order", "[]"},
                                                        {of + "revoke", R"({"reason":4})"},
                                                        {of + "revoke", "superseded"},
                                                        {"/v1/acme/accounts/rekey", R"({"directory":)"},
                                                        {"/v1/acme/accounts/rekey", R"({"direktory":"x"})"},
                                                        {"/v1/acme/accounts/agree", R"({"directory":7})"}}) {
    auto const answer = call("POST", target, body);
    EXPECT_EQ(answer.status, 422) << target << " " << body;
    EXPECT_THAT(answer.body, testing::AnyOf(HasSubstr("staging"), HasSubstr("reason"), HasSubstr("directory")));
  }
  EXPECT_EQ(certificates().size(), 1U);
  EXPECT_EQ(run(vault.account(ca->directory_url()))->key_pem, key);
}

TEST_F(AdministrationTest, AChainOfCnamesIsFollowedAndACircleEnds) {
  auto const apex = dns::Name::parse("stream.example").value();
  auto const rows = dns::parse_zone_file(
      "@ 3600 IN SOA ns1 hostmaster 9 3600 600 86400 60\n@ 3600 IN NS ns1\nns1 3600 IN A 192.0.2.1\n"
      "a 60 IN CNAME b\nb 60 IN CNAME c\nx 60 IN CNAME y\ny 60 IN CNAME x\n",
      "test", apex);
  run(store->import_zone(apex, *rows)).value();
  auto const snapshot = store->published().copy();
  EXPECT_THAT(cname_chain(*snapshot, "a.stream.example"),
              ElementsAre("a.stream.example", "b.stream.example", "c.stream.example"));
  EXPECT_THAT(cname_chain(*snapshot, "x.stream.example"),
              ElementsAre("x.stream.example", "y.stream.example", "x.stream.example"));
  EXPECT_THAT(cname_chain(*snapshot, "elsewhere.example"), ElementsAre("elsewhere.example"));
}

TEST(Reasons, AreRfc5280s) {
  EXPECT_EQ(reason_of("keyCompromise"), 1);
  EXPECT_EQ(reason_of("superseded"), 4);
  EXPECT_EQ(reason_of("certificateHold"), std::nullopt);
}

TEST_F(AdministrationTest, ListsComeInPages) {
  for (char const* const label : {"acme-tv", "beta-tv", "coco-tv"}) {
    add_tenant(label);
  }
  serve();
  ASSERT_TRUE(issued(3));
  std::vector<std::string> seen;
  std::string cursor;
  do {
    auto const page = get("/v1/acme/certificates?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor));
    EXPECT_LE(page.at("certificates").as_array().size(), 2U);
    EXPECT_TRUE(page.contains("leads"));
    for (json::value const& one : page.at("certificates").as_array()) {
      seen.emplace_back(one.at("tenant").as_string());
    }
    cursor = page.contains("next") ? std::string(page.at("next").as_string()) : "";
  } while (!cursor.empty());
  EXPECT_THAT(seen, testing::UnorderedElementsAre("acme-tv", "beta-tv", "coco-tv"));
  EXPECT_EQ(call("GET", "/v1/acme/certificates?limit=no").status, 422);
}

TEST_F(AdministrationTest, AnswersHaveTheFormThatTheDescriptionSays) {
  test::Described described;
  add_tenant("acme-tv");
  serve();
  add_key_routes(router, {vault, *store, [](net::HttpRequest const&) { return true; }});
  ASSERT_TRUE(issued(1));
  json::value const list = get("/v1/acme/certificates");
  described.expect_form(list, "IssuedCertificates");
  described.expect_first(list, "certificates", "IssuedCertificate");
  ASSERT_TRUE(until([this] { return !get("/v1/acme/certificates/acme-tv").at("attempts").as_array().empty(); }));
  json::value const why = get("/v1/acme/certificates/acme-tv");
  described.expect_form(why, "WhyCertificate");
  described.expect_first(why, "attempts", "Attempt");
  described.expect_first(why, "sites", "SiteAnswer");
  described.expect_form(json::parse(call("POST", "/v1/acme/certificates/acme-tv/order").body), "Ordered");
  json::value const accounts = get("/v1/acme/accounts");
  described.expect_form(accounts, "CaAccounts");
  described.expect_first(accounts, "accounts", "CaAccount");
  described.expect_form(get("/v1/acme/keys"), "SealingKeys");
  auto const rotated = call("POST", "/v1/acme/keys/rotate", R"({"what":"tenants"})");
  ASSERT_EQ(rotated.status, 200) << rotated.body;
  described.expect_form(json::parse(rotated.body), "Rotated");
  described.expect_form(json::parse(call("GET", "/v1/acme/certificates/nobody").body), "Problem");
}

}  // namespace
}  // namespace acme
