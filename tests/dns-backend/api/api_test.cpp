#include "dns-backend/api/api.hpp"

#include "dns-backend/zone_file/zone_file.hpp"
#include "tests/support/run_task.hpp"

#include <gmock/gmock.h>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

char const* const zone_file =
    "$TTL 3600\n@ IN SOA ns1 hostmaster 5 10800 3600 604800 300\n@ IN NS ns1\nns1 IN A 192.0.2.1\nwww IN A 192.0.2.2\n";

class ApiTest : public testing::Test {
 protected:
  ApiTest()
      : store(store::Store::open("sqlite://:memory:", {}, health, loop.get_executor()).value()),
        dependencies{*store, metrics, {"admin.internal"}} {}

  void SetUp() override {
    dependencies.node = "ams-ns-1";
    dependencies.sections["powerdns"] = [] { return json::value(json::array{1}); };
    dependencies.endpoints = [] {
      monitor::EndpointStatus status;
      status.endpoint = "ams-1";
      status.effective = probe::Health::up;
      status.reason = "200 OK";
      return std::vector<monitor::EndpointStatus>{status};
    };
    api::add_routes(router, dependencies);
  }
  net::HttpResponse send(std::string const& method, std::string const& target, std::string const& body = {}) {
    net::HttpRequest request;
    request.method = method;
    request.target = target;
    request.path = target;
    request.body = body;
    request.peer = peer;
    return test::run_task(loop, router.dispatch(std::move(request)));
  }
  json::value get(std::string const& target) {
    auto const response = send("GET", target);
    EXPECT_EQ(response.status, 200) << response.body;
    return json::parse(response.body);
  }
  // Fields of a 422.
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
  void import() { ASSERT_EQ(send("PUT", "/v1/zones/example.org/import", zone_file).status, 200); }
  void make_pools() {
    store::PoolRow ams;
    ams.name = "ams";
    ams.site = "amsterdam";
    ams.endpoints = {{"ams-1", "198.51.100.1", "2001:db8::1", "10.0.0.1", true, 1}};
    store::PoolRow fra = ams;
    fra.name = "fra";
    fra.endpoints[0].name = "fra-1";
    test::run_task(loop, store->set_pools({ams, fra})).value();
  }

  boost::asio::io_context loop{1};
  pool::HealthTable health;
  process::Metrics metrics;
  std::unique_ptr<store::Store> store;
  api::Dependencies dependencies;
  net::Router router;
  net::Peer peer{true, "/run/x", "", "", "", 0, ""};
};

TEST_F(ApiTest, StrangersGetHealthAndMetricsOnly) {
  peer = {false, "198.51.100.7:4000", "", "", "", 0, ""};
  EXPECT_EQ(send("GET", "/healthz").status, 200);
  EXPECT_EQ(send("GET", "/metrics").status, 200);
  for (char const* const target : {"/v1/status", "/v1/zones", "/v1/health"}) {
    EXPECT_EQ(send("GET", target).status, 403) << target;
  }
  EXPECT_EQ(send("PUT", "/v1/zones/example.org/import", zone_file).status, 403);
  EXPECT_EQ(store->zones().size(), 0U);
  peer.certificate_name = "edge.internal";
  EXPECT_EQ(send("GET", "/v1/status").status, 403);
  peer.certificate_name = "admin.internal";
  EXPECT_EQ(send("GET", "/v1/status").status, 200);
}

TEST_F(ApiTest, TroubleShowsInHealthz) {
  dependencies.trouble = [] { return std::string("the store is gone"); };
  auto const response = send("GET", "/healthz");
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, HasSubstr("the store is gone"));
}

TEST_F(ApiTest, StatusTellsRoleRevisionAndSections) {
  import();
  auto const status = get("/v1/status");
  EXPECT_EQ(status.at("role"), "primary");
  EXPECT_EQ(status.at("node"), "ams-ns-1");
  EXPECT_EQ(status.at("zones"), 1);
  EXPECT_EQ(status.at("revision"), store->revision());
  EXPECT_EQ(status.at("powerdns"), json::array{1});
}

TEST_F(ApiTest, AZoneIsImportedListedExportedAndDeleted) {
  import();
  json::array const zones = get("/v1/zones").at("zones").as_array();
  ASSERT_EQ(zones.size(), 1U);
  EXPECT_EQ(zones[0].at("name"), "example.org.");
  EXPECT_EQ(zones[0].at("serial"), 5);
  EXPECT_EQ(get("/v1/zones/example.org").at("kind"), "native");
  auto const exported = send("GET", "/v1/zones/example.org./export");
  EXPECT_THAT(exported.body, HasSubstr("192.0.2.2"));
  auto const again = dns::parse_zone_file(exported.body, "export", dns::Name::parse("example.org").value());
  EXPECT_TRUE(again) << base::text(again.error());
  EXPECT_EQ(send("DELETE", "/v1/zones/example.org").status, 204);
  EXPECT_EQ(send("DELETE", "/v1/zones/example.org").status, 404);
  EXPECT_EQ(send("GET", "/v1/zones/example.org").status, 404);
  EXPECT_EQ(send("GET", "/v1/zones/example.org/export").status, 404);
}

