#include "base/database/change_log.hpp"

#include <algorithm>

namespace database {
namespace {

std::string joined(std::vector<std::string> const& parts, std::string_view separator) {
  std::string out;
  for (std::string const& part : parts) {
    out += (out.empty() ? "" : std::string(separator)) + part;
  }
  return out;
}

// SELECT newest revision, key columns, row columns of every logged row. A row that is gone has NULL in all of its
// columns, the primary key among them, which no present row has.
std::string log_query(Table const& table) {
  std::vector<std::string> selected{"max(c.revision)"};
  std::vector<std::string> same;
  for (std::size_t i = 0; i < table.key.size(); ++i) {
    std::string const part = "json_extract(c.key, '$[" + std::to_string(i) + "]')";
    selected.push_back(part);
    same.push_back("t." + quoted(table.key[i]) + " = " + part);
  }
  for (std::string const& column : table.columns) {
    selected.push_back("t." + quoted(column));
  }
  return "SELECT " + joined(selected, ", ") + " FROM change_log AS c LEFT JOIN " + quoted(table.name) + " AS t ON " +
         joined(same, " AND ") +
         " WHERE c.table_name = ? AND c.revision > ? AND c.revision <= ? GROUP BY c.key ORDER BY 1";
}

std::size_t index_of(std::vector<std::string> const& columns, std::string const& name) {
  auto const found = std::find(columns.begin(), columns.end(), name);
  ASSERT(found != columns.end());
  return static_cast<std::size_t>(found - columns.begin());
}

Change change_of_log_row(Table const& table, Row& row) {
  Change change;
  change.revision = integer(row[0]);
  change.table = table.name;
  std::size_t next = 1;
  for (std::string const& column : table.key) {
    change.key.emplace_back(column, std::move(row[next++]));
  }
  std::size_t const first_key = next + index_of(table.columns, table.key.front());
  if (std::holds_alternative<std::monostate>(row[first_key])) {
    return change;
  }
  for (std::string const& column : table.columns) {
    change.values.emplace_back(column, std::move(row[next++]));
  }
  return change;
}

Table const* find_table(std::vector<Table> const& tables, std::string const& name) {
  auto const found = std::find_if(tables.begin(), tables.end(), [&](Table const& table) { return table.name == name; });
  return found == tables.end() ? nullptr : &*found;
}

base::Result<void> check_columns(Table const& table, std::vector<std::pair<std::string, Value>> const& columns) {
  for (auto const& [column, value] : columns) {
    if (std::find(table.columns.begin(), table.columns.end(), column) == table.columns.end()) {
      return base::fail(errc::failed, "column " + column + " of table " + table.name +
                                          " is unknown here: this program is older than the primary's");
    }
  }
  return {};
}

base::Result<void> put_row(Connection& connection, Table const& table, Change const& change) {
  if (auto checked = check_columns(table, change.values); checked.has_error()) {
    return checked;
  }
  std::vector<std::string> names;
  std::vector<std::string> marks;
  std::vector<Value> values;
  for (auto const& [column, value] : change.values) {
    names.push_back(quoted(column));
    marks.emplace_back("?");
    values.push_back(value);
  }
  // REPLACE may displace a row that holds the same value of another unique column. Such a row is out of date (the
  // primary could not hold both), so its own change comes later in this batch or in a later one.
  auto done = connection.execute("INSERT OR REPLACE INTO " + quoted(table.name) + " (" + joined(names, ", ") +
                                     ") VALUES (" + joined(marks, ", ") + ")",
                                 values);
  if (done.has_error()) {
    return done.error();
  }
  return {};
}

base::Result<void> remove_row(Connection& connection, Table const& table, Change const& change) {
  std::vector<std::string> same;
  std::vector<Value> values;
  for (auto const& [column, value] : change.key) {
    same.push_back(quoted(column) + " = ?");
    values.push_back(value);
  }
  auto done = connection.execute("DELETE FROM " + quoted(table.name) + " WHERE " + joined(same, " AND "), values);
  if (done.has_error()) {
    return done.error();
  }
  return {};
}

base::Result<void> log_row(Connection& connection, Table const& table, Change const& change) {
  std::vector<Value> values{change.revision, table.name};
  std::vector<std::string> marks;
  for (auto const& [column, value] : change.key) {
    marks.emplace_back("?");
    values.push_back(value);
  }
  auto done =
      connection.execute("INSERT OR IGNORE INTO change_log (revision, table_name, key) VALUES (?, ?, json_array(" +
                             joined(marks, ", ") + "))",
                         values);
  if (done.has_error()) {
    return done.error();
  }
  return {};
}

base::Result<void> remove_everything(Connection& connection, std::vector<Table> const& tables) {
  for (Table const& table : tables) {
    if (auto emptied = connection.execute("DELETE FROM " + quoted(table.name)); emptied.has_error()) {
      return emptied.error();
    }
  }
  if (auto emptied = connection.execute("DELETE FROM change_log"); emptied.has_error()) {
    return emptied.error();
  }
  return {};
}

// The key of a change must be the table's, in its order: the log and the DELETE are made from it.
bool has_key_of(Table const& table, Change const& change) {
  return std::equal(table.key.begin(), table.key.end(), change.key.begin(), change.key.end(),
                    [](std::string const& column, auto const& part) { return column == part.first; });
}

}  // namespace

base::Result<Changes> read_log(Connection& connection, std::vector<Table> const& tables, Revision from, Revision to) {
  Changes changes;
  changes.from = from;
  changes.to = to;
  auto touched =
      connection.query("SELECT DISTINCT table_name FROM change_log WHERE revision > ? AND revision <= ?", {from, to});
  if (touched.has_error()) {
    return touched.error();
  }
  for (Table const& table : tables) {
    if (std::none_of(touched->begin(), touched->end(), [&](Row const& row) { return text(row[0]) == table.name; })) {
      continue;
    }
    auto rows = connection.query(log_query(table), {table.name, from, to});
    if (rows.has_error()) {
      return rows.error();
    }
    for (Row& row : *rows) {
      changes.rows.push_back(change_of_log_row(table, row));
    }
  }
  std::stable_sort(changes.rows.begin(), changes.rows.end(),
                   [](Change const& a, Change const& b) { return a.revision < b.revision; });
  return changes;
}

base::Result<Revision> last_whole_revision(Connection& connection, Revision from, Revision newest,
                                           std::size_t rows_max) {
  // The revision of the first row too many does not fit, those before it do.
  auto rows = connection.query(
      "SELECT revision, (SELECT min(revision) FROM change_log WHERE revision > ?1) FROM change_log "
      "WHERE revision > ?1 ORDER BY revision LIMIT 1 OFFSET ?2",
      {from, static_cast<std::int64_t>(rows_max)});
  if (rows.has_error()) {
    return rows.error();
  }
  if (rows->empty()) {
    return newest;
  }
  return std::max(integer(rows->front()[0]) - 1, integer(rows->front()[1]));
}

base::Result<Changes> read_everything(Connection& connection, std::vector<Table> const& tables, Revision at) {
  Changes changes;
  changes.to = at;
  changes.complete = true;
  for (Table const& table : tables) {
    std::vector<std::string> columns;
    for (std::string const& column : table.columns) {
      columns.push_back(quoted(column));
    }
    auto rows = connection.query("SELECT " + joined(columns, ", ") + " FROM " + quoted(table.name));
    if (rows.has_error()) {
      return rows.error();
    }
    changes.rows.reserve(changes.rows.size() + rows->size());
    for (Row& row : *rows) {
      Change& change = changes.rows.emplace_back();
      change.revision = at;
      change.table = table.name;
      for (std::string const& column : table.key) {
        change.key.emplace_back(column, row[index_of(table.columns, column)]);
      }
      for (std::size_t i = 0; i < row.size(); ++i) {
        change.values.emplace_back(table.columns[i], std::move(row[i]));
      }
    }
  }
  return changes;
}

base::Result<void> write_changes(Connection& connection, std::vector<Table> const& tables, Changes const& changes) {
  if (changes.complete) {
    if (auto removed = remove_everything(connection, tables); removed.has_error()) {
      return removed;
    }
  }
  for (Change const& change : changes.rows) {
    Table const* const table = find_table(tables, change.table);
    if (table == nullptr || !has_key_of(*table, change)) {
      return base::fail(errc::failed, "table " + change.table +
                                          " or its key is unknown here: this program is not the primary's version");
    }
    auto written = change.values.empty() ? remove_row(connection, *table, change) : put_row(connection, *table, change);
    if (written.has_error()) {
      return written;
    }
    // After a complete copy the log begins empty at changes.to.
    if (!changes.complete) {
      if (auto logged = log_row(connection, *table, change); logged.has_error()) {
        return logged;
      }
    }
  }
  return {};
}

}  // namespace database
