#include "routing/anycast/announcement.hpp"

#include <gtest/gtest.h>

namespace {

using anycast::Action;
using anycast::Observed;
using probe::Health;

probe::Time at(int ms) {
  return probe::Time(std::chrono::milliseconds(ms));
}

TEST(Announcement, NeedsASuccessBeforeAnythingIsAnnounced) {
  anycast::Announcement announcement("anycast_dns_4", {3, 2});
  EXPECT_EQ(announcement.health(), Health::unknown);
  EXPECT_EQ(anycast::difference(announcement.health(), Observed::disabled), Action::none);
  announcement.observe(true, at(0));
  EXPECT_EQ(anycast::difference(announcement.health(), Observed::disabled), Action::enable);
}

TEST(Announcement, OfAServiceThatNeverAnsweredIsWithdrawn) {
  anycast::Announcement announcement("anycast_dns_4", {3, 2});
  announcement.observe(false, at(0));
  EXPECT_EQ(announcement.health(), Health::down);
  EXPECT_EQ(anycast::difference(announcement.health(), Observed::enabled), Action::disable);
}

TEST(Announcement, RidesOutOneFailureAndComesBackOnlyAfterRise) {
  anycast::Announcement announcement("anycast_dns_4", {3, 2});
  announcement.observe(true, at(0));
  EXPECT_FALSE(announcement.observe(false, at(1)).has_value());
  EXPECT_EQ(announcement.health(), Health::up);
  EXPECT_FALSE(announcement.observe(true, at(2)).has_value());
  EXPECT_FALSE(announcement.observe(false, at(3)).has_value());
  EXPECT_TRUE(announcement.observe(false, at(4)).has_value());
  EXPECT_EQ(announcement.health(), Health::down);
  announcement.observe(true, at(5));
  announcement.observe(true, at(6));
  EXPECT_EQ(announcement.health(), Health::down);
  announcement.observe(true, at(7));
  EXPECT_EQ(announcement.health(), Health::up);
}

TEST(Announcement, LeavesAnEarlierAnnouncementUntilTheFirstVerdict) {
  EXPECT_EQ(anycast::difference(Health::unknown, Observed::enabled), Action::none);
}

TEST(Announcement, ActsOnlyOnADifference) {
  EXPECT_EQ(anycast::difference(Health::up, Observed::enabled), Action::none);
  EXPECT_EQ(anycast::difference(Health::down, Observed::disabled), Action::none);
  EXPECT_EQ(anycast::difference(Health::up, Observed::absent), Action::none);
  EXPECT_EQ(anycast::difference(Health::down, Observed::absent), Action::none);
}

TEST(Observed, ReadsBirdsTable) {
  std::vector<bird::ProtocolRow> const rows{{"anycast_dns_4", "Static", "master4", "up", ""},
                                            {"anycast_dns_6", "Static", "master6", "down", ""},
                                            {"anycast_web_4", "Static", "master4", "start", ""},
                                            {"anycast_web_6", "Static", "master6", "flush", ""}};
  EXPECT_EQ(anycast::observed("anycast_dns_4", rows), Observed::enabled);
  EXPECT_EQ(anycast::observed("anycast_dns_6", rows), Observed::disabled);
  EXPECT_EQ(anycast::observed("anycast_web_4", rows), Observed::enabled);
  EXPECT_EQ(anycast::observed("anycast_web_6", rows), Observed::disabled);
  EXPECT_EQ(anycast::observed("anycast_dns", rows), Observed::absent);
}

TEST(Thresholds, AreNeverZero) {
  topology::Service service;
  service.rise = 0;
  service.fall = 0;
  EXPECT_EQ(anycast::thresholds(service), (probe::Thresholds{1, 1}));
}

}  // namespace
