// A root on one machine, a controller on another, and what goes between them.
#include "mesh/internal_ca/issuing.hpp"

#include "base/process/service.hpp"
#include "mesh/internal_ca/credentials.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace {

using internal_ca::Authority;
using internal_ca::errc;
using internal_ca::RootKey;
using testing::HasSubstr;

constexpr std::int64_t now_s = 1'800'000'000;
constexpr std::int64_t day_s = 86400;

class Issuing : public testing::Test {
 protected:
  std::string root() const { return vault_.path(); }
  std::string controller() const { return folder_.path(); }

  std::string make_root() {
    return internal_ca::create_root(root() + "/root", internal_ca::root_lifetime_s, now_s).value();
  }
  std::string sign(std::int64_t lifetime_s = 90 * day_s, std::int64_t at_s = now_s) {
    auto const csr = internal_ca::request_issuing(controller()).value();
    return internal_ca::sign_issuing(root() + "/root", csr, lifetime_s, at_s).value();
  }
  base::Result<void> install(std::string const& text, std::int64_t at_s = now_s) {
    return internal_ca::install_issuing(controller(), text, at_s);
  }
  base::Result<Authority> open(std::int64_t at_s = now_s) {
    return Authority::open(controller(), at_s, RootKey::elsewhere);
  }
  std::string leaf(Authority const& authority, std::int64_t at_s = now_s) {
    return authority.issue(internal_ca::make_csr_pem(key_, "ams-1").value(), "ams-1", at_s).value();
  }
  std::set<std::string> files() const {
    std::set<std::string> out;
    for (auto const& entry : std::filesystem::directory_iterator(controller())) {
      out.insert(entry.path().filename().string());
    }
    return out;
  }

  test::TemporaryFolder const vault_;
  test::TemporaryFolder const folder_;
  std::string const key_ = internal_ca::make_key_pem().value();
};

