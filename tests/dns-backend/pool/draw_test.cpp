#include "dns-backend/pool/draw.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>

namespace pool {
namespace {

TEST(Draw, DependsOnEveryPartAndOnNothingElse) {
  std::set<double> scores;
  auto const client = geo::parse_client("192.0.2.0/24").value();
  for (Draw const& draw :
       {Draw("a", 'p'), Draw("b", 'p'), Draw("a", 'o'), Draw("a", 'p').with("b"), Draw("a", 'p').with("b").with("c"),
        Draw("a", 'p').with("bc"), Draw("a", 'p').with(1), Draw("a", 'p').with(2), Draw("a", 'p').with(client),
        Draw("a", 'p').with(geo::shortened(client, 23)),
        Draw("a", 'p').with(geo::parse_client("c000:200::/24").value())}) {
    scores.insert(draw.score(1));
  }
  EXPECT_EQ(scores.size(), 11U);
  EXPECT_EQ(Draw("a", 'p').with("b").score(3), Draw("a", 'p').with("b").score(3));
  // Replicas of different versions and machines must agree.
  EXPECT_NEAR(Draw("www.example.org.", 'p').with("ams").score(1), 0.153698, 1e-6);
}

TEST(Draw, WinsInProportionToTheWeight) {
  std::array<int, 3> wins{};
  std::array<std::uint32_t, 3> const weights{100, 300, 600};
  constexpr int rounds = 20000;
  for (int round = 0; round < rounds; ++round) {
    std::array<double, 3> scores{};
    for (std::size_t i = 0; i < 3; ++i) {
      scores[i] = Draw("a", 'p').with(round).with("thing " + std::to_string(i)).score(weights[i]);
    }
    ++wins[static_cast<std::size_t>(std::min_element(scores.begin(), scores.end()) - scores.begin())];
  }
  EXPECT_NEAR(wins[0], rounds * 0.1, rounds * 0.015);
  EXPECT_NEAR(wins[1], rounds * 0.3, rounds * 0.015);
  EXPECT_NEAR(wins[2], rounds * 0.6, rounds * 0.015);
  EXPECT_TRUE(std::isinf(Draw("a", 'p').score(0)));
}

TEST(Draw, GoesByNetworksAndStepsOfTime) {
  EXPECT_EQ(geo::to_text(hashed_prefix(*geo::parse_client("192.0.2.77"))), "192.0.2.0/24");
  EXPECT_EQ(geo::to_text(hashed_prefix(*geo::parse_client("192.0.0.0/16"))), "192.0.0.0/16");
  EXPECT_EQ(geo::to_text(hashed_prefix(*geo::parse_client("2001:db8:1:2ff::1"))), "2001:db8:1:200::/56");
  EXPECT_EQ(time_step(59, 30), 1);
  EXPECT_EQ(time_step(60, 30), 2);
  EXPECT_EQ(time_step(7, 0), 7);
}

}  // namespace
}  // namespace pool
