#include "dns-backend/powerdns/zones/serial.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace {

// Monday 2026-11-23 15:00 UTC; its week began on Thursday the 19th.
constexpr std::int64_t now_s = 1795446000;

class Serial : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }
};

TEST_F(Serial, DefaultIsTheDayAndThenOneMore) {
  EXPECT_EQ(powerdns::next_serial("DEFAULT", "", 0, now_s), 2026112301U);
  EXPECT_EQ(powerdns::next_serial("default", "", 2026112300U, now_s), 2026112301U);
  EXPECT_EQ(powerdns::next_serial("DEFAULT", "", 2026112301U, now_s), 2026112302U);
  EXPECT_EQ(powerdns::next_serial("DEFAULT", "", 2099010101U, now_s), 2099010102U);
}

TEST_F(Serial, EveryWordOfSoaEditApi) {
  EXPECT_EQ(powerdns::next_serial("INCREASE", "", 7, now_s), 8U);
  EXPECT_EQ(powerdns::next_serial("EPOCH", "", 7, now_s), now_s);
  EXPECT_EQ(powerdns::next_serial("SOA-EDIT", "INCEPTION-INCREMENT", 7, now_s), 2026111901U);
  EXPECT_EQ(powerdns::next_serial("SOA-EDIT", "", 7, now_s), 7U);
  EXPECT_EQ(powerdns::next_serial("SOA-EDIT-INCREASE", "", 7, now_s), 8U);
  EXPECT_EQ(powerdns::next_serial("SOA-EDIT-INCREASE", "INCEPTION-EPOCH", 7, now_s), 1795046400U);
  EXPECT_EQ(powerdns::next_serial("OFF", "", 7, now_s), 7U);
  EXPECT_EQ(powerdns::next_serial("", "", 7, now_s), 7U);
}

TEST_F(Serial, EveryWordOfSoaEdit) {
  // pdns_server 4.7.3 said 2026111901 for serial 1 in that week.
  EXPECT_EQ(powerdns::edited_serial("INCEPTION-INCREMENT", 1, now_s), 2026111901U);
  EXPECT_EQ(powerdns::edited_serial("INCEPTION-INCREMENT", 2026111901U, now_s), 2026111903U);
  EXPECT_EQ(powerdns::edited_serial("INCEPTION-INCREMENT", 2026112104U, now_s), 2026112106U);
  EXPECT_EQ(powerdns::edited_serial("INCEPTION-INCREMENT", 2026112301U, now_s), 2026112301U) << "later days stay";
  EXPECT_EQ(powerdns::edited_serial("INCREMENT-WEEKS", 5, now_s), 5U + 2968U);
  EXPECT_EQ(powerdns::edited_serial("INCEPTION-EPOCH", 2000000000U, now_s), 2000000000U);
  EXPECT_EQ(powerdns::edited_serial("EPOCH", 5, now_s), now_s);
  EXPECT_EQ(powerdns::edited_serial("NONE", 5, now_s), 5U);
  EXPECT_EQ(powerdns::edited_serial("", 5, now_s), 5U);
}

}  // namespace
