#include "dns-backend/migrate/sql_source.hpp"

#include <libpq-fe.h>

#include <array>

namespace migrate {
namespace {

struct FinishConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ConnectionPtr = std::unique_ptr<PGconn, FinishConnection>;
using ResultPtr = std::unique_ptr<PGresult, ClearResult>;

// libpq ends its messages with a line feed.
std::string one_line(char const* message) {
  std::string text(message);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  return text;
}

class PostgresConnection final : public SqlConnection {
 public:
  explicit PostgresConnection(ConnectionPtr connection) : connection_(std::move(connection)) {}

  base::Result<std::vector<SqlRow>> query(std::string const& sql, std::optional<std::string> parameter) override {
    std::string text = sql;
    if (std::size_t const mark = text.find('?'); mark != std::string::npos) {
      text.replace(mark, 1, "$1");
    }
    std::array<char const*, 1> const values{parameter ? parameter->c_str() : nullptr};
    ResultPtr const result(
        PQexecParams(connection_.get(), text.c_str(), parameter ? 1 : 0, nullptr, values.data(), nullptr, nullptr, 0));
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
      return base::fail(errc::bad_answer, "the database says: " + one_line(PQerrorMessage(connection_.get())));
    }
    std::vector<SqlRow> rows(static_cast<std::size_t>(PQntuples(result.get())));
    for (int r = 0; r < PQntuples(result.get()); ++r) {
      SqlRow& row = rows[static_cast<std::size_t>(r)];
      for (int c = 0; c < PQnfields(result.get()); ++c) {
        bool const null = PQgetisnull(result.get(), r, c) == 1;
        row.push_back(null ? std::nullopt : std::optional<std::string>(PQgetvalue(result.get(), r, c)));
      }
    }
    return rows;
  }

 private:
  ConnectionPtr connection_;
};

}  // namespace

base::Result<std::unique_ptr<Source>> open_postgres(std::string const& conninfo) {
  ConnectionPtr connection(PQconnectdb(conninfo.c_str()));
  if (connection == nullptr || PQstatus(connection.get()) != CONNECTION_OK) {
    std::string const why = connection == nullptr ? "out of memory" : one_line(PQerrorMessage(connection.get()));
    return base::fail(errc::unreachable, "connect to the database: " + why);
  }
  // One picture of the whole database, and not a word written to it.
  for (char const* const sql : {"SET client_encoding TO 'UTF8'", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
                                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}) {
    ResultPtr const done(PQexec(connection.get(), sql));
    if (PQresultStatus(done.get()) != PGRES_COMMAND_OK) {
      return base::fail(errc::unreachable, "prepare the database: " + one_line(PQerrorMessage(connection.get())));
    }
  }
  return make_sql_source(std::make_unique<PostgresConnection>(std::move(connection)));
}

}  // namespace migrate
