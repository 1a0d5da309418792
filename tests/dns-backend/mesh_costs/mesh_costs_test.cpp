#include "dns-backend/mesh_costs/mesh_costs.hpp"

#include "routing/bird/control.hpp"
#include "tests/routing/bird/fake_bird.hpp"

#include <gmock/gmock.h>

#include <map>
#include <sstream>

namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// As BIRD 2.0.12 wrote them on its control socket.
std::string const intra =
    "1007-Table master4:\n"
    "     10.200.0.2/32        unicast [ospf4 22:36:58.265] * I (150/20) [10.255.0.2]\n"
    "     \tvia 10.9.0.2 on va\n"
    "1008-\tType: OSPF univ\n"
    "1012-\tOSPF.metric1: 20\n"
    "     \tOSPF.router_id: 10.255.0.2\n"
    "0000 \n";
std::string const external =
    "1007-Table master4:\n"
    "     10.200.0.3/32        unicast [ospf4 22:36:58.265] * E2 (150/15/10000) [10.255.0.2]\n"
    "     \tvia 10.9.0.2 on va\n"
    "1008-\tType: OSPF-E2 univ\n"
    "1012-\tOSPF.metric1: 15\n"
    "     \tOSPF.metric2: 10000\n"
    "     \tOSPF.tag: 0x00000000\n"
    "     \tOSPF.router_id: 10.255.0.2\n"
    "0000 \n";
std::string const six =
    "1007-Table master6:\n"
    "     fd00::2/128          unicast [ospf6 22:36:58.265] * I (150/32) [10.255.0.2]\n"
    "     \tvia fe80::ac7d:a3ff:fe85:d2ff on va\n"
    "1008-\tType: OSPF univ\n"
    "1012-\tOSPF.metric1: 32\n"
    "     \tOSPF.router_id: 10.255.0.2\n"
    "0000 \n";
std::string const covering =
    "1007-Table master4:\n"
    "     10.200.0.0/16        blackhole [static1 22:35:37.007] * (200)\n"
    "1008-\tType: static univ\n"
    "0000 \n";
std::string const of_another_protocol =
    "1007-Table master4:\n"
    "     10.200.0.2/32        blackhole [static1 22:35:37.007] * (200)\n"
    "1008-\tType: static univ\n"
    "1007-                     unicast [ospf4 22:36:58.265] I (150/20) [10.255.0.2]\n"
    "     \tvia 10.9.0.2 on va\n"
    "1008-\tType: OSPF univ\n"
    "1012-\tOSPF.metric1: 20\n"
    "     \tOSPF.router_id: 10.255.0.2\n"
    "0000 \n";
std::string const no_route = "8001 Network not found\n";

std::string with_cost(std::string const& address, unsigned cost) {
  return "1007-Table master4:\n     " + address + "/32 unicast [ospf4 22:36:58.265] * I (150/" + std::to_string(cost) +
         ") [10.255.0.2]\n     \tvia 10.9.0.2 on va\n1008-\tType: OSPF univ\n1012-\tOSPF.metric1: " +
         std::to_string(cost) + "\n     \tOSPF.router_id: 10.255.0.2\n0000 \n";
}

bird::Lines lines_of(std::string const& reply) {
  bird::ReplyReader reader;
  std::istringstream stream(reply);
  for (std::string line; std::getline(stream, line);) {
    if (reader.feed(line).value()) {
      break;
    }
  }
  return reader.reply().text();
}

TEST(CostOf, ReadsWhatBirdPrints) {
  struct Row {
    std::string reply;
    char const* address;
    std::optional<std::uint32_t> cost;
    char const* why;
  };
  Row const rows[] = {
      {intra, "10.200.0.2", 20, "within the area"},
      {external, "10.200.0.3", 15, "external: the path to who announces it"},
      {six, "fd00::2", 32, "OSPFv3"},
      {six, "fd00:0:0::2", 32, "written otherwise, the same address"},
      {intra, "10.200.0.9", std::nullopt, "another's route"},
      {covering, "10.200.0.2", std::nullopt, "a covering prefix is no way there"},
      {of_another_protocol, "10.200.0.2", std::nullopt, "the best route is not OSPF's"},
      {no_route, "10.200.0.2", std::nullopt, "no route"},
      {"0000 \n", "10.200.0.2", std::nullopt, "nothing"},
  };
  for (Row const& row : rows) {
    EXPECT_EQ(mesh_costs::cost_of(lines_of(row.reply), make_address(row.address)), row.cost) << row.why;
  }
}

TEST(CostOf, IsNothingForWhatCannotBeANumber) {
  for (std::string_view const metric : {"", "x", "-1", "20x", "99999999999"}) {
    bird::Lines const lines{"10.200.0.2/32 unicast [ospf4 22:36:58.265] * I (150/20) [10.255.0.2]", "Type: OSPF univ",
                            "OSPF.metric1: " + std::string(metric)};
    EXPECT_FALSE(mesh_costs::cost_of(lines, make_address("10.200.0.2"))) << metric;
  }
}

