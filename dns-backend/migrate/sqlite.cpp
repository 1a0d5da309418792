#include "dns-backend/migrate/sql_source.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

namespace migrate {
namespace {

constexpr int busy_ms = 5000;  // a pdns_server may be writing

class SqliteConnection final : public SqlConnection {
 public:
  explicit SqliteConnection(std::string const& path) : database_(path, SQLite::OPEN_READONLY, busy_ms) {}

  base::Result<std::vector<SqlRow>> query(std::string const& sql, std::optional<std::string> parameter) override {
    try {
      SQLite::Statement statement(database_, sql);
      if (parameter) {
        statement.bind(1, *parameter);
      }
      std::vector<SqlRow> rows;
      while (statement.executeStep()) {
        SqlRow& row = rows.emplace_back();
        for (int i = 0; i < statement.getColumnCount(); ++i) {
          auto const column = statement.getColumn(i);
          row.push_back(column.isNull() ? std::nullopt : std::optional<std::string>(column.getString()));
        }
      }
      return rows;
    } catch (SQLite::Exception const& error) {
      return base::fail(errc::bad_answer, std::string("the database says: ") + error.what());
    }
  }

 private:
  SQLite::Database database_;
};

}  // namespace

base::Result<std::unique_ptr<Source>> open_sqlite(std::string const& path) {
  try {
    return make_sql_source(std::make_unique<SqliteConnection>(path));
  } catch (SQLite::Exception const& error) {
    return base::fail(errc::unreachable, "open " + path + ": " + error.what());
  }
}

}  // namespace migrate