TEST_F(Issuing, AControllerThatNeverHadTheRootsKeyIssuesWhatTheRootVerifies) {
  auto const root_pem = make_root();
  ASSERT_TRUE(install(sign()));
  EXPECT_EQ(files(), (std::set<std::string>{"ca.crt", "issuing.pem"})) << "and no key of a root, nor of a request";
  auto const authority = open().value();
  EXPECT_FALSE(authority.root_issues());
  EXPECT_EQ(authority.root_pem(), root_pem);
  auto const chain = leaf(authority);
  EXPECT_TRUE(internal_ca::verify_own(chain, root_pem, key_, now_s));
  EXPECT_EQ(internal_ca::certificate_validity(chain, 1).value(), authority.issuer_validity());
  EXPECT_FALSE(internal_ca::certificate_validity(chain, 2)) << "everybody has the root";
  auto const mode = std::filesystem::status(folder_.file("issuing.pem")).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(Issuing, TheNextCertificateNeedsNothingOfAnybody) {
  auto const root_pem = make_root();
  ASSERT_TRUE(install(sign()));
  auto const first = open().value();
  auto const old_leaf = leaf(first);
  ASSERT_TRUE(install(sign(90 * day_s, now_s + day_s), now_s + day_s));
  auto const second = open().value();
  EXPECT_NE(second.issuer_pem(), first.issuer_pem());
  EXPECT_EQ(second.root_pem(), root_pem);
  for (auto const& chain : {old_leaf, leaf(second, now_s + day_s)}) {
    EXPECT_TRUE(internal_ca::verify_own(chain, root_pem, key_, now_s + day_s));
  }
}

TEST_F(Issuing, ARequestIsTheSameUntilItIsInstalledAndTheSameKeyMayBeSignedAgain) {
  make_root();
  auto const first = internal_ca::csr_key(internal_ca::request_issuing(controller()).value()).value();
  auto const csr = internal_ca::request_issuing(controller()).value();
  EXPECT_EQ(internal_ca::csr_key(csr).value(), first);
  ASSERT_TRUE(install(internal_ca::sign_issuing(root() + "/root", csr, day_s, now_s).value()));
  ASSERT_TRUE(install(internal_ca::sign_issuing(root() + "/root", csr, 9 * day_s, now_s).value()));
  EXPECT_EQ(open()->issuer_validity().until_s, now_s + 9 * day_s);
  EXPECT_NE(internal_ca::csr_key(internal_ca::request_issuing(controller()).value()).value(), first);
}

TEST_F(Issuing, NothingOutlivesWhatItCameFrom) {
  internal_ca::create_root(root() + "/root", 30 * day_s, now_s).value();
  ASSERT_TRUE(install(sign(90 * day_s)));
  auto const authority = open().value();
  EXPECT_EQ(authority.issuer_validity().until_s, now_s + 30 * day_s);
  std::int64_t const late_s = now_s + 29 * day_s;
  EXPECT_EQ(internal_ca::certificate_not_after(leaf(authority, late_s)).value(), now_s + 30 * day_s);
}

TEST_F(Issuing, OneThatHasEndedIsRefusedEverywhereAndSaysHowTheNextOneComes) {
  auto const root_pem = make_root();
  auto const csr = internal_ca::make_csr_pem(key_, "ams-1").value();
  auto const signed_pem = sign(10 * day_s);
  ASSERT_TRUE(install(signed_pem));
  auto const authority = open().value();
  std::int64_t const after_s = now_s + 11 * day_s;
  EXPECT_TRUE(open(after_s)) << "operators can still ask the controller";
  auto const refused = authority.issue(csr, "ams-1", after_s);
  EXPECT_EQ(refused.error().code, errc::expired);
  EXPECT_THAT(refused.error().what(), HasSubstr("ended at 2027-01-25 08:00 UTC; the next one: `privateer ca request`"));
  // A leaf that had outlived it would be no better.
  auto const verified = internal_ca::verify_chain(leaf(authority), root_pem, after_s);
  EXPECT_EQ(verified.error().code, errc::expired);
  auto const again = install(signed_pem, after_s);
  EXPECT_EQ(again.error().code, errc::expired);
  EXPECT_THAT(internal_ca::alarm(internal_ca::look_at(controller()).value(), after_s), HasSubstr("ended at"));
}

TEST_F(Issuing, WithoutOneTheControllerSaysWhatToDoAndMakesNoRoot) {
  auto const nothing = open();
  EXPECT_EQ(nothing.error().code, errc::bad_state);
  EXPECT_THAT(nothing.error().what(), HasSubstr("privateer ca request"));
  ASSERT_TRUE(internal_ca::request_issuing(controller()));
  EXPECT_FALSE(Authority::open(controller(), now_s, RootKey::here)) << "somebody is about to bring one";
  EXPECT_EQ(files(), (std::set<std::string>{"issuing.request.key"}));
}

TEST_F(Issuing, WhatDoesNotBelongHereIsRefusedAndNothingIsReplaced) {
  make_root();
  auto const good = sign();
  ASSERT_TRUE(install(good));
  auto const before = open()->issuer_pem();
  test::TemporaryFolder const other;
  ASSERT_TRUE(internal_ca::create_root(other.file("root"), internal_ca::root_lifetime_s, now_s));
  auto const csr = internal_ca::request_issuing(controller()).value();
  auto const strangers = internal_ca::sign_issuing(other.file("root"), csr, day_s, now_s).value();
  EXPECT_EQ(install(strangers).error().code, errc::untrusted) << "another root";
  auto const elsewhere = internal_ca::request_issuing(other.file("controller")).value();
  auto const others = internal_ca::sign_issuing(root() + "/root", elsewhere, day_s, now_s).value();
  EXPECT_THAT(install(others).error().what(), HasSubstr("for none of this controller's keys"));
  EXPECT_EQ(install("nonsense").error().code, errc::bad_state);
  EXPECT_EQ(install(open()->issuer_pem()).error().code, errc::bad_state) << "without the root's";
  // A leaf for the requested key: it may not issue.
  auto const key = process::read_file(folder_.file("issuing.request.key"), 65536).value();
  auto const authority = open().value();
  auto const plain = authority.issue(internal_ca::make_csr_pem(key, "ams-1").value(), "ams-1", now_s).value();
  EXPECT_FALSE(install(plain.substr(0, plain.find("-----BEGIN", 1)) + authority.root_pem()));
  EXPECT_EQ(open()->issuer_pem(), before);
}

TEST_F(Issuing, ARootIsNeverReplacedAndSignsRequestsOfControllersAlone) {
  make_root();
  EXPECT_EQ(internal_ca::create_root(root() + "/root", day_s, now_s).error().code, errc::bad_state);
  auto const node = internal_ca::make_csr_pem(key_, "ams-1").value();
  EXPECT_EQ(internal_ca::sign_issuing(root() + "/root", node, day_s, now_s).error().code, errc::bad_request);
  EXPECT_EQ(internal_ca::sign_issuing(root() + "/root", "nonsense", day_s, now_s).error().code, errc::bad_request);
  EXPECT_FALSE(internal_ca::sign_issuing(root(), internal_ca::request_issuing(controller()).value(), day_s, now_s));
}

TEST_F(Issuing, AnIssuingCertificateCannotMakeAnother) {
  auto const root_pem = make_root();
  ASSERT_TRUE(install(sign()));
  // The controller's directory is taken for a root's: whoever has stolen it may try.
  std::filesystem::copy_file(folder_.file("issuing.pem"), folder_.file("ca.key"));
  ASSERT_TRUE(process::write_file_atomically(folder_.file("ca.crt"), open()->issuer_pem(), 0644));
  test::TemporaryFolder const thief;
  auto const csr = internal_ca::request_issuing(thief.path()).value();
  EXPECT_FALSE(internal_ca::sign_issuing(controller(), csr, day_s, now_s));
}

TEST_F(Issuing, TheAlarmComesWellBeforeTheEnd) {
  make_root();
  ASSERT_TRUE(install(sign(90 * day_s)));
  auto const standing = internal_ca::look_at(controller()).value();
  EXPECT_FALSE(standing.root_key_here);
  EXPECT_TRUE(standing.issuing_installed);
  EXPECT_EQ(internal_ca::alarm(standing, now_s + 59 * day_s), "");
  EXPECT_THAT(internal_ca::alarm(standing, now_s + 61 * day_s), HasSubstr("ends at"));
  EXPECT_THAT(internal_ca::alarm(standing, now_s + 91 * day_s), HasSubstr("ended at"));
}

}  // namespace
