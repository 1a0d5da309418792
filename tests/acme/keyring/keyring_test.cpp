// Data keys by owner, and changes of the master key that are interrupted at each step.
#include "acme/keyring/keyring.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace keyring {
namespace {

using database::Blob;
using database::Database;
using database::Transaction;
using testing::HasSubstr;

class KeyRingTest : public testing::Test {
 protected:
  KeyRingTest() { EXPECT_TRUE(ring.open(*database, {file}, true)); }

  Blob seal(std::int64_t owner, std::string const& plain, std::string const& row) {
    Blob out;
    database
        ->write([&](Transaction& transaction) -> base::Result<void> {
          out = ring.seal(transaction, owner, plain, row, 1000).value();
          return {};
        })
        .value();
    return out;
  }
  base::Result<std::string> unseal(std::int64_t owner, Blob const& sealed, std::string const& row) {
    return unseal_by(ring, owner, sealed, row);
  }
  base::Result<std::string> unseal_by(KeyRing const& by, std::int64_t owner, Blob const& sealed,
                                      std::string const& row) {
    return by.unseal([this](auto sql, auto const& parameters) { return database->query(sql, parameters); }, owner,
                     sealed, row);
  }
  template <class F>
  void change(F&& body) {
    database->write([&](Transaction& transaction) { return body(transaction); }).value();
  }

