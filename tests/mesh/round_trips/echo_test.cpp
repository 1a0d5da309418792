#include "mesh/round_trips/echo.hpp"

#include <gmock/gmock.h>

namespace {

using round_trips::echo_message;
using round_trips::reply_sequence;

TEST(Echo, FillsThePacketToItsSizeWithTheHeaderOfIp) {
  EXPECT_EQ(echo_message(1, 2, 1420).size(), 1420U - 40U);
  EXPECT_EQ(echo_message(1, 2, 0).size(), 8U);
  EXPECT_EQ(echo_message(0x1234, 0xabcd, 64)[0], 128);
}

TEST(Echo, AReplyIsKnownByItsIdentifier) {
  auto reply = echo_message(0x1234, 0xabcd, 64);
  EXPECT_EQ(reply_sequence(reply, 0x1234), -1) << "a request is no reply";
  reply[0] = 129;
  EXPECT_EQ(reply_sequence(reply, 0x1234), 0xabcd);
  EXPECT_EQ(reply_sequence(reply, 0x1235), -1);
  reply.resize(7);
  EXPECT_EQ(reply_sequence(reply, 0x1234), -1);
  EXPECT_EQ(reply_sequence({}, 0x1234), -1);
}

}  // namespace
