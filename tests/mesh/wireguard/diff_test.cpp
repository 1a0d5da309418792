#include "mesh/wireguard/diff.hpp"

#include "samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace wireguard {
namespace {

using samples::applied;
using samples::device;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t now = 1'700'000'000;
constexpr Owner owner{"wg-", "a"};

std::vector<std::string> texts(std::vector<Device> const& wanted, std::vector<ObservedDevice> const& observed) {
  std::vector<std::string> out;
  for (auto const& change : diff(wanted, observed, owner, now)) {
    out.push_back(change.text());
  }
  return out;
}

TEST(Diff, NothingChangesWhenEverythingIsRight) {
  EXPECT_THAT(texts({device()}, {applied(device())}), IsEmpty());
}

TEST(Diff, TheOrderOfAddressesAndAllowedIpsDoesNotMatter) {
  auto observed = applied(device());
  std::reverse(observed.addresses.begin(), observed.addresses.end());
  std::reverse(observed.peers[0].peer.allowed_ips.begin(), observed.peers[0].peer.allowed_ips.end());
  EXPECT_THAT(texts({device()}, {observed}), IsEmpty());
}

TEST(Diff, AMissingDeviceIsMadeCompletelyAndUpLast) {
  auto const own = public_key(samples::private_key(9)).to_base64();
  EXPECT_THAT(
      texts({device()}, {}),
      ElementsAre("wg-b: create (a--b)", "wg-b: set mtu 1420", "wg-b: set the private key of " + own,
                  "wg-b: listen on port 51820",
                  "wg-b: add peer " + samples::key(2).to_base64() + " endpoint 192.0.2.2:51821 allowed 0.0.0.0/0 ::/0",
                  "wg-b: add address 10.200.0.1/32", "wg-b: add address fe80::1:1/64", "wg-b: set up"));
}

TEST(Diff, EachDifferenceIsOneChange) {
  auto const changed = [](auto const& edit) {
    auto observed = applied(device());
    edit(observed);
    return texts({device()}, {observed});
  };
  auto const peer = samples::key(2).to_base64();
  EXPECT_THAT(changed([](ObservedDevice& one) { one.mtu = 1280; }), ElementsAre("wg-b: set mtu 1420"));
  EXPECT_THAT(changed([](ObservedDevice& one) { one.listen_port = 0; }), ElementsAre("wg-b: listen on port 51820"));
  EXPECT_THAT(changed([](ObservedDevice& one) { one.up = false; }), ElementsAre("wg-b: set up"));
  EXPECT_THAT(changed([](ObservedDevice& one) { one.addresses.pop_back(); }),
              ElementsAre("wg-b: add address fe80::1:1/64"));
  EXPECT_THAT(changed([](ObservedDevice& one) { one.addresses.push_back(parse_network("fe80::dead/64").value()); }),
              ElementsAre("wg-b: remove address fe80::dead/64"));
  EXPECT_THAT(changed([](ObservedDevice& one) { one.peers[0].peer.keepalive_s = 25; }),
              ElementsAre("wg-b: change peer " + peer + " keepalive 0 s"));
  EXPECT_THAT(changed([](ObservedDevice& one) { one.peers[0].peer.allowed_ips.pop_back(); }),
              ElementsAre("wg-b: change peer " + peer + " allowed 0.0.0.0/0 ::/0"));
  EXPECT_THAT(changed([](ObservedDevice& one) { one.peers[0].peer.endpoint.reset(); }),
              ElementsAre("wg-b: change peer " + peer + " endpoint 192.0.2.2:51821"));
}

TEST(Diff, APeerWithANewKeyIsAddedBeforeTheOldOneGoes) {
  auto observed = applied(device());
  observed.peers[0].peer.public_key = samples::key(3);
  EXPECT_THAT(texts({device()}, {observed}), ElementsAre("wg-b: add peer " + samples::key(2).to_base64() +
                                                             " endpoint 192.0.2.2:51821 allowed 0.0.0.0/0 ::/0",
                                                         "wg-b: remove peer " + samples::key(3).to_base64()));
}

TEST(Diff, ARoamedEndpointIsLeftAloneWhileItsSessionLives) {
  auto observed = applied(device());
  observed.peers[0].peer.endpoint = parse_endpoint("198.51.100.9:40000").value();
  observed.peers[0].last_handshake_s = now - 30;
  EXPECT_THAT(texts({device()}, {observed}), IsEmpty());
  observed.peers[0].last_handshake_s = now - session_life_s;
  EXPECT_EQ(texts({device()}, {observed}).size(), 1U);
}

TEST(Diff, AnEndpointThatIsNotWantedIsLeftAlone) {
  auto wanted = device();
  wanted.peers[0].endpoint.reset();
  EXPECT_THAT(texts({wanted}, {applied(device())}), IsEmpty());
}

TEST(Diff, AnUnsetPrivateKeyIsNotTouched) {
  auto wanted = device();
  wanted.private_key = PrivateKey();
  EXPECT_THAT(texts({wanted}, {applied(device())}), IsEmpty());
}

TEST(Diff, AddressesAreAddedBeforeOthersAreRemoved) {
  auto observed = applied(device());
  observed.addresses = {parse_network("10.200.0.9/32").value(), device().addresses[1]};
  EXPECT_THAT(texts({device()}, {observed}),
              ElementsAre("wg-b: add address 10.200.0.1/32", "wg-b: remove address 10.200.0.9/32"));
}

TEST(Diff, DevicesOfOursThatNobodyWantsAreRemovedLast) {
  auto const changes = diff({device("wg-z")}, {applied(device("wg-a"))}, owner, now);
  ASSERT_FALSE(changes.empty());
  EXPECT_EQ(changes.back().text(), "wg-a: remove");
  EXPECT_EQ(std::count_if(changes.begin(), changes.end(), [](Change const& one) { return one.removes(); }), 1);
}

TEST(Diff, ForeignInterfacesAreNeverMentioned) {
  auto other_name = applied(device("wg0"));
  auto other_kind = applied(device("wg-x"));
  other_kind.wireguard = false;
  auto wanted_name = applied(device("wg-b"));
  wanted_name.wireguard = false;
  EXPECT_THAT(texts({device()}, {other_name, other_kind, wanted_name}), IsEmpty());
  EXPECT_THAT(conflicts({device()}, {other_name, other_kind, wanted_name}, owner), ElementsAre("wg-b"));
}

// A tunnel of the operator's own may be called as ours are.
TEST(Diff, WireGuardDevicesOfOthersAreNeverMentioned) {
  auto const foreign = [](std::string const& name) {
    auto one = applied(device(name));
    one.alias = "";
    one.private_key = samples::private_key(77);
    return one;
  };
  EXPECT_THAT(texts({device()}, {applied(device()), foreign("wg-home")}), IsEmpty());
  EXPECT_THAT(texts({device()}, {foreign("wg-b")}), IsEmpty());
  EXPECT_THAT(conflicts({device()}, {foreign("wg-b")}, owner), ElementsAre("wg-b"));
  auto unnamed = applied(device());
  unnamed.alias = "somebody's note";
  unnamed.mtu = 1280;
  EXPECT_THAT(texts({device()}, {unnamed}), ElementsAre("wg-b: set mtu 1420")) << "our key says whose it is";
  ObservedDevice blank;
  blank.name = "wg-b";
  blank.wireguard = true;
  EXPECT_THAT(texts({device()}, {blank}), testing::Contains("wg-b: set up")) << "as a crash leaves it";
  EXPECT_EQ(texts({device()}, {blank}).front(), "wg-b: take over (a--b)");
}

TEST(Diff, OfADeviceThatCannotBeReadOnlyItsLinkIsJudged) {
  auto hung = applied(device());
  hung.peers.clear();
  hung.listen_port = 0;
  hung.private_key = {};
  hung.alias = "a--b";
  hung.unread = errc::unreachable;
  EXPECT_THAT(texts({device()}, {hung}), IsEmpty());
  EXPECT_THAT(conflicts({device()}, {hung}, owner), IsEmpty());
  hung.mtu = 1280;
  hung.up = false;
  EXPECT_THAT(texts({device()}, {hung}), ElementsAre("wg-b: set mtu 1420", "wg-b: set up"));
  hung.alias = "";
  EXPECT_THAT(conflicts({device()}, {hung}, owner), ElementsAre("wg-b")) << "nothing says that it is blank";
}

TEST(Diff, NoTextHoldsThePrivateKey) {
  for (auto const& change : diff({device()}, {}, owner, now)) {
    EXPECT_EQ(change.text().find(samples::private_key(9).to_base64()), std::string::npos);
    EXPECT_EQ(change.text().find(samples::private_key(9).hex()), std::string::npos);
  }
}

}  // namespace
}  // namespace wireguard
