#include "dns-backend/api/audit_log/audit_log.hpp"

#include "tests/dns-backend/api/tenants/world.hpp"

namespace api {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

TEST(AuditLog, ATargetIsAboutTheNameInIt) {
  auto const name = [](std::string_view target) {
    return name_in_target(target, "acme-tv.example.org.", "acme.example.org.");
  };
  std::string const tenant = "/v1/tenants/acme-tv";
  EXPECT_EQ(name(tenant + "/records/@/A"), "acme-tv.example.org");
  EXPECT_EQ(name(tenant + "/records/mail/A?x=1"), "mail.acme-tv.example.org");
  EXPECT_EQ(name(tenant + "/records/mail.acme-tv.example.org/A"), "mail.acme-tv.example.org");
  EXPECT_EQ(name(tenant + "/records/%2A/A"), "*.acme-tv.example.org");
  EXPECT_EQ(name(tenant + "/domains/www.customer.example/verify"), "www.customer.example");
  EXPECT_EQ(name(tenant + "/certificates/www.customer.example."), "www.customer.example");
  EXPECT_EQ(name(tenant + "/registrations/slug"), "slug.acme.example.org");
  for (auto const& other : {tenant, tenant + "/domains", tenant + "/tokens/abc", std::string("/v1/zones/x/y/z"),
                            std::string(), tenant + "/records/%zz/A"}) {
    EXPECT_EQ(name(other), "") << other;
  }
}

class AuditLogOfNames : public testing::Test {
 protected:
  AuditLogOfNames() {
    world.add_tenant("acme-tv");
    all = world.token_of("acme-tv").first;
    for (char const* const where : {"www", "shop", "mail", "shop2"}) {
      auto const put = world.as(all, "PUT", tenant + "/records/" + where + "/A", R"({"contents":["192.0.2.1"]})");
      EXPECT_EQ(put.status, 200) << put.body;
    }
  }
  std::vector<std::string> targets(std::string const& token, std::string const& query, std::string* next = nullptr) {
    auto const answer = world.as(token, "GET", tenant + "/audit" + query);
    EXPECT_EQ(answer.status, 200) << answer.body;
    json::value const body = json::parse(answer.body);
    std::vector<std::string> out;
    for (json::value const& one : body.at("entries").as_array()) {
      out.emplace_back(one.at("target").as_string());
    }
    if (next != nullptr) {
      *next = body.as_object().contains("next") ? body.at("next").as_string().c_str() : "";
    }
    return out;
  }
  std::vector<std::string> ids(std::string const& token) {
    json::value const body = json::parse(world.as(token, "GET", tenant + "/tokens").body);
    std::vector<std::string> out;
    for (json::value const& one : body.at("tokens").as_array()) {
      out.emplace_back(one.at("id").as_string());
    }
    return out;
  }

  World world;
  std::string tenant = "/v1/tenants/acme-tv";
  std::string all;
};

TEST_F(AuditLogOfNames, ATokenWithNamesSeesTheRowsAboutThem) {
  std::string const shop = tenant + "/records/shop/A";
  std::string const shop2 = tenant + "/records/shop2/A";
  EXPECT_THAT(targets(all, ""), SizeIs(4));
  std::string const narrow = world.token_of("acme-tv", R"({"names":["shop*"]})").first;
  EXPECT_THAT(targets(narrow, ""), ElementsAre(shop2, shop));
  std::string next;
  EXPECT_THAT(targets(narrow, "?limit=1", &next), ElementsAre(shop2));
  ASSERT_NE(next, "");
  EXPECT_THAT(targets(narrow, "?limit=1&cursor=" + next, &next), ElementsAre(shop));
  EXPECT_EQ(next, "");
}

TEST_F(AuditLogOfNames, ATokenWithNamesSeesAndEndsTheTokensOfThose) {
  auto const [narrow, own] = world.token_of("acme-tv", R"({"actions":["tokens"],"names":["shop*"]})");
  auto const [other, inside] = world.token_of("acme-tv", R"({"names":["shop.*"]})");
  std::string const outside = world.token_of("acme-tv", R"({"names":["www.*","shop.*"]})").second;
  EXPECT_THAT(ids(all), SizeIs(4));
  EXPECT_THAT(ids(narrow), testing::UnorderedElementsAre(own, inside));
  EXPECT_EQ(world.as(narrow, "DELETE", tenant + "/tokens/" + outside).status, 403);
  EXPECT_EQ(world.as(narrow, "DELETE", tenant + "/tokens/" + inside).status, 204);
  EXPECT_EQ(world.as(other, "GET", tenant).status, 401);
}

TEST_F(AuditLogOfNames, WhatWasKeptOfATokenGoesWhenItEnded) {
  auto const kept = [this] {
    std::function<base::Result<std::int64_t>(database::Database&)> const count =
        [](database::Database& database) -> base::Result<std::int64_t> {
      auto const rows = database.query("SELECT count(*) FROM kept_answer", {});
      return rows ? base::Result<std::int64_t>(database::integer(rows->front()[0])) : rows.error();
    };
    return test::run_task(world.loop, world.store->thread().run<std::int64_t>(count)).value();
  };
  auto const put = [this](std::string const& token) {
    net::Headers headers;
    headers.set("Idempotency-Key", "k");
    return world.as(token, "PUT", tenant + "/records/more/A", R"({"contents":["192.0.2.1"]})", headers).status;
  };
  std::string const brief = world.token_of("acme-tv", R"({"expires_in_s":60})").first;
  ASSERT_EQ(put(brief), 200);
  ASSERT_EQ(put(all), 200);
  EXPECT_EQ(kept(), 2);
  test::run_task(world.loop, world.tokens.sweep(world.now_ms)).value();
  EXPECT_EQ(kept(), 2) << "both are good";
  world.now_ms += 61000;
  test::run_task(world.loop, world.tokens.sweep(world.now_ms)).value();
  EXPECT_EQ(kept(), 1);
  EXPECT_EQ(put(brief), 401);
}

}  // namespace
}  // namespace api
