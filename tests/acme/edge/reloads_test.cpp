// How often an agent reloads its web server.
#include "tests/acme/edge/agent_fixture.hpp"

namespace edge {
namespace {

using ReloadsTest = AgentTest;

// Somebody has his certificate changed again and again, as soon as the last change is served.
TEST_P(ReloadsTest, AListThatChangesAllTheTimeIsAppliedWithPauses) {
  settings.reload_pace = {2, std::chrono::milliseconds(400), 0, std::chrono::seconds(1)};
  settings.reload = {"/bin/sh", "-c", "cut -d' ' -f1 /proc/uptime >> " + folder.file("reloads")};
  Bundle const one = make(1);
  Bundle const other = make(2);
  bundles = {one};
  start();
  auto const times = [this] {
    std::ifstream stream(folder.file("reloads"));
    return std::vector<double>(std::istream_iterator<double>(stream), {});
  };
  std::size_t seen = 0;
  ASSERT_TRUE(until([&] {
    if (times().size() != seen) {
      seen = times().size();
      bundles = {seen % 2 == 0 ? one : other};
      bundles[0].item.sequence = ++sequence;
    }
    return seen >= 6;
  }));
  std::vector<double> const at = times();
  for (std::size_t i = 2; i < at.size(); ++i) {
    EXPECT_GE(at[i] - at[i - 2], 0.38) << i;  // a burst of two, and then one in each pause
  }
  stop();
}

INSTANTIATE_TEST_SUITE_P(Lists, ReloadsTest, testing::Bool(),
                         [](auto const& one) { return one.param ? "Changes" : "Whole"; });

}  // namespace
}  // namespace edge
