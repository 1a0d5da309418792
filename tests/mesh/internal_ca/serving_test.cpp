#include "mesh/internal_ca/serving.hpp"

#include "base/process/service.hpp"
#include "mesh/internal_ca/issuing.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using internal_ca::Authority;
using testing::HasSubstr;

constexpr std::int64_t now_s = 1'800'000'000;
constexpr std::int64_t day_s = 86400;

class ServingCertificate : public testing::Test {
 protected:
  ServingCertificate() {
    EXPECT_TRUE(
        process::write_file_atomically(folder_.file("controller.key"), internal_ca::make_key_pem().value(), 0600));
  }
  internal_ca::Serving keep(Authority const& authority, std::int64_t at_s) {
    return internal_ca::keep_serving_certificate(authority, folder_.file("controller.key"),
                                                 folder_.file("controller.crt"), at_s)
        .value();
  }
  std::string certificate() { return process::read_file(folder_.file("controller.crt"), 65536).value(); }
  void install(std::int64_t lifetime_s, std::int64_t at_s) {
    auto const csr = internal_ca::request_issuing(folder_.path()).value();
    auto const text = internal_ca::sign_issuing(folder_.file("root"), csr, lifetime_s, at_s).value();
    ASSERT_TRUE(internal_ca::install_issuing(folder_.path(), text, at_s));
  }

  test::TemporaryFolder const folder_;
};

TEST_F(ServingCertificate, RenewsAtHalfOfItsLifeForTheSameKey) {
  auto const authority = Authority::open(folder_.path(), now_s).value();
  auto const first = keep(authority, now_s);
  EXPECT_TRUE(first.renewed);
  auto const text = certificate();
  EXPECT_FALSE(keep(authority, now_s + 44 * day_s).renewed);
  EXPECT_EQ(certificate(), text);
  auto const second = keep(authority, now_s + 46 * day_s);
  EXPECT_TRUE(second.renewed);
  EXPECT_EQ(second.key_sha256, first.key_sha256) << "what tokens pin";
  EXPECT_EQ(internal_ca::certificate_key_sha256(certificate()).value(), first.key_sha256);
  EXPECT_TRUE(internal_ca::verify_chain(certificate(), authority.root_pem(), now_s + 100 * day_s));
}

TEST_F(ServingCertificate, ComesFromWhatIssuesNow) {
  ASSERT_TRUE(internal_ca::create_root(folder_.file("root"), internal_ca::root_lifetime_s, now_s));
  install(90 * day_s, now_s);
  auto const first = Authority::open(folder_.path(), now_s).value();
  auto const pin = keep(first, now_s).key_sha256;
  install(90 * day_s, now_s + day_s);
  auto const second = Authority::open(folder_.path(), now_s + day_s).value();
  auto const next = keep(second, now_s + day_s);
  EXPECT_TRUE(next.renewed);
  EXPECT_EQ(next.key_sha256, pin);
  EXPECT_THAT(certificate(), HasSubstr(second.issuer_pem()));
  EXPECT_FALSE(keep(second, now_s + day_s).renewed);
}

TEST_F(ServingCertificate, IsNotRenewedEverMoreOftenBeforeTheEndOfWhatIssues) {
  ASSERT_TRUE(internal_ca::create_root(folder_.file("root"), internal_ca::root_lifetime_s, now_s));
  install(day_s, now_s);
  auto const authority = Authority::open(folder_.path(), now_s).value();
  EXPECT_TRUE(keep(authority, now_s).renewed);
  for (std::int64_t at_s = now_s; at_s < now_s + day_s; at_s += 600) {
    EXPECT_FALSE(keep(authority, at_s).renewed) << "it would end at the same moment";
  }
  auto const text = certificate();
  auto const after = keep(authority, now_s + day_s + 1);
  EXPECT_FALSE(after.renewed);
  EXPECT_THAT(after.warning, HasSubstr("the next one: `privateer ca request`"));
  EXPECT_EQ(certificate(), text);
}

}  // namespace
