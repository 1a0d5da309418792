#include "tests/base/database/fixture.hpp"

#include <gmock/gmock.h>

#include <random>

namespace database::test {
namespace {

constexpr std::size_t plenty = 100000;

std::vector<std::string> keys(Changes const& changes) {
  std::vector<std::string> out;
  for (Change const& change : changes.rows) {
    std::string line = std::to_string(change.revision) + " " + change.table;
    for (auto const& [column, value] : change.key) {
      line += " " + (std::holds_alternative<std::string>(value) ? text(value) : std::to_string(integer(value)));
    }
    out.push_back(line + (change.values.empty() ? " gone" : ""));
  }
  return out;
}

void expect_no_dangling_reference(Database& database) {
  EXPECT_TRUE(all(database, "SELECT * FROM pragma_foreign_key_check").empty());
}

TEST(ChangeLog, ListsEachRowOnceWithItsPresentContent) {
  auto database = open();
  ASSERT_TRUE(run(*database, "INSERT INTO zone (id, name) VALUES (1, 'a'), (2, 'b')"));
  ASSERT_TRUE(run(*database, "UPDATE zone SET serial = 1 WHERE id = 1"));
  ASSERT_TRUE(run(*database, "UPDATE zone SET serial = 2 WHERE id = 1"));
  ASSERT_TRUE(run(*database, "DELETE FROM zone WHERE id = 2"));
  Changes const changes = database->changes_since(0, plenty).value();
  EXPECT_FALSE(changes.complete);
  EXPECT_EQ(changes.to, 4);
  EXPECT_THAT(keys(changes), testing::ElementsAre("3 zone 1", "4 zone 2 gone"));
  EXPECT_EQ(changes.rows[0].values[2], (std::pair<std::string, Value>("serial", std::int64_t{2})));
  EXPECT_TRUE(database->changes_since(4, plenty).value().rows.empty());
}

TEST(ChangeLog, LogsBothKeysWhenAKeyChanges) {
  auto database = open();
  ASSERT_TRUE(run(*database, "INSERT INTO zone (id, name) VALUES (1, 'a')"));
  ASSERT_TRUE(run(*database, "UPDATE zone SET id = 7"));
  EXPECT_THAT(keys(database->changes_since(1, plenty).value()), testing::ElementsAre("2 zone 1 gone", "2 zone 7"));
}

TEST(ChangeLog, LogsRowsRemovedByACascadeAndByReplace) {
  auto database = open();
  ASSERT_TRUE(run(*database, "INSERT INTO zone (id, name) VALUES (1, 'a'), (2, 'b')"));
  ASSERT_TRUE(run(*database, "INSERT INTO record (zone_id, owner) VALUES (1, 'www')"));
  ASSERT_TRUE(run(*database, "DELETE FROM zone WHERE id = 1"));
  EXPECT_THAT(keys(database->changes_since(2, plenty).value()),
              testing::UnorderedElementsAre("3 zone 1 gone", "3 record 1 www gone"));
  ASSERT_TRUE(run(*database, "INSERT OR REPLACE INTO zone (id, name) VALUES (9, 'b')"));
  EXPECT_THAT(keys(database->changes_since(3, plenty).value()), testing::ElementsAre("4 zone 2 gone", "4 zone 9"));
}

TEST(ChangeLog, SurvivesConflictClausesOfTheFiringStatement) {
  auto database = open();
  auto written = database->write([](Transaction& transaction) -> base::Result<void> {
    EXPECT_TRUE(transaction.execute("INSERT OR ABORT INTO zone (id, name) VALUES (1, 'a')"));
    EXPECT_TRUE(transaction.execute("UPDATE OR FAIL zone SET serial = 1"));
    EXPECT_TRUE(transaction.execute("UPDATE OR ROLLBACK zone SET serial = 2"));
    EXPECT_TRUE(transaction.execute("INSERT OR REPLACE INTO zone (id, name) VALUES (1, 'c')"));
    return {};
  });
  EXPECT_EQ(written.value(), 1);
  EXPECT_THAT(keys(database->changes_since(0, plenty).value()), testing::ElementsAre("1 zone 1"));
}

TEST(ChangeLog, SendsWholeRevisionsOnly) {
  auto database = open();
  ASSERT_TRUE(run(*database, "INSERT INTO zone (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')"));
  ASSERT_TRUE(run(*database, "INSERT INTO zone (id, name) VALUES (4, 'd')"));
  ASSERT_TRUE(run(*database, "INSERT INTO zone (id, name) VALUES (5, 'e'), (6, 'f')"));
  EXPECT_EQ(database->changes_since(0, 1).value().to, 1) << "one revision larger than the limit comes whole";
  EXPECT_EQ(database->changes_since(0, 1).value().rows.size(), 3U);
  EXPECT_EQ(database->changes_since(0, 4).value().to, 2);
  EXPECT_EQ(database->changes_since(0, 5).value().to, 2);
  EXPECT_EQ(database->changes_since(0, 6).value().to, 3);
  EXPECT_EQ(database->changes_since(1, 2).value().to, 2);
  EXPECT_EQ(database->changes_since(3, 1).value().to, 3);
}

TEST(ChangeLog, SendsACompleteCopyToWhoeverTheLogCannotServe) {
  auto database = open();
  for (int i = 1; i <= 5; ++i) {
    ASSERT_TRUE(run(*database, "INSERT INTO zone (id, name) VALUES (?, ?)", {std::int64_t{i}, std::to_string(i)}));
  }
  EXPECT_TRUE(database->changes_since(6, plenty).value().complete) << "from the future";
  EXPECT_TRUE(database->changes_since(-1, plenty).value().complete);
  EXPECT_TRUE(database->changes_since(5, plenty, "other").value().complete);
  EXPECT_FALSE(database->changes_since(5, plenty, database->history()).value().complete);
  ASSERT_TRUE(database->trim_log(2));
  EXPECT_EQ(database->revision(), 5);
  Changes const complete = database->changes_since(2, 1).value();
  EXPECT_TRUE(complete.complete);
  EXPECT_EQ(complete.from, 0);
  EXPECT_EQ(complete.to, 5);
  EXPECT_EQ(complete.rows.size(), 5U);
  EXPECT_THAT(keys(database->changes_since(3, plenty).value()), testing::ElementsAre("4 zone 4", "5 zone 5"));
}

TEST(ChangeLog, KeepsTheTrimmedStartOverARestart) {
  TemporaryFolder const folder;
  auto database = open(folder.url("a.db"));
  ASSERT_TRUE(run(*database, "INSERT INTO zone (name) VALUES ('a')"));
  ASSERT_TRUE(database->trim_log(0));
  database.reset();
  database = open(folder.url("a.db"));
  EXPECT_TRUE(database->changes_since(0, plenty).value().complete);
  EXPECT_FALSE(database->changes_since(1, plenty).value().complete);
}

TEST(Follower, AdoptsRevisionAndHistoryAndServesOthers) {
  auto primary = open();
  ASSERT_TRUE(run(*primary, "INSERT INTO zone (id, name, body) VALUES (1, 'a', x'00ff')"));
  ASSERT_TRUE(run(*primary, "INSERT INTO record (zone_id, owner, weight) VALUES (1, 'www', 0.25)"));
  auto replica = open();
  ASSERT_TRUE(replica->apply_changes(primary->changes_since(0, plenty).value()));
  EXPECT_EQ(replica->revision(), 2);
  EXPECT_EQ(replica->history(), primary->history());
  EXPECT_EQ(contents(*replica), contents(*primary));
  Changes const onward = replica->changes_since(0, plenty, primary->history()).value();
  EXPECT_THAT(keys(onward), testing::ElementsAre("1 zone 1", "2 record 1 www"));
}

TEST(Follower, IgnoresWhatItAlreadyHasAndRefusesAGap) {
  auto primary = open();
  auto replica = open();
  ASSERT_TRUE(run(*primary, "INSERT INTO zone (id, name) VALUES (1, 'a')"));
  Changes const first = primary->changes_since(0, plenty).value();
  ASSERT_TRUE(run(*primary, "UPDATE zone SET name = 'b'"));
  ASSERT_TRUE(run(*primary, "UPDATE zone SET name = 'c'"));
  Changes const third = primary->changes_since(2, plenty).value();
  ASSERT_TRUE(replica->apply_changes(first));
  EXPECT_EQ(replica->apply_changes(third).error().code, errc::failed);
  ASSERT_TRUE(replica->apply_changes(primary->changes_since(1, plenty).value()));
  ASSERT_TRUE(replica->apply_changes(third));
  ASSERT_TRUE(replica->apply_changes(first)) << "an older one changes nothing";
  EXPECT_EQ(replica->revision(), 3);
  EXPECT_EQ(contents(*replica), contents(*primary));
}

TEST(Follower, RefusesToContinueAnotherHistory) {
  auto primary = open();
  auto other = open();
  auto replica = open();
  for (Database* database : {primary.get(), other.get()}) {
    ASSERT_TRUE(run(*database, "INSERT INTO zone (id, name) VALUES (1, 'a')"));
    ASSERT_TRUE(run(*database, "INSERT INTO zone (id, name) VALUES (2, 'b')"));
  }
  ASSERT_TRUE(replica->apply_changes(primary->changes_since(0, 1).value()));
  EXPECT_TRUE(replica->apply_changes(other->changes_since(1, 1).value()).has_error());
  ASSERT_TRUE(replica->apply_changes(other->changes_since(1, 1, replica->history()).value()));
  EXPECT_EQ(replica->history(), other->history());
}

TEST(Follower, ReplacesWhatItHadByACompleteCopy) {
  TemporaryFolder const folder;
  auto primary = open();
  ASSERT_TRUE(run(*primary, "INSERT INTO zone (id, name) VALUES (1, 'a'), (2, 'b')"));
  ASSERT_TRUE(run(*primary, "INSERT INTO record (zone_id, owner) VALUES (2, 'www')"));
  auto replica = open(folder.url("replica.db"));
  ASSERT_TRUE(run(*replica, "INSERT INTO zone (id, name) VALUES (1, 'b'), (7, 'old')"));
  ASSERT_TRUE(run(*replica, "INSERT INTO record (zone_id, owner) VALUES (7, 'www')"));
  ASSERT_TRUE(run(*replica, "INSERT INTO secret (value) VALUES ('mine')"));
  Changes const complete = primary->changes_since(0, plenty, replica->history()).value();
  ASSERT_TRUE(complete.complete);
  ASSERT_TRUE(replica->apply_changes(complete));
  ASSERT_TRUE(replica->apply_changes(complete)) << "a repeat is harmless";
  EXPECT_EQ(contents(*replica), contents(*primary));
  EXPECT_EQ(all(*replica, "SELECT value FROM secret").size(), 1U) << "what is not replicated stays";
  replica.reset();
  replica = open(folder.url("replica.db"));
  EXPECT_EQ(replica->revision(), 2);
  EXPECT_EQ(replica->history(), primary->history());
  EXPECT_TRUE(replica->changes_since(1, plenty).value().complete) << "its own log begins at the copy";
  ASSERT_TRUE(run(*primary, "DELETE FROM zone WHERE id = 2"));
  ASSERT_TRUE(replica->apply_changes(primary->changes_since(2, plenty, replica->history()).value()));
  EXPECT_EQ(contents(*replica), contents(*primary));
}

TEST(Follower, TakesUniqueValuesThatWereSwapped) {
  auto primary = open();
  auto replica = open();
  ASSERT_TRUE(run(*primary, "INSERT INTO zone (id, name) VALUES (1, 'a'), (2, 'b')"));
  ASSERT_TRUE(run(*primary, "INSERT INTO record (zone_id, owner) VALUES (1, 'www'), (2, 'ftp')"));
  ASSERT_TRUE(replica->apply_changes(primary->changes_since(0, plenty).value()));
  ASSERT_TRUE(primary->write([](Transaction& transaction) -> base::Result<void> {
    EXPECT_TRUE(transaction.execute("UPDATE zone SET name = 'c' WHERE id = 1"));
    EXPECT_TRUE(transaction.execute("UPDATE zone SET name = 'a' WHERE id = 2"));
    EXPECT_TRUE(transaction.execute("UPDATE zone SET name = 'b' WHERE id = 1"));
    return {};
  }));
  ASSERT_TRUE(replica->apply_changes(primary->changes_since(2, plenty).value()));
  EXPECT_EQ(contents(*replica), contents(*primary));
}

TEST(Follower, KeepsTheOldStateWhenTheFeedCannotBeApplied) {
  auto replica = open();
  ASSERT_TRUE(run(*replica, "INSERT INTO zone (id, name) VALUES (1, 'a')"));
  auto const before = contents(*replica);
  Changes changes;
  changes.complete = true;
  changes.to = 9;
  changes.rows.push_back({9, "zone", {{"id", std::int64_t{2}}}, {{"id", std::int64_t{2}}, {"name", "b"}}});
  for (Change const& bad : std::vector<Change>{
           {9, "nowhere", {{"id", std::int64_t{2}}}, {}},
           {9, "zone", {{"name", "x"}}, {}},
           {9, "zone", {{"id", std::int64_t{3}}}, {{"id", std::int64_t{3}}, {"name\" --", "c"}}},
           {9, "zone", {{"id", std::int64_t{3}}}, {{"id", std::int64_t{3}}, {"name", std::monostate{}}}}}) {
    Changes broken = changes;
    broken.rows.push_back(bad);
    EXPECT_TRUE(replica->apply_changes(broken).has_error());
    EXPECT_EQ(contents(*replica), before);
    EXPECT_EQ(replica->revision(), 1);
  }
  EXPECT_EQ(run(*replica, "INSERT INTO record (zone_id, owner) VALUES (99, 'x')").error().code, errc::constraint)
      << "foreign keys are on again";
  EXPECT_EQ(run(*replica, "UPDATE zone SET serial = 3").value(), 2) << "and so are the triggers";
}

TEST(Follower, HearsWhatWasApplied) {
  auto primary = open();
  auto replica = open();
  int heard = 0;
  replica->on_commit([&](Changes const& changes) { heard += static_cast<int>(changes.rows.size()); });
  ASSERT_TRUE(run(*primary, "INSERT INTO zone (id, name) VALUES (1, 'a'), (2, 'b')"));
  Changes const changes = primary->changes_since(0, plenty).value();
  ASSERT_TRUE(replica->apply_changes(changes));
  ASSERT_TRUE(replica->apply_changes(changes));
  EXPECT_EQ(heard, 2);
}

// Random writes of one to four statements; constraint failures roll back and are part of the game.
void write_something(Database& primary, std::mt19937& random) {
  auto const pick = [&random](int limit) {
    return std::int64_t{static_cast<int>(random() % static_cast<unsigned>(limit))};
  };
  (void)primary.write([&](Transaction& transaction) -> base::Result<void> {
    for (std::int64_t i = 0; i <= pick(4); ++i) {
      base::Result<std::int64_t> done = 0;
      switch (pick(8)) {
        case 0:
        case 1:
          done = transaction.execute("INSERT INTO zone (id, name, serial) VALUES (?, ?, ?)",
                                     {pick(12), "n" + std::to_string(pick(12)), pick(100)});
          break;
        case 2:
          done =
              transaction.execute("UPDATE zone SET name = ? WHERE id = ?", {"n" + std::to_string(pick(12)), pick(12)});
          break;
        case 3:
          done = transaction.execute("DELETE FROM zone WHERE id = ?", {pick(12)});
          break;
        case 4:
          done = transaction.execute("INSERT OR REPLACE INTO zone (id, name) VALUES (?, ?)",
                                     {pick(12), "n" + std::to_string(pick(12))});
          break;
        case 5:
          done = transaction.execute("DELETE FROM record WHERE owner = ?", {"o" + std::to_string(pick(4))});
          break;
        case 6:
          done = transaction.execute("UPDATE record SET zone_id = ? WHERE owner = ?",
                                     {pick(12), "o" + std::to_string(pick(4))});
          break;
        default:
          done = transaction.execute("INSERT INTO record (zone_id, owner, content) VALUES (?, ?, ?)",
                                     {pick(12), "o" + std::to_string(pick(4)), std::to_string(pick(1000))});
      }
      if (done.has_error() && pick(2) == 0) {
        return done.error();
      }
    }
    return {};
  });
}

TEST(Follower, EqualsThePrimaryWhateverTheBatchesRepeatsAndTrims) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    auto primary = open();
    auto replica = open();
    std::vector<Changes> sent;
    for (int step = 0; step < 120; ++step) {
      for (unsigned writes = random() % 4; writes > 0; --writes) {
        write_something(*primary, random);
      }
      if (random() % 40 == 0) {
        ASSERT_TRUE(primary->trim_log(static_cast<Revision>(random() % 20)));
      }
      Changes changes = primary->changes_since(replica->revision(), 1 + random() % 6, replica->history()).value();
      ASSERT_TRUE(replica->apply_changes(changes));
      ASSERT_EQ(replica->revision(), changes.to);
      if (!changes.complete) {
        sent.push_back(std::move(changes));
      }
      if (!sent.empty() && random() % 3 == 0) {
        ASSERT_TRUE(replica->apply_changes(sent[random() % sent.size()])) << "a repeat of an old batch";
      }
      if (replica->revision() == primary->revision()) {
        ASSERT_EQ(contents(*replica), contents(*primary));
        expect_no_dangling_reference(*replica);
      }
    }
    while (replica->revision() < primary->revision()) {
      ASSERT_TRUE(replica->apply_changes(primary->changes_since(replica->revision(), 3).value()));
    }
    EXPECT_EQ(contents(*replica), contents(*primary));
    expect_no_dangling_reference(*replica);
  }
}

}  // namespace
}  // namespace database::test
