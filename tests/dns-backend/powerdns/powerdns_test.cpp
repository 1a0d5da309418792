#include "dns-backend/powerdns/powerdns.hpp"

#include "dns-backend/powerdns/search.hpp"
#include "dns-backend/powerdns/zones/routes.hpp"

#include "base/http_client/http_client.hpp"
#include "base/http_server/http_server.hpp"

#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

namespace {

namespace json = boost::json;
using testing::HasSubstr;

std::string const root = "/api/v1/servers/localhost";

class PowerDnsApi : public testing::Test {
 protected:
  PowerDnsApi()
      : store(store::Store::open("sqlite://:memory:", {}, health, loop.get_executor()).value()),
        api{*store, metrics, {"admin.internal"}},
        dependencies{api, "the-key-of-sixteen"} {
    dependencies.now_s = [] { return std::int64_t{1795446000}; };
    powerdns::add_routes(router, dependencies);
  }
  net::HttpResponse send(std::string const& method, std::string const& target, std::string const& body = {}) {
    net::HttpRequest request;
    request.method = method;
    request.target = root + target;
    request.body = body;
    request.peer = peer;
    if (!key.empty()) {
      request.headers.set("x-api-key", key);
    }
    return test::run_task(loop, router.dispatch(std::move(request)));
  }
  std::string error(net::HttpResponse const& response) {
    EXPECT_EQ(response.status, 422) << response.body;
    return std::string(json::parse(response.body).at("error").as_string());
  }
  void make(std::string const& more = "") {
    auto const made =
        send("POST", "/zones", R"({"name":"a.test.","kind":"Native","nameservers":["ns1.a.test."])" + more + "}");
    ASSERT_EQ(made.status, 201) << made.body;
  }
  std::uint32_t serial() { return store->zones().front().serial; }

  boost::asio::io_context loop{1};
  pool::HealthTable health;
  process::Metrics metrics;
  std::unique_ptr<store::Store> store;
  api::Dependencies api;
  powerdns::Dependencies dependencies;
  net::Router router;
  net::Peer peer{false, "127.0.0.1:4000", "", "", "", 0, ""};
  std::string key = "the-key-of-sixteen";
};

TEST_F(PowerDnsApi, TheKeyOpensAndNothingElseOfAStranger) {
  EXPECT_EQ(send("GET", "/zones").status, 200);
  for (char const* const wrong : {"", "the-key-of-sixteeN", "the-key-of-sixteen1", "the"}) {
    key = wrong;
    EXPECT_EQ(send("GET", "/zones").status, 401) << wrong;
    EXPECT_EQ(send("POST", "/zones", "{}").status, 401) << wrong;
  }
  peer.certificate_name = "admin.internal";
  EXPECT_EQ(send("GET", "/zones").status, 200);
  peer = {true, "/run/x", "", "", "", 0, ""};
  EXPECT_EQ(send("GET", "/zones").status, 200);
}

TEST_F(PowerDnsApi, WithoutAKeyOnlyAdministratorsMayAsk) {
  dependencies.key.clear();
  key.clear();
  EXPECT_EQ(send("GET", "/zones").status, 401);
}

TEST_F(PowerDnsApi, AChangeRaisesTheSerialAndNoChangeDoesNot) {
  make();
  EXPECT_EQ(serial(), 2026112301U);
  std::string const patch =
      R"({"rrsets":[{"name":"w.a.test.","type":"A","ttl":60,"changetype":"REPLACE","records":[{"content":"192.0.2.1"}]}]})";
  EXPECT_EQ(send("PATCH", "/zones/a.test.", patch).status, 204);
  EXPECT_EQ(serial(), 2026112302U);
  EXPECT_EQ(send("PATCH", "/zones/a.test.", patch).status, 204);
  EXPECT_EQ(serial(), 2026112302U) << "the same again";
  EXPECT_EQ(send("PUT", "/zones/a.test.", R"({"soa_edit_api":"EPOCH"})").status, 204);
  std::string const other = patch.substr(0, patch.find("192.0.2.1")) + "192.0.2.2\"}]}]}";
  EXPECT_EQ(send("PATCH", "/zones/a.test.", other).status, 204);
  EXPECT_EQ(serial(), 2026112303U) << "the epoch lies behind: one more, never back";
}

TEST_F(PowerDnsApi, HalfAZoneIsNone) {
  EXPECT_THAT(error(send("POST", "/zones", R"({"name":"b.test.","kind":"Native"})")), HasSubstr("no NS at its apex"));
  EXPECT_TRUE(store->zones().empty());
  EXPECT_THAT(
      error(send("POST", "/zones",
                 R"({"name":"b.test.","kind":"Native","nameservers":["ns."],"master_tsig_key_ids":["none."]})")),
      HasSubstr("A TSIG key with the name 'none' does not exist"));
  EXPECT_TRUE(store->zones().empty());
}

TEST_F(PowerDnsApi, ASecuredZoneHasAKeyAndAnUnsecuredNone) {
  make(R"(,"dnssec":true)");
  auto const keys = json::parse(send("GET", "/zones/a.test./cryptokeys").body).as_array();
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0].at("keytype"), "csk");
  EXPECT_EQ(keys[0].at("algorithm"), "ECDSAP256SHA256");
  EXPECT_EQ(send("PUT", "/zones/a.test.", R"({"dnssec":false})").status, 204);
  EXPECT_EQ(send("GET", "/zones/a.test./cryptokeys").body, "[]");
}

