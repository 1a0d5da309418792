// PowerDNS's SQL schema through any connection that can run a query. Private to this module.
//
// Threads: blocks; belongs to one thread.
#pragma once

#include "dns-backend/migrate/source.hpp"

namespace migrate {

// A column is nullopt where the database says NULL.
using SqlRow = std::vector<std::optional<std::string>>;

class SqlConnection {
 public:
  SqlConnection() = default;
  SqlConnection(SqlConnection const&) = delete;
  SqlConnection& operator=(SqlConnection const&) = delete;
  virtual ~SqlConnection() = default;
  // At most one parameter, written "?" in `sql`.
  virtual base::Result<std::vector<SqlRow>> query(std::string const& sql, std::optional<std::string> parameter) = 0;
};

std::unique_ptr<Source> make_sql_source(std::unique_ptr<SqlConnection> connection);

}  // namespace migrate
