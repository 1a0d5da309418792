// What holds for the answers of every route of the router's own table: what is read has an ETag and is not sent twice,
// and a refusal of a member or parameter names it.
#include "tests/dns-backend/api/tenants/world.hpp"

#include <map>

namespace api {
namespace {

std::string fill(std::string pattern) {
  static std::map<std::string, std::string> const values{
      {"{label}", "acme-tv"}, {"{zone}", "example.org"}, {"{type}", "A"}, {"{subdomain}", ""}};
  for (auto const& [hole, value] : values) {
    if (auto const at = pattern.find(hole); at != std::string::npos) {
      pattern.replace(at, hole.size(), value);
    }
  }
  auto const at = pattern.find("{name}");
  if (at == std::string::npos) {
    return pattern;
  }
  static std::map<std::string, std::string> const names{{"domains", "www.customer.example"},
                                                        {"records", "mail"},
                                                        {"monitors", "check"},
                                                        {"pools", "own"},
                                                        {"load_balancers", "lb.example.org"}};
  std::string const kind = pattern.substr(0, at - 1);
  std::string name = names.at(kind.substr(kind.rfind('/') + 1));
  name = pattern.starts_with("/v1/tenants/") && name == "own" ? "mine" : name;
  return pattern.replace(at, 6, name);
}

void furnish(World& world) {
  world.add_tenant("acme-tv");
  std::string const tenant = "/v1/tenants/acme-tv";
  for (auto const& [method, target, body] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"PUT", tenant + "/records/mail/A", R"({"contents":["192.0.2.1"]})"},
           {"PUT", tenant + "/pools/mine", R"({"origins":[{"address":"203.0.113.7"}],"names":["shop"]})"},
           {"POST", tenant + "/domains", R"({"name":"www.customer.example"})"},
           {"PUT", "/v1/monitors/check", R"({"type":"tcp","port":443})"},
           {"PUT", "/v1/pools/own", R"({"monitor":"check","origins":[{"name":"a","address":"192.0.2.1"}]})"},
           {"PUT", "/v1/load_balancers/lb.example.org", R"({"default_pools":["own"]})"}}) {
    auto const made = world.send(method, target, body);
    EXPECT_LT(made.status, 300) << target << made.body;
  }
}

net::HttpResponse get(World& world, std::string const& target, std::string const& if_none_match) {
  net::HttpRequest request;
  request.target = target;
  request.peer.is_unix = true;
  request.headers.set("If-None-Match", if_none_match);
  return world.send(std::move(request));
}

TEST(Answers, EveryGetHasAnETagAndIsNotSentTwice) {
  World world;
  furnish(world);
  std::size_t checked = 0;
  for (net::RouteName const& route : world.router.routes()) {
    // Figures for machines, which are different each time; and what keeps nothing here.
    if (route.method != "GET" || route.pattern == "/metrics" || route.pattern == "/healthz" ||
        route.pattern == "/v1/transitions") {
      continue;
    }
    std::string const target = fill(route.pattern);
    auto const first = world.send("GET", target);
    ASSERT_EQ(first.status, 200) << target << "\n" << first.body;
    std::string const tag(first.headers.get("ETag"));
    ASSERT_GT(tag.size(), 2U) << target;
    auto const same = get(world, target, "\"other\", W/" + tag);
    EXPECT_EQ(same.status, 304) << target;
    EXPECT_EQ(same.body, "") << target;
    EXPECT_EQ(same.headers.get("ETag"), tag) << target;
    EXPECT_EQ(same.headers.get("Content-Type"), "") << target;
    EXPECT_EQ(get(world, target, "\"other\"").status, 200) << target;
    ++checked;
  }
  EXPECT_GT(checked, 25U);
}

// Also where no revision counts: health, certificates.
TEST(Answers, WhatChangedIsSentAgain) {
  World world;
  furnish(world);
  std::string const target = "/v1/tenants/acme-tv/certificates";
  std::string const before(world.send("GET", target).headers.get("ETag"));
  EXPECT_EQ(get(world, target, before).status, 304);
  world.tenants.certificates = [](std::int64_t) { return json::array{json::object{{"name", "acme-tv.example.org"}}}; };
  auto const after = get(world, target, before);
  EXPECT_EQ(after.status, 200);
  EXPECT_NE(after.headers.get("ETag"), before);
}

