#include "dns-backend/tokens/tokens.hpp"

#include "dns-backend/tokens/secret.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace tokens {

namespace json = boost::json;
using database::integer;
using database::text;

namespace {

Token token_of(database::Row const& row) {
  Token token{text(row[0]), integer(row[2]), {}, text(row[4]), integer(row[5]), integer(row[6]), integer(row[7])};
  boost::system::error_code bad;
  json::value const scope = json::parse(text(row[3]), bad);
  base::Problems problems;
  if (!bad && scope.is_object()) {
    token.scope = read_scope(scope.get_object(), problems);
  }
  if (bad || !problems.empty()) {
    token.revoked_at_ms = 1;  // a scope that cannot be read allows nothing
  }
  return token;
}

base::Result<void> make_body(store::Write const& write, Made const& made, tenants::Policy const& policy) {
  Token const& token = made.token;
  if (token.tenant_id != 0) {
    auto const tenant = write.model.tenants().find(token.tenant_id);
    if (tenant == write.model.tenants().end()) {
      return base::fail(store::errc::not_found, "there is no such tenant");
    }
    auto const count = write.transaction.query(
        "SELECT count(*) FROM token WHERE tenant_id = ? AND revoked_at_ms = 0 AND (expires_at_ms = 0 OR expires_at_ms "
        "> "
        "?)",
        {token.tenant_id, token.created_at_ms});
    if (!count) {
      return count.error();
    }
    tenants::Plan const* const plan = tenants::find_plan(policy, tenant->second.plan);
    if (plan != nullptr && integer(count->front()[0]) >= plan->tokens) {
      return store::over_quota("the plan '" + tenant->second.plan + "' has " + std::to_string(plan->tokens) +
                               " tokens at most: revoke one");
    }
  }
  return add_row(write, made);
}

}  // namespace

Made draw(Token token) {
  Made made{std::move(token), "nav_" + random_text(32)};
  made.token.id = random_text(10);
  return made;
}

base::Result<void> add_row(store::Write const& write, Made const& made) {
  Token const& token = made.token;
  return write.run(
      "INSERT INTO token (id, hash, tenant_id, scope, note, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
      {token.id, digest(made.secret), token.tenant_id, json::serialize(to_json(token.scope)), token.note,
       token.created_at_ms, token.expires_at_ms});
}

net::Task<base::Result<void>> Tokens::load() {
  std::function<base::Result<database::Rows>(database::Database&)> const work = [](database::Database& database) {
    return database.query(
        "SELECT id, hash, tenant_id, scope, note, created_at_ms, expires_at_ms, revoked_at_ms FROM token");
  };
  auto const rows = co_await store_.thread().run<database::Rows>(work);
  if (!rows) {
    co_return rows.error();
  }
  by_hash_.clear();
  hashes_.clear();
  ids_.clear();
  for (database::Row const& row : *rows) {
    by_hash_[text(row[1])] = token_of(row);
    ids_[integer(row[2])].insert(text(row[0]));
    hashes_[text(row[0])] = text(row[1]);
  }
  co_return base::Result<void>();
}

net::Task<base::Result<Made>> Tokens::make(Token token, tenants::Policy policy) {
  Made made = draw(std::move(token));
  store::Body body = [made, policy = std::move(policy)](store::Write const& write) {
    return make_body(write, made, policy);
  };
  if (auto const written = co_await store_.write(std::move(body)); !written) {
    co_return written.error();
  }
  know(made);
  co_return made;
}

net::Task<base::Result<void>> Tokens::revoke(std::string id, std::int64_t now_ms) {
  store::Body body = [id, now_ms](store::Write const& write) -> base::Result<void> {
    if (auto const done = write.run("DELETE FROM kept_answer WHERE actor = ?", {"token:" + id}); !done) {
      return done;
    }
    return write.run_on_row("UPDATE token SET revoked_at_ms = ? WHERE id = ? AND revoked_at_ms = 0", {now_ms, id},
                            base::fail(store::errc::not_found, "there is no token '" + id + "'"));
  };
  if (auto const written = co_await store_.write(std::move(body)); !written) {
    co_return written.error();
  }
  know_ended(id, now_ms);
  co_return base::Result<void>();
}

void Tokens::know(Made const& made) {
  std::string const hash = digest(made.secret);
  by_hash_[hash] = made.token;
  hashes_[made.token.id] = hash;
  ids_[made.token.tenant_id].insert(made.token.id);
}

void Tokens::know_ended(std::string const& id, std::int64_t now_ms) {
  if (auto const found = hashes_.find(id); found != hashes_.end()) {
    by_hash_[found->second].revoked_at_ms = now_ms;
  }
}

net::Task<base::Result<void>> Tokens::sweep(std::int64_t now_ms) {
  std::int64_t const before_ms = now_ms - ended_kept_ms;
  store::Body body = [before_ms, now_ms](store::Write const& write) -> base::Result<void> {
    // Also of a token that ended while its request was at work, and so after what its end took along.
    auto const done = write.run(
        "DELETE FROM kept_answer WHERE actor LIKE 'token:%' AND actor NOT IN (SELECT 'token:' || id FROM token WHERE "
        "revoked_at_ms = 0 AND (expires_at_ms = 0 OR expires_at_ms > ?))",
        {now_ms});
    if (!done) {
      return done;
    }
    return write.run(
        "DELETE FROM token WHERE (revoked_at_ms <> 0 AND revoked_at_ms < ?) OR (expires_at_ms <> 0 AND expires_at_ms < "
        "?)",
        {before_ms, before_ms});
  };
  if (auto const written = co_await store_.write(std::move(body)); !written) {
    co_return written.error();
  }
  co_return co_await load();
}

Token const* Tokens::find(std::string_view secret, std::int64_t now_ms) const {
  // Looked up by its hash: what can be learned from the time it takes is nothing about the secret.
  auto const found = by_hash_.find(digest(secret));
  return found == by_hash_.end() || !found->second.valid(now_ms) ? nullptr : &found->second;
}

Token const* Tokens::by_id(std::string const& id) const {
  auto const found = hashes_.find(id);
  return found == hashes_.end() ? nullptr : &by_hash_.at(found->second);
}

std::vector<Token> Tokens::all() const {
  std::vector<Token> list;
  for (auto const& [id, hash] : hashes_) {
    list.push_back(by_hash_.at(hash));
  }
  return list;
}

std::vector<Token> Tokens::of(std::int64_t tenant_id) const {
  std::vector<Token> list;
  auto const found = ids_.find(tenant_id);
  if (found == ids_.end()) {
    return list;
  }
  for (std::string const& id : found->second) {
    list.push_back(by_hash_.at(hashes_.at(id)));
  }
  return list;
}

}  // namespace tokens
