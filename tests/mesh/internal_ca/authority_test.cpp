#include "mesh/internal_ca/authority.hpp"

#include "base/process/service.hpp"
#include "mesh/internal_ca/certificate.hpp"
#include "mesh/internal_ca/credentials.hpp"
#include "mesh/internal_ca/openssl.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <filesystem>

namespace {

constexpr std::int64_t now_s = 1'800'000'000;

TEST(Authority, IssuesLeavesItsRootVerifies) {
  test::TemporaryFolder const folder;
  auto const authority = internal_ca::Authority::open(folder.path(), now_s).value();
  auto const csr = internal_ca::make_csr_pem(internal_ca::make_key_pem().value(), "ams-1").value();
  auto const leaf_pem = authority.issue(csr, "ams-1", now_s).value();
  auto const leaf = internal_ca::parse_certificate(leaf_pem);
  auto const root = internal_ca::parse_certificate(authority.root_pem());
  ASSERT_TRUE(leaf && root);
  EXPECT_EQ(X509_verify(leaf->get(), X509_get0_pubkey(root->get())), 1);
  EXPECT_EQ(X509_check_host(leaf->get(), "ams-1", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(leaf->get(), "ams-1.internal", 0, 0, nullptr), 1);
  EXPECT_NE(X509_check_host(leaf->get(), "ams-2", 0, 0, nullptr), 1);
  EXPECT_EQ(internal_ca::certificate_not_after(leaf_pem).value(), now_s + internal_ca::leaf_lifetime_s);
}

TEST(Authority, RefusesARequestForAnotherNameOrWithoutAValidSignature) {
  test::TemporaryFolder const folder;
  auto const authority = internal_ca::Authority::open(folder.path(), now_s).value();
  auto const csr = internal_ca::make_csr_pem(internal_ca::make_key_pem().value(), "ams-1").value();
  EXPECT_EQ(authority.issue(csr, "ams-2", now_s).error().code, internal_ca::errc::bad_request);
  EXPECT_EQ(authority.issue("nonsense", "ams-1", now_s).error().code, internal_ca::errc::bad_request);
}

TEST(Authority, IsTheSameAfterARestartAndKeepsItsKeyToItself) {
  test::TemporaryFolder const folder;
  auto const first = internal_ca::Authority::open(folder.path(), now_s).value().root_pem();
  EXPECT_EQ(internal_ca::Authority::open(folder.path(), now_s + 1).value().root_pem(), first);
  auto const mode = std::filesystem::status(folder.path() + std::string("/ca.key")).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(Authority, RefusesACertificateWithoutItsKey) {
  test::TemporaryFolder const folder;
  ASSERT_TRUE(internal_ca::Authority::open(folder.path(), now_s));
  std::filesystem::remove(folder.path() + std::string("/ca.key"));
  EXPECT_EQ(internal_ca::Authority::open(folder.path(), now_s).error().code, internal_ca::errc::bad_state);
}

// A root of a former version was for leaves alone. It is written anew for its key, and whoever has the old one goes on.
TEST(Authority, WidensARootThatWasForLeavesAlone) {
  test::TemporaryFolder const folder;
  auto const key = internal_ca::make_key_pem().value();
  auto const parsed = internal_ca::parse_key(key);
  auto const old = internal_ca::make_certificate({"Sovereign internal root",
                                                  nullptr,
                                                  parsed->get(),
                                                  parsed->get(),
                                                  {now_s, now_s + internal_ca::root_lifetime_s},
                                                  {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                                   {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                                   {NID_subject_key_identifier, "hash"}}})
                       .value();
  ASSERT_TRUE(process::write_file_atomically(folder.file("ca.key"), key, 0600));
  ASSERT_TRUE(process::write_file_atomically(folder.file("ca.crt"), old, 0644));
  auto const authority = internal_ca::Authority::open(folder.path(), now_s + 10).value();
  EXPECT_NE(authority.root_pem(), old);
  EXPECT_EQ(X509_get_pathlen(internal_ca::parse_certificate(authority.root_pem())->get()), 1);
  auto const csr = internal_ca::make_csr_pem(internal_ca::make_key_pem().value(), "ams-1").value();
  EXPECT_TRUE(internal_ca::verify_chain(authority.issue(csr, "ams-1", now_s + 10).value(), old, now_s + 10));
  EXPECT_EQ(internal_ca::Authority::open(folder.path(), now_s + 20)->root_pem(), authority.root_pem()) << "once";
}

}  // namespace
