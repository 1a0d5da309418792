// What `write` returned as committed survives kill -9: a child commits and acknowledges, the parent kills it in the
// middle of its work and looks.
#include "tests/base/database/fixture.hpp"

#include <gmock/gmock.h>

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

namespace database::test {
namespace {

// Commits rows until it is killed; one octet to `pipe` for each row that was acknowledged.
[[noreturn]] void commit_for_ever(std::string const& url, int pipe) {
  auto database = Database::open(url, schemas());
  if (database.has_error()) {
    ::_exit(2);
  }
  for (std::int64_t id = 1;; ++id) {
    auto done = run(**database, "INSERT INTO zone (id, name) VALUES (?, ?)", {id, std::to_string(id)});
    if (done.has_error() || ::write(pipe, "x", 1) != 1) {
      ::_exit(3);
    }
  }
}

TEST(Durability, EverythingAcknowledgedSurvivesKill) {
  TemporaryFolder const folder;
  std::int64_t acknowledged = 0;
  for (int round = 0; round < 3; ++round) {
    std::string const url = folder.url(std::to_string(round) + ".db");
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    pid_t const child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      commit_for_ever(url, ends[1]);
    }
    ::close(ends[1]);
    acknowledged = 0;
    char octets[16];
    while (acknowledged < 40 + 17 * round) {
      ssize_t const got = ::read(ends[0], octets, sizeof octets);
      ASSERT_GT(got, 0);
      acknowledged += got;
    }
    auto const held = Database::open(url, schemas());
    ASSERT_TRUE(held.has_error());
    EXPECT_EQ(held.error().code, errc::locked);
    EXPECT_THAT(held.error().detail, testing::HasSubstr(std::to_string(child)));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    for (ssize_t got = 1; got > 0; acknowledged += got) {
      got = ::read(ends[0], octets, sizeof octets);
      ASSERT_GE(got, 0);
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    auto database = open(url);
    std::int64_t const kept = integer(all(*database, "SELECT count(*) FROM zone")[0][0]);
    EXPECT_GE(kept, acknowledged);
    EXPECT_LE(kept, acknowledged + 1) << "at most the one that was committed but not yet told";
    EXPECT_EQ(database->revision(), kept);
    EXPECT_EQ(database->changes_since(0, 1U << 20U).value().rows.size(), static_cast<std::size_t>(kept));
  }
}

}  // namespace
}  // namespace database::test