  test::TemporaryFolder folder;
  std::string const file = folder.file("master.key");
  std::unique_ptr<Database> database = Database::open("sqlite://" + folder.file("db"), {schema()}).value();
  KeyRing ring;
};

TEST_F(KeyRingTest, ATextOpensForItsOwnerAndRowAlone) {
  Blob const sealed = seal(7, "secret", "row/1");
  EXPECT_EQ(unseal(7, sealed, "row/1").value(), "secret");
  (void)seal(8, "other", "row/2");
  EXPECT_EQ(unseal(8, sealed, "row/1").error().code, errc::sealed);
  EXPECT_EQ(unseal(9, sealed, "row/1").error().code, errc::sealed);
  EXPECT_EQ(unseal(7, sealed, "row/2").error().code, errc::sealed);
  EXPECT_EQ(ring.state(*database)->data_keys, 2);
}

TEST_F(KeyRingTest, ADataKeyGivenToAnotherOwnerOpensNothing) {
  Blob const sealed = seal(7, "secret", "row/1");
  change([](Transaction& transaction) -> base::Result<void> {
    (void)transaction.execute("UPDATE acme_data_key SET owner = 8").value();
    return {};
  });
  EXPECT_EQ(unseal(8, sealed, "row/1").error().code, errc::sealed);
}

TEST_F(KeyRingTest, RubbishIsRefused) {
  for (Blob const& text : {Blob{}, Blob{2}, Blob{2, 0, 0, 0, 0, 0, 0, 0, 1}, Blob(64, 3), Blob(64, 1), Blob(64, 2)}) {
    EXPECT_EQ(unseal(7, text, "row").error().code, errc::sealed) << text.size();
  }
}

TEST_F(KeyRingTest, ARenewedKeySealsAndTheFormerOneOpensUntilItIsDropped) {
  Blob const before = seal(7, "one", "row");
  change([this](Transaction& transaction) { return ring.renew(transaction, 7, 2000); });
  Blob const after = seal(7, "two", "row");
  EXPECT_EQ(unseal(7, before, "row").value(), "one");
  change([](Transaction& transaction) { return KeyRing::drop_former(transaction, 7); });
  EXPECT_EQ(unseal(7, before, "row").error().code, errc::sealed);
  EXPECT_EQ(unseal(7, after, "row").value(), "two");
}

TEST_F(KeyRingTest, AForgottenOwnersTextsAreGoneAlsoWithTheMasterKey) {
  Blob const sealed = seal(7, "secret", "row");
  change([](Transaction& transaction) { return KeyRing::forget(transaction, 7); });
  EXPECT_EQ(unseal(7, sealed, "row").error().code, errc::sealed);
}

TEST_F(KeyRingTest, TheMasterKeyChangesAndItsPredecessorStaysBesideIt) {
  Blob const sealed = seal(7, "secret", "row");
  std::string const former = ring.state(*database)->master_id;
  ASSERT_TRUE(ring.rotate_master(*database));
  EXPECT_NE(ring.state(*database)->master_id, former);
  EXPECT_EQ(unseal(7, sealed, "row").value(), "secret");
  KeyRing again;
  ASSERT_TRUE(again.open(*database, {file}, false));
  EXPECT_EQ(unseal_by(again, 7, sealed, "row").value(), "secret");
  EXPECT_EQ(Sealer::load(file + ".former." + former, false)->id(), former);
  EXPECT_FALSE(std::filesystem::exists(file + ".next"));
}

TEST_F(KeyRingTest, AChangeThatWasCutOffIsEndedOrUndoneByWhoeverOpens) {
  Blob const sealed = seal(7, "secret", "row");
  auto const copy = [](std::string const& from, std::string const& to) {
    std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
  };
  copy(file, folder.file("first"));
  // Before the transaction: the next key's file is there, and half of it may be.
  std::ofstream(file + ".next") << "half";
  KeyRing before;
  ASSERT_TRUE(before.open(*database, {file}, false));
  EXPECT_FALSE(std::filesystem::exists(file + ".next"));
  EXPECT_EQ(unseal_by(before, 7, sealed, "row").value(), "secret");
  // After it, before either file was renamed, and between the two.
  for (bool const between : {false, true}) {
    ASSERT_TRUE(ring.open(*database, {file}, false));
    std::string const former = ring.state(*database)->master_id;
    ASSERT_TRUE(ring.rotate_master(*database));
    std::filesystem::rename(file, file + ".next");
    if (!between) {
      std::filesystem::rename(file + ".former." + former, file);
    }
    KeyRing after;
    ASSERT_TRUE(after.open(*database, {file}, false)) << between;
    EXPECT_EQ(unseal_by(after, 7, sealed, "row").value(), "secret");
    EXPECT_FALSE(std::filesystem::exists(file + ".next"));
  }
}

TEST_F(KeyRingTest, ANextKeyThatMayBeTheOnlyOneIsNeverRemovedOrOverwritten) {
  Blob const sealed = seal(7, "secret", "row");
  std::string const former = ring.state(*database)->master_id;
  ASSERT_TRUE(ring.rotate_master(*database));
  // As after a rename that failed: the store is sealed by the next one, and the present file holds the one before.
  std::filesystem::rename(file, file + ".next");
  std::filesystem::rename(file + ".former." + former, file);
  ASSERT_TRUE(ring.rotate_master(*database)) << "it ends the first change and makes a second one";
  EXPECT_EQ(unseal(7, sealed, "row").value(), "secret");
  KeyRing again;
  ASSERT_TRUE(again.open(*database, {file}, false));
  EXPECT_EQ(unseal_by(again, 7, sealed, "row").value(), "secret");
  // And one that cannot be read is in the way until somebody looks.
  std::filesystem::rename(file, file + ".next");
  ASSERT_EQ(chmod((file + ".next").c_str(), 0644), 0);
  ASSERT_TRUE(Sealer::create_file(file));
  EXPECT_EQ(KeyRing().open(*database, {file}, false).error().code, errc::key_file);
  EXPECT_TRUE(std::filesystem::exists(file + ".next"));
}

TEST_F(KeyRingTest, WhatAFormerMasterSealedItselfStillOpens) {
  auto const text = Sealer::load(file, false)->seal("secret", "row");
  std::string const other = folder.file("other.key");
  ASSERT_TRUE(Sealer::create_file(other));
  KeyRing moved;
  ASSERT_TRUE(moved.open(*database, {other, {file}}, false));
  EXPECT_EQ(unseal_by(moved, 7, text, "row").value(), "secret");
}

TEST_F(KeyRingTest, AnotherMasterKeyIsRefusedWithItsIdUnlessTheFormerOneIsNamed) {
  Blob const sealed = seal(7, "secret", "row");
  std::string const other = folder.file("other.key");
  ASSERT_TRUE(Sealer::create_file(other));
  KeyRing refused;
  auto const answer = refused.open(*database, {other}, false);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, errc::sealed);
  EXPECT_THAT(answer.error().what(), HasSubstr(ring.state(*database)->master_id));
  KeyRing moved;
  ASSERT_TRUE(moved.open(*database, {other, {file}}, false));
  EXPECT_EQ(unseal_by(moved, 7, sealed, "row").value(), "secret");
  // Sealed by the new one now: the former is not needed any more.
  KeyRing alone;
  EXPECT_TRUE(alone.open(*database, {other}, false));
}

