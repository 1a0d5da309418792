// A folder of its own for each test, a small schema with a parent and a child table, and shortcuts.
#pragma once

#include "base/database/database.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace database::test {

class TemporaryFolder : public ::test::TemporaryFolder {
 public:
  [[nodiscard]] std::string url(std::string const& name) const { return "sqlite://" + file(name); }
};

inline std::vector<Schema> schemas() {
  return {
      {"zones",
       {{1,
         "CREATE TABLE zone (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, serial INTEGER, body BLOB);"
         "CREATE TABLE record (zone_id INTEGER NOT NULL REFERENCES zone (id) ON DELETE CASCADE, owner TEXT NOT NULL,"
         "  content TEXT, weight REAL, PRIMARY KEY (zone_id, owner)) WITHOUT ROWID;"
         "CREATE TABLE secret (id INTEGER PRIMARY KEY, value TEXT CHECK (value <> ''));"}},
       {{"zone", {"id"}}, {"record", {"zone_id", "owner"}}}}};
}

inline std::unique_ptr<Database> open(std::string const& url = "sqlite://:memory:") {
  auto database = Database::open(url, schemas());
  EXPECT_TRUE(database.has_value()) << (database.has_error() ? database.error().what() : "");
  return std::move(database).value();
}

// One statement in one transaction.
inline base::Result<Revision> run(Database& database, std::string const& sql, std::vector<Value> const& values = {}) {
  return database.write([&](Transaction& transaction) -> base::Result<void> {
    auto done = transaction.execute(sql, values);
    if (done.has_error()) {
      return done.error();
    }
    return {};
  });
}

inline Rows all(Database& database, std::string const& sql) {
  return database.query(sql).value();
}

// Everything a follower should have.
inline std::map<std::string, Rows> contents(Database& database) {
  return {{"zone", all(database, "SELECT * FROM zone ORDER BY id")},
          {"record", all(database, "SELECT * FROM record ORDER BY zone_id, owner")}};
}

}  // namespace database::test
