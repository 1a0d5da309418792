#include "base/probe/attempt.hpp"
#include "tests/support/run_task.hpp"

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>

#include <cerrno>

#include <sys/socket.h>
#include <unistd.h>

namespace probe {
namespace {

using Octets = std::vector<std::uint8_t>;

int refuse_all(int, int, int) {
  errno = EACCES;
  return -1;
}
int refuse_unprivileged(int, int type, int) {
  errno = EACCES;
  return (type & SOCK_RAW) == SOCK_RAW ? ::dup(0) : -1;
}

Octets reply_to(Echo const& echo) {
  Octets out = echo_request(echo);
  out[0] = echo.v6 ? 129 : 0;
  return out;
}

TEST(Icmp, SendsAnEchoRequestWithItsChecksum) {
  Octets const octets = echo_request({false, 0x0102, 0x1122334455667788ULL});
  ASSERT_EQ(octets.size(), 16U);
  EXPECT_EQ(octets[0], 8);
  EXPECT_EQ(octets[6], 1);
  EXPECT_EQ(octets[7], 2);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    sum += octets[i] * 256U + octets[i + 1];
  }
  EXPECT_EQ((sum & 0xffffU) + (sum >> 16U), 0xffffU) << "RFC 1071: the sum over everything is all ones";
  EXPECT_EQ(echo_request({true, 1, 2})[0], 128);
}

TEST(Icmp, KnowsItsOwnReply) {
  for (bool const v6 : {false, true}) {
    Echo const echo{v6, 7, 99};
    Octets const reply = reply_to(echo);
    EXPECT_TRUE(is_echo_reply(echo, reply, false));
    EXPECT_FALSE(is_echo_reply(echo, echo_request(echo), false)) << "a raw socket on loopback hears the request too";
    EXPECT_FALSE(is_echo_reply({v6, 8, 99}, reply, false));
    EXPECT_FALSE(is_echo_reply({v6, 7, 98}, reply, false));
    for (std::size_t size = 0; size < reply.size(); ++size) {
      EXPECT_FALSE(is_echo_reply(echo, std::span(reply).first(size), false));
    }
  }
}

TEST(Icmp, PassesOverTheHeaderThatARawSocketDelivers) {
  Echo const echo{false, 7, 99};
  Octets message(24);
  message[0] = 0x46;  // with one option
  Octets const reply = reply_to(echo);
  message.insert(message.end(), reply.begin(), reply.end());
  EXPECT_TRUE(is_echo_reply(echo, message, true));
  message[0] = 0x45;
  EXPECT_FALSE(is_echo_reply(echo, message, true));
  message[0] = 0x4f;
  EXPECT_FALSE(is_echo_reply(echo, message, true)) << "longer than the message";
  message[0] = 0x41;
  EXPECT_FALSE(is_echo_reply(echo, message, true)) << "shorter than any header";
  EXPECT_FALSE(is_echo_reply(echo, {}, true));
}

TEST(Icmp, TriesARawSocketAndNamesBothRefusals) {
  IcmpSocket const raw = open_icmp(false, refuse_unprivileged);
  EXPECT_TRUE(raw.raw);
  ASSERT_GE(raw.descriptor, 0);
  ::close(raw.descriptor);
  IcmpSocket const none = open_icmp(true, refuse_all);
  EXPECT_EQ(none.descriptor, -1);
  EXPECT_EQ(
      none.problem,
      "the kernel allows no ICMP: an unprivileged socket needs net.ipv4.ping_group_range (Permission denied), a raw "
      "one CAP_NET_RAW (Permission denied)");
}

TEST(Icmp, HearsTheEchoOfLoopback) {
  boost::asio::io_context loop;
  for (char const* const address : {"127.0.0.1", "::1"}) {
    Check check;
    check.type = Type::icmp;
    check.address = address;
    check.timeout = std::chrono::seconds(20);
    IcmpSocket const probe = open_icmp(check.address == "::1", ::socket);
    Verdict const verdict = ::test::run_task(loop, run(check));
    if (probe.descriptor < 0) {
      EXPECT_EQ(verdict.reason, probe.problem);
    } else if (check.address == "127.0.0.1") {
      EXPECT_TRUE(verdict.success) << verdict.reason;
    } else {  // a machine without IPv6 says so
      EXPECT_TRUE(verdict.success || verdict.reason == "network unreachable" ||
                  verdict.reason == "Cannot assign requested address")
          << verdict.reason;
    }
    if (probe.descriptor >= 0) {
      ::close(probe.descriptor);
    }
  }
}

}  // namespace
}  // namespace probe
