// Every route of the router against every object of another tenant: denied, with the same bytes as for an object that
// does not exist.
#include "tests/dns-backend/api/tenants/world.hpp"

namespace api {
namespace {

struct Objects {
  std::string token;         // the id of one of the other tenant's
  std::string registration;  // the name of one
};

// What the other tenant has, made by itself.
Objects furnish(World& world) {
  world.add_tenant("victim-tv");
  auto const [secret, id] = world.token_of("victim-tv");
  EXPECT_EQ(world.as(secret, "PUT", "/v1/tenants/victim-tv/records/mail/A", R"({"contents":["192.0.2.9"]})").status,
            200);
  EXPECT_EQ(world
                .as(secret, "PUT", "/v1/tenants/victim-tv/pools/mail",
                    R"({"origins":[{"address":"203.0.113.7"}],"names":["shop"]})")
                .status,
            201);
  EXPECT_EQ(world.as(secret, "POST", "/v1/tenants/victim-tv/domains", R"({"name":"www.victim.example"})").status, 201);
  auto const account = world.as(secret, "POST", "/register");
  EXPECT_EQ(account.status, 201);
  return {id, std::string(json::parse(account.body).at("subdomain").as_string())};
}

// Bodies a route might accept, so that what is refused is refused for who asks and not for the form.
std::string body_for(net::RouteName const& route) {
  if (route.pattern.ends_with("/records/{name}/{type}")) {
    return R"({"contents":["192.0.2.66"]})";
  }
  if (route.pattern.ends_with("/pools/{name}")) {
    return R"({"origins":[{"address":"203.0.113.66"}]})";
  }
  if (route.pattern.ends_with("/domains")) {
    return R"({"name":"www.victim.example"})";
  }
  if (route.pattern == "/v1/tenants/{label}") {
    return R"({"primary":"fra"})";
  }
  if (route.pattern == "/v1/sign-up") {
    return R"({"label":"victim-tv","invitation":"inv_none"})";
  }
  if (route.pattern == "/v1/tenants") {
    return R"({"label":"more-tv","zone":"example.org","plan":"gold","primary":"ams"})";
  }
  return "{}";
}

std::string fill(std::string pattern, std::map<std::string, std::string> const& values) {
  for (auto const& [name, value] : values) {
    std::string const hole = "{" + name + "}";
    if (std::size_t const at = pattern.find(hole); at != std::string::npos) {
      pattern.replace(at, hole.size(), value);
    }
  }
  return pattern;
}

std::string bytes(net::HttpResponse const& response) {
  std::string text = std::to_string(response.status) + "\n";
  for (auto const& [name, value] : response.headers.items) {
    text += name == "Request-Id" ? "" : name + ": " + value + "\n";
  }
  return text + response.body;
}

// Those that tell everybody the same, and the one that needs no token but an account.
bool is_public(net::RouteName const& route) {
  static std::set<std::string> const all{"/healthz", "/metrics", "/v1/openapi.yaml", "/register"};
  return all.contains(route.pattern);
}

TEST(Matrix, EveryRouteAnswersForAnothersObjectAsForNone) {
  World with;
  Objects const objects = furnish(with);
  World without;
  with.add_tenant("asker-tv");
  without.add_tenant("asker-tv");
  std::string const here = with.token_of("asker-tv").first;
  std::string const there = without.token_of("asker-tv").first;
  std::map<std::string, std::string> const values{{"label", "victim-tv"},
                                                  {"name", "mail"},
                                                  {"type", "A"},
                                                  {"id", objects.token},
                                                  {"zone", "example.org"},
                                                  {"kind", "ALSO-NOTIFY"},
                                                  {"ip", "192.0.2.1"},
                                                  {"nameserver", "ns.example.org"},
                                                  {"subdomain", objects.registration}};
  std::size_t checked = 0;
  for (net::RouteName const& route : with.router.routes()) {
    if (is_public(route)) {
      continue;
    }
    for (std::string const& name : {std::string("mail"), std::string("www.victim.example")}) {
      std::map<std::string, std::string> filled = values;
      filled["name"] = name;
      std::string const target = fill(route.pattern, filled);
      ASSERT_EQ(target.find('{'), std::string::npos) << "a parameter nobody thought of: " << target;
      auto const answer = with.as(here, route.method, target, body_for(route));
      EXPECT_GE(answer.status, 400) << route.method << " " << target << "\n" << answer.body;
      EXPECT_LT(answer.status, 500) << route.method << " " << target << "\n" << answer.body;
      auto const none = without.as(there, route.method, target, body_for(route));
      EXPECT_EQ(bytes(answer), bytes(none)) << route.method << " " << target;
      ++checked;
    }
  }
  EXPECT_GT(checked, 100U);
  // Nothing of it was changed.
  EXPECT_EQ(with.send("GET", "/v1/tenants/victim-tv/records/mail/A").status, 200);
  EXPECT_EQ(with.send("GET", "/v1/tenants/victim-tv/domains/www.victim.example").status, 200);
  EXPECT_EQ(with.send("GET", "/v1/tenants/victim-tv/pools/mail").status, 200);
  EXPECT_EQ(with.tokens.by_id(objects.token)->revoked_at_ms, 0);
  EXPECT_NE(with.send("GET", "/v1/tenants/victim-tv/registrations").body.find(objects.registration), std::string::npos);
}

// Within its own tenant's routes: another's token by its id, another's domain by its name.
TEST(Matrix, AnothersIdsAreNoneOfOurs) {
  World with;
  Objects const objects = furnish(with);
  World without;
  with.add_tenant("asker-tv");
  without.add_tenant("asker-tv");
  std::string const here = with.token_of("asker-tv").first;
  std::string const there = without.token_of("asker-tv").first;
  std::vector<std::pair<std::string, std::string>> const asks{
      {"DELETE", "/v1/tenants/asker-tv/tokens/" + objects.token},
      {"GET", "/v1/tenants/asker-tv/domains/www.victim.example"},
      {"DELETE", "/v1/tenants/asker-tv/domains/www.victim.example"},
      {"POST", "/v1/tenants/asker-tv/domains/www.victim.example/verify"},
      {"PUT", "/v1/tenants/asker-tv/certificates/www.victim.example"},
      {"DELETE", "/v1/tenants/asker-tv/registrations/" + objects.registration},
      {"GET", "/v1/tenants/asker-tv/pools/mail"},
      {"DELETE", "/v1/tenants/asker-tv/pools/mail"},
      {"GET", "/v1/tenants/asker-tv/pools/tenant-1%2F1"},
      {"DELETE", "/v1/tenants/asker-tv/pools/tenant-1%2F1"},
      {"PUT", "/v1/tenants/asker-tv/pools/tenant-1%2F1"},
      {"GET", "/v1/tenants/asker-tv/records/mail.victim-tv.example.org./A"},
      {"PUT", "/v1/tenants/asker-tv/records/mail.victim-tv.example.org./A"},
      {"DELETE", "/v1/tenants/asker-tv/records/mail.victim-tv.example.org./A"}};
  for (auto const& [method, target] : asks) {
    auto const answer = with.as(here, method, target, R"({"contents":["192.0.2.66"]})");
    EXPECT_TRUE(answer.status == 404 || answer.status == 422) << method << " " << target << "\n" << answer.body;
    EXPECT_EQ(bytes(answer), bytes(without.as(there, method, target, R"({"contents":["192.0.2.66"]})"))) << target;
  }
  // A claim reserves nothing, so that it tells nothing.
  auto const claimed = with.as(here, "POST", "/v1/tenants/asker-tv/domains", R"({"name":"www.victim.example"})");
  EXPECT_EQ(claimed.status, 201);
}

TEST(Matrix, AnOldOrWrongTokenIsNobodyWhateverTheConnection) {
  World world;
  world.add_tenant("asker-tv");
  auto const [secret, id] = world.token_of("asker-tv", R"({"expires_in_s":60})");
  EXPECT_EQ(world.as(secret, "GET", "/v1/tenants/asker-tv").status, 200);
  EXPECT_EQ(world.as("nav_wrong", "GET", "/v1/tenants/asker-tv").status, 401);
  net::HttpRequest request;
  request.target = "/v1/zones";
  request.peer.is_unix = true;
  request.headers.set("Authorization", "Bearer " + secret);
  EXPECT_EQ(world.send(request).status, 403) << "the token decides, not the socket";
  request.headers.set("Authorization", "bearer  ");
  EXPECT_EQ(world.send(request).status, 401);
  world.now_ms += 60001;
  EXPECT_EQ(world.as(secret, "GET", "/v1/tenants/asker-tv").status, 401);
  std::string const second = world.token_of("asker-tv").first;
  EXPECT_EQ(world.send("DELETE", "/v1/tenants/asker-tv").status, 204);
  EXPECT_EQ(world.as(second, "GET", "/v1/tenants/asker-tv").status, 401) << "tokens go with their tenant";
}

}  // namespace
}  // namespace api
