// What a tenant may do often, and what not.
#include "tests/dns-backend/api/tenants/world.hpp"

#include <string>
#include <utility>

namespace api {
namespace {

// Edges reload their web server for each: a tenant's own are counted together, whatever token they come by.
TEST(TenantsMoves, WhatMovesBundlesBetweenEdgesHasARateOfItsOwn) {
  World world({{}, 24LL * 3600 * 1000, "acme.example.org."}, World::by_invitation(), {1000, 100000}, {0.001, 4});
  world.add_tenant("acme-tv");
  world.add_tenant("beta-tv");
  std::string const token = world.token_of("acme-tv").first;
  std::string const tenant = "/v1/tenants/acme-tv";
  std::string const certificate = tenant + "/certificates/www.customer.example";
  EXPECT_EQ(world.as(token, "PATCH", tenant, R"({"primary":"fra","backups":[]})").status, 200);
  EXPECT_EQ(world.as(token, "PATCH", tenant, R"({"primary":"ams","backups":[]})").status, 200);
  EXPECT_EQ(world.as(token, "PUT", certificate, R"({"chain_pem":"c","key_pem":"k"})").status, 503);
  EXPECT_EQ(world.as(world.token_of("acme-tv").first, "DELETE", certificate).status, 503);
  for (auto const& [method, target] :
       {std::pair("PATCH", tenant), std::pair("PUT", certificate), std::pair("DELETE", certificate)}) {
    auto const refused = world.as(token, method, target, R"({"primary":"fra"})");
    EXPECT_EQ(refused.status, 429) << method;
    EXPECT_GT(std::stoi(std::string(refused.headers.get("Retry-After"))), 900) << method;
  }
  EXPECT_EQ(world.as(token, "GET", tenant).status, 200) << "nothing else waits for it";
  EXPECT_EQ(world.as(token, "PUT", tenant + "/records/a/TXT", R"({"contents":["\"x\""]})").status, 200);
  EXPECT_EQ(world.send("PATCH", tenant, R"({"primary":"fra"})").status, 200) << "an administrator's is his own";
  std::string const other = world.token_of("beta-tv").first;
  EXPECT_EQ(world.as(other, "PATCH", "/v1/tenants/beta-tv", R"({"primary":"fra","backups":[]})").status, 200);
}

}  // namespace
}  // namespace api
