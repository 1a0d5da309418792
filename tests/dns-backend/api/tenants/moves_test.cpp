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

TEST(ChangesOfTenants, WhatATenantChangesInADayIsBoundedAndWhatItReadsIsNot) {
  World bounded({{}, 24LL * 3600 * 1000, "acme.example.org."}, World::by_invitation(), {1.0 / 3600, 2});
  bounded.add_tenant("one-tv");
  bounded.add_tenant("two-tv");
  auto const one = bounded.token_of("one-tv").first;
  auto const two = bounded.token_of("two-tv").first;
  std::string const record = "/v1/tenants/one-tv/records/www/A";
  std::string const body = R"({"contents":["192.0.2.1"]})";
  EXPECT_EQ(bounded.as(one, "PUT", record, body).status, 200);
  EXPECT_EQ(bounded.as(one, "DELETE", record).status, 204);
  auto const refused = bounded.as(one, "PUT", record, body);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.get("Retry-After"), "3600");
  EXPECT_EQ(bounded.as(one, "GET", "/v1/tenants/one-tv/records").status, 200);
  EXPECT_EQ(bounded.as(two, "PUT", "/v1/tenants/two-tv/records/www/A", body).status, 200);
  EXPECT_EQ(bounded.send("PUT", record, body).status, 200) << "an administrator is not counted";
}

}  // namespace
}  // namespace api
