#include "dns-backend/api/steering/steering.hpp"

#include "tests/support/run_task.hpp"

#include <gmock/gmock.h>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

char const* const monitor = R"({"type":"http","port":8080})";
char const* const pool = R"({"monitor":"web","origins":[{"name":"a","address":"198.51.100.1"}]})";
char const* const balancer = R"({"default_pools":["ams"],"fallback_pool":"edge"})";

class SteeringApi : public testing::Test {
 protected:
  SteeringApi()
      : store(store::Store::open("sqlite://:memory:", {}, health, loop.get_executor()).value()),
        dependencies{*store, metrics, {"admin.internal"}} {}

  void SetUp() override {
    dependencies.endpoints = [] {
      decltype(dependencies.endpoints()) list(2);
      list[0].endpoint = "e1";
      list[0].effective = probe::Health::up;
      list[1].endpoint = "ams/a";
      list[1].effective = probe::Health::down;
      return list;
    };
    api::add_steering_routes(router, dependencies);
    store::PoolRow edge;
    edge.name = "edge";
    edge.site = "amsterdam";
    edge.endpoints = {{"e1", "192.0.2.1", "", "10.0.0.1", true, 1}};
    test::run_task(loop, store->set_pools({edge})).value();
    auto const apex = dns::Name::parse("example.org").value();
    test::run_task(loop, store->import_zone(apex, {{apex, {dns::type_soa, 60, {"ns. host. 1 2 3 4 5"}}},
                                                   {apex, {dns::type_ns, 60, {"ns."}}}}))
        .value();
  }
  net::HttpResponse send(std::string const& method, std::string const& target, std::string const& body = {}) {
    net::HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.peer = peer;
    return test::run_task(loop, router.dispatch(std::move(request)));
  }
  json::value get(std::string const& target) {
    auto const response = send("GET", target);
    EXPECT_EQ(response.status, 200) << response.body;
    return json::parse(response.body);
  }
  // Fields of a 422 that left everything as it was.
  std::vector<std::string> wrong(std::string const& method, std::string const& target, std::string const& body) {
    auto const before = store->revision();
    auto const response = send(method, target, body);
    EXPECT_EQ(response.status, 422) << response.body;
    EXPECT_EQ(store->revision(), before);
    std::vector<std::string> out;
    json::value const said = json::parse(response.body);
    for (auto const& one : said.at("errors").as_array()) {
      out.emplace_back(one.at("field").as_string());
    }
    return out;
  }
  void make_all() {
    ASSERT_EQ(send("PUT", "/v1/monitors/web", monitor).status, 201);
    ASSERT_EQ(send("PUT", "/v1/pools/ams", pool).status, 201);
    ASSERT_EQ(send("PUT", "/v1/load_balancers/www.example.org", balancer).status, 201);
  }

  boost::asio::io_context loop{1};
  pool::HealthTable health;
  process::Metrics metrics;
  std::unique_ptr<store::Store> store;
  api::Dependencies dependencies;
  net::Router router;
  net::Peer peer{true, "/run/x", "", "", "", 0, ""};
};

TEST_F(SteeringApi, StrangersSeeAndChangeNothing) {
  peer = {false, "198.51.100.7:4000", "edge.internal", "", "", 0, ""};
  for (char const* const target : {"/v1/monitors", "/v1/pools", "/v1/load_balancers", "/v1/steering", "/v1/pools/x"}) {
    EXPECT_EQ(send("GET", target).status, 403) << target;
  }
  EXPECT_EQ(send("PUT", "/v1/monitors/web", monitor).status, 403);
  EXPECT_EQ(send("DELETE", "/v1/monitors/web").status, 403);
  EXPECT_EQ(send("PUT", "/v1/steering", "{}").status, 403);
  peer.certificate_name = "admin.internal";
  EXPECT_EQ(send("PUT", "/v1/monitors/web", monitor).status, 201);
}

TEST_F(SteeringApi, ObjectsAreMadeShownReplacedAndDeleted) {
  make_all();
  EXPECT_EQ(get("/v1/monitors/web").at("port"), 8080);
  EXPECT_EQ(get("/v1/monitors/web").at("interval_ms"), 5000);
  EXPECT_EQ(get("/v1/monitors").at("monitors").as_array().size(), 1U);
  EXPECT_EQ(get("/v1/load_balancers/WWW.example.org.").at("name"), "www.example.org.");
  EXPECT_EQ(get("/v1/load_balancers").at("load_balancers").at(0).at("fallback_pool"), "edge");
  auto shown = get("/v1/pools/ams");
  EXPECT_EQ(shown.at("origins").at(0).at("address"), "198.51.100.1");
  auto const same = send("PUT", "/v1/pools/ams", json::serialize(shown));
  EXPECT_EQ(same.status, 200) << "what is shown can be given back: " << same.body;
  EXPECT_EQ(json::parse(same.body), shown);
  auto const apex = dns::Name::parse("www.example.org").value();
  EXPECT_NE(store->published().copy()->enclosing(apex)->find(apex)->balancer, nullptr);
  EXPECT_EQ(send("DELETE", "/v1/load_balancers/www.example.org").status, 204);
  EXPECT_EQ(send("DELETE", "/v1/load_balancers/www.example.org").status, 404);
  EXPECT_EQ(send("GET", "/v1/load_balancers/www.example.org").status, 404);
  EXPECT_EQ(send("DELETE", "/v1/pools/ams").status, 204);
  EXPECT_EQ(send("DELETE", "/v1/monitors/web").status, 204);
}

