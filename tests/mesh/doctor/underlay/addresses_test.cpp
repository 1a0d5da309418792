#include "mesh/doctor/underlay/addresses.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace doctor {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

wireguard::Address a(char const* text) {
  return boost::asio::ip::make_address(text);
}

TEST(Drifts, AnAddressThatTheMachineHasIsWhereItWas) {
  EXPECT_THAT(drifts({a("192.0.2.1")}, {a("192.0.2.1"), a("192.0.2.7")}, {a("192.0.2.7")}), IsEmpty())
      << "whatever the packets leave with";
}

TEST(Drifts, AnotherAddressInItsPlaceIsOne) {
  EXPECT_THAT(drifts({a("192.0.2.1")}, {a("192.0.2.7")}, {a("192.0.2.7")}),
              ElementsAre(Drift{a("192.0.2.1"), a("192.0.2.7")}));
  EXPECT_THAT(drifts({a("10.1.0.1")}, {a("10.1.0.7")}, {a("10.1.0.7")}),
              ElementsAre(Drift{a("10.1.0.1"), a("10.1.0.7")}))
      << "a private one that was renumbered";
  EXPECT_THAT(drifts({a("10.1.0.1")}, {a("192.0.2.7")}, {a("192.0.2.7")}),
              ElementsAre(Drift{a("10.1.0.1"), a("192.0.2.7")}));
  EXPECT_THAT(drifts({a("2001:db8::1")}, {a("2001:db8::7")}, {a("2001:db8::7")}),
              ElementsAre(Drift{a("2001:db8::1"), a("2001:db8::7")}));
}

TEST(Drifts, BehindATranslatorNothingCanBeSaid) {
  for (auto const* inside : {"10.1.0.7", "172.31.0.7", "192.168.1.7", "100.127.0.7"}) {
    EXPECT_THAT(drifts({a("192.0.2.1")}, {a(inside)}, {a(inside)}), IsEmpty()) << inside;
  }
  EXPECT_THAT(drifts({a("2001:db8::1")}, {a("fd00::7")}, {a("fd00::7")}), IsEmpty());
  EXPECT_THAT(drifts({a("192.0.2.1")}, {a("172.32.0.7")}, {a("172.32.0.7")}), testing::SizeIs(1)) << "not private";
}

TEST(Drifts, FamiliesAreApart) {
  EXPECT_THAT(drifts({a("192.0.2.1")}, {a("2001:db8::7")}, {a("2001:db8::7")}), IsEmpty());
  EXPECT_THAT(drifts({a("192.0.2.1")}, {}, {}), IsEmpty()) << "no way out is another finding";
}

TEST(Drifts, OneOfTwoDeclaredAddressesMayBeTheOneThatIsUsed) {
  EXPECT_THAT(drifts({a("192.0.2.1"), a("192.0.2.2")}, {a("192.0.2.2")}, {a("192.0.2.2")}), IsEmpty())
      << "the first may be translated to it";
}

TEST(LocalAddresses, AreThisMachines) {
  EXPECT_THAT(local_addresses().value(), Contains(a("127.0.0.1")));
  EXPECT_EQ(source_towards(a("127.0.0.1")), a("127.0.0.1"));
}

}  // namespace
}  // namespace doctor
