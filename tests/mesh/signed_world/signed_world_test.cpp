#include "mesh/signed_world/signed_world.hpp"

#include "mesh/signed_world/removals.hpp"

#include "base/process/service.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace signed_world {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t now_s = 1'800'000'000;

std::string public_key(std::uint8_t number) {
  wireguard::KeyBytes bytes{};
  bytes.fill(number);
  return wireguard::PublicKey(bytes).to_base64();
}

plan::WorldDocument document(std::int64_t revision = 7) {
  plan::WorldDocument out;
  out.revision = revision;
  out.mesh = "here";
  out.issued_at_s = now_s;
  out.topology = "a \"topology\"\n";
  out.nodes = {{"ams-1", public_key(1)}, {"ams-2", public_key(2)}};
  return out;
}

struct Signed : testing::Test {
  SigningKey const key = SigningKey::generate();
  Pin const pin{key.verify_key(), "here", now_s - 100};
  boost::system::error_code open(SignedWorld const& world, std::int64_t at_s = now_s) const {
    auto const opened = open_world(world, pin, at_s);
    return opened ? boost::system::error_code() : opened.error().code;
  }
};

TEST_F(Signed, AWorldIsReadAsItWasWritten) {
  auto const world = sign(document(), key);
  auto const travelled = parse_signed_world(to_json(world)).value();
  EXPECT_EQ(travelled, world);
  EXPECT_EQ(open_world(travelled, pin, now_s).value(), document());
}

TEST_F(Signed, EveryChangedByteIsNoticed) {
  auto const world = sign(document(), key);
  for (std::size_t i = 0; i < world.text.size(); ++i) {
    auto bad = world;
    bad.text[i] = static_cast<char>(bad.text[i] ^ 1);
    EXPECT_EQ(open(bad), errc::forged) << i;
  }
  for (std::size_t i = 0; i < world.signature.size(); i += 7) {
    auto bad = world;
    bad.signature[i] = bad.signature[i] == '0' ? '1' : '0';
    EXPECT_EQ(open(bad), errc::forged) << i;
  }
}

TEST_F(Signed, NobodyElsesWorldAndNoUnsignedOneIsOpened) {
  EXPECT_EQ(open(sign(document(), SigningKey::generate())), errc::forged);
  EXPECT_EQ(open(SignedWorld{plan::to_json(document()), ""}), errc::forged);
  EXPECT_EQ(open(parse_signed_world(plan::to_json(document())).value()), errc::forged);
  EXPECT_FALSE(VerifyKey().verifies("", std::string(128, '0'))) << "no key verifies nothing";
}

TEST_F(Signed, AnotherMeshOfTheSameKeyIsToldApart) {
  auto other = document();
  other.mesh = "there";
  EXPECT_EQ(open(sign(other, key)), errc::other_mesh);
}

TEST_F(Signed, AWorldFromTheFutureIsRefusedUnlessTheClockWasNeverSet) {
  auto future = document();
  future.issued_at_s = now_s + clock_tolerance_s + 1;
  EXPECT_EQ(open(sign(future, key)), errc::future);
  future.issued_at_s = now_s + clock_tolerance_s;
  EXPECT_FALSE(open(sign(future, key)));
  EXPECT_FALSE(open(sign(document(), key), 0)) << "1970: this machine has no clock, and no network without a world";
}

TEST_F(Signed, WithoutAPinAnOperatorsOwnWorldIsTaken) {
  auto const bare = parse_signed_world(plan::to_json(document())).value();
  EXPECT_EQ(open_world(bare, std::nullopt, now_s).value(), document());
}

TEST_F(Signed, APinSurvivesItsFile) {
  EXPECT_EQ(parse_pin(to_text(pin)).value(), pin);
  for (auto const* bad : {"", "sovereign-mesh 1", "sovereign-mesh 1 a b 3", "sovereign-mesh 2 here"}) {
    EXPECT_FALSE(parse_pin(bad)) << bad;
  }
}

TEST(Signing, AKeyIsMadeOnceAndADamagedOneIsNotReplaced) {
  test::TemporaryFolder const folder;
  auto const file = folder.file("world.key");
  auto const made = SigningKey::load_or_make(file).value().verify_key();
  EXPECT_EQ(SigningKey::load_or_make(file).value().verify_key(), made);
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::resize_file(file, 10);
  auto const damaged = SigningKey::load_or_make(file);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, errc::bad_state);
}

