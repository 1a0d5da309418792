#include "acme/measures/measures.hpp"

#include <gmock/gmock.h>

namespace acme {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;

crypto::Time const now{hours(500000)};
constexpr hours day{24};

TEST(LifeLeft, CountsWhatHasAtMostSoMuchLeft) {
  LifeLeft life;
  life.count(now - 80 * day, now + 10 * day, now);     // a ninth is left
  life.count(now, now + 90 * day, now);                // all
  life.count(now + day, now + 91 * day, now);          // more than all: not valid yet
  life.count(now - 90 * day, now - hours(1), now);     // over
  life.count(now - hours(128), now + hours(32), now);  // a fifth exactly: an alarm
  //                                     0  0.05 0.1 0.2 0.35 0.5 0.75 1
  EXPECT_THAT(life.by_share(), ElementsAre(1, 1, 1, 3, 3, 3, 3, 5));
  //                                    0  1  3  7  14 30 45 60 90
  EXPECT_THAT(life.by_days(), ElementsAre(1, 1, 2, 2, 3, 3, 3, 3, 4));
}

TEST(Measures, ShowThemselves) {
  process::Metrics metrics;
  Measures measures(metrics);
  EXPECT_TRUE(measures.life_is_due(now));
  LifeLeft life;
  life.count(now - 80 * day, now + 10 * day, now);
  measures.show_life(life, now);
  EXPECT_FALSE(measures.life_is_due(now + std::chrono::seconds(59)));
  EXPECT_TRUE(measures.life_is_due(now + std::chrono::seconds(60)));
  measures.show({5, 4, 3, 2, 1, 6, now});
  measures.ended("https://ca/dir", "policy", "caa");
  measures.ended("https://ca/dir", "issued", "");
  std::string const text = metrics.text();
  for (char const* const line : {"navigator_acme_life_left{le=\"0.1\"} 0\n", "navigator_acme_life_left{le=\"0.2\"} 1\n",
                                 "navigator_acme_days_left{le=\"7\"} 0\n", "navigator_acme_days_left{le=\"14\"} 1\n",
                                 "navigator_acme_alarms 1\n", "navigator_acme_missing 6\n",
                                 "navigator_acme_earliest_expiry_seconds 1800000000\n",
                                 "navigator_acme_orders_total{authority=\"https://ca/dir\",outcome=\"issued\"} 1\n",
                                 "navigator_acme_orders_total{authority=\"https://ca/dir\",outcome=\"policy\"} 1\n",
                                 "navigator_acme_problems_total{authority=\"https://ca/dir\",type=\"caa\"} 1\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace acme
