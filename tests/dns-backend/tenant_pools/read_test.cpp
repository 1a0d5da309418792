#include "dns-backend/tenant_pools/read.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace tenant_pools {
namespace {

using testing::UnorderedElementsAre;

std::vector<std::string> wrong(std::string const& body, std::string const& title = "web") {
  auto const read_ = read(body, title, {}, {});
  EXPECT_FALSE(read_.has_value()) << body;
  std::vector<std::string> fields;
  for (base::Problem const& problem : read_ ? base::Problems() : read_.error()) {
    EXPECT_NE(problem.hint, "") << problem.text();
    fields.push_back(problem.path);
  }
  return fields;
}

TEST(Reading, APoolHasOriginsAndATcpCheckOfTheirPort) {
  auto const wanted = read(R"({"origins":[{"address":"203.0.113.1","address6":"2001:db8::1","port":8443,"weight":0.5},
                          {"address":"203.0.113.2","enabled":false}],"names":["@","WWW","*.app"]})",
                           "web", {}, {});
  ASSERT_TRUE(wanted.has_value());
  EXPECT_EQ(wanted->pool.title, "web");
  ASSERT_EQ(wanted->pool.origins.size(), 2U);
  EXPECT_EQ(wanted->pool.origins[0].port, 8443);
  EXPECT_EQ(wanted->pool.origins[0].weight_permille, 500U);
  EXPECT_FALSE(wanted->pool.origins[1].enabled);
  EXPECT_EQ(wanted->pool.names, (std::vector<std::string>{"@", "www", "*.app"}));
  EXPECT_EQ(wanted->monitor.type, "tcp");
  EXPECT_EQ(wanted->monitor.port, 443);
}

TEST(Reading, EverythingWrongIsSaidAtOnceByField) {
  EXPECT_THAT(wrong(R"({"origins":[{"address":"127.0.0.1"},{"address":"example.org"},
                                   {"address":"203.0.113.1","address6":"fd00::1","probe_address":"10.0.0.1"},
                                   {"address":"203.0.113.1"}],
                        "names":["@","a..b","www","www","x.*"],"pools":["ams"],"site":"ams","minimum_origins":9,
                        "monitor":{"type":"https","interval_ms":1000,"timeout_ms":6000,"ca_file":"/etc/passwd",
                                   "follow_redirects":true}})",
                    "Web Pool"),
              UnorderedElementsAre("name", "pools", "site", "origins[2].probe_address", "monitor.ca_file",
                                   "monitor.follow_redirects", "monitor.interval_ms", "monitor.timeout_ms",
                                   "origins[0].address", "origins[1].address", "origins[2].address6",
                                   "origins[3].address", "minimum_origins", "names[1]", "names[3]", "names[4]"));
}

TEST(Reading, WhatIsNoPoolIsRefusedAndNothingElseHappens) {
  for (char const* const body :
       {"",
        "[]",
        "null",
        "{",
        "{}",
        R"({"origins":{}})",
        R"({"origins":[]})",
        R"({"origins":[1]})",
        R"({"origins":[{}]})",
        R"({"origins":[{"address":1}]})",
        R"({"origins":[{"address":"203.0.113.1"}],"names":"@"})",
        R"({"origins":[{"address":"203.0.113.1","name":"x"}]})",
        R"({"origins":[{"address":"203.0.113.1"}],"monitor":1})",
        R"({"origins":[{"address":"203.0.113.1"}],"monitor":{"type":"push"}})",
        R"({"origins":[{"address":"203.0.113.1"}],"monitor":{"type":"http","method":"POST"}})",
        R"({"origins":[{"address":"203.0.113.1"}],"monitor":{"type":"http","method":"DELETE"}})",
        R"({"origins":[{"address":"203.0.113.1"}],"monitor":{"type":"dns","qname":"example.org"}})",
        R"({"origins":[{"address":"203.0.113.1"}],"monitor":{"type":"icmp"}})",
        R"({"origins":[{"address":"203.0.113.1"}],"title":"x"})",
        R"({"origins":[{"address":"203.0.113.1"}],"name":"y"})"}) {
    EXPECT_FALSE(wrong(body).empty()) << body;
  }
  tenants::Plan const plan{.name = "small", .origins = 1};
  auto const many = read(R"({"origins":[{"address":"203.0.113.1"},{"address":"203.0.113.2"}]})", "web", {}, plan);
  ASSERT_FALSE(many.has_value());
  EXPECT_EQ(many.error().front().path, "origins");
}

}  // namespace
}  // namespace tenant_pools