TEST_F(SteeringApi, PoolsShowWhoseTheyAreAndTheirHealth) {
  make_all();
  auto const pools = get("/v1/pools").at("pools").as_array();
  ASSERT_EQ(pools.size(), 2U);
  EXPECT_EQ(pools[0].at("managed_by"), "topology");
  EXPECT_EQ(pools[0].at("endpoints").at(0).at("health"), "up");
  EXPECT_EQ(pools[0].at("monitor").at("type"), "tcp");
  EXPECT_EQ(pools[1].at("managed_by"), "operator");
  EXPECT_EQ(pools[1].at("endpoints").at(0).at("name"), "ams/a");
  EXPECT_EQ(pools[1].at("endpoints").at(0).at("health"), "down");
  EXPECT_EQ(get("/v1/pools/edge").at("managed_by"), "topology");
  EXPECT_THAT(wrong("PUT", "/v1/pools/edge", R"({"origins":[{"name":"a","address":"192.0.2.1"}]})"),
              ElementsAre("name"));
  auto const refused = send("DELETE", "/v1/pools/edge");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("is the topology's"));
}

TEST_F(SteeringApi, EveryMistakeIsToldByField) {
  EXPECT_THAT(
      wrong("PUT", "/v1/pools/ams",
            R"({"origins":[{"name":"a","address":"x"},{"name":"a","address":"::1","weight":3}],"latitude":99,"q":1})"),
      UnorderedElementsAre("origins[0].address", "origins[1].weight", "origins[1].name", "latitude", "latitude",
                           "body"));
  EXPECT_THAT(
      wrong("PUT", "/v1/pools/ams",
            R"({"monitor":"no","pools":["none"],"minimum_origins":2,"origins":[{"name":"a","address":"::1"}]})"),
      UnorderedElementsAre("monitor", "pools[0]", "minimum_origins"));
  EXPECT_THAT(wrong("PUT", "/v1/load_balancers/www.example.com", R"({"default_pools":["edge","x"]})"),
              UnorderedElementsAre("name", "default_pools[1]"));
  EXPECT_THAT(wrong("PUT", "/v1/monitors/web", "[]"), ElementsAre("body"));
  EXPECT_THAT(wrong("PUT", "/v1/monitors/web", R"({"type":"http","expected_body_pattern":"("})"),
              ElementsAre("expected_body_pattern"));
}

TEST_F(SteeringApi, WhatIsInUseStays) {
  make_all();
  auto const refused = send("DELETE", "/v1/pools/ams");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("load_balancer www.example.org. (default_pools)"));
  EXPECT_THAT(send("DELETE", "/v1/monitors/web").body, HasSubstr("is used by pool ams"));
}

TEST_F(SteeringApi, TheWholeSetIsReplacedAtOnce) {
  make_all();
  auto set = get("/v1/steering");
  auto const before = store->revision();
  auto same = json::parse(send("PUT", "/v1/steering", json::serialize(set)).body);
  EXPECT_TRUE(same.at("added").as_array().empty() && same.at("changed").as_array().empty() &&
              same.at("removed").as_array().empty());
  EXPECT_EQ(store->revision(), before);
  set.at("load_balancers").as_array().clear();
  set.at("pools").at(0).as_object()["site"] = "ams";
  auto const dry = json::parse(send("PUT", "/v1/steering?dry_run=true", json::serialize(set)).body);
  EXPECT_EQ(dry.at("changed"), json::array({"pool ams"}));
  EXPECT_EQ(dry.at("removed"), json::array({"load_balancer www.example.org."}));
  EXPECT_EQ(store->revision(), before);
  EXPECT_EQ(get("/v1/load_balancers").at("load_balancers").as_array().size(), 1U);
  EXPECT_EQ(send("PUT", "/v1/steering", json::serialize(set)).status, 200);
  EXPECT_EQ(store->revision(), before + 1);
  EXPECT_EQ(get("/v1/steering"), set);
  set.at("monitors").as_array().clear();
  EXPECT_THAT(wrong("PUT", "/v1/steering", json::serialize(set)), ElementsAre("pools[ams].monitor"));
}

}  // namespace
