#include "tests/base/database/fixture.hpp"

#include <gmock/gmock.h>

#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <limits>

namespace database::test {
namespace {

using testing::HasSubstr;

TEST(Database, ReturnsEveryKindOfValueAsItWasWritten) {
  auto database = open();
  Blob const octets{0, 1, 255};
  ASSERT_TRUE(run(*database, "INSERT INTO zone VALUES (?, ?, ?, ?)",
                  {std::numeric_limits<std::int64_t>::min(), std::string("a\0b", 3), std::monostate{}, octets}));
  Rows const rows = all(*database, "SELECT id, name, serial, body, 0.5, x'' FROM zone");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0], (Row{std::numeric_limits<std::int64_t>::min(), std::string("a\0b", 3), std::monostate{}, octets,
                          0.5, Blob{}}));
}

TEST(Database, BindsAnEmptyBlobAsABlobAndNotAsNull) {
  auto database = open();
  ASSERT_TRUE(run(*database, "INSERT INTO zone (id, name, body) VALUES (1, 'a', ?)", {Blob{}}));
  EXPECT_EQ(all(*database, "SELECT typeof(body) FROM zone")[0][0], Value("blob"));
}

TEST(Database, ReadsNullAsTheEmptyValueOfEachType) {
  EXPECT_EQ(integer(std::monostate{}), 0);
  EXPECT_EQ(text(std::monostate{}), "");
  EXPECT_TRUE(blob(std::monostate{}).empty());
  EXPECT_EQ(blob(std::string("edited by hand")), Blob{0}) << "no form of ours, and no end of the process";
  EXPECT_EQ(blob(std::int64_t{7}), Blob{0});
  EXPECT_DEATH((void)text(Value(std::int64_t{1})), "invariant broken");
}

TEST(Database, UsesTheDurableSettings) {
  TemporaryFolder const folder;
  auto database = open(folder.url("a.db"));
  EXPECT_EQ(text(all(*database, "PRAGMA journal_mode")[0][0]), "wal");
  EXPECT_EQ(integer(all(*database, "PRAGMA synchronous")[0][0]), 2);
  EXPECT_EQ(integer(all(*database, "PRAGMA foreign_keys")[0][0]), 1);
  EXPECT_EQ(integer(all(*database, "PRAGMA busy_timeout")[0][0]), 5000);
}

TEST(Database, RaisesTheRevisionByOneForACommitThatTouchedReplicatedRows) {
  auto database = open();
  EXPECT_EQ(database->revision(), 0);
  auto revision = database->write([](Transaction& transaction) -> base::Result<void> {
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(transaction.execute("INSERT INTO zone (name) VALUES (?)", {std::to_string(i)}));
      EXPECT_EQ(transaction.last_insert_id(), i + 1);
    }
    return {};
  });
  EXPECT_EQ(revision.value(), 1);
  EXPECT_EQ(run(*database, "UPDATE zone SET serial = 7").value(), 2);
  EXPECT_EQ(run(*database, "DELETE FROM zone").value(), 3);
}

TEST(Database, KeepsTheRevisionWhenNothingReplicatedChanged) {
  auto database = open();
  ASSERT_EQ(run(*database, "INSERT INTO zone (id, name) VALUES (1, 'a')").value(), 1);
  EXPECT_EQ(run(*database, "INSERT INTO secret (value) VALUES ('x')").value(), 1);
  EXPECT_EQ(run(*database, "UPDATE zone SET name = 'a'").value(), 1);
  EXPECT_EQ(run(*database,
                "INSERT INTO zone (id, name) VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET name = "
                "excluded.name")
                .value(),
            1);
  EXPECT_EQ(run(*database, "DELETE FROM zone WHERE id = 9").value(), 1);
  EXPECT_EQ(run(*database, "UPDATE zone SET name = 'A'").value(), 2) << "a change of letter case is a change";
}

TEST(Database, TellsHowManyRowsAStatementChanged) {
  auto database = open();
  ASSERT_TRUE(run(*database, "INSERT INTO zone (name) VALUES ('a'), ('b')"));
  auto written = database->write([](Transaction& transaction) -> base::Result<void> {
    EXPECT_EQ(transaction.execute("UPDATE zone SET serial = 1").value(), 2);
    EXPECT_EQ(transaction.execute("UPDATE zone SET serial = 1 WHERE name = 'none'").value(), 0);
    EXPECT_EQ(transaction.execute("CREATE TABLE IF NOT EXISTS zone (id)").value(), 0);
    EXPECT_EQ(transaction.query("SELECT count(*) FROM zone").value()[0][0], Value(std::int64_t{2}));
    return {};
  });
  EXPECT_TRUE(written);
}

