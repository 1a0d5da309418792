#include "base/database/schema.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <set>

namespace database {
namespace {

// change_log.key is a JSON array of the key columns' values; a row is written once per revision and key.
constexpr std::string_view meta_tables = R"sql(
  CREATE TABLE IF NOT EXISTS database_meta (key TEXT PRIMARY KEY NOT NULL, value NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS schema_version (module TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS change_log (
    revision INTEGER NOT NULL, table_name TEXT NOT NULL, key TEXT NOT NULL,
    PRIMARY KEY (revision, table_name, key)) WITHOUT ROWID;
  INSERT OR IGNORE INTO database_meta (key, value) VALUES ('revision', 0);
  INSERT OR IGNORE INTO database_meta (key, value) VALUES ('log_start', 0);
  INSERT OR IGNORE INTO database_meta (key, value) VALUES ('history', lower(hex(randomblob(16))));
)sql";

struct Step {
  Schema const* schema;
  int from;
  int to;
};

int newest(Schema const& schema) {
  return schema.migrations.empty() ? 0 : schema.migrations.back().version;
}

base::Result<std::vector<Step>> missing_steps(Connection& connection, std::vector<Schema> const& schemas) {
  std::map<std::string, int> present;
  auto rows = connection.query("SELECT module, version FROM schema_version");
  if (rows.has_error()) {
    return rows.error();
  }
  for (Row const& row : *rows) {
    present[text(row[0])] = static_cast<int>(integer(row[1]));
  }
  std::vector<Step> steps;
  for (Schema const& schema : schemas) {
    int const version = present[schema.module];
    if (version > newest(schema)) {
      return base::fail(errc::newer, "module " + schema.module + " of the store has version " +
                                         std::to_string(version) + ", this program knows " +
                                         std::to_string(newest(schema)) + ": use the newer program");
    }
    if (version < newest(schema)) {
      steps.push_back({&schema, version, newest(schema)});
    }
  }
  return steps;
}

// "navigator.db.before-store-3": written beside, flushed, then renamed, so that a copy with this name is always whole.
base::Result<void> keep_copy(Connection& connection, std::string const& path, std::vector<Step> const& steps) {
  std::string copy = path + ".before";
  for (Step const& step : steps) {
    if (step.from > 0) {
      copy += "-" + step.schema->module + "-" + std::to_string(step.to);
    }
  }
  std::string const partial = copy + ".partial";
  if (::unlink(partial.c_str()) != 0 && errno != ENOENT) {
    return base::fail_errno(errno, "removing " + partial);
  }
  if (auto copied = connection.execute("VACUUM INTO ?", {partial}); copied.has_error()) {
    return copied.error();
  }
  int const fd = ::open(partial.c_str(), O_RDONLY | O_CLOEXEC);
  bool const flushed = fd >= 0 && ::fsync(fd) == 0;
  int const flush_error = errno;
  if (fd >= 0) {
    ::close(fd);
  }
  if (!flushed) {
    return base::fail_errno(flush_error, "flushing " + partial);
  }
  if (std::rename(partial.c_str(), copy.c_str()) != 0) {
    return base::fail_errno(errno, "renaming " + partial);
  }
  return {};
}

base::Result<void> run_migrations(Connection& connection, std::vector<Step> const& steps) {
  for (Step const& step : steps) {
    for (Migration const& migration : step.schema->migrations) {
      if (migration.version <= step.from) {
        continue;
      }
      if (auto done = connection.script(migration.sql); done.has_error()) {
        return base::Failure{done.error().code, "migration " + std::to_string(migration.version) + " of module " +
                                                    step.schema->module + ": " + done.error().detail};
      }
      if (!connection.in_transaction()) {
        return base::fail(errc::failed, "migration of module " + step.schema->module + " ended the transaction");
      }
    }
    auto noted = connection.execute(
        "INSERT INTO schema_version (module, version) VALUES (?, ?) "
        "ON CONFLICT (module) DO UPDATE SET version = excluded.version",
        {step.schema->module, std::int64_t{step.to}});
    if (noted.has_error()) {
      return noted.error();
    }
  }
  auto dangling = connection.query("SELECT \"table\", parent FROM pragma_foreign_key_check LIMIT 1");
  if (dangling.has_error()) {
    return dangling.error();
  }
  if (!dangling->empty()) {
    return base::fail(errc::constraint, "after the migrations a row of " + text(dangling->front()[0]) +
                                            " refers to a missing row of " + text(dangling->front()[1]));
  }
  return {};
}

// A migration may rewrite rows without a trigger seeing it: the log is dropped and the history gets a new name, so that
// whoever followed the old one takes a complete copy.
base::Result<void> begin_new_history(Connection& connection) {
  return connection.script(R"sql(
    DELETE FROM change_log;
    UPDATE database_meta SET value = lower(hex(randomblob(16))) WHERE key = 'history';
    UPDATE database_meta SET value = (SELECT value FROM database_meta WHERE key = 'revision') WHERE key = 'log_start';
  )sql");
}

base::Result<Table> describe(Connection& connection, Schema::Replicated const& declared) {
  Table table{declared.table, declared.key, {}};
  auto rows = connection.query("SELECT name, pk FROM pragma_table_info(?) ORDER BY cid", {declared.table});
  if (rows.has_error()) {
    return rows.error();
  }
  std::set<std::string> primary;
  for (Row const& row : *rows) {
    table.columns.push_back(text(row[0]));
    if (integer(row[1]) > 0) {
      primary.insert(text(row[0]));
    }
  }
  // A follower finds its row by this key, so anything but the whole primary key would hit wrong rows.
  if (primary.empty() || primary != std::set<std::string>(declared.key.begin(), declared.key.end())) {
    return base::fail(errc::failed, "table " + declared.table +
                                        " is declared as replicated by other columns than its "
                                        "primary key");
  }
  return table;
}

// Wanted triggers, present triggers, difference: an unchanged schema writes nothing.
base::Result<void> install_triggers(Connection& connection, std::vector<Table> const& tables) {
  std::map<std::string, std::string> wanted;
  for (Table const& table : tables) {
    for (auto& [name, sql] : change_triggers(table)) {
      wanted.emplace(name, sql);
    }
  }
  auto present = connection.query(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'change\\_log\\_%' ESCAPE '\\'");
  if (present.has_error()) {
    return present.error();
  }
  for (Row const& row : *present) {
    auto const found = wanted.find(text(row[0]));
    if (found != wanted.end() && found->second == text(row[1])) {
      wanted.erase(found);
      continue;
    }
    if (auto dropped = connection.script("DROP TRIGGER " + quoted(text(row[0]))); dropped.has_error()) {
      return dropped.error();
    }
  }
  for (auto const& [name, sql] : wanted) {
    if (auto made = connection.script(sql); made.has_error()) {
      return made.error();
    }
  }
  return {};
}

base::Result<std::vector<Table>> apply_steps(Connection& connection, std::vector<Schema> const& schemas,
                                             std::vector<Step> const& steps) {
  if (auto migrated = run_migrations(connection, steps); migrated.has_error()) {
    return migrated.error();
  }
  if (!steps.empty()) {
    if (auto begun = begin_new_history(connection); begun.has_error()) {
      return begun.error();
    }
  }
  std::vector<Table> tables;
  for (Schema const& schema : schemas) {
    for (Schema::Replicated const& declared : schema.replicated) {
      auto table = describe(connection, declared);
      if (table.has_error()) {
        return table.error();
      }
      tables.push_back(std::move(*table));
    }
  }
  if (auto installed = install_triggers(connection, tables); installed.has_error()) {
    return installed.error();
  }
  return tables;
}

}  // namespace

base::Result<std::vector<Table>> bring_up_to_date(Connection& connection, std::string const& path,
                                                  std::vector<Schema> const& schemas) {
  for (Schema const& schema : schemas) {
    int expected = 1;
    for (Migration const& migration : schema.migrations) {
      ASSERT(migration.version == expected++);
    }
  }
  if (auto made = connection.script(meta_tables); made.has_error()) {
    return made.error();
  }
  auto steps = missing_steps(connection, schemas);
  if (steps.has_error()) {
    return steps.error();
  }
  bool const older = std::any_of(steps->begin(), steps->end(), [](Step const& step) { return step.from > 0; });
  if (older && !path.empty()) {
    if (auto kept = keep_copy(connection, path, *steps); kept.has_error()) {
      return base::Failure{kept.error().code, "keeping a copy before the migration: " + kept.error().detail};
    }
  }
  // A migration that rebuilds a table would cascade deletes with foreign keys on; they are checked as a whole
  // afterwards.
  if (auto off = connection.set_enforcement(false); off.has_error()) {
    return off.error();
  }
  if (auto begun = connection.script("BEGIN IMMEDIATE"); begun.has_error()) {
    return begun.error();
  }
  auto tables = apply_steps(connection, schemas, *steps);
  if (tables.has_value()) {
    if (auto committed = connection.script("COMMIT"); committed.has_error()) {
      tables = committed.error();
    }
  }
  if (connection.in_transaction()) {
    auto const rolled_back = connection.script("ROLLBACK");
    ASSERT(rolled_back.has_value());
  }
  if (auto on = connection.set_enforcement(true); on.has_error()) {
    return on.error();
  }
  return tables;
}

std::vector<std::pair<std::string, std::string>> change_triggers(Table const& table) {
  auto const logged = [&table](std::string const& row) {
    std::string key;
    for (std::string const& column : table.key) {
      key += (key.empty() ? "" : ", ") + row + "." + quoted(column);
    }
    std::string name = "'";
    for (char const letter : table.name) {
      name += letter == '\'' ? "''" : std::string(1, letter);
    }
    name += "'";
    // Not INSERT OR IGNORE: the conflict clause of the statement that fired a trigger overrides the one inside it.
    return "INSERT INTO change_log (revision, table_name, key) SELECT m.value + 1, " + name + ", json_array(" + key +
           ") FROM database_meta AS m WHERE m.key = 'revision' AND NOT EXISTS (SELECT 1 FROM change_log AS c WHERE "
           "c.revision = m.value + 1 AND c.table_name = " +
           name + " AND c.key = json_array(" + key + ")); ";
  };
  // Writing what is already there is no change: an idempotent caller must not raise the revision. The comparison
  // ignores the column's collation, or a change of letter case would pass unnoticed.
  std::string differs;
  for (std::string const& column : table.columns) {
    differs += std::string(differs.empty() ? "" : " OR ") + "old." + quoted(column) + " COLLATE BINARY IS NOT new." +
               quoted(column);
  }
  auto const trigger = [&table](std::string const& event) {
    return "CREATE TRIGGER " + quoted("change_log_" + event + "_" + table.name) + " AFTER " + event + " ON " +
           quoted(table.name) + " ";
  };
  return {
      {"change_log_insert_" + table.name, trigger("insert") + "BEGIN " + logged("new") + "END"},
      {"change_log_update_" + table.name,
       trigger("update") + "WHEN " + differs + " BEGIN " + logged("old") + logged("new") + "END"},
      {"change_log_delete_" + table.name, trigger("delete") + "BEGIN " + logged("old") + "END"},
  };
}

}  // namespace database
