#include "acme/alarms/alarms.hpp"

#include <gmock/gmock.h>

namespace acme {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;

crypto::Time const start{hours(500000)};

TEST(Alarms, AreRaisedAtAFifthOfALifeAndEndWithTheNextCertificate) {
  Alarms alarms(hours(1));
  alarms.hold(1, start, start + hours(100));
  EXPECT_EQ(alarms.next(), start + hours(80));
  EXPECT_THAT(alarms.raise(start + hours(80) - minutes(1)), IsEmpty());
  EXPECT_THAT(alarms.raise(start + hours(80)), ElementsAre(1));
  EXPECT_THAT(alarms.raise(start + hours(81)), IsEmpty()) << "said once";
  EXPECT_TRUE(alarms.raised(1));
  EXPECT_FALSE(alarms.missing(1));
  EXPECT_EQ(alarms.expiring(), 1U);
  alarms.hold(1, start + hours(81), start + hours(181));
  EXPECT_FALSE(alarms.raised(1));
  EXPECT_EQ(alarms.next(), start + hours(161));
}

TEST(Alarms, MissANameThatNeverHadACertificate) {
  Alarms alarms(hours(1));
  alarms.lack(1, start, start);
  alarms.lack(2, start + minutes(30), start + minutes(30));
  EXPECT_THAT(alarms.raise(start + minutes(59)), IsEmpty());
  EXPECT_THAT(alarms.raise(start + minutes(60)), ElementsAre(1));
  EXPECT_TRUE(alarms.missing(1));
  EXPECT_EQ(alarms.missing(), 1U);
  EXPECT_EQ(alarms.expiring(), 0U);
  alarms.hold(1, start + hours(1), start + hours(101));
  EXPECT_EQ(alarms.missing(), 0U);
  alarms.drop(2);
  EXPECT_EQ(alarms.next(), start + hours(81));
}

TEST(Alarms, GiveANameThatComesBackATenthOfTheTime) {
  Alarms alarms(hours(1));
  alarms.lack(1, start, start + hours(48));
  EXPECT_EQ(alarms.next(), start + hours(48) + minutes(6));
  alarms.clear();
  EXPECT_EQ(alarms.next(), std::nullopt);
}

}  // namespace
}  // namespace acme