TEST_F(KeyRingTest, ADamagedDataKeyIsPassedOverCountedAndTakenInAgainWhenItIsPutBack) {
  Blob const sealed = seal(7, "seven", "row/7");
  Blob const other = seal(8, "eight", "row/8");
  auto const spoil = [this](Blob const& blob) {
    change([&blob](Transaction& transaction) -> base::Result<void> {
      (void)transaction.execute("UPDATE acme_data_key SET sealed = ? WHERE owner = 7", {blob}).value();
      return {};
    });
  };
  auto const looked = [this] {
    KeyRingState seen = ring.state(*database).value();
    for (std::int64_t before = -1; before != seen.checked_to;) {
      before = seen.checked_to;
      seen = ring.check(*database, seen, 1).value();
    }
    return seen;
  };
  EXPECT_EQ(looked().damaged, 0);
  Blob const whole =
      database::blob(database->query("SELECT sealed FROM acme_data_key WHERE owner = 7").value().at(0).at(0));
  spoil(Blob(whole.size(), 0));
  EXPECT_EQ(looked().damaged, 1);
  EXPECT_EQ(looked().first_damaged, 7);
  std::string const first = ring.state(*database)->master_id;
  ASSERT_TRUE(ring.rotate_master(*database));
  EXPECT_EQ(unseal(8, other, "row/8").value(), "eight") << "nobody else is held up";
  EXPECT_EQ(unseal(7, sealed, "row/7").error().code, errc::sealed);
  EXPECT_EQ(looked().damaged, 1);
  ASSERT_TRUE(ring.rotate_master(*database)) << "a second time, too";
  KeyRing started;
  ASSERT_TRUE(started.open(*database, {file}, false)) << "no former master key is needed for it";
  spoil(whole);
  ASSERT_TRUE(ring.open(*database, {file, {file + ".former." + first}}, false));
  EXPECT_EQ(unseal(7, sealed, "row/7").value(), "seven");
  EXPECT_EQ(looked().damaged, 0);
}

TEST_F(KeyRingTest, AnOwnerWhoseDataKeyIsDamagedGetsAFreshOne) {
  Blob const before = seal(7, "lost", "row");
  change([](Transaction& transaction) -> base::Result<void> {
    (void)transaction.execute("UPDATE acme_data_key SET sealed = x'00'").value();
    return {};
  });
  Blob const after = seal(7, "fresh", "row");
  EXPECT_EQ(unseal(7, after, "row").value(), "fresh");
  EXPECT_EQ(unseal(7, before, "row").error().code, errc::sealed);
}

TEST_F(KeyRingTest, ACredentialIsReadWhereSystemdPutsItAndIsNotChangedHere) {
  std::string const folder_of_credentials = folder.file("credentials");
  std::filesystem::create_directory(folder_of_credentials);
  std::string const path = folder_of_credentials + "/navigator-key";
  std::filesystem::copy_file(file, path);
  ASSERT_EQ(chmod(path.c_str(), 0440), 0);
  KeyRing given;
  ASSERT_TRUE(given.open(*database, {"credential:navigator-key", {}, folder_of_credentials}, false));
  EXPECT_FALSE(given.state(*database)->rotates_itself);
  EXPECT_THAT(given.rotate_master(*database).error().what(), HasSubstr("former_master_keys"));
  ASSERT_EQ(chmod(path.c_str(), 0444), 0);
  EXPECT_EQ(given.open(*database, {"credential:navigator-key", {}, folder_of_credentials}, false).error().code,
            errc::key_file);
  EXPECT_THAT(given.open(*database, {"credential:navigator-key"}, false).error().what(), HasSubstr("LoadCredential"));
  EXPECT_THAT(given.open(*database, {"credential:../x", {}, "/"}, false).error().what(), HasSubstr("without '/'"));
}

}  // namespace
}  // namespace keyring
