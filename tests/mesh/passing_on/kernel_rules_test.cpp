#include "mesh/passing_on/kernel_rules.hpp"

#include <gtest/gtest.h>

namespace passing_on {
namespace {

using boost::asio::ip::make_address;

// The kernel lists a rule in the form in which it is asked for.
TEST(KernelRules, ARuleIsReadAsItIsWritten) {
  Rule const rules[] = {{false, 0, local_table, our_protocol, "lo", make_address("10.53.0.53")},
                        {false, 0, main_table, our_protocol, "", make_address("10.53.0.53"), true},
                        {true, 0, main_table, our_protocol, "", make_address("2001:db8::53"), true},
                        {true, 1, local_table, our_protocol}};
  for (auto const& rule : rules) {
    EXPECT_EQ(parse_rule(request({true, rule})), rule);
  }
}

TEST(KernelRules, WhatIsTruncatedOrNoRuleIsNone) {
  auto const whole = request({true, {false, 0, main_table, our_protocol, "lo", make_address("10.53.0.53"), true}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    static_cast<void>(parse_rule({whole.data(), size}));  // the sanitizer looks on
  }
  EXPECT_EQ(parse_rule({whole.data(), 12}), std::nullopt);
  auto const removal = request({false, {false, 0, main_table, our_protocol}});
  EXPECT_EQ(parse_rule(removal), std::nullopt);
}

}  // namespace
}  // namespace passing_on
