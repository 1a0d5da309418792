#include "routing/bird/config.hpp"

#include "tests/routing/bird/three_nodes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string rendered(std::string const& node, bird::RenderSettings const& settings = {}) {
  return bird::render(three_nodes::topology(), three_nodes::allocation(), node, settings);
}

std::string file(std::filesystem::path const& path) {
  std::ifstream stream(path);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// What BIRD itself says of a text; empty when it accepts it.
std::string birds_complaint(std::string const& text) {
  auto const folder = std::filesystem::temp_directory_path() / ("bird-config-test-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  auto const path = folder / "bird.conf";
  std::ofstream(path) << text;
  std::string const command = "bird -p -c " + path.string() + " 2>&1 </dev/null";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  std::string said;
  for (int byte = std::fgetc(pipe); byte != EOF; byte = std::fgetc(pipe)) {
    said += static_cast<char>(byte);
  }
  int const status = ::pclose(pipe);
  std::filesystem::remove_all(folder);
  return status == 0 ? "" : "status " + std::to_string(status) + ": " + said;
}

bool bird_is_installed() {
  return std::system("command -v bird >/dev/null 2>&1") == 0;
}

std::size_t count(std::string const& text, std::string const& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

class Golden : public ::testing::TestWithParam<char const*> {};

// After a wanted change of the text: SOVEREIGN_WRITE_GOLDEN=1 routing.bird.test, then read the difference.
TEST_P(Golden, TextOfEachNodeIsTheOneOnRecord) {
  auto const path =
      std::filesystem::path(SOURCE_DIR) / "tests/routing/bird/golden" / (std::string(GetParam()) + ".conf");
  if (std::getenv("SOVEREIGN_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path) << rendered(GetParam());
  }
  EXPECT_EQ(rendered(GetParam()), file(path));
}

TEST_P(Golden, IsAcceptedByBirdItself) {
  if (!bird_is_installed()) {
    GTEST_SKIP() << "bird is not installed";
  }
  EXPECT_EQ(birds_complaint(rendered(GetParam())), "");
  bird::RenderSettings settings;
  settings.log_file = "/var/log/bird.log";
  settings.announced = {"dns"};
  EXPECT_EQ(birds_complaint(rendered(GetParam(), settings)), "");
}

INSTANTIATE_TEST_SUITE_P(Nodes, Golden, ::testing::Values("dns-ams", "dns-nyc", "edge-1"),
                         [](::testing::TestParamInfo<char const*> const& node) {
                           std::string name = node.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(BirdConfig, IsRefusedByBirdWhenItIsDamagedSoThatTheAcceptanceMeansSomething) {
  if (!bird_is_installed()) {
    GTEST_SKIP() << "bird is not installed";
  }
  std::string text = rendered("dns-ams");
  text.replace(text.find("type ptp;"), 9, "type pqp;");
  EXPECT_THAT(birds_complaint(text), HasSubstr("bird.conf"));
}

TEST(BirdConfig, AFileOfItsOwnIsBegunAnewWhenItIsFullAndHasNoTrace) {
  bird::RenderSettings settings;
  settings.log_file = "/var/log/bird.log";
  EXPECT_THAT(rendered("dns-ams", settings),
              HasSubstr("log \"/var/log/bird.log\" 1000000 \"/var/log/bird.log.old\" { info, remote, warning, error, "
                        "auth, fatal, bug };\n"));
}

TEST(BirdConfig, StartsWithEveryServiceWithdrawn) {
  EXPECT_EQ(count(rendered("dns-ams"), "  disabled;\n"), 2U);
}

TEST(BirdConfig, KeepsAnAnnouncedServiceEnabledSoThatAReconfigurationWithdrawsNothing) {
  bird::RenderSettings settings;
  settings.announced = {"dns"};
  EXPECT_THAT(rendered("dns-ams", settings), Not(HasSubstr("disabled")));
  settings.announced = {"other"};
  EXPECT_EQ(rendered("dns-ams", settings), rendered("dns-ams"));
}

TEST(BirdConfig, HasNoServiceAndExportsNothingOnANodeThatServesNone) {
  std::string const text = rendered("edge-1");
  EXPECT_THAT(text, Not(HasSubstr("protocol static")));
  EXPECT_THAT(text, Not(HasSubstr("SERVED")));
  EXPECT_EQ(count(text, "export none;"), 2U);
}

TEST(BirdConfig, AnnouncesTheLoopbacksByStubnetsAndNotWhateverIsOnLo) {
  std::string const text = rendered("dns-nyc");
  EXPECT_THAT(text, HasSubstr("stubnet 10.200.0.2/32"));
  EXPECT_THAT(text, HasSubstr("stubnet fd5e:70::2/128"));
  EXPECT_THAT(text, Not(HasSubstr("interface \"lo\"")));
}

TEST(BirdConfig, HasOneBlockPerLinkAndFamilyWithItsCost) {
  std::string const text = rendered("edge-1");
  auto const topology = three_nodes::topology();
  for (auto const& link : topology.links_of("edge-1")) {
    EXPECT_EQ(count(text, "interface \"" + topology::interface_name(link, "edge-1") + "\""), 2U);
  }
  EXPECT_EQ(count(text, "      cost 20;\n"), 2U);
  EXPECT_EQ(count(text, "      cost 5;\n"), 2U);
}

TEST(BirdConfig, HasTwoBlocksForALinkWhoseKeyChangesAndTellsOfSessionsWhereItIsWatched) {
  bird::RenderSettings settings;
  auto const topology = three_nodes::topology();
  auto const link = topology.links_of("dns-ams").front();
  settings.interfaces[link.name()] = {{"wg-old", bird::cost_of_last_resort}, {"wg-old~", link.cost}};
  settings.session_log = "/tmp/sessions/log";
  auto const text = rendered("dns-ams", settings);
  EXPECT_THAT(text, HasSubstr("interface \"wg-old\" {  # " + link.name() + "\n      type ptp;\n      cost 65535;"));
  EXPECT_THAT(text, HasSubstr("interface \"wg-old~\" {"));
  EXPECT_THAT(text, HasSubstr("log \"/tmp/sessions/log\" 100000 \"/tmp/sessions/log.old\" { trace };"));
  EXPECT_THAT(text, HasSubstr("debug { states, events };"));
  EXPECT_THAT(rendered("dns-ams"), testing::Not(HasSubstr("debug")));
}

TEST(BirdConfig, AcceptsAServiceOnlyFromTheNodesThatServeIt) {
  EXPECT_THAT(rendered("edge-1"),
              HasSubstr("if net = 198.51.100.53/32 then return ospf_router_id = 10.200.0.1 || ospf_router_id = "
                        "10.200.0.2;"));
}

TEST(BirdConfig, DoesNotBindPrefixesToOriginatorsAcrossAreas) {
  auto topology = three_nodes::topology();
  topology.nodes[2].area = "0.0.0.7";
  std::string const text = bird::render(topology, three_nodes::allocation(), "dns-ams");
  EXPECT_THAT(text, Not(HasSubstr("ospf_router_id")));
  EXPECT_THAT(text, HasSubstr("{32,32} ] then return true;"));
  // The backbone node borders the other area: both blocks, each link in one of them.
  EXPECT_EQ(count(text, "  area 0.0.0.7 {"), 2U);
  EXPECT_EQ(count(text, "  area 0.0.0.0 {"), 2U);
  if (bird_is_installed()) {
    EXPECT_EQ(birds_complaint(text), "");
  }
}

TEST(BirdConfig, BindsEveryIPv4LoopbackToItsRouterAndTheIPv6OnesThatAllRelyUpon) {
  auto topology = three_nodes::topology();
  topology.controller = topology::Controller{"dns-nyc", 18012};
  std::string const text = bird::render(topology, three_nodes::allocation(), "edge-1");
  EXPECT_THAT(text, HasSubstr("{32,32} ] then return ospf_router_id = net.ip;"));
  EXPECT_THAT(text, HasSubstr("if net = fd5e:70::2/128 then return ospf_router_id = 10.200.0.2;"));
  EXPECT_THAT(text, HasSubstr("{128,128} ] then return true;"));
  if (bird_is_installed()) {
    EXPECT_EQ(birds_complaint(text), "");
  }
}

TEST(BirdConfig, DoesNotChangeWhenANodeElsewhereJoins) {
  auto topology = three_nodes::topology();
  auto allocation = three_nodes::allocation();
  std::string const before = bird::render(topology, allocation, "dns-ams");
  topology.nodes.push_back(topology.nodes.back());
  topology.nodes.back().name = "zzz-1";
  allocation.nodes["zzz-1"] = {77, 0};
  EXPECT_EQ(bird::render(topology, allocation, "dns-ams"), before);
}

TEST(BirdConfig, KnowsAnAreaThatIsToBeBorderedBeforeALinkIsInIt) {
  auto topology = three_nodes::topology();
  topology.nodes[0].border_areas = {"0.0.0.9"};
  std::string const text = bird::render(topology, three_nodes::allocation(), topology.nodes[0].name);
  EXPECT_EQ(count(text, "  area 0.0.0.9 {"), 2U);
  EXPECT_THAT(text, HasSubstr("ospf_router_id = net.ip"));
  if (bird_is_installed()) {
    EXPECT_EQ(birds_complaint(text), "");
  }
}

TEST(BirdConfig, IsAcceptedForANodeWithoutLinksAndATopologyWithoutServices) {
  auto topology = three_nodes::topology();
  topology.links.clear();
  topology.services.clear();
  std::string const text = bird::render(topology, three_nodes::allocation(), "dns-ams");
  EXPECT_THAT(text, HasSubstr("protocol bgp upstream_2"));
  if (bird_is_installed()) {
    EXPECT_EQ(birds_complaint(text), "");
  }
}

TEST(BirdConfig, TakesTimersFromTheTopology) {
  auto topology = three_nodes::topology();
  topology.mesh.ospf = {2, 7};
  topology.mesh.bfd = {400, 3};
  std::string const text = bird::render(topology, three_nodes::allocation(), "edge-1");
  EXPECT_EQ(count(text, "hello 2;"), 4U);
  EXPECT_EQ(count(text, "dead 7;"), 4U);
  EXPECT_THAT(text, HasSubstr("interval 400 ms;"));
  EXPECT_THAT(text, HasSubstr("multiplier 3;"));
}

TEST(BirdConfig, NamesProtocolsByServiceAndFamilyInBirdsAlphabet) {
  EXPECT_EQ(bird::anycast_protocol("dns", bird::Family::v4), "anycast_dns_4");
  EXPECT_EQ(bird::anycast_protocol("dns-internal", bird::Family::v6), "anycast_dns_internal_6");
}

TEST(BirdConfigDeathTest, OfAnUnknownNodeIsABrokenInvariant) {
  EXPECT_DEATH((void)rendered("nobody"), "invariant broken");
}

}  // namespace