TEST_F(ApiTest, ABadZoneFileReportsEveryLine) {
  auto const response =
      send("PUT", "/v1/zones/example.org/import",
           "@ 60 IN SOA ns1 h 1 2 3 4 5\n@ 60 IN NS ns1\nwww 60 IN A nonsense\nmail 60 IN MX nonsense\n");
  EXPECT_EQ(response.status, 422);
  std::vector<std::int64_t> lines;
  json::value const body = json::parse(response.body);
  for (auto const& one : body.at("errors").as_array()) {
    lines.push_back(one.at("line").as_int64());
  }
  EXPECT_THAT(lines, ElementsAre(3, 4));
  EXPECT_EQ(store->zones().size(), 0U);
}

TEST_F(ApiTest, AZoneIsCreatedFromItsNameServers) {
  auto const made = send("POST", "/v1/zones",
                         R"({"name":"new.example","kind":"master","nameservers":["ns1.example.net","ns2.example.net"],)"
                         R"("hostmaster":"dns.admin@example.net"})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(get("/v1/zones/new.example").at("kind"), "master");
  EXPECT_THAT(send("GET", "/v1/zones/new.example/export").body, HasSubstr("dns\\.admin.example.net."));
  EXPECT_EQ(send("POST", "/v1/zones", R"({"name":"new.example","nameservers":["ns1.example.net"]})").status, 409);
}

TEST_F(ApiTest, EveryMistakeOfABodyIsReportedByField) {
  EXPECT_THAT(wrong(send("POST", "/v1/zones", R"({"kind":"nativ","nameservers":["..", 7],"ttl":-1,"colour":"blue"})")),
              UnorderedElementsAre("name", "kind", "nameservers[0]", "nameservers[1]", "ttl", "colour"));
  EXPECT_THAT(wrong(send("POST", "/v1/zones", "not json")), ElementsAre("body"));
  EXPECT_THAT(wrong(send("POST", "/v1/zones", "[]")), ElementsAre("body"));
}

TEST_F(ApiTest, RRsetsAreReplacedByRelativeAndAbsoluteNames) {
  import();
  auto const put = send(
      "PUT", "/v1/zones/example.org/rrsets",
      R"({"rrsets":[{"name":"@","type":"MX","ttl":60,"contents":["10 mail.example.org."]},)"
      R"({"name":"mail","type":"A","contents":["192.0.2.9"]},{"name":"www.example.org","type":"A","contents":[]}]})");
  ASSERT_EQ(put.status, 200) << put.body;
  auto const exported = send("GET", "/v1/zones/example.org/export").body;
  EXPECT_THAT(exported, HasSubstr("192.0.2.9"));
  EXPECT_THAT(exported, HasSubstr("10 mail.example.org."));
  EXPECT_THAT(exported, testing::Not(HasSubstr("192.0.2.2")));
  EXPECT_EQ(
      send("PUT", "/v1/zones/example.org/rrsets", R"([{"name":"bare","type":"A","contents":["192.0.2.10"]}])").status,
      200);
}

TEST_F(ApiTest, WrongRRsetsAreReportedTogetherAndChangeNothing) {
  import();
  auto const before = store->revision();
  EXPECT_THAT(
      wrong(send("PUT", "/v1/zones/example.org/rrsets",
                 R"({"rrsets":[{"name":"a","type":"A","contents":["nonsense","192.0.2.1"]},)"
                 R"({"name":"b.other.","type":"NOSUCH","ttl":-1,"contents":[]},{"name":"c","type":"A","contents":[]},)"
                 R"({"name":"c","type":"A","contents":["192.0.2.2"]},7]})")),
      UnorderedElementsAre("rrsets[0].contents[0]", "rrsets[1].name", "rrsets[1].type", "rrsets[1].ttl",
                           "rrsets[3].name", "rrsets[4]"));
  EXPECT_EQ(store->revision(), before);
  EXPECT_EQ(send("PUT", "/v1/zones/other.org/rrsets", "[]").status, 404);
}

TEST_F(ApiTest, TheStoresRulesAre422) {
  import();
  auto const response =
      send("PUT", "/v1/zones/example.org/rrsets", R"([{"name":"www","type":"CNAME","contents":["ns1.example.org."]}])");
  EXPECT_EQ(response.status, 422) << response.body;
}

TEST_F(ApiTest, TheKindOfAZoneIsChanged) {
  import();
  EXPECT_EQ(send("PUT", "/v1/zones/example.org/kind", R"({"kind":"master"})").status, 200);
  EXPECT_EQ(get("/v1/zones/example.org").at("kind"), "master");
  EXPECT_THAT(wrong(send("PUT", "/v1/zones/example.org/kind", R"({"kind":"king"})")), ElementsAre("kind"));
  EXPECT_EQ(send("PUT", "/v1/zones/other.org/kind", R"({"kind":"native"})").status, 404);
  EXPECT_EQ(
      send("PUT", "/v1/zones/example.org/settings", R"({"kind":"slave","masters":["192.0.2.1:5300"],"account":"shop"})")
          .status,
      200);
  EXPECT_EQ(get("/v1/zones/example.org").at("masters").at(0), "192.0.2.1:5300");
  EXPECT_EQ(get("/v1/zones/example.org").at("account"), "shop");
  EXPECT_EQ(send("PUT", "/v1/zones/example.org/settings", R"({"kind":"slave","masters":["nowhere"]})").status, 422);
  EXPECT_EQ(send("PUT", "/v1/zones/other.org/settings", R"({"kind":"native"})").status, 404);
}

TEST_F(ApiTest, AZoneIsTakenOverAsAWholeAndASecondTimeChangesNothing) {
  json::object body{
      {"kind", "master"},
      {"account", "shop"},
      {"zone", zone_file},
      {"metadata", json::array{json::object{{"kind", "ALSO-NOTIFY"}, {"values", json::array{"192.0.2.9"}}}}},
      {"keys",
       json::array{json::object{{"id", 7}, {"flags", 257}, {"active", 1}, {"published", 0}, {"content", "secret"}}}}};
  auto const restore = [&] { return send("PUT", "/v1/zones/example.org/restore", json::serialize(body)); };
  auto const first = json::parse(restore().body);
  EXPECT_EQ(first.at("created"), true);
  EXPECT_EQ(first.at("serial"), 5);
  auto const zone = get("/v1/zones/example.org");
  EXPECT_EQ(zone.at("kind"), "master");
  EXPECT_EQ(zone.at("account"), "shop");
  EXPECT_EQ(zone.at("metadata").at("ALSO-NOTIFY").at(0), "192.0.2.9");
  EXPECT_EQ(zone.at("secured"), true);
  auto const revision = store->revision();
  auto const second = json::parse(restore().body);
  EXPECT_EQ(second.at("created"), false);
  EXPECT_EQ(second.at("changed"), false);
  EXPECT_EQ(store->revision(), revision) << "not a row was written";
  body["keys"].as_array()[0].as_object()["active"] = 0;
  EXPECT_EQ(json::parse(restore().body).at("changed"), true);
  EXPECT_EQ(get("/v1/zones/example.org").at("secured"), false);
  body["zone"] = "@ 60 IN A 1.2.3\n";
  EXPECT_EQ(restore().status, 422);
}

TEST_F(ApiTest, ASecondaryZoneNeedsMastersAndNoRecords) {
  EXPECT_EQ(send("POST", "/v1/zones", R"({"name":"second.example","kind":"slave","masters":["192.0.2.1"]})").status,
            201);
  EXPECT_EQ(get("/v1/zones/second.example").at("masters").at(0), "192.0.2.1");
  EXPECT_EQ(get("/v1/zones/second.example").at("serial"), 0);
  EXPECT_EQ(send("POST", "/v1/zones", R"({"name":"second.example","kind":"slave"})").status, 409);
  EXPECT_EQ(send("POST", "/v1/zones", R"({"name":"third.example","kind":"slave","masters":["x"]})").status, 422);
}

TEST_F(ApiTest, AutoprimariesComeAndGo) {
  EXPECT_EQ(send("PUT", "/v1/autoprimaries/192.0.2.1/ns1.example.net", R"({"account":"shop"})").status, 204);
  EXPECT_EQ(send("PUT", "/v1/autoprimaries/192.0.2.2/ns1.example.net", "").status, 204);
  EXPECT_EQ(get("/v1/autoprimaries").at("autoprimaries").as_array().size(), 2U);
  EXPECT_EQ(get("/v1/autoprimaries").at("autoprimaries").at(0).at("account"), "shop");
  EXPECT_EQ(send("PUT", "/v1/autoprimaries/nowhere/ns1.example.net", "").status, 422);
  EXPECT_EQ(send("DELETE", "/v1/autoprimaries/192.0.2.1/ns1.example.net", "").status, 204);
  EXPECT_EQ(send("DELETE", "/v1/autoprimaries/192.0.2.1/ns1.example.net", "").status, 404);
}

TEST_F(ApiTest, HealthTellsTheLastCheckOfEveryEndpoint) {
  auto const endpoints = get("/v1/health").at("endpoints").as_array();
  ASSERT_EQ(endpoints.size(), 1U);
  EXPECT_EQ(endpoints[0].at("endpoint"), "ams-1");
}

TEST_F(ApiTest, OnAReplicaWritesGoToThePrimaryAndReadsStay) {
  import();
  net::HttpClient client(loop.get_executor(), {});
  dependencies.primary = &client;
  dependencies.primary_url = "unix:/nonexistent/primary.sock:";
  EXPECT_EQ(send("GET", "/v1/zones").status, 200);
  EXPECT_EQ(get("/v1/status").at("role"), "replica");
  EXPECT_EQ(send("DELETE", "/v1/zones/example.org").status, 502);
  EXPECT_EQ(store->zones().size(), 1U);
  peer = {false, "198.51.100.7:4000", "", "", "", 0, ""};
  EXPECT_EQ(send("DELETE", "/v1/zones/example.org").status, 403) << "who asks is checked here, not there";
}

}  // namespace
