#include "mesh/wireguard/key.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <utility>

namespace wireguard {
namespace {

// RFC 7748 section 6.1.
constexpr std::string_view alice_private = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
constexpr std::string_view alice_public = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
constexpr std::string_view bob_private = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
constexpr std::string_view bob_public = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
constexpr std::string_view shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

TEST(Key, PublicKeyAndSharedSecretAreThoseOfTheStandard) {
  auto const alice = PrivateKey::from_hex(alice_private).value();
  auto const bob = PrivateKey::from_hex(bob_private).value();
  EXPECT_EQ(public_key(alice).hex(), alice_public);
  EXPECT_EQ(public_key(bob).hex(), bob_public);
  EXPECT_EQ(PublicKey(shared_secret(alice, public_key(bob)).value()).hex(), shared);
  EXPECT_EQ(PublicKey(shared_secret(bob, public_key(alice)).value()).hex(), shared);
}

TEST(Key, TextFormIsTheOneOfTheWgTool) {
  // Made with `wg genkey | wg pubkey`.
  auto const key = PrivateKey::from_base64("cBv12lE1oxSMD0ZIf+A7LAzHL+LDi+q8EjTjzeqBz2Q=").value();
  EXPECT_EQ(public_key(key).to_base64(), "n+cFJByjBGYZkqDIWBwmcOhEKY7KX4udDFbXJSUC9G4=");
  EXPECT_EQ(key.to_base64(), "cBv12lE1oxSMD0ZIf+A7LAzHL+LDi+q8EjTjzeqBz2Q=");
}

TEST(Key, EveryByteSurvivesBothTextForms) {
  for (unsigned i = 0; i < 256; ++i) {
    KeyBytes bytes{};
    bytes.fill(static_cast<std::uint8_t>(i));
    bytes[7] = static_cast<std::uint8_t>(i + 1);
    PublicKey const key(bytes);
    EXPECT_EQ(PublicKey::from_base64(key.to_base64()).value(), key);
    EXPECT_EQ(PublicKey::from_hex(key.hex()).value(), key);
  }
}

TEST(Key, AnythingButStrictBase64IsRefused) {
  std::string const good = "cBv12lE1oxSMD0ZIf+A7LAzHL+LDi+q8EjTjzeqBz2Q=";
  ASSERT_TRUE(PublicKey::from_base64(good).has_value());
  for (std::string const& bad : {
           std::string(), good.substr(0, 43), good + "=", " " + good.substr(1), good.substr(0, 43) + "A",
           good.substr(0, 42) + "==",                   // 31 bytes
           good.substr(0, 42) + "R=",                   // stray bits in the last digit
           good.substr(0, 20) + "-" + good.substr(21),  // the URL alphabet
           good.substr(0, 20) + "\n" + good.substr(21),
           std::string("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),  // zeros
       }) {
    auto const read = PublicKey::from_base64(bad);
    ASSERT_FALSE(read.has_value()) << bad;
    EXPECT_EQ(read.error().code, errc::bad_key);
    EXPECT_FALSE(PrivateKey::from_base64(bad).has_value()) << bad;
  }
}

TEST(Key, HexOfAnotherLengthOrAlphabetIsRefused) {
  EXPECT_FALSE(PublicKey::from_hex(alice_public.substr(1)).has_value());
  EXPECT_FALSE(PublicKey::from_hex(std::string(alice_public) + "00").has_value());
  EXPECT_FALSE(PublicKey::from_hex("g" + std::string(alice_public.substr(1))).has_value());
  EXPECT_FALSE(PublicKey::from_hex(std::string(64, '0')).has_value());
  EXPECT_TRUE(PublicKey::from_hex("8520F0098930A754748B7DDCB43EF75A0DBF3A0D26381AF4EBA4A98EAA9B4E6A").has_value());
}

TEST(Key, APrivateKeyIsGoneAfterItWasMovedAway) {
  auto key = PrivateKey::generate();
  auto const copy = key;
  auto const moved = std::move(key);
  EXPECT_FALSE(key.is_set());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_TRUE(moved == copy);
}

TEST(Key, GeneratedKeysDifferAndAreClamped) {
  auto const one = PrivateKey::generate();
  auto const two = PrivateKey::generate();
  EXPECT_FALSE(one == two);
  EXPECT_EQ(one.bytes().front() & 7U, 0U);
  EXPECT_EQ(one.bytes().back() & 0xC0U, 0x40U);
}

TEST(Key, APeerOfSmallOrderGivesNoSecret) {
  auto const key = PrivateKey::generate();
  KeyBytes one{};
  one[0] = 1;
  auto const secret = shared_secret(key, PublicKey(one));
  ASSERT_FALSE(secret.has_value());
  EXPECT_EQ(secret.error().code, errc::bad_key);
}

template <class T>
concept Printable = requires(std::ostream& out, T const& value) {
  out << value;
};

TEST(Key, APrivateKeyCannotBePrinted) {
  EXPECT_FALSE(Printable<PrivateKey>);
}

}  // namespace
}  // namespace wireguard
