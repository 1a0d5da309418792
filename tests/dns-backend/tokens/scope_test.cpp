#include "dns-backend/tokens/scope.hpp"

#include "dns-backend/tokens/rate.hpp"
#include "dns-backend/tokens/secret.hpp"

#include <gmock/gmock.h>
#include <boost/json.hpp>

#include <set>

namespace tokens {
namespace {

TEST(Scope, NamesMatchPatterns) {
  EXPECT_TRUE(matches("*", "anything.example."));
  EXPECT_TRUE(matches("_acme-challenge.*", "_ACME-challenge.www.example.org."));
  EXPECT_TRUE(matches("*.example.org", "a.b.example.org"));
  EXPECT_TRUE(matches("a*c*e.org", "abcde.org."));
  EXPECT_FALSE(matches("*.example.org", "example.org"));
  EXPECT_FALSE(matches("a.example.org", "xa.example.org"));
  EXPECT_FALSE(matches("", "a"));
  EXPECT_FALSE(matches(std::string(50, '*') + "b", std::string(250, 'a'))) << "and it ends";
}

TEST(Scope, WhatIsNotListedIsForbidden) {
  Scope const scope{false, {"records"}, {"example.org"}, {"*.example.org"}, {"txt"}};
  EXPECT_EQ(forbidden(scope, {"records", "example.org.", "a.example.org.", "TXT"}), "");
  EXPECT_EQ(forbidden(scope, {"domains"}), "the action 'domains'");
  EXPECT_EQ(forbidden(scope, {"records", "other.org."}), "the zone 'other.org.'");
  EXPECT_EQ(forbidden(scope, {"records", "example.org.", "example.org."}), "the name 'example.org.'");
  EXPECT_EQ(forbidden(scope, {"records", "example.org.", "a.example.org.", "A"}), "the type A");
  EXPECT_EQ(forbidden({}, {"records", "any.", "any.", "A"}), "");
}

TEST(Scope, OfRecordsHasNothingElseUnlessItIsNamed) {
  for (Scope const& scope : {Scope{false, {}, {"example.org"}, {}, {}}, Scope{false, {}, {}, {"a.*"}, {}},
                             Scope{false, {}, {}, {}, {"TXT"}}}) {
    for (char const* const action : {"read", "records"}) {
      EXPECT_EQ(forbidden(scope, {action}), "") << action;
    }
    for (char const* const action : {"domains", "certificates", "acme", "clusters", "tokens", "pools"}) {
      EXPECT_EQ(forbidden(scope, {action}), "the action '" + std::string(action) + "'");
      Scope named = scope;
      named.actions = {action};
      EXPECT_EQ(forbidden(named, {action}), "") << action;
    }
  }
}

TEST(Scope, ComesBackAsItWasWritten) {
  Scope const scope{false, {"read"}, {"example.org"}, {"a*"}, {"TXT"}};
  base::Problems problems;
  EXPECT_EQ(read_scope(to_json(scope), problems), scope);
  EXPECT_TRUE(problems.empty());
  read_scope({{"actions", {"fly"}}, {"types", {"NOTYPE"}}, {"zones", {"a..b"}}, {"names", 7}, {"admin", "yes"}},
             problems);
  std::set<std::string> fields;
  for (auto const& one : problems) {
    fields.insert(one.path);
  }
  EXPECT_EQ(fields, (std::set<std::string>{"actions", "types", "zones", "names", "admin"}));
}

TEST(Secret, IsRandomAndItsDigestIsSha256) {
  EXPECT_EQ(random_text(20).size(), 32U);
  EXPECT_EQ(random_text(32).size(), 52U);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(random_text(10));
  }
  EXPECT_EQ(seen.size(), 1000U);
  EXPECT_EQ(random_uuid()[14], '4');
  EXPECT_EQ(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(same("ab", "ab"));
  EXPECT_FALSE(same("ab", "abc"));
}

TEST(Rate, KeepsNoMoreBucketsThanItMay) {
  Rate rate({1, 1}, 3);
  auto const now = Rate::Time() + std::chrono::hours(1);
  for (char const* const key : {"a", "b", "c"}) {
    EXPECT_EQ(rate.take(key, now), 0);
  }
  EXPECT_EQ(rate.take("d", now), 1) << "all are in use";
  EXPECT_EQ(rate.take("d", now + std::chrono::seconds(2)), 0) << "the others are full again";
  EXPECT_LE(rate.size(), 3U);
}

}  // namespace
}  // namespace tokens
