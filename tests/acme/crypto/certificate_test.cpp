#include "acme/crypto/certificate.hpp"

#include "tests/support/test_ca.hpp"

#include <gmock/gmock.h>

namespace crypto {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;

class CertificateTest : public testing::Test {
 protected:
  std::string refusal(std::string const& pem) const {
    auto const checked = check_issued(pem, key, names, now);
    EXPECT_FALSE(checked);
    EXPECT_EQ(checked.error().code, errc::bad_certificate);
    return checked.error().detail;
  }

  Time const now = wall_now();
  Key const key = Key::generate().value();
  test::TestCa const ca;
  std::vector<std::string> const names{"a.example.org", "*.a.example.org"};
};

TEST_F(CertificateTest, AGoodChainIsAcceptedAndDescribed) {
  test::Leaf leaf{names};
  auto const checked = check_issued(ca.chain(key.handle(), leaf), key, names, now);
  ASSERT_TRUE(checked) << checked.error().what();
  EXPECT_THAT(checked->names, ElementsAre("*.a.example.org", "a.example.org"));
  EXPECT_EQ(checked->chain_length, 2U);
  EXPECT_EQ(checked->fingerprint.size(), 64U);
  EXPECT_EQ(std::chrono::floor<std::chrono::seconds>(leaf.not_after), checked->not_after);
}

TEST_F(CertificateTest, ALeafAloneIsAccepted) {
  EXPECT_TRUE(check_issued(ca.leaf(key.handle(), {names}), key, names, now));
}

TEST_F(CertificateTest, AnotherKeyIsRefused) {
  EXPECT_THAT(refusal(ca.chain(Key::generate()->handle(), {names})), HasSubstr("another key"));
}

TEST_F(CertificateTest, EveryOtherSetOfNamesIsRefused) {
  using Names = std::vector<std::string>;
  for (Names const& other : {Names{"a.example.org"}, Names{"a.example.org", "*.a.example.org", "b.example.org"},
                             Names{"a.example.org", "*.b.example.org"}, Names{}}) {
    EXPECT_THAT(refusal(ca.chain(key.handle(), {other})), HasSubstr("names"));
  }
}

TEST_F(CertificateTest, TheTimeWindowMustHoldNow) {
  EXPECT_THAT(refusal(ca.chain(key.handle(), {names, now - hours(48), now - hours(1)})), HasSubstr("not valid now"));
  EXPECT_THAT(refusal(ca.chain(key.handle(), {names, now + hours(2), now + hours(48)})), HasSubstr("not valid now"));
  EXPECT_TRUE(
      check_issued(ca.chain(key.handle(), {names, now + std::chrono::minutes(30), now + hours(48)}), key, names, now));
}

TEST_F(CertificateTest, ACertificateOfACaIsRefused) {
  test::Leaf leaf{names};
  leaf.is_ca = true;
  EXPECT_THAT(refusal(ca.chain(key.handle(), leaf)), HasSubstr("CA"));
}

TEST_F(CertificateTest, AChainThatDoesNotLinkIsRefused) {
  test::TestCa const other("Test CA");  // the same name, another key
  EXPECT_THAT(refusal(ca.leaf(key.handle(), {names}) + other.certificate()), HasSubstr("not signed by the next"));
  test::TestCa const stranger("Stranger");
  EXPECT_THAT(refusal(ca.leaf(key.handle(), {names}) + stranger.certificate()), HasSubstr("not signed by the next"));
}

TEST_F(CertificateTest, DamagedAndEndlessTextsAreRefused) {
  std::string const good = ca.chain(key.handle(), {names});
  refusal("");
  refusal("<html>busy</html>");
  refusal(good.substr(0, good.size() / 3));
  std::string flipped = good;
  flipped[good.size() / 4] = '!';
  refusal(flipped);
  EXPECT_THAT(refusal(good + std::string(300U << 10U, '\n')), HasSubstr("256 KiB"));
  std::string many = good;
  for (int i = 0; i < 10; ++i) {
    many += ca.certificate();
  }
  EXPECT_THAT(refusal(many), HasSubstr("more than 10"));
}

}  // namespace
}  // namespace crypto