TEST(Database, RollsBackEverythingWhenTheBodyFails) {
  auto database = open();
  auto written = database->write([](Transaction& transaction) -> base::Result<void> {
    EXPECT_TRUE(transaction.execute("INSERT INTO zone (name) VALUES ('a')"));
    return base::fail(errc::failed, "changed my mind");
  });
  ASSERT_TRUE(written.has_error());
  EXPECT_EQ(written.error().detail, "changed my mind");
  EXPECT_TRUE(all(*database, "SELECT * FROM zone").empty());
  EXPECT_EQ(database->revision(), 0);
  EXPECT_EQ(run(*database, "INSERT INTO zone (name) VALUES ('a')").value(), 1);
}

TEST(Database, RollsBackWhenTheBodyThrows) {
  auto database = open();
  EXPECT_THROW((void)database->write([](Transaction& transaction) -> base::Result<void> {
    EXPECT_TRUE(transaction.execute("INSERT INTO zone (name) VALUES ('a')"));
    throw std::runtime_error("body");
  }),
               std::runtime_error);
  EXPECT_EQ(run(*database, "INSERT INTO zone (name) VALUES ('a')").value(), 1);
}

TEST(Database, NamesTheConstraintThatWasViolated) {
  auto database = open();
  ASSERT_TRUE(run(*database, "INSERT INTO zone (name) VALUES ('a')"));
  auto unique = run(*database, "INSERT INTO zone (name) VALUES ('a')");
  ASSERT_TRUE(unique.has_error());
  EXPECT_EQ(unique.error().code, errc::constraint);
  EXPECT_THAT(unique.error().detail, HasSubstr("zone.name"));
  auto foreign = run(*database, "INSERT INTO record (zone_id, owner) VALUES (99, 'www')");
  EXPECT_EQ(foreign.error().code, errc::constraint);
  auto check = run(*database, "INSERT INTO secret (value) VALUES ('')");
  EXPECT_EQ(check.error().code, errc::constraint);
  EXPECT_EQ(run(*database, "INSERT INTO nowhere VALUES (1)").error().code, errc::failed);
}

TEST(Database, ReportsAFullDiskAndGoesOnAfterwards) {
  TemporaryFolder const folder;
  auto database = open(folder.url("a.db"));
  std::int64_t const pages = integer(all(*database, "PRAGMA page_count")[0][0]);
  (void)all(*database, "PRAGMA max_page_count=" + std::to_string(pages + 2));
  auto full = run(*database, "INSERT INTO zone (name, body) VALUES ('big', zeroblob(1000000))");
  ASSERT_TRUE(full.has_error());
  EXPECT_EQ(full.error().code, errc::full);
  EXPECT_EQ(database->revision(), 0);
  EXPECT_EQ(run(*database, "INSERT INTO zone (name) VALUES ('small')").value(), 1);
}

// SQLite itself goes on writing to a file that nobody will find again.
TEST(Database, AcknowledgesNothingOnceItsFileIsGone) {
  for (std::string const what : {"a.db", "a.db-wal"}) {
    TemporaryFolder const folder;
    auto database = open(folder.url("a.db"));
    ASSERT_TRUE(run(*database, "INSERT INTO zone (name) VALUES ('before')"));
    std::filesystem::rename(folder.file(what), folder.file("elsewhere"));
    auto const lost = run(*database, "INSERT INTO zone (name) VALUES ('lost')");
    ASSERT_TRUE(lost.has_error()) << what;
    EXPECT_EQ(lost.error().code, errc::gone);
    EXPECT_THAT(lost.error().detail, HasSubstr(folder.file(what)));
    EXPECT_EQ(database->revision(), 1);
    std::filesystem::rename(folder.file("elsewhere"), folder.file(what));
    EXPECT_EQ(run(*database, "INSERT INTO zone (name) VALUES ('after')").value(), 2) << what;
    EXPECT_EQ(all(*database, "SELECT * FROM zone").size(), 2U);
  }
}

// Another file in its place is not the store either.
TEST(Database, DoesNotTakeACopyInItsPlaceForItsFile) {
  TemporaryFolder const folder;
  auto database = open(folder.url("a.db"));
  std::filesystem::copy_file(folder.file("a.db"), folder.file("copy"));
  std::filesystem::rename(folder.file("copy"), folder.file("a.db"));
  EXPECT_EQ(run(*database, "INSERT INTO zone (name) VALUES ('lost')").error().code, errc::gone);
}

