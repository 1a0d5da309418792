#include "base/process/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, RendersCountersAndGaugesWithLabels) {
  process::Metrics metrics;
  auto const lookups = metrics.counter("navigator_lookups_total", "Lookups answered", {{"result", "found"}});
  lookups.add();
  lookups.add(2);
  metrics.gauge("navigator_revision", "Revision served").set(42);
  std::string const text = metrics.text();
  EXPECT_THAT(text, HasSubstr("# HELP navigator_lookups_total Lookups answered\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE navigator_lookups_total counter\n"));
  EXPECT_THAT(text, HasSubstr("navigator_lookups_total{result=\"found\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE navigator_revision gauge\nnavigator_revision 42\n"));
}

TEST(Metrics, GivesTheSameHandleForTheSameNameAndLabels) {
  process::Metrics metrics;
  metrics.counter("a_total", "A", {{"x", "1"}}).add();
  metrics.counter("a_total", "A", {{"x", "1"}}).add();
  metrics.counter("a_total", "A", {{"x", "2"}}).add();
  EXPECT_THAT(metrics.text(), HasSubstr("a_total{x=\"1\"} 2\n"));
  EXPECT_THAT(metrics.text(), HasSubstr("a_total{x=\"2\"} 1\n"));
}

TEST(Metrics, ForgetsWhatIsGoneAndBeginsAnew) {
  process::Metrics metrics;
  metrics.gauge("up", "Up", {{"endpoint", "a"}}).set(1);
  metrics.gauge("up", "Up", {{"endpoint", "b"}}).set(1);
  metrics.counter("flips_total", "Flips", {{"endpoint", "a"}}).add(3);
  metrics.forget("up", {{"endpoint", "a"}});
  metrics.forget("flips_total", {{"endpoint", "a"}});
  metrics.forget("up", {{"endpoint", "nobody"}});
  metrics.forget("nothing", {});
  EXPECT_THAT(metrics.text(), Not(HasSubstr("\"a\"")));
  EXPECT_THAT(metrics.text(), Not(HasSubstr("nobody")));
  EXPECT_THAT(metrics.text(), HasSubstr("up{endpoint=\"b\"} 1\n"));
  metrics.counter("flips_total", "Flips", {{"endpoint", "a"}}).add();
  EXPECT_THAT(metrics.text(), HasSubstr("flips_total{endpoint=\"a\"} 1\n"));
}

TEST(Metrics, ADefaultHandleCountsNothing) {
  process::Counter().add();
  process::Gauge().set(1);
}

TEST(MetricsDeathTest, OneNameForTwoKindsIsABrokenInvariant) {
  process::Metrics metrics;
  metrics.counter("a", "A").add();
  EXPECT_DEATH(metrics.gauge("a", "A"), "invariant broken");
}

}  // namespace
