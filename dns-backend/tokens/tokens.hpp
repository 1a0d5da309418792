// Bearer tokens (RFC 6750): made, shown once, kept as hashes, looked up in memory.
//
// Threads: the control loop; make() and end() write through the store and come back there.
#pragma once

#include "base/net/task.hpp"
#include "dns-backend/store/store.hpp"
#include "dns-backend/tenants/plan.hpp"
#include "dns-backend/tokens/scope.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace tokens {

struct Token {
  std::string id;
  std::int64_t tenant_id = 0;  // 0: an administrator's
  Scope scope;
  std::string note;
  std::int64_t created_at_ms = 0;
  std::int64_t expires_at_ms = 0;  // 0: never
  std::int64_t revoked_at_ms = 0;
  [[nodiscard]] bool valid(std::int64_t now_ms) const {
    return revoked_at_ms == 0 && (expires_at_ms == 0 || now_ms < expires_at_ms);
  }
};

struct Made {
  Token token;
  std::string secret;  // never to be had again
};

// `token` with an id, and a secret for it.
Made draw(Token token);
// Its row, in a transaction that does more than this; the plan's quota is not looked at. Tokens::know() comes after the
// commit. The store thread.
base::Result<void> add_row(store::Write const& write, Made const& made);

class Tokens {
 public:
  explicit Tokens(store::Store& store) : store_(store) {}

  // Once at start, and when tenants are deleted. Fails as the database does.
  net::Task<base::Result<void>> load();
  // `token` without id. refused: the tenant's plan has no more; not_found: the tenant is gone.
  net::Task<base::Result<Made>> make(Token token, tenants::Policy policy);
  net::Task<base::Result<void>> revoke(std::string id, std::int64_t now_ms);
  // What another transaction committed: a row of add_row(), the end of one.
  void know(Made const& made);
  void know_ended(std::string const& id, std::int64_t now_ms);

  // Rows of tokens that ended long ago go; until then lists show them. What was kept of the requests of any that ended
  // goes at once.
  net::Task<base::Result<void>> sweep(std::int64_t now_ms);
  static constexpr std::int64_t ended_kept_ms = 30LL * 24 * 3600 * 1000;

  // nullptr: unknown, ended, or its tenant is gone. Good until the next suspension.
  [[nodiscard]] Token const* find(std::string_view secret, std::int64_t now_ms) const;
  [[nodiscard]] Token const* by_id(std::string const& id) const;
  [[nodiscard]] std::vector<Token> of(std::int64_t tenant_id) const;
  [[nodiscard]] std::vector<Token> all() const;

 private:
  store::Store& store_;
  std::map<std::string, Token> by_hash_;
  std::map<std::string, std::string> hashes_;          // by id
  std::map<std::int64_t, std::set<std::string>> ids_;  // by tenant
};

}  // namespace tokens