// RFC 8032 section 7.1, test 2.
TEST(Signing, AgreesWithTheRfc) {
  test::TemporaryFolder const folder;
  auto const file = folder.file("key");
  ASSERT_TRUE(
      process::write_file_atomically(file, "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb\n", 0600));
  auto const key = SigningKey::load_or_make(file).value();
  EXPECT_EQ(key.verify_key().hex(), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(
      key.sign("\x72"),
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302"
      "aeeb00d291612bb0c00");
}

TEST(Removed, AnOlderWorldDoesNotBringAKeyBackAndANewerOneDoes) {
  Removals removals;
  auto later = document(9);
  later.nodes.erase("ams-2");
  later.removed = {public_key(2)};
  EXPECT_TRUE(removals.learn(later));
  EXPECT_FALSE(removals.learn(later)) << "nothing new";
  for (std::int64_t const revision : {1, 8, 9}) {
    auto older = document(revision);
    EXPECT_THAT(removals.strike(older), ElementsAre("ams-2"));
    EXPECT_EQ(older.nodes.size(), 1U);
  }
  auto again = document(10);
  EXPECT_THAT(removals.strike(again), IsEmpty());
}

TEST(Removed, AKeyThatCameBackAndWentAgainStaysAway) {
  Removals removals;
  auto gone = document(5);
  gone.removed = {public_key(2)};
  EXPECT_TRUE(removals.learn(gone));
  gone.revision = 9;
  EXPECT_TRUE(removals.learn(gone)) << "between the two it may have been a member";
  auto between = Removals::parse(removals.text());
  EXPECT_EQ(between, removals);
  auto snapshot = document(7);
  EXPECT_THAT(between.strike(snapshot), ElementsAre("ams-2"));
}

TEST(Removed, WhatANewerWorldNoLongerHasWasRemovedWhoeverForgotIt) {
  Removals removals;
  auto newer = document(9);
  newer.nodes = {{"ams-1", public_key(3)}};
  newer.next_keys = {{"ams-1", public_key(4)}};
  EXPECT_TRUE(removals.learn(newer));
  EXPECT_TRUE(removals.learn(document(8)) == false) << "older ones say nothing new";
  removals = Removals::parse(removals.text());
  auto older = document(8);
  EXPECT_THAT(removals.strike(older), ElementsAre("ams-1", "ams-2"));
  // What it has is used, also out of an older world: here a key that was still the next one then.
  auto between = document(8);
  between.next_keys = {{"ams-1", public_key(3)}};
  EXPECT_THAT(removals.strike(between), ElementsAre("ams-2"));
  EXPECT_EQ(between.nodes.at("ams-1"), public_key(3));
  auto same = document(9);
  EXPECT_THAT(removals.strike(same), IsEmpty());
  auto after = document(10);
  EXPECT_THAT(removals.strike(after), IsEmpty());
}

// A world that is not used may have been made to cut this node off: what it calls removed stays removed, what it does
// not name is not.
TEST(Removed, OfAWorldThatIsNotUsedOnlyWhatItCallsRemovedIsLearnt) {
  Removals removals;
  EXPECT_TRUE(removals.learn(document(7)));
  auto refused = document(9);
  refused.nodes = {{"ams-1", public_key(1)}};
  EXPECT_FALSE(removals.learn_removed(refused));
  auto snapshot = document(7);
  EXPECT_THAT(removals.strike(snapshot), IsEmpty());
  EXPECT_EQ(removals.newest(), 7);
  refused.removed = {public_key(2)};
  EXPECT_TRUE(removals.learn_removed(refused));
  removals = Removals::parse(removals.text());
  EXPECT_THAT(removals.strike(snapshot), ElementsAre("ams-2"));
}

TEST(Removed, AnotherMeshCountsAnew) {
  Removals removals;
  EXPECT_TRUE(removals.learn(document(9)));
  auto other = document(1);
  other.mesh = "there";
  other.nodes = {{"ams-1", public_key(5)}};
  EXPECT_TRUE(removals.learn(other));
  EXPECT_EQ(removals.newest(), 1);
  EXPECT_THAT(removals.strike(other), IsEmpty());
}

TEST(Removed, DoNotGrowForEver) {
  Removals removals;
  for (std::int64_t revision = 1; revision < 40; ++revision) {
    auto one = document(revision);
    for (int i = 0; i < 100; ++i) {
      wireguard::KeyBytes bytes{};
      bytes[0] = static_cast<std::uint8_t>(revision);
      bytes[1] = static_cast<std::uint8_t>(i);
      one.removed.insert(wireguard::PublicKey(bytes).to_base64());
    }
    EXPECT_TRUE(removals.learn(one));
  }
  EXPECT_EQ(removals.size(), Removals::limit);
  EXPECT_EQ(Removals::parse(removals.text()), removals);
}

TEST(Removed, LinesThatAreNoneAreSkipped) {
  EXPECT_EQ(Removals::parse("nonsense\n" + public_key(1) + " x\n" + public_key(2) + " 3\n").size(), 1U);
}

}  // namespace
}  // namespace signed_world
