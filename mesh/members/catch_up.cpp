#include "mesh/members/catch_up.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace members {
namespace {

using database::integer;
using database::text;
using database::Transaction;
using database::Value;

struct Known {
  std::string name;
  std::string key;
  bool member = false;
  std::int64_t generation = 0;
  std::int64_t joined_at_s = 0;
  bool missing = false;  // in a world that would have it
};

base::Result<std::vector<Known>> read_nodes(Transaction& transaction) {
  auto const rows =
      transaction.query("SELECT name, public_key, removed_at_s, generation, joined_at_s FROM enrolment_node");
  if (!rows) {
    return rows.error();
  }
  std::vector<Known> out;
  for (auto const& row : *rows) {
    out.push_back({text(row[0]), text(row[1]), integer(row[2]) == 0, integer(row[3]), integer(row[4])});
  }
  return out;
}

struct Statement {
  char const* sql;
  std::vector<Value> values;
};

Statement forget_certificate(std::string const& name) {
  return {"INSERT OR REPLACE INTO enrolment_certificate VALUES (?, '')", {name}};
}

std::int64_t generation_of(LaterWorld const& later, std::string const& name) {
  auto const found = later.generations.find(name);
  return found == later.generations.end() ? 0 : static_cast<std::int64_t>(found->second);
}

// Keys that were made and removed while nobody here looked: nothing says whose they were.
bool has_unknown_keys(LaterWorld const& later, std::vector<Known> const& nodes, std::set<std::string> known) {
  for (auto const& node : nodes) {
    known.insert(node.key);
  }
  return !std::includes(known.begin(), known.end(), later.removed.begin(), later.removed.end());
}

constexpr char const* keep_removed = "INSERT OR IGNORE INTO enrolment_removed VALUES (?, ?, ?)";

// One that this book knows under its name.
void judge(Known const& node, LaterWorld const& later, bool unknown_keys, std::int64_t now_s, CaughtUp& out,
           std::vector<Statement>& statements) {
  auto const found = later.nodes.find(node.name);
  bool const other_key = found != later.nodes.end() && found->second != node.key;
  if (node.member && !later.removed.contains(node.key) && !node.missing) {
    return;
  }
  if (node.member && !other_key) {
    out.removed.insert(node.name);
    statements.push_back({keep_removed, {node.key, node.name, now_s}});
    statements.push_back(
        {"UPDATE enrolment_node SET removed_at_s = ?, draining = 0, next_key = '', rotate_since_s = 0 WHERE name = ?",
         {now_s, node.name}});
    return;
  }
  if (!other_key) {
    return;  // removed here, and nobody has come in its place
  }
  auto const generation = generation_of(later, node.name);
  bool const changed = node.member && generation == node.generation + 1 && !unknown_keys;
  (changed ? out.changed : out.joined).insert(node.name);
  statements.push_back({keep_removed, {node.key, node.name, now_s}});
  statements.push_back(
      {"UPDATE enrolment_node SET public_key = ?, removed_at_s = 0, next_key = '', rotate_since_s = 0, "
       "generation = ?, key_since_s = ? WHERE name = ?",
       {found->second, generation, now_s, node.name}});
  if (!changed) {
    statements.push_back(forget_certificate(node.name));
  }
}

}  // namespace

base::Result<CaughtUp> catch_up(Transaction& transaction, LaterWorld const& later, std::int64_t now_s) {
  auto nodes = read_nodes(transaction);
  auto const gone = transaction.query("SELECT public_key FROM enrolment_removed");
  if (!nodes || !gone) {
    return !nodes ? nodes.error() : gone.error();
  }
  // What was removed here after the copy came back is not undone by what was said before.
  LaterWorld wanted = later;
  std::set<std::string> removed_here;
  for (auto const& row : *gone) {
    removed_here.insert(text(row[0]));
    std::erase_if(wanted.nodes, [&](auto const& entry) { return entry.second == text(row[0]); });
  }
  CaughtUp out;
  std::vector<Statement> statements;
  bool const unknown_keys = has_unknown_keys(later, *nodes, std::move(removed_here));
  for (auto& node : *nodes) {
    node.missing = !later.nodes.contains(node.name) && node.joined_at_s < later.issued_at_s;
    judge(node, wanted, unknown_keys, now_s, out, statements);
    wanted.nodes.erase(node.name);
  }
  for (auto const& [name, key] : wanted.nodes) {
    out.joined.insert(name);
    statements.push_back(
        {"INSERT INTO enrolment_node (name, public_key, joined_at_s, generation, key_since_s) "
         "VALUES (?, ?, ?, ?, ?)",
         {name, key, now_s, generation_of(later, name), now_s}});
    statements.push_back(forget_certificate(name));
  }
  for (auto const& key : later.removed) {
    statements.push_back({keep_removed, {key, std::string(), now_s}});
    statements.push_back({"UPDATE enrolment_node SET next_key = '' WHERE next_key = ?", {key}});
  }
  for (auto const& statement : statements) {
    if (auto const done = transaction.execute(statement.sql, statement.values); !done) {
      return done.error();
    }
  }
  return out;
}

}  // namespace members