// status, then the fields of its errors.
std::string told(net::HttpResponse const& answer) {
  std::string text = std::to_string(answer.status);
  json::value const body = json::parse(answer.body);
  if (!body.as_object().contains("errors")) {
    return text + " without errors";
  }
  for (json::value const& one : body.at("errors").as_array()) {
    EXPECT_FALSE(one.at("hint").as_string().empty()) << answer.body;
    text += " " + std::string(one.at("field").as_string());
  }
  return text;
}

TEST(Answers, RefusalsNameTheMemberOrParameter) {
  tenants::Policy policy{{}, 24LL * 3600 * 1000, "acme.example.org."};
  policy.plans = {{"gold", 8, 2, 1, 1, {}, 1, 4}, {"small", 0, 1, 1, 1, {"ams"}, 1, 4}};
  World world(policy);
  furnish(world);
  std::string const tenant = "/v1/tenants/acme-tv";
  auto const made = [](char const* label, char const* zone, char const* plan, char const* more) {
    return R"({"label":")" + std::string(label) + R"(","zone":")" + zone + R"(","plan":")" + plan +
           R"(","primary":"ams")" + more + "}";
  };
  auto const post = [&world](std::string const& target, std::string const& body) {
    return told(world.send("POST", target, body));
  };
  EXPECT_EQ(post("/v1/tenants", made("acme-tv", "example.org", "gold", "")), "409 label");
  EXPECT_EQ(post("/v1/tenants", made("more-tv", "example.net", "gold", "")), "422 zone");
  EXPECT_EQ(post("/v1/tenants", made("more-tv", "example.org", "small", R"(,"backups":["fra"])")), "422 plan");
  EXPECT_EQ(post("/v1/tenants", made("ns", "example.org", "gold", "")), "422 label");
  EXPECT_EQ(post(tenant + "/domains", R"({"name":"shop.customer.example"})"), "422 plan");
  EXPECT_EQ(post(tenant + "/tokens", "{}"), "201 without errors");
  EXPECT_EQ(post(tenant + "/tokens", "{}"), "422 plan");
  EXPECT_EQ(told(world.send("PUT", tenant + "/records/mail/CNAME", R"({"contents":["a.example."]})")), "422 name");
  std::string const content = R"({"contents":["192.0.2.1"]})";
  EXPECT_EQ(told(world.send("PUT", tenant + "/records/more/A", content)), "200 without errors");
  EXPECT_EQ(told(world.send("PUT", tenant + "/records/most/A", content)), "422 plan");
  EXPECT_EQ(told(world.send("PUT", tenant + "/pools/more", R"({"origins":[{"address":"203.0.113.8"}]})")), "422 plan");
  EXPECT_EQ(post("/v1/zones", R"({"name":"example.org","nameservers":["ns1.example.net"]})"), "409 name");
  EXPECT_EQ(told(world.send("DELETE", "/v1/zones/example.org")), "422 zone");
  EXPECT_EQ(told(world.send("DELETE", "/v1/pools/own")), "422 name");
  EXPECT_EQ(told(world.send("GET", "/v1/transitions?limit=x")), "400 limit");
  EXPECT_EQ(post("/v1/reports", "{}"), "400 body");
  EXPECT_EQ(post("/v1/tenants", "["), "422 body");
  world.tenants.take_certificate = [](std::int64_t, std::string,
                                      BroughtCertificate) -> net::Task<base::Result<Taking>> {
    co_return base::fail(boost::system::errc::device_or_resource_busy, "an order is under way");
  };
  EXPECT_EQ(told(world.send("PUT", tenant + "/certificates/acme-tv.example.org", R"({"chain_pem":"x","key_pem":"y"})")),
            "409 name");
  net::HttpRequest late;
  late.method = "PATCH";
  late.target = tenant;
  late.body = R"({"primary":"fra"})";
  late.peer.is_unix = true;
  late.headers.set("If-Match", "\"1\"");
  EXPECT_EQ(told(world.send(late)), "412 If-Match");
  late.headers.set("If-Match", "*");
  late.headers.set("Idempotency-Key", "k");
  EXPECT_EQ(told(world.send(late)), "200 without errors");
  late.body = R"({"primary":"ams"})";
  EXPECT_EQ(told(world.send(late)), "422 Idempotency-Key");
}

}  // namespace
}  // namespace api
