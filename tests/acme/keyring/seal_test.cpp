#include "acme/keyring/seal.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include <fstream>

namespace keyring {
namespace {

class SealTest : public testing::Test {
 protected:
  std::string write(std::string const& content, mode_t mode) const {
    std::string path = folder.file("master.key");
    std::ofstream(path, std::ios::binary) << content;
    chmod(path.c_str(), mode);
    return path;
  }
  base::Failure refusal(std::string const& path, bool may_create = false) const {
    auto const loaded = Sealer::load(path, may_create);
    EXPECT_FALSE(loaded);
    return loaded ? base::Failure{} : loaded.error();
  }
  test::TemporaryFolder folder;
};

TEST_F(SealTest, WhatIsSealedOpensForTheSameRow) {
  Sealer const sealer = Sealer::load(folder.file("k"), true).value();
  for (std::string const& plain : {std::string(), std::string("x"), std::string(5000, 'k')}) {
    EXPECT_EQ(sealer.unseal(sealer.seal(plain, "certificate/7/ab"), "certificate/7/ab").value(), plain);
  }
}

TEST_F(SealTest, ASealedKeyMovedToAnotherRowDoesNotOpen) {
  Sealer const sealer = Sealer::load(folder.file("k"), true).value();
  auto const sealed = sealer.seal("secret", "certificate/7/ab");
  EXPECT_EQ(sealer.unseal(sealed, "certificate/8/ab").error().code, errc::sealed);
  EXPECT_EQ(sealer.unseal(sealed, "acme_order/7").error().code, errc::sealed);
}

TEST_F(SealTest, EveryFlippedBitIsNoticed) {
  Sealer const sealer = Sealer::load(folder.file("k"), true).value();
  auto const sealed = sealer.seal("secret", "row");
  for (std::size_t i = 0; i < sealed.size() * 8; ++i) {
    auto damaged = sealed;
    damaged[i / 8] = static_cast<std::uint8_t>(damaged[i / 8] ^ (1U << (i % 8)));
    EXPECT_FALSE(sealer.unseal(damaged, "row")) << i;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(sealer.unseal({sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(size)}, "row"));
  }
}

TEST_F(SealTest, TheSameTextIsNeverSealedTheSameWayAndNeverInTheClear) {
  Sealer const sealer = Sealer::load(folder.file("k"), true).value();
  auto const sealed = sealer.seal("-----BEGIN PRIVATE KEY-----", "row");
  EXPECT_NE(sealed, sealer.seal("-----BEGIN PRIVATE KEY-----", "row"));
  EXPECT_EQ(std::string(sealed.begin(), sealed.end()).find("BEGIN"), std::string::npos);
}

TEST_F(SealTest, AnAbsentFileIsMadeOnlyWhenItMay) {
  std::string const path = folder.file("fresh.key");
  EXPECT_EQ(refusal(path).code, errc::key_file);
  ASSERT_TRUE(Sealer::load(path, true));
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  // The made file is the key from now on.
  auto const sealed = Sealer::load(path, false)->seal("secret", "row");
  EXPECT_EQ(Sealer::load(path, false)->unseal(sealed, "row").value(), "secret");
  EXPECT_EQ(refusal(folder.file("no/such/folder/key"), true).code, errc::key_file);
}

TEST_F(SealTest, AFileThatOthersMayReadIsRefused) {
  for (mode_t const mode : {0644U, 0640U, 0660U, 0604U, 0601U}) {
    EXPECT_EQ(refusal(write(std::string(32, 'k'), mode)).code, errc::key_file) << mode;
  }
  EXPECT_TRUE(Sealer::load(write(std::string(32, 'k'), 0400), false));
}

TEST_F(SealTest, RawAndBase64FilesAreKeysAndNothingElseIs) {
  // 32 times 'k' in base64, as `openssl rand -base64 32` would print it.
  Sealer const raw = Sealer::load(write(std::string(32, 'k'), 0600), false).value();
  Sealer const text = Sealer::load(write("a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=\n", 0600), false).value();
  EXPECT_EQ(text.unseal(raw.seal("secret", "row"), "row").value(), "secret");
  for (std::string const& bad : {std::string(), std::string("short"), std::string(31, 'k'), std::string(33, 'k'),
                                 std::string(44, '!'), std::string(300, 'k')}) {
    EXPECT_EQ(refusal(write(bad, 0600)).code, errc::key_file) << bad.size();
  }
  EXPECT_EQ(refusal(folder.path()).code, errc::key_file);
}

TEST_F(SealTest, AnotherMasterKeyOpensNothing) {
  Sealer const one = Sealer::load(folder.file("one"), true).value();
  Sealer const two = Sealer::load(folder.file("two"), true).value();
  EXPECT_EQ(two.unseal(one.seal("secret", "row"), "row").error().code, errc::sealed);
}

}  // namespace
}  // namespace keyring
