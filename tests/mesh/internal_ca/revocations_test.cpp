#include "mesh/internal_ca/revocations.hpp"

#include "base/process/service.hpp"
#include "mesh/internal_ca/issuing.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace {

using internal_ca::Authority;
using testing::HasSubstr;

constexpr std::int64_t now_s = 1'796'000'000;

class RevocationsTest : public testing::Test {
 protected:
  RevocationsTest() {
    for (auto const* const name : {"root", "controller", "stranger"}) {
      std::filesystem::create_directory(folder_.file(name));
    }
  }
  Authority root() { return Authority::open(folder_.file("root"), now_s).value(); }
  // Issues by a certificate under the root, which is elsewhere.
  Authority issuing() {
    root();
    auto const csr = internal_ca::request_issuing(folder_.file("controller")).value();
    auto const pem = internal_ca::sign_issuing(folder_.file("root"), csr, internal_ca::issuing_lifetime_s, now_s);
    EXPECT_TRUE(internal_ca::install_issuing(folder_.file("controller"), pem.value(), now_s));
    return Authority::open(folder_.file("controller"), now_s, internal_ca::RootKey::elsewhere).value();
  }
  std::string leaf(Authority const& authority, std::string const& name) {
    auto const key = internal_ca::make_key_pem().value();
    return authority.issue(internal_ca::make_csr_pem(key, name).value(), name, now_s).value();
  }
  // What OpenSSL's own program makes of a leaf with the list.
  std::string judged(std::string const& leaf_pem, std::string const& list_pem, std::string const& root_pem) {
    EXPECT_TRUE(process::write_file_atomically(folder_.file("leaf.pem"), leaf_pem, 0644));
    EXPECT_TRUE(process::write_file_atomically(folder_.file("ca.crl"), list_pem, 0644));
    EXPECT_TRUE(process::write_file_atomically(folder_.file("root.pem"), root_pem, 0644));
    std::string const command = "openssl verify -crl_check -attime " + std::to_string(now_s + 60) + " -CAfile " +
                                folder_.file("root.pem") + " -CRLfile " + folder_.file("ca.crl") + " -untrusted " +
                                folder_.file("leaf.pem") + " " + folder_.file("leaf.pem") + " 2>&1";
    auto* const pipe = ::popen(command.c_str(), "r");
    std::string out(4096, '\0');
    out.resize(std::fread(out.data(), 1, out.size(), pipe));
    ::pclose(pipe);
    return out;
  }

  test::TemporaryFolder folder_;
};

TEST_F(RevocationsTest, OpenSslRefusesWhoIsNamedAndNobodyElse) {
  for (auto const& authority : {root(), issuing()}) {
    auto const thief = leaf(authority, "thief");
    auto const other = leaf(authority, "other");
    auto const list = internal_ca::make_revocations(
        authority, {{internal_ca::certificate_serial(thief).value(), now_s - 5}}, 7, now_s);
    ASSERT_TRUE(list) << list.error().what();
    EXPECT_THAT(judged(thief, *list, authority.root_pem()), HasSubstr("certificate revoked"));
    EXPECT_THAT(judged(other, *list, authority.root_pem()), HasSubstr(": OK"));
    EXPECT_EQ(internal_ca::verify_revocations(*list, authority.root_pem(), now_s).value(), 7);
    EXPECT_EQ(internal_ca::revocations_number(*list).value(), 7);
  }
}

TEST_F(RevocationsTest, WhatAnotherAuthoritySignedIsRefused) {
  auto const authority = root();
  auto const stranger = Authority::open(folder_.file("stranger"), now_s).value();
  auto const foreign = internal_ca::make_revocations(stranger, {}, 1, now_s).value();
  EXPECT_EQ(internal_ca::verify_revocations(foreign, authority.root_pem(), now_s).error().code,
            internal_ca::errc::untrusted);
  // A node's own leaf signs no list, though it leads to the root.
  EXPECT_EQ(
      internal_ca::verify_revocations(foreign + leaf(authority, "thief"), authority.root_pem(), now_s).error().code,
      internal_ca::errc::untrusted);
  EXPECT_EQ(internal_ca::verify_revocations(foreign + stranger.root_pem(), authority.root_pem(), now_s).error().code,
            internal_ca::errc::untrusted);
  EXPECT_EQ(internal_ca::verify_revocations("no list", authority.root_pem(), now_s).error().code,
            internal_ca::errc::crypto);
}

TEST_F(RevocationsTest, AListSignedUnderTheRootIsGoodAfterItsIssuerGotItsNextCertificate) {
  auto const authority = issuing();
  auto const list = internal_ca::make_revocations(authority, {}, 1, now_s).value();
  EXPECT_TRUE(internal_ca::verify_revocations(list, authority.root_pem(), now_s + 80LL * 24 * 3600));
  EXPECT_FALSE(internal_ca::verify_revocations(list, authority.root_pem(), now_s + 91LL * 24 * 3600));
}

TEST_F(RevocationsTest, ANumberThatIsNoneIsRefused) {
  EXPECT_FALSE(internal_ca::make_revocations(root(), {{"not hex", now_s}}, 1, now_s));
  EXPECT_FALSE(internal_ca::make_revocations(root(), {{"", now_s}}, 1, now_s));
}

}  // namespace
