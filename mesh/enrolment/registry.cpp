#include "mesh/enrolment/registry.hpp"

#include "mesh/enrolment/credentials.hpp"

namespace enrolment {

namespace {

using database::integer;
using database::Transaction;
using database::Value;

constexpr std::string_view tables = R"(
  CREATE TABLE enrolment_token (
    id TEXT PRIMARY KEY, secret_sha256 TEXT NOT NULL, node TEXT NOT NULL, expires_at_s INTEGER NOT NULL,
    uses INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0, created_at_s INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE enrolment_use (
    token_id TEXT NOT NULL REFERENCES enrolment_token(id), node TEXT NOT NULL, public_key TEXT NOT NULL,
    used_at_s INTEGER NOT NULL, PRIMARY KEY (token_id, node));
  CREATE TABLE enrolment_node (
    name TEXT PRIMARY KEY, public_key TEXT NOT NULL, joined_at_s INTEGER NOT NULL, removed_at_s INTEGER NOT NULL DEFAULT 0);
)";

struct StoredToken {
  std::string secret_sha256;
  std::string node;
  std::int64_t expires_at_s = 0;
  std::int64_t uses = 0;
  std::int64_t used = 0;
  std::int64_t created_at_s = 0;
  bool revoked = false;
};

base::Failure bad_token() {
  return base::fail(errc::bad_token, "the token is unknown, revoked, expired or used up");
}

base::Result<StoredToken> find_token(Transaction& transaction, JoinRequest const& request) {
  auto rows = transaction.query(
      "SELECT secret_sha256, node, expires_at_s, uses, used, created_at_s, revoked FROM enrolment_token WHERE id = ?",
      {request.token_id});
  if (!rows) {
    return rows.error();
  }
  if (rows->empty()) {
    return bad_token();
  }
  auto const& row = rows->front();
  StoredToken token{database::text(row[0]), database::text(row[1]), integer(row[2]),     integer(row[3]),
                    integer(row[4]),        integer(row[5]),        integer(row[6]) != 0};
  if (!equal_in_constant_time(token.secret_sha256, sha256_hex(request.secret)) || token.revoked) {
    return bad_token();
  }
  return token;
}

// The key this token was used with for this node before; empty: never.
base::Result<std::string> earlier_use(Transaction& transaction, JoinRequest const& request) {
  auto rows = transaction.query("SELECT public_key FROM enrolment_use WHERE token_id = ? AND node = ?",
                                {request.token_id, request.node});
  if (!rows) {
    return rows.error();
  }
  return rows->empty() ? std::string() : database::text(rows->front()[0]);
}

base::Result<NodeRow> find_node(Transaction& transaction, std::string const& name) {
  auto rows =
      transaction.query("SELECT public_key, joined_at_s, removed_at_s FROM enrolment_node WHERE name = ?", {name});
  if (!rows) {
    return rows.error();
  }
  NodeRow node;
  if (!rows->empty()) {
    auto const& row = rows->front();
    node = {name, database::text(row[0]), integer(row[1]), integer(row[2])};
  }
  return node;
}

base::Result<void> check_proof(JoinRequest const& request, wireguard::PrivateKey const& controller) {
  auto const key = wireguard::PublicKey::from_base64(request.public_key);
  if (!key) {
    return base::fail(errc::bad_proof, "the WireGuard key is not one: " + key.error().detail);
  }
  auto const expected = proof_of_possession(controller, *key, request.token_id, request.node, request.csr_pem);
  if (!expected || !equal_in_constant_time(*expected, request.proof)) {
    return base::fail(errc::bad_proof, "the asker did not prove to hold the WireGuard key it shows");
  }
  auto const name = csr_name(request.csr_pem);
  if (!name) {
    return name.error();
  }
  if (*name != request.node) {
    return base::fail(errc::bad_request, "the certificate request is for '" + *name + "'");
  }
  return {};
}

// Whether the token admits the node now; `true` when a use is to be burnt, `false` for a replay of an admitted join.
base::Result<bool> judge(StoredToken const& token, std::string const& earlier_key, NodeRow const& node,
                         JoinRequest const& request, std::int64_t now_s) {
  if (!token.node.empty() && token.node != request.node) {
    return base::fail(errc::wrong_node, "the token is for another node");
  }
  if (node.removed_at_s != 0 && token.created_at_s <= node.removed_at_s) {
    return base::fail(errc::removed, "'" + request.node + "' was removed; a token made after that brings it back");
  }
  if (!earlier_key.empty()) {
    if (earlier_key != request.public_key) {
      return base::fail(errc::taken, "the token was used for '" + request.node + "' with another key");
    }
    // Asking again is for an answer that was lost. When the token's time is over, or another machine has taken the
    // name, a used token must not yield certificates any more.
    if (token.expires_at_s <= now_s || node.public_key != request.public_key) {
      return bad_token();
    }
    return false;
  }
  if (token.expires_at_s <= now_s || token.used >= token.uses) {
    return bad_token();
  }
  bool const member = !node.name.empty() && node.removed_at_s == 0;
  if (member && node.public_key != request.public_key && token.node.empty()) {
    return base::fail(errc::taken, "'" + request.node + "' joined already; a token bound to its name replaces its key");
  }
  return true;
}

base::Result<void> burn(Transaction& transaction, JoinRequest const& request, std::int64_t now_s) {
  auto used = transaction.execute("UPDATE enrolment_token SET used = used + 1 WHERE id = ?", {request.token_id});
  if (!used) {
    return used.error();
  }
  auto noted =
      transaction.execute("INSERT INTO enrolment_use (token_id, node, public_key, used_at_s) VALUES (?, ?, ?, ?)",
                          {request.token_id, request.node, request.public_key, now_s});
  if (!noted) {
    return noted.error();
  }
  auto joined = transaction.execute(
      "INSERT INTO enrolment_node (name, public_key, joined_at_s, removed_at_s) VALUES (?, ?, ?, 0) "
      "ON CONFLICT (name) DO UPDATE SET public_key = excluded.public_key, joined_at_s = excluded.joined_at_s, "
      "removed_at_s = 0",
      {request.node, request.public_key, now_s});
  if (!joined) {
    return joined.error();
  }
  return {};
}

base::Result<void> admit_in(Transaction& transaction, JoinRequest const& request, std::int64_t now_s) {
  auto token = find_token(transaction, request);
  if (!token) {
    return token.error();
  }
  auto earlier = earlier_use(transaction, request);
  if (!earlier) {
    return earlier.error();
  }
  auto node = find_node(transaction, request.node);
  if (!node) {
    return node.error();
  }
  auto const fresh = judge(*token, *earlier, *node, request, now_s);
  if (!fresh) {
    return fresh.error();
  }
  if (!*fresh) {
    return {};
  }
  return burn(transaction, request, now_s);
}

template <class T>
base::Result<void> without_value(base::Result<T> const& result) {
  if (!result) {
    return result.error();
  }
  return {};
}

}  // namespace

database::Schema schema() {
  return {"enrolment", {{1, tables}}, {{"enrolment_node", {"name"}}}};
}

base::Result<void> record_token(database::Database& database, Token const& token, TokenTerms const& terms,
                                std::int64_t now_s) {
  auto const body = [&](Transaction& transaction) {
    return without_value(
        transaction.execute("INSERT INTO enrolment_token (id, secret_sha256, node, expires_at_s, uses, created_at_s) "
                            "VALUES (?, ?, ?, ?, ?, ?)",
                            {token.id, sha256_hex(token.secret), terms.node, terms.expires_at_s, terms.uses, now_s}));
  };
  return without_value(database.write(body));
}

base::Result<std::vector<TokenRow>> tokens(database::Database& database) {
  auto rows = database.query(
      "SELECT id, node, expires_at_s, uses, used, created_at_s, revoked FROM enrolment_token ORDER BY created_at_s, "
      "id");
  if (!rows) {
    return rows.error();
  }
  std::vector<TokenRow> out;
  for (auto const& row : *rows) {
    TokenTerms const terms{database::text(row[1]), integer(row[2]), integer(row[3])};
    out.push_back({database::text(row[0]), terms, integer(row[4]), integer(row[5]), integer(row[6]) != 0});
  }
  return out;
}

base::Result<void> revoke_token(database::Database& database, std::string const& id) {
  auto const body = [&](Transaction& transaction) -> base::Result<void> {
    auto changed = transaction.execute("UPDATE enrolment_token SET revoked = 1 WHERE id = ?", {id});
    if (!changed) {
      return changed.error();
    }
    if (*changed == 0) {
      return base::fail(errc::bad_token, "there is no token '" + id + "'");
    }
    return {};
  };
  return without_value(database.write(body));
}

base::Result<void> admit(database::Database& database, JoinRequest const& request,
                         wireguard::PrivateKey const& controller, std::set<std::string> const& topology_nodes,
                         std::int64_t now_s) {
  if (auto proved = check_proof(request, controller); !proved) {
    return proved.error();
  }
  auto const body = [&](Transaction& transaction) -> base::Result<void> {
    auto admitted = admit_in(transaction, request, now_s);
    // Asked after the token, so that a stranger cannot find out which names exist.
    if (admitted && !topology_nodes.contains(request.node)) {
      return base::fail(errc::wrong_node, "the topology names no node '" + request.node + "'");
    }
    return admitted;
  };
  return without_value(database.write(body));
}

base::Result<std::vector<NodeRow>> nodes(database::Database& database) {
  auto rows = database.query("SELECT name, public_key, joined_at_s, removed_at_s FROM enrolment_node ORDER BY name");
  if (!rows) {
    return rows.error();
  }
  std::vector<NodeRow> out;
  for (auto const& row : *rows) {
    out.push_back({database::text(row[0]), database::text(row[1]), integer(row[2]), integer(row[3])});
  }
  return out;
}

base::Result<void> remove_node(database::Database& database, std::string const& name, std::int64_t now_s) {
  auto const body = [&](Transaction& transaction) -> base::Result<void> {
    auto changed = transaction.execute("UPDATE enrolment_node SET removed_at_s = ? WHERE name = ? AND removed_at_s = 0",
                                       {now_s, name});
    if (!changed) {
      return changed.error();
    }
    if (*changed == 0) {
      return base::fail(errc::wrong_node, "no member is named '" + name + "'");
    }
    return {};
  };
  return without_value(database.write(body));
}

}  // namespace enrolment
