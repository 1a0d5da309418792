#include "mesh/members/members.hpp"

namespace members {
namespace {

using database::integer;
using database::Row;
using database::text;
using database::Transaction;
using database::Value;

template <class T>
base::Result<void> without_value(base::Result<T> const& result) {
  if (!result) {
    return result.error();
  }
  return {};
}

base::Failure no_member(std::string const& name) {
  return base::fail(enrolment::errc::wrong_node, "no member is named '" + name + "'");
}

NodeRow row_of(Row const& row) {
  NodeRow out{text(row[0]), text(row[1]), integer(row[2]), integer(row[3])};
  out.draining = integer(row[4]) != 0;
  out.next_key = text(row[5]);
  out.generation = integer(row[6]);
  out.rotate_since_s = integer(row[7]);
  out.key_since_s = integer(row[8]);
  return out;
}

constexpr char const* columns =
    "SELECT name, public_key, joined_at_s, removed_at_s, draining, next_key, generation, rotate_since_s, key_since_s "
    "FROM enrolment_node ";

// One statement that must meet exactly one member.
base::Result<void> change_member(database::Database& database, std::string const& name, char const* statement,
                                 std::vector<Value> const& values) {
  auto const body = [&](Transaction& transaction) -> base::Result<void> {
    auto changed = transaction.execute(statement, values);
    if (!changed) {
      return changed.error();
    }
    return *changed == 0 ? base::Result<void>(no_member(name)) : base::Result<void>();
  };
  return without_value(database.write(body));
}

base::Result<NodeRow> member(Transaction& transaction, std::string const& name) {
  auto rows = transaction.query(std::string(columns) + "WHERE name = ? AND removed_at_s = 0", {name});
  if (!rows) {
    return rows.error();
  }
  return rows->empty() ? base::Result<NodeRow>(no_member(name)) : row_of(rows->front());
}

base::Result<bool> is_known_key(Transaction& transaction, std::string const& key) {
  auto rows = transaction.query(
      "SELECT 1 FROM enrolment_node WHERE public_key = ? OR next_key = ? "
      "UNION SELECT 1 FROM enrolment_removed WHERE public_key = ?",
      {key, key, key});
  if (!rows) {
    return rows.error();
  }
  return !rows->empty();
}

}  // namespace

base::Result<std::vector<NodeRow>> nodes(database::Database& database) {
  auto rows = database.query(std::string(columns) + "ORDER BY name");
  if (!rows) {
    return rows.error();
  }
  std::vector<NodeRow> out;
  for (auto const& row : *rows) {
    out.push_back(row_of(row));
  }
  return out;
}

base::Result<std::set<std::string>> removed_keys(database::Database& database) {
  auto rows = database.query(
      "SELECT public_key FROM enrolment_removed "
      "WHERE public_key NOT IN (SELECT public_key FROM enrolment_node WHERE removed_at_s = 0) "
      "ORDER BY removed_at_s DESC, public_key LIMIT ?",
      {static_cast<std::int64_t>(named_removals)});
  if (!rows) {
    return rows.error();
  }
  std::set<std::string> out;
  for (auto const& row : *rows) {
    out.insert(text(row[0]));
  }
  return out;
}

base::Result<void> remove_node(database::Database& database, std::string const& name, std::int64_t now_s) {
  auto const body = [&](Transaction& transaction) -> base::Result<void> {
    auto const present = member(transaction, name);
    if (!present) {
      return present.error();
    }
    for (auto const& key : {present->public_key, present->next_key}) {
      if (key.empty()) {
        continue;
      }
      auto kept = transaction.execute("INSERT OR REPLACE INTO enrolment_removed VALUES (?, ?, ?)", {key, name, now_s});
      if (!kept) {
        return kept.error();
      }
    }
    return without_value(transaction.execute(
        "UPDATE enrolment_node SET removed_at_s = ?, draining = 0, next_key = '', rotate_since_s = 0 WHERE name = ?",
        {now_s, name}));
  };
  return without_value(database.write(body));
}

base::Result<void> set_draining(database::Database& database, std::string const& name, bool draining) {
  return change_member(database, name, "UPDATE enrolment_node SET draining = ? WHERE name = ? AND removed_at_s = 0",
                       {std::int64_t{draining ? 1 : 0}, name});
}

base::Result<void> ask_for_rotation(database::Database& database, std::string const& name, std::int64_t now_s) {
  return change_member(database, name,
                       "UPDATE enrolment_node SET rotate_since_s = "
                       "CASE rotate_since_s WHEN 0 THEN ? ELSE rotate_since_s END WHERE name = ? AND removed_at_s = 0",
                       {now_s, name});
}

base::Result<void> offer_key(database::Database& database, std::string const& name, std::string const& next_key) {
  auto const body = [&](Transaction& transaction) -> base::Result<void> {
    auto const present = member(transaction, name);
    if (!present) {
      return present.error();
    }
    if (present->next_key == next_key) {
      return {};
    }
    if (present->rotate_since_s == 0 || !present->next_key.empty()) {
      return base::fail(enrolment::errc::taken, "'" + name + "' was not asked for a key");
    }
    auto const known = is_known_key(transaction, next_key);
    if (!known) {
      return known.error();
    }
    if (*known) {
      return base::fail(enrolment::errc::taken, "'" + name + "' shows a key that is or was a member's");
    }
    return without_value(
        transaction.execute("UPDATE enrolment_node SET next_key = ? WHERE name = ?", {next_key, name}));
  };
  return without_value(database.write(body));
}

base::Result<void> complete_rotation(database::Database& database, std::string const& name, std::string const& next_key,
                                     std::int64_t now_s) {
  auto const body = [&](Transaction& transaction) -> base::Result<void> {
    auto const present = member(transaction, name);
    if (!present) {
      return present.error();
    }
    if (present->public_key == next_key) {
      return {};  // the answer to it was lost
    }
    if (next_key.empty() || present->next_key != next_key) {
      return base::fail(enrolment::errc::taken, "'" + name + "' does not change to this key");
    }
    auto kept = transaction.execute("INSERT OR REPLACE INTO enrolment_removed VALUES (?, ?, ?)",
                                    {present->public_key, name, now_s});
    if (!kept) {
      return kept.error();
    }
    return without_value(transaction.execute(
        "UPDATE enrolment_node SET public_key = next_key, next_key = '', generation = generation + 1, "
        "rotate_since_s = 0, key_since_s = ? WHERE name = ?",
        {now_s, name}));
  };
  return without_value(database.write(body));
}

base::Result<void> abandon_rotation(database::Database& database, std::string const& name) {
  return change_member(
      database, name, "UPDATE enrolment_node SET next_key = '', rotate_since_s = 0 WHERE name = ? AND removed_at_s = 0",
      {name});
}

base::Result<std::set<std::string>> operators(database::Database& database) {
  auto rows = database.query("SELECT name FROM enrolment_operator");
  if (!rows) {
    return rows.error();
  }
  std::set<std::string> out;
  for (auto const& row : *rows) {
    out.insert(text(row[0]));
  }
  return out;
}

base::Result<void> remove_operator(database::Database& database, std::string const& name) {
  return change_member(database, name, "DELETE FROM enrolment_operator WHERE name = ?", {name});
}

}  // namespace members
