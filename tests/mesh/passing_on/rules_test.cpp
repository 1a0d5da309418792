#include "mesh/passing_on/rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace passing_on {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using wireguard::Address;

Address const one = boost::asio::ip::make_address("10.53.0.53");
Address const other = boost::asio::ip::make_address("10.53.0.54");
Address const six = boost::asio::ip::make_address("2001:db8::53");

// The kernel: rules of one priority are looked at in the order in which they were added.
struct Kernel {
  std::vector<Rule> rules;

  Kernel() {
    for (bool const v6 : {false, true}) {
      rules.push_back({v6, 0, local_table, kernel_protocol});
      rules.push_back({v6, 32766, main_table, kernel_protocol});
    }
  }
  void apply(std::vector<Step> const& all) {
    for (auto const& step : all) {
      if (step.add) {
        auto const behind = std::upper_bound(rules.begin(), rules.end(), step.rule, [](Rule const& a, Rule const& b) {
          return std::tie(a.v6, a.priority) < std::tie(b.v6, b.priority);
        });
        rules.insert(behind, step.rule);
      } else {
        auto const at = std::find(rules.begin(), rules.end(), step.rule);
        ASSERT_NE(at, rules.end());
        rules.erase(at);
      }
      for (bool const v6 : {false, true}) {
        EXPECT_TRUE(std::any_of(rules.begin(), rules.end(), [&](Rule const& rule) {
          return rule.v6 == v6 && rule.table == local_table && rule.iif.empty() && !rule.to && rule.priority <= 1;
        })) << "a moment without local addresses";
      }
    }
  }
  // The table in which a packet is looked up first.
  std::uint32_t table(Address const& to, std::string const& iif) const {
    for (auto const& rule : rules) {
      if (rule.v6 == to.is_v6() && (rule.iif.empty() || rule.iif == iif) && (!rule.to || *rule.to == to)) {
        return rule.table;
      }
    }
    return 0;
  }
};

TEST(PassingOn, WhatComesFromElsewhereGoesByTheMainTableAndOwnPacketsStay) {
  Kernel kernel;
  auto const before = kernel.rules;
  kernel.apply(steps(kernel.rules, {one, six}, {}));
  for (auto const& address : {one, six}) {
    EXPECT_EQ(kernel.table(address, "wg-bob"), main_table);
    EXPECT_EQ(kernel.table(address, "lo"), local_table);
  }
  EXPECT_EQ(kernel.table(other, "wg-bob"), local_table);
  EXPECT_THAT(steps(kernel.rules, {one, six}, {}), IsEmpty()) << "nothing is written when nothing has changed";
  kernel.apply(steps(kernel.rules, {one, other}, {}));
  EXPECT_EQ(kernel.table(other, "wg-bob"), main_table);
  EXPECT_EQ(kernel.table(six, "wg-bob"), local_table);
  kernel.apply(steps(kernel.rules, {}, {}));
  EXPECT_EQ(kernel.rules, before);
}

TEST(PassingOn, WhatNobodyKnowsOfYetStaysAsItIs) {
  Kernel kernel;
  EXPECT_THAT(steps(kernel.rules, {}, {one}), IsEmpty());
  kernel.apply(steps(kernel.rules, {one}, {}));
  EXPECT_THAT(steps(kernel.rules, {}, {one}), IsEmpty());
}

TEST(PassingOn, ALocalRuleThatSomebodyElseMovedIsNotTouched) {
  Kernel kernel;
  kernel.rules[0].priority = 100;
  auto const added = steps(kernel.rules, {one}, {});
  EXPECT_EQ(added.size(), 2U);
  kernel.rules.push_back({false, 0, main_table, 4, "", one, true});  // another program's
  auto const strangers = steps(kernel.rules, {}, {});
  EXPECT_THAT(strangers, IsEmpty());
}

TEST(PassingOn, WhatWasLeftHalfDoneIsFinished) {
  Kernel kernel;
  auto all = steps(kernel.rules, {one}, {});
  ASSERT_EQ(all.size(), 4U);
  for (std::size_t done = 0; done <= all.size(); ++done) {
    Kernel half;
    half.apply({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(done)});
    Kernel back = half;
    half.apply(steps(half.rules, {one}, {}));
    EXPECT_EQ(half.table(one, "wg-bob"), main_table);
    back.apply(steps(back.rules, {}, {}));
    EXPECT_EQ(back.rules, Kernel().rules) << done;
  }
}

}  // namespace
}  // namespace passing_on
