#include "mesh/wireguard/kernel/netlink.hpp"

#include "../samples.hpp"

#include <gtest/gtest.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/wireguard.h>

#include <cstring>

namespace wireguard {
namespace {

constexpr std::uint16_t family = 31;

PeerSetting complete(Peer peer) {
  PeerSetting out;
  out.peer = std::move(peer);
  out.set_endpoint = true;
  out.replace_allowed_ips = true;
  out.set_keepalive = true;
  return out;
}

Peer peer(std::uint8_t number, std::size_t allowed) {
  Peer out;
  out.public_key = samples::key(number);
  out.endpoint = parse_endpoint("192.0.2.2:51821").value();
  out.keepalive_s = 25;
  for (std::size_t i = 0; i < allowed; ++i) {
    out.allowed_ips.push_back(Network{boost::asio::ip::address_v4(static_cast<std::uint32_t>(0x0A000000U + i)), 32});
  }
  return out;
}

// What the kernel says in a dump has the same attributes as what it is told, so a set reads back as a device.
ObservedDevice read_back(std::vector<netlink::Bytes> const& messages) {
  ObservedDevice out;
  for (auto const& message : messages) {
    auto const read = netlink::decode_get(message, out);
    EXPECT_TRUE(read.has_value()) << (read ? "" : read.error().what());
  }
  return out;
}

TEST(Netlink, ARequestNamesFamilyCommandAndDevice) {
  auto const message = netlink::encode_get("wg-b", family);
  nlmsghdr header{};
  std::memcpy(&header, message.data(), sizeof header);
  EXPECT_EQ(header.nlmsg_len, message.size());
  EXPECT_EQ(header.nlmsg_type, family);
  EXPECT_EQ(header.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
  genlmsghdr generic{};
  std::memcpy(&generic, message.data() + sizeof header, sizeof generic);
  EXPECT_EQ(generic.cmd, WG_CMD_GET_DEVICE);
  EXPECT_EQ(generic.version, WG_GENL_VERSION);
  // One attribute: "wg-b" and its final zero, padded to four bytes.
  EXPECT_EQ(message.size(), sizeof header + sizeof generic + 4 + 8);
}

TEST(Netlink, AWholeDeviceSurvivesTheWire) {
  Configuration configuration;
  configuration.device = "wg-b";
  configuration.private_key = samples::private_key(9);
  configuration.listen_port = 51820;
  configuration.peers.push_back(complete(samples::device().peers[0]));
  auto v6 = peer(3, 1);
  v6.endpoint = parse_endpoint("[2001:db8::3]:9").value();
  configuration.peers.push_back(complete(v6));
  auto const messages = netlink::encode_set(configuration, family);
  ASSERT_EQ(messages.size(), 1U);
  auto const device = read_back(messages);
  EXPECT_TRUE(device.private_key == samples::private_key(9));
  EXPECT_EQ(device.listen_port, 51820);
  ASSERT_EQ(device.peers.size(), 2U);
  EXPECT_EQ(device.peers[0].peer.endpoint->text(), "192.0.2.2:51821");
  EXPECT_EQ(device.peers[0].peer.allowed_ips, samples::device().peers[0].allowed_ips);
  EXPECT_EQ(device.peers[1].peer.endpoint->text(), "[2001:db8::3]:9");
  EXPECT_EQ(device.peers[1].peer.keepalive_s, 25);
}

TEST(Netlink, ManyPeersAreSplitAndNoneIsLost) {
  Configuration configuration;
  configuration.device = "wg-b";
  for (std::uint8_t i = 1; i <= 50; ++i) {
    configuration.peers.push_back(complete(peer(i, 2)));
  }
  auto const messages = netlink::encode_set(configuration, family, 1024);
  EXPECT_GT(messages.size(), 5U);
  for (auto const& message : messages) {
    EXPECT_LE(message.size(), 1024U);
  }
  auto const device = read_back(messages);
  ASSERT_EQ(device.peers.size(), 50U);
  for (std::uint8_t i = 1; i <= 50; ++i) {
    EXPECT_EQ(device.peers[i - 1U].peer.public_key, samples::key(i));
    EXPECT_EQ(device.peers[i - 1U].peer.allowed_ips.size(), 2U);
  }
}

TEST(Netlink, OnePeerLargerThanAMessageGoesOnInTheNext) {
  Configuration configuration;
  configuration.device = "wg-b";
  configuration.private_key = samples::private_key(9);
  configuration.peers.push_back(complete(peer(2, 300)));
  configuration.peers.push_back(complete(peer(3, 1)));
  auto const messages = netlink::encode_set(configuration, family, 1024);
  EXPECT_GT(messages.size(), 5U);
  auto const device = read_back(messages);
  ASSERT_EQ(device.peers.size(), 2U);
  EXPECT_EQ(device.peers[0].peer.allowed_ips, peer(2, 300).allowed_ips);
  EXPECT_EQ(device.peers[0].peer.keepalive_s, 25);
  EXPECT_EQ(device.peers[1].peer.allowed_ips.size(), 1U);
}

// Finds each value of a flags attribute inside the bytes: length 8, type WGPEER_A_FLAGS, value.
std::vector<std::uint32_t> peer_flags(netlink::Bytes const& message) {
  std::vector<std::uint32_t> out;
  for (std::size_t at = 0; at + 8 <= message.size(); at += 4) {
    std::uint16_t head[2];
    std::memcpy(head, message.data() + at, sizeof head);
    if (head[0] == 8 && head[1] == WGPEER_A_FLAGS) {
      std::uint32_t value = 0;
      std::memcpy(&value, message.data() + at + 4, sizeof value);
      out.push_back(value);
    }
  }
  return out;
}

TEST(Netlink, FlagsSayWhatMayHappenToAPeer) {
  Configuration configuration;
  configuration.device = "wg-b";
  PeerSetting gone;
  gone.peer.public_key = samples::key(4);
  gone.remove = true;
  PeerSetting update;
  update.peer = peer(2, 0);
  update.update_only = true;
  update.set_keepalive = true;
  configuration.peers = {gone, update};
  auto const messages = netlink::encode_set(configuration, family);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(peer_flags(messages[0]), (std::vector<std::uint32_t>{WGPEER_F_REMOVE_ME, WGPEER_F_UPDATE_ONLY}));
}

TEST(Netlink, TheAllowedIpsAreReplacedInTheFirstMessageOnly) {
  Configuration configuration;
  configuration.device = "wg-b";
  configuration.peers.push_back(complete(peer(2, 60)));
  auto const messages = netlink::encode_set(configuration, family, 1024);
  ASSERT_GE(messages.size(), 2U);
  EXPECT_EQ(peer_flags(messages[0]), std::vector<std::uint32_t>{WGPEER_F_REPLACE_ALLOWEDIPS});
  EXPECT_EQ(peer_flags(messages[1]), std::vector<std::uint32_t>{WGPEER_F_UPDATE_ONLY});
}

TEST(Netlink, TruncatedMessagesAreRefusedOrReadInPart) {
  Configuration configuration;
  configuration.device = "wg-b";
  configuration.private_key = samples::private_key(9);
  configuration.peers.push_back(complete(peer(2, 3)));
  auto const whole = netlink::encode_set(configuration, family)[0];
  for (std::size_t size = 0; size < whole.size(); ++size) {
    netlink::Bytes const part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    ObservedDevice device;
    EXPECT_FALSE(netlink::decode_get(part, device).has_value()) << size;
  }
}

TEST(Netlink, APeerWithoutAKeyIsRefused) {
  Configuration configuration;
  configuration.device = "wg-b";
  PeerSetting nobody;
  nobody.set_keepalive = true;
  configuration.peers = {nobody};
  ObservedDevice device;
  auto const read = netlink::decode_get(netlink::encode_set(configuration, family)[0], device);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, errc::bad_message);
}

}  // namespace
}  // namespace wireguard
