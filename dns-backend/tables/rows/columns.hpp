// Columns of one row by name, as changes of the database carry them. For dns-backend/tables alone.
//
// Threads: pure functions.
#pragma once

#include "base/database/database.hpp"

#include <map>
#include <string>

namespace store {

using Columns = std::map<std::string, database::Value>;

// 0 when the column is missing or no number.
inline std::int64_t number(Columns const& columns, std::string const& name) {
  auto const found = columns.find(name);
  bool const there = found != columns.end() && std::holds_alternative<std::int64_t>(found->second);
  return there ? database::integer(found->second) : 0;
}

// Empty when the column is missing or no text.
inline std::string word(Columns const& columns, std::string const& name) {
  auto const found = columns.find(name);
  bool const there = found != columns.end() && std::holds_alternative<std::string>(found->second);
  return there ? database::text(found->second) : "";
}

template <class T>
T narrow(Columns const& columns, std::string const& name) {
  return static_cast<T>(number(columns, name));
}

}  // namespace store
