#include "tests/base/database/fixture.hpp"

#include <gmock/gmock.h>

#include <filesystem>

namespace database::test {
namespace {

using testing::HasSubstr;

std::vector<Schema> version(int newest) {
  Schema schema{
      "m", {{1, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'seed')"}}, {{"t", {"id"}}}};
  if (newest >= 2) {
    schema.migrations.push_back({2, "ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'new'; UPDATE t SET a = upper(a)"});
  }
  if (newest >= 3) {
    schema.migrations.push_back({3, "CREATE TABLE u (id INTEGER PRIMARY KEY) ; CREATE TABLE nonsense ("});
  }
  return {schema};
}

TEST(Schema, MigratesAnOlderFileAndKeepsACopyOfIt) {
  TemporaryFolder const folder;
  std::string history;
  {
    auto old = Database::open(folder.url("a.db"), version(1)).value();
    ASSERT_TRUE(run(*old, "INSERT INTO t VALUES (2, 'x')"));
    history = old->history();
  }
  EXPECT_FALSE(std::filesystem::exists(folder.file("a.db.before-m-1"))) << "a new file needs no copy";
  auto migrated = Database::open(folder.url("a.db"), version(2)).value();
  EXPECT_EQ(all(*migrated, "SELECT a, b FROM t"), (Rows{{"SEED", "new"}, {"X", "new"}}));
  EXPECT_EQ(migrated->revision(), 1);
  EXPECT_TRUE(migrated->changes_since(1, 100, history).value().complete) << "followers start over";
  ASSERT_TRUE(run(*migrated, "UPDATE t SET b = 'y' WHERE id = 1"));
  EXPECT_EQ(migrated->changes_since(1, 100).value().rows.size(), 1U) << "the new column is watched too";
  auto copy = Database::open(folder.url("a.db.before-m-2"), version(1)).value();
  EXPECT_EQ(all(*copy, "SELECT a FROM t"), (Rows{{"seed"}, {"x"}}));
  EXPECT_EQ(copy->history(), history);
}

TEST(Schema, RefusesANewerFileAndLeavesItAlone) {
  TemporaryFolder const folder;
  (void)Database::open(folder.url("a.db"), version(2)).value();
  auto refused = Database::open(folder.url("a.db"), version(1));
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().code, errc::newer);
  EXPECT_THAT(refused.error().detail, HasSubstr("module m"));
  EXPECT_TRUE(Database::open(folder.url("a.db"), version(2)));
}

TEST(Schema, UndoesEverythingWhenAMigrationFails) {
  TemporaryFolder const folder;
  (void)Database::open(folder.url("a.db"), version(1)).value();
  auto failed = Database::open(folder.url("a.db"), version(3));
  ASSERT_TRUE(failed.has_error());
  EXPECT_THAT(failed.error().detail, HasSubstr("migration 3 of module m"));
  auto old = Database::open(folder.url("a.db"), version(1)).value();
  EXPECT_EQ(all(*old, "SELECT * FROM t"), (Rows{{std::int64_t{1}, "seed"}}));
  EXPECT_TRUE(all(*old, "SELECT 1 FROM sqlite_schema WHERE name = 'u'").empty());
}

TEST(Schema, RefusesAMigrationThatLeavesDanglingRows) {
  std::vector<Schema> const bad{{"m",
                                 {{1,
                                   "CREATE TABLE p (id INTEGER PRIMARY KEY);"
                                   "CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p (id));"
                                   "INSERT INTO c VALUES (1, 42)"}},
                                 {}}};
  EXPECT_EQ(Database::open("sqlite://:memory:", bad).error().code, errc::constraint);
}

TEST(Schema, AddsAModuleToAnExistingFileWithoutACopy) {
  TemporaryFolder const folder;
  (void)Database::open(folder.url("a.db"), version(1)).value();
  std::vector<Schema> both = version(1);
  both.push_back({"n", {{1, "CREATE TABLE n (name TEXT PRIMARY KEY NOT NULL)"}}, {{"n", {"name"}}}});
  auto database = Database::open(folder.url("a.db"), both).value();
  EXPECT_EQ(run(*database, "INSERT INTO n VALUES ('x')").value(), 1);
  database.reset();
  for (auto const& entry : std::filesystem::directory_iterator(folder.file("."))) {
    EXPECT_THAT(entry.path().string(), testing::Not(HasSubstr("before")));
  }
}

TEST(Schema, LeavesAnUnchangedFileUnwritten) {
  TemporaryFolder const folder;
  (void)Database::open(folder.url("a.db"), version(2)).value();
  auto database = Database::open(folder.url("a.db"), version(2)).value();
  std::int64_t const cookie = integer(all(*database, "PRAGMA schema_version")[0][0]);
  database.reset();
  database = Database::open(folder.url("a.db"), version(2)).value();
  EXPECT_EQ(integer(all(*database, "PRAGMA schema_version")[0][0]), cookie);
}

TEST(Schema, WatchesATableOnlyByItsPrimaryKey) {
  std::vector<Schema> wrong = version(1);
  wrong[0].replicated[0].key = {"a"};
  EXPECT_THAT(Database::open("sqlite://:memory:", wrong).error().detail, HasSubstr("primary key"));
  wrong[0].replicated[0] = {"nowhere", {"id"}};
  EXPECT_TRUE(Database::open("sqlite://:memory:", wrong).has_error());
}

TEST(Schema, StopsWatchingATableThatIsNoLongerReplicated) {
  TemporaryFolder const folder;
  (void)Database::open(folder.url("a.db"), version(1)).value();
  std::vector<Schema> local = version(1);
  local[0].replicated.clear();
  auto database = Database::open(folder.url("a.db"), local).value();
  EXPECT_EQ(run(*database, "DELETE FROM t").value(), 0);
}

TEST(Schema, HandlesNamesThatNeedQuoting) {
  std::vector<Schema> const odd{
      {"m",
       {{1, "CREATE TABLE \"it's \"\"odd\"\"\" (\"the key\" TEXT PRIMARY KEY NOT NULL, \"select\")"}},
       {{"it's \"odd\"", {"the key"}}}}};
  auto database = Database::open("sqlite://:memory:", odd);
  ASSERT_TRUE(database) << database.error().what();
  ASSERT_EQ(run(**database, "INSERT INTO \"it's \"\"odd\"\"\" VALUES ('k', 1)").value(), 1);
  EXPECT_EQ((*database)->changes_since(0, 10).value().rows[0].table, "it's \"odd\"");
}

}  // namespace
}  // namespace database::test