TEST_F(PowerDnsApi, AnotherServersWordsNeedOne) {
  make();
  EXPECT_EQ(send("PUT", "/zones/a.test./notify").status, 200) << "nobody waits for a native zone";
  EXPECT_EQ(send("PUT", "/zones/a.test.", R"({"kind":"Master"})").status, 204);
  EXPECT_THAT(error(send("PUT", "/zones/a.test./notify")), HasSubstr("no pdns_server is named"));
  std::string asked;
  dependencies.control = [&asked](std::string command) -> net::Task<base::Result<std::string>> {
    asked = std::move(command);
    co_return std::string("Added to queue");
  };
  EXPECT_EQ(send("PUT", "/zones/a.test./notify").status, 200);
  EXPECT_EQ(asked, "NOTIFY a.test.");
}

TEST_F(PowerDnsApi, OnAReplicaWritesGoToThePrimaryAndReadsStay) {
  test::TemporaryFolder folder;
  std::string const path = folder.path() + "/primary.sock";
  net::HttpServer server(loop.get_executor(), router, {});
  ASSERT_TRUE(server.listen_unix(path, 0600));
  net::HttpClient client(loop.get_executor(), {});
  auto const copy = store::Store::open("sqlite://:memory:", {}, health, loop.get_executor()).value();
  api::Dependencies replica{*copy, metrics};
  replica.primary = &client;
  replica.primary_url = "unix:" + path + ":";
  powerdns::Dependencies const of_replica{replica, "the-key-of-sixteen"};
  net::Router here;
  powerdns::add_routes(here, of_replica);
  auto const ask = [&](std::string const& method, std::string const& target, std::string const& body) {
    net::HttpRequest request;
    request.method = method;
    request.target = root + target;
    request.body = body;
    request.peer = peer;
    request.headers.set("X-API-Key", key);
    return test::run_task(loop, here.dispatch(std::move(request)));
  };
  EXPECT_EQ(ask("POST", "/zones", R"({"name":"a.test.","kind":"Native","nameservers":["ns1.a.test."]})").status, 201);
  EXPECT_EQ(store->zones().size(), 1U);
  EXPECT_EQ(ask("GET", "/zones", "").body, "[]") << "the copy has not followed yet";
  EXPECT_EQ(ask("DELETE", "/zones/a.test.", "").status, 204);
  EXPECT_TRUE(store->zones().empty());
  key = "another";
  EXPECT_EQ(ask("DELETE", "/zones/a.test.", "").status, 401) << "who asks is checked here";
}

TEST(PowerDnsIds, EncodeWhatIsNoLetter) {
  auto const name = powerdns::name_of_id("0=2F25.2.0.192.in-addr.arpa");
  ASSERT_TRUE(name);
  EXPECT_EQ(powerdns::id_of_name(*name), "0=2F25.2.0.192.in-addr.arpa.");
  EXPECT_EQ(powerdns::id_of_name(dns::Name()), "=2E");
  EXPECT_TRUE(powerdns::name_of_id("=2E")->is_root());
  EXPECT_EQ(powerdns::id_of_name(dns::Name::parse("_tcp.a.test").value()), "=5Ftcp.a.test.");
  EXPECT_EQ(powerdns::name_of_id("a=2").error().status, 400);
  EXPECT_EQ(powerdns::name_of_id("a=zz").error().status, 400);
  EXPECT_EQ(powerdns::name_of_id("a..b").error().status, 422);
}

TEST(PowerDnsSearch, StarsAndQuestionMarks) {
  EXPECT_TRUE(powerdns::matches("*", ""));
  EXPECT_TRUE(powerdns::matches("a*c*e", "ABxCxxE"));
  EXPECT_TRUE(powerdns::matches("w?w.*", "www.a.test"));
  EXPECT_FALSE(powerdns::matches("w?w", "ww"));
  EXPECT_FALSE(powerdns::matches("a*b", "a-b-c"));
  EXPECT_FALSE(powerdns::matches("", "a"));
  EXPECT_FALSE(powerdns::matches(std::string(64, '*') + "b", std::string(10000, 'a')));
}

}  // namespace