TEST(Database, StopsABodyThatGoesOnAfterSqliteRolledBack) {
  TemporaryFolder const folder;
  auto database = open(folder.url("a.db"));
  auto written = database->write([](Transaction& transaction) -> base::Result<void> {
    EXPECT_TRUE(transaction.execute("INSERT INTO zone (name) VALUES ('before')"));
    EXPECT_TRUE(transaction.execute("INSERT OR ROLLBACK INTO zone (name) VALUES ('before')").has_error());
    EXPECT_TRUE(transaction.execute("INSERT INTO zone (name) VALUES ('after')").has_error());
    return {};
  });
  EXPECT_TRUE(written.has_error());
  EXPECT_TRUE(all(*database, "SELECT * FROM zone").empty());
}

TEST(Database, RefusesASecondOpenerAndNamesTheHolder) {
  TemporaryFolder const folder;
  auto database = open(folder.url("a.db"));
  auto second = Database::open(folder.url("a.db"), schemas());
  ASSERT_TRUE(second.has_error());
  EXPECT_EQ(second.error().code, errc::locked);
  EXPECT_THAT(second.error().detail, HasSubstr(std::to_string(::getpid())));
  database.reset();
  EXPECT_TRUE(Database::open(folder.url("a.db"), schemas()));
}

TEST(Database, SaysWhyItCannotOpen) {
  TemporaryFolder const folder;
  EXPECT_EQ(Database::open("postgres://x", schemas()).error().code, errc::cannot_open);
  EXPECT_EQ(Database::open("sqlite://", schemas()).error().code, errc::cannot_open);
  EXPECT_EQ(Database::open(folder.url("no/such/folder/a.db"), schemas()).error().code, errc::cannot_open);
  std::ofstream(folder.file("text.db")) << std::string(5000, 'x');
  auto text_file = Database::open(folder.url("text.db"), schemas());
  EXPECT_EQ(text_file.error().code, errc::cannot_open);
  EXPECT_THAT(text_file.error().detail, HasSubstr("not a SQLite database"));
}

TEST(Database, NoticesDamageAtOpen) {
  TemporaryFolder const folder;
  {
    auto database = open(folder.url("a.db"));
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(run(*database, "INSERT INTO zone (name, body) VALUES (?, zeroblob(300))", {std::to_string(i)}));
    }
  }
  {
    std::fstream file(folder.file("a.db"), std::ios::in | std::ios::out | std::ios::binary);
    auto const size = std::filesystem::file_size(folder.file("a.db"));
    for (std::uintmax_t at = 4096; at < size; at += 4096) {
      file.seekp(static_cast<std::streamoff>(at));
      file << std::string(64, '\xee');
    }
  }
  auto damaged = Database::open(folder.url("a.db"), schemas());
  ASSERT_TRUE(damaged.has_error());
  EXPECT_EQ(damaged.error().code, errc::corrupt);
}

TEST(Database, RemembersRevisionAndHistoryOverARestart) {
  TemporaryFolder const folder;
  auto database = open(folder.url("a.db"));
  ASSERT_TRUE(run(*database, "INSERT INTO zone (name) VALUES ('a')"));
  std::string const history = database->history();
  EXPECT_EQ(history.size(), 32U);
  database.reset();
  database = open(folder.url("a.db"));
  EXPECT_EQ(database->revision(), 1);
  EXPECT_EQ(database->history(), history);
  EXPECT_NE(open()->history(), history);
}

TEST(Database, TellsListenersWhatEachCommitChanged) {
  auto database = open();
  std::vector<Changes> heard;
  database->on_commit([&](Changes const& changes) { heard.push_back(changes); });
  ASSERT_TRUE(run(*database, "INSERT INTO secret (value) VALUES ('x')"));
  EXPECT_TRUE(heard.empty());
  ASSERT_TRUE(run(*database, "INSERT INTO zone (id, name) VALUES (5, 'a')"));
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0].from, 0);
  EXPECT_EQ(heard[0].to, 1);
  EXPECT_EQ(heard[0].history, database->history());
  ASSERT_EQ(heard[0].rows.size(), 1U);
  EXPECT_EQ(heard[0].rows[0].table, "zone");
  EXPECT_EQ(heard[0].rows[0].key[0].second, Value(std::int64_t{5}));
  EXPECT_EQ(heard[0].rows[0].values[1], (std::pair<std::string, Value>("name", "a")));
}

}  // namespace
}  // namespace database::test
