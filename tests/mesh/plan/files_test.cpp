#include "mesh/plan/files.hpp"

#include "tests/mesh/plan/sample.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The sample, with an uplink and a segment that meets the platform on ams-1.
plan::World world() {
  auto out = plan::sample::world();
  out.topology.nodes[0].upstreams = {{plan::sample::address("198.18.1.1"), 65001, 65101}};
  topology::Segment acme;
  acme.name = "acme";
  acme.prefix4 = boost::asio::ip::make_network_v4("10.9.0.0/24");
  acme.gateways = {"ams-1"};
  out.topology.segments = {acme};
  out.keys.erase("nyc-1");
  return out;
}

std::vector<plan::File> files(plan::World const& of, std::string const& node) {
  plan::PlanOptions options;
  options.assume_joined = true;
  return *plan::files_of(plan::Planner(of), node, options);
}

std::string read(std::filesystem::path const& path) {
  std::ifstream stream(path);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// After a wanted change of a text: SOVEREIGN_WRITE_GOLDEN=1 mesh.plan.test, then read the difference.
TEST(Files, AreThoseOnRecord) {
  auto const folder = std::filesystem::path(SOURCE_DIR) / "tests/mesh/plan/golden";
  bool const write = std::getenv("SOVEREIGN_WRITE_GOLDEN") != nullptr;
  std::vector<std::string> names;
  for (auto const& file : files(world(), "ams-1")) {
    names.push_back(file.name);
    if (write) {
      std::ofstream(folder / file.name) << file.text;
    }
    EXPECT_EQ(file.text, read(folder / file.name)) << file.name;
  }
  EXPECT_THAT(names, ::testing::ElementsAre("addresses.batch", "bird.conf", "nftables.conf", "sysctl.conf",
                                            "wg-edge-1.conf", "wg-nyc-1.conf"));
}

TEST(Files, HoldNoPrivateKeyAndCommentOutAPeerWhoseKeyIsNotKnown) {
  auto const all = files(world(), "ams-1");
  for (auto const& file : all) {
    EXPECT_THAT(file.text, Not(HasSubstr("PrivateKey")));
  }
  EXPECT_THAT(all[4].text, HasSubstr("\n[Peer]\nPublicKey = "));
  EXPECT_THAT(all[5].text, Not(HasSubstr("\n[Peer]")));
  EXPECT_THAT(all[5].text, HasSubstr("\n# [Peer]\n# PublicKey = (on nyc-1: wg pubkey"));
}

TEST(Files, OfANodeBehindNatKeepItsMappingOpen) {
  auto const all = files(world(), "edge-1");
  EXPECT_THAT(all[4].text, HasSubstr("PersistentKeepalive = 25\n"));
  EXPECT_THAT(files(world(), "ams-1")[4].text, HasSubstr("# edge-1 has no address to reach it at: it speaks first.\n"));
}

TEST(Files, OfAnUnknownNodeAreNone) {
  auto const sample = world();
  auto const none = plan::files_of(plan::Planner(sample), "nobody", {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, plan::errc::unknown_node);
}

}  // namespace