class MeshCostsTest : public testing::Test {
 protected:
  mesh_costs::MeshCostsSettings settings(std::string const& bird) {
    mesh_costs::MeshCostsSettings out;
    out.bird = bird;
    out.own = "ams";
    out.sites = {{"nyc", make_address("10.200.0.2")}, {"sin", make_address("10.200.0.3")}};
    out.interval = 1ms;
    out.deadline = 500ms;
    return out;
  }
  // "show route for 10.200.0.2 primary all"
  std::string answer(std::string const& command) {
    ++asked;
    std::string const start = "show route for ";
    EXPECT_TRUE(command.starts_with(start) && command.ends_with(" primary all")) << command;
    return replies[command.substr(start.size(), command.find(' ', start.size()) - start.size())];
  }
  void start(std::string const& bird) {
    costs = std::make_unique<mesh_costs::MeshCosts>(io.get_executor(), settings(bird),
                                                    [this](auto const& found) { changes.push_back(*found); });
  }
  template <class Condition>
  void run_until(Condition condition) {
    auto const end = std::chrono::steady_clock::now() + 20s;
    while (!condition() && std::chrono::steady_clock::now() < end) {
      io.restart();
      io.run_one_for(1s);
    }
    ASSERT_TRUE(condition());
  }
  void TearDown() override {
    costs.reset();
    io.restart();
    io.run_for(10ms);
  }

  boost::asio::io_context io;
  std::map<std::string, std::string> replies;
  int asked = 0;
  std::vector<geo::SiteCosts> changes;
  std::unique_ptr<mesh_costs::MeshCosts> costs;
};

TEST_F(MeshCostsTest, TellsTheCostsWhenTheyChangeAndOnlyThen) {
  fake_bird::FakeBird bird(io, [this](std::string const& command) { return answer(command); });
  replies = {{"10.200.0.2", intra}, {"10.200.0.3", no_route}};
  start(bird.path());
  EXPECT_EQ(costs->status().costs, nullptr);
  run_until([this] { return asked >= 10; });
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_THAT(changes[0], ElementsAre(Pair("ams", 0U), Pair("nyc", 20U))) << "no route, no cost";
  replies["10.200.0.3"] = with_cost("10.200.0.3", 7);
  run_until([this] { return changes.size() == 2; });
  EXPECT_THAT(changes[1], ElementsAre(Pair("ams", 0U), Pair("nyc", 20U), Pair("sin", 7U)));
  EXPECT_EQ(*costs->status().costs, changes[1]);
}

TEST_F(MeshCostsTest, KeepsTheLastCostsWhileBirdCannotBeAskedAndSaysSoOnce) {
  fake_bird::FakeBird bird(io, [this](std::string const& command) { return answer(command); });
  replies = {{"10.200.0.2", intra}, {"10.200.0.3", with_cost("10.200.0.3", 7)}};
  start(bird.path());
  run_until([this] { return changes.size() == 1; });
  replies["10.200.0.3"] = "8003 Something else\n";
  testing::internal::CaptureStderr();
  run_until([this] { return !costs->status().last_error.empty(); });
  int const before = asked;
  run_until([this, before] { return asked >= before + 6; });
  std::string const said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("Something else"));
  EXPECT_EQ(said.find("the last ones stay"), said.rfind("the last ones stay"));
  EXPECT_EQ(changes.size(), 1U);
  EXPECT_EQ(costs->status().costs->size(), 3U);
  replies["10.200.0.3"] = with_cost("10.200.0.3", 8);
  run_until([this] { return changes.size() == 2; });
  EXPECT_EQ(costs->status().last_error, "");
}

TEST_F(MeshCostsTest, ABirdThatIsNotThereLeavesTheCostsUnknown) {
  start("/nonexistent/bird.ctl");
  run_until([this] { return !costs->status().last_error.empty(); });
  EXPECT_EQ(costs->status().costs, nullptr);
  EXPECT_TRUE(changes.empty());
}

TEST_F(MeshCostsTest, ABirdThatHangsIsWaitedForNoLongerThanTheDeadline) {
  fake_bird::FakeBird bird(io, [](std::string const&) { return "hang"; });
  auto wanted = settings(bird.path());
  wanted.deadline = 20ms;
  costs = std::make_unique<mesh_costs::MeshCosts>(io.get_executor(), wanted,
                                                  [this](auto const& found) { changes.push_back(*found); });
  run_until([this] { return !costs->status().last_error.empty(); });
  EXPECT_TRUE(changes.empty());
}

}  // namespace
