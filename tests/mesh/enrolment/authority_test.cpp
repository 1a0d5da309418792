#include "mesh/enrolment/authority.hpp"

#include "mesh/enrolment/credentials.hpp"
#include "mesh/enrolment/openssl.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <filesystem>

namespace {

constexpr std::int64_t now_s = 1'800'000'000;

TEST(Authority, IssuesLeavesItsRootVerifies) {
  test::TemporaryFolder const folder;
  auto const authority = enrolment::Authority::open(folder.path(), now_s).value();
  auto const csr = enrolment::make_csr_pem(enrolment::make_key_pem().value(), "ams-1").value();
  auto const leaf_pem = authority.issue(csr, "ams-1", now_s).value();
  auto const leaf = enrolment::parse_certificate(leaf_pem);
  auto const root = enrolment::parse_certificate(authority.certificate_pem());
  ASSERT_TRUE(leaf && root);
  EXPECT_EQ(X509_verify(leaf->get(), X509_get0_pubkey(root->get())), 1);
  EXPECT_EQ(X509_check_host(leaf->get(), "ams-1", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(leaf->get(), "ams-1.internal", 0, 0, nullptr), 1);
  EXPECT_NE(X509_check_host(leaf->get(), "ams-2", 0, 0, nullptr), 1);
  EXPECT_EQ(enrolment::certificate_not_after(leaf_pem).value(), now_s + enrolment::leaf_lifetime_s);
}

TEST(Authority, RefusesARequestForAnotherNameOrWithoutAValidSignature) {
  test::TemporaryFolder const folder;
  auto const authority = enrolment::Authority::open(folder.path(), now_s).value();
  auto const csr = enrolment::make_csr_pem(enrolment::make_key_pem().value(), "ams-1").value();
  EXPECT_EQ(authority.issue(csr, "ams-2", now_s).error().code, enrolment::errc::bad_request);
  EXPECT_EQ(authority.issue("nonsense", "ams-1", now_s).error().code, enrolment::errc::bad_request);
}

TEST(Authority, IsTheSameAfterARestartAndKeepsItsKeyToItself) {
  test::TemporaryFolder const folder;
  auto const first = enrolment::Authority::open(folder.path(), now_s).value().certificate_pem();
  EXPECT_EQ(enrolment::Authority::open(folder.path(), now_s + 1).value().certificate_pem(), first);
  auto const mode = std::filesystem::status(folder.path() + std::string("/ca.key")).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(Authority, RefusesACertificateWithoutItsKey) {
  test::TemporaryFolder const folder;
  ASSERT_TRUE(enrolment::Authority::open(folder.path(), now_s));
  std::filesystem::remove(folder.path() + std::string("/ca.key"));
  EXPECT_EQ(enrolment::Authority::open(folder.path(), now_s).error().code, enrolment::errc::bad_state);
}

}  // namespace
