#include "mesh/repair/preparer.hpp"

#include "tests/mesh/plan/sample.hpp"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

namespace repair {
namespace {

std::vector<std::string> texts(Detours const& detours) {
  std::vector<std::string> out;
  for (auto const& [lost, way] : detours) {
    out.push_back(lost.first + " " + lost.second.text() + " over " + way.device + " by " + way.gateway.to_string());
  }
  return out;
}

struct Prepared : testing::Test {
  Prepared() : preparer(io.get_executor(), [this](Detours made) { seen.push_back(std::move(made)); }) {}

  static Preparer::World world() {
    auto out = plan::sample::world();
    out.topology.services.clear();
    return std::make_shared<plan::World const>(std::move(out));
  }
  static Preparer::Plan plan_of(Preparer::World const& world, std::string const& node) {
    return std::make_shared<plan::NodePlan const>(plan::plan_node(*world, node).value());
  }
  void run() {
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (preparer.at_work() && std::chrono::steady_clock::now() < until) {
      io.restart();
      io.run_one_for(std::chrono::milliseconds(100));
    }
    ASSERT_FALSE(preparer.at_work());
  }

  boost::asio::io_context io;
  std::vector<Detours> seen;
  Preparer preparer;
};

TEST_F(Prepared, AreNoneUntilTheThreadIsDoneAndThenThoseOfTheWorld) {
  auto const of = world();
  auto const plan = plan_of(of, "edge-1");
  preparer.prepare(of, plan);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_TRUE(seen[0].empty()) << "what was made of another world counts no more";
  run();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(texts(seen[1]), texts(detours_of(*of, *plan)));
  EXPECT_FALSE(seen[1].empty());
}

TEST_F(Prepared, AreNotMadeTwiceForOneWorldAndItsDevices) {
  auto const of = world();
  preparer.prepare(of, plan_of(of, "edge-1"));
  run();
  preparer.prepare(of, plan_of(of, "edge-1"));  // a service that is announced makes another plan
  EXPECT_FALSE(preparer.at_work());
  EXPECT_EQ(seen.size(), 2U);
  auto other = *plan_of(of, "edge-1");
  other.successors["wg-ams-1"] = "wg-ams-1b";
  preparer.prepare(of, std::make_shared<plan::NodePlan const>(other));
  run();
  EXPECT_EQ(seen.size(), 4U);
}

TEST_F(Prepared, AreThoseOfTheLastWorldThatWasAskedFor) {
  auto const first = world();
  auto const second = world();
  auto const last = world();
  auto const plan = plan_of(last, "nyc-1");
  preparer.prepare(first, plan_of(first, "edge-1"));
  preparer.prepare(second, plan_of(second, "ams-1"));
  preparer.prepare(last, plan);
  run();
  ASSERT_EQ(seen.size(), 4U) << "none three times, and one that is made";
  EXPECT_EQ(texts(seen.back()), texts(detours_of(*last, *plan)));
}

TEST(Preparer, EndsWithWhatItMakes) {
  boost::asio::io_context io;
  int called = 0;
  {
    Preparer preparer(io.get_executor(), [&](Detours const&) { ++called; });
    auto const of = Prepared::world();
    preparer.prepare(of, Prepared::plan_of(of, "edge-1"));
  }
  io.run();
  EXPECT_EQ(called, 1);
}

}  // namespace
}  // namespace repair
