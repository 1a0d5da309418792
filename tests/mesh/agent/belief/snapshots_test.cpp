#include "mesh/agent/belief/snapshots.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace agent {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

signed_world::SignedWorld document(std::int64_t revision) {
  static auto const key = signed_world::SigningKey::generate();
  plan::WorldDocument out;
  out.revision = revision;
  out.topology = "t" + std::to_string(revision);
  return signed_world::sign(out, key);
}

class SnapshotsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "snapshotsXXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
  }
  void TearDown() override { fs::remove_all(folder); }

  [[nodiscard]] Snapshots snapshots() const { return Snapshots((folder / "worlds").string()); }
  void damage(std::int64_t revision) const {
    std::ofstream(folder / "worlds" / ("world-" + std::to_string(revision)), std::ios::app) << "x";
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder / "worlds"), fs::directory_iterator()));
  }

  fs::path folder;
  std::vector<std::string> damaged;
};

TEST_F(SnapshotsTest, NothingIsKnownAtFirst) {
  EXPECT_FALSE(snapshots().newest(damaged).has_value());
  EXPECT_THAT(damaged, IsEmpty());
}

TEST_F(SnapshotsTest, TheHighestRevisionIsTheLastKnownOne) {
  for (auto const revision : {9, 10, 2}) {
    ASSERT_TRUE(snapshots().save(document(revision), revision).has_value());
  }
  EXPECT_EQ(snapshots().newest(damaged), document(10));
}

TEST_F(SnapshotsTest, ADamagedOneIsPassedOverAndNamed) {
  for (auto const revision : {1, 2, 3}) {
    ASSERT_TRUE(snapshots().save(document(revision), revision).has_value());
  }
  damage(3);
  std::ofstream(folder / "worlds" / "world-2", std::ios::trunc) << "";
  EXPECT_EQ(snapshots().newest(damaged), document(1));
  EXPECT_THAT(damaged, ElementsAre(HasSubstr("world-3"), HasSubstr("world-2")));
}

TEST_F(SnapshotsTest, ACopyUnderAnotherRevisionIsNotBelieved) {
  ASSERT_TRUE(snapshots().save(document(1), 1).has_value());
  fs::copy(folder / "worlds" / "world-1", folder / "worlds" / "world-900");
  EXPECT_EQ(snapshots().newest(damaged), document(1));
  EXPECT_EQ(damaged.size(), 1U);
}

TEST_F(SnapshotsTest, OnlyTheNewestGenerationsAreKept) {
  for (std::int64_t revision = 1; revision <= 9; ++revision) {
    ASSERT_TRUE(snapshots().save(document(revision), revision).has_value());
  }
  EXPECT_EQ(files(), Snapshots::generations);
  EXPECT_EQ(snapshots().newest(damaged), document(9));
}

TEST_F(SnapshotsTest, SavingTheSameAgainWritesNothing) {
  ASSERT_TRUE(snapshots().save(document(1), 1).has_value());
  auto const file = folder / "worlds" / "world-1";
  auto const old = fs::last_write_time(file) - std::chrono::hours(1);
  fs::last_write_time(file, old);
  ASSERT_TRUE(snapshots().save(document(1), 1).has_value());
  EXPECT_EQ(fs::last_write_time(file), old);
}

TEST_F(SnapshotsTest, AGenerationThatIsNotBelievedGivesWayToTheOneBefore) {
  for (auto const revision : {1, 2, 3}) {
    ASSERT_TRUE(snapshots().save(document(revision), revision).has_value());
  }
  auto const accept = [](signed_world::SignedWorld const& world) {
    return world == document(3) ? base::Result<void>(base::fail(errc::older, "not this one")) : base::Result<void>();
  };
  EXPECT_EQ(snapshots().newest(damaged, accept), document(2));
  EXPECT_THAT(damaged, ElementsAre(HasSubstr("not this one")));
}

TEST_F(SnapshotsTest, FilesThatAreNoSnapshotsAreLeftAlone) {
  ASSERT_TRUE(snapshots().save(document(1), 1).has_value());
  std::ofstream(folder / "worlds" / "world-2.tmp") << "half";
  std::ofstream(folder / "worlds" / "note") << "mine";
  EXPECT_EQ(snapshots().newest(damaged), document(1));
  EXPECT_THAT(damaged, IsEmpty());
}

TEST(Snapshot, EveryFlippedByteIsNoticed) {
  auto const text = encode_snapshot(document(3));
  EXPECT_EQ(decode_snapshot(text).value(), document(3));
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto bad = text;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(decode_snapshot(bad).has_value()) << i;
  }
}

}  // namespace
}  // namespace agent
