#include "mesh/enrolment/registry.hpp"

#include "mesh/internal_ca/credentials.hpp"
#include "mesh/internal_ca/serving.hpp"
#include "mesh/wireguard/device.hpp"

#include <algorithm>

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

// What a token is bound to beside a name; members that drain or change their key; keys that never come back.
constexpr std::string_view terms_and_life = R"(
  ALTER TABLE enrolment_token ADD COLUMN purpose TEXT NOT NULL DEFAULT 'node';
  ALTER TABLE enrolment_token ADD COLUMN role TEXT NOT NULL DEFAULT '';
  ALTER TABLE enrolment_token ADD COLUMN segment TEXT NOT NULL DEFAULT '';
  ALTER TABLE enrolment_token ADD COLUMN address TEXT NOT NULL DEFAULT '';
  ALTER TABLE enrolment_node ADD COLUMN draining INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE enrolment_node ADD COLUMN next_key TEXT NOT NULL DEFAULT '';
  ALTER TABLE enrolment_node ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE enrolment_node ADD COLUMN rotate_since_s INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE enrolment_node ADD COLUMN key_since_s INTEGER NOT NULL DEFAULT 0;
  UPDATE enrolment_node SET key_since_s = joined_at_s;
  CREATE TABLE enrolment_removed (public_key TEXT PRIMARY KEY, name TEXT NOT NULL, removed_at_s INTEGER NOT NULL);
  INSERT OR IGNORE INTO enrolment_removed
    SELECT public_key, name, removed_at_s FROM enrolment_node WHERE removed_at_s <> 0;
  CREATE TABLE enrolment_operator (name TEXT PRIMARY KEY, joined_at_s INTEGER NOT NULL);
)";

// Which key a name's certificates are for: a name may go to another machine.
constexpr std::string_view certificates = R"(
  CREATE TABLE enrolment_certificate (name TEXT PRIMARY KEY, key_sha256 TEXT NOT NULL);
)";

template <class T>
base::Result<void> without_value(base::Result<T> const& result) {
  if (!result) {
    return result.error();
  }
  return {};
}

struct StoredToken {
  std::string secret_sha256;
  TokenTerms terms;
  std::int64_t used = 0;
  std::int64_t created_at_s = 0;
  bool revoked = false;
};

// The member or former member of that name, as far as admission asks.
struct Known {
  std::string public_key;  // empty: nobody has that name
  std::int64_t removed_at_s = 0;
};

constexpr char const* token_columns =
    "SELECT id, secret_sha256, node, expires_at_s, uses, purpose, role, segment, address, used, created_at_s, revoked "
    "FROM enrolment_token ";

StoredToken token_of(database::Row const& row) {
  using database::text;
  StoredToken out;
  out.secret_sha256 = text(row[1]);
  out.terms = {text(row[2]), integer(row[3]), integer(row[4])};
  // A purpose that this version does not know is none that it could grant.
  auto const purpose = purpose_of(text(row[5]));
  out.terms.purpose = purpose.value_or(Purpose::node);
  out.terms.role = text(row[6]);
  out.terms.segment = text(row[7]);
  out.terms.address = text(row[8]);
  out.used = integer(row[9]);
  out.created_at_s = integer(row[10]);
  out.revoked = integer(row[11]) != 0 || !purpose;
  return out;
}

base::Failure bad_token(std::string why) {
  return base::fail(errc::bad_token, std::move(why));
}

base::Result<StoredToken> find_token(Transaction& transaction, JoinRequest const& request) {
  auto rows = transaction.query(std::string(token_columns) + "WHERE id = ?", {request.token_id});
  if (!rows) {
    return rows.error();
  }
  if (rows->empty()) {
    return bad_token("there is no token '" + request.token_id + "'");
  }
  auto token = token_of(rows->front());
  if (!equal_in_constant_time(token.secret_sha256, sha256_hex(request.secret))) {
    return bad_token("the secret of token '" + request.token_id + "' is wrong");
  }
  if (token.revoked) {
    return bad_token("token '" + request.token_id + "' was revoked");
  }
  return token;
}

// The key this token was used with for this name before; nullopt: never.
base::Result<std::optional<std::string>> earlier_use(Transaction& transaction, JoinRequest const& request) {
  auto rows = transaction.query("SELECT public_key FROM enrolment_use WHERE token_id = ? AND node = ?",
                                {request.token_id, request.node});
  if (!rows) {
    return rows.error();
  }
  return rows->empty() ? std::optional<std::string>() : database::text(rows->front()[0]);
}

base::Result<Known> find_node(Transaction& transaction, std::string const& name) {
  auto rows = transaction.query("SELECT public_key, removed_at_s FROM enrolment_node WHERE name = ?", {name});
  if (!rows) {
    return rows.error();
  }
  return rows->empty() ? Known{} : Known{database::text(rows->front()[0]), integer(rows->front()[1])};
}

// IPv4 that comes inside IPv6 is IPv4.
wireguard::Address unmapped(wireguard::Address const& address) {
  bool const mapped = address.is_v6() && address.to_v6().is_v4_mapped();
  return mapped ? boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()) : address;
}

base::Result<void> check_address(std::string const& wanted, std::string const& from) {
  if (wanted.empty()) {
    return {};
  }
  auto const network = wireguard::parse_network(wanted);
  boost::system::error_code bad;
  auto const address = boost::asio::ip::make_address(from, bad);
  if (!network || bad || !wireguard::contains(*network, unmapped(address))) {
    return base::fail(errc::wrong_node, "the token is for " + wanted + ", and this came from '" + from + "'");
  }
  return {};
}

// Whether the token is for this: purpose, name, address, role, segment.
base::Result<void> check_terms(TokenTerms const& terms, JoinRequest const& request, Places const& places) {
  if (terms.purpose != request.purpose) {
    return base::fail(errc::wrong_node, std::string("the token is for a ") + name(terms.purpose) +
                                            ", and was shown by a " + name(request.purpose));
  }
  if (!terms.node.empty() && terms.node != request.node) {
    return base::fail(errc::wrong_node, "the token is for '" + terms.node + "'");
  }
  if (auto const here = check_address(terms.address, request.from); !here) {
    return here.error();
  }
  if (request.purpose == Purpose::operator_of) {
    return {};
  }
  auto const place = places.find(request.node);
  if (place == places.end()) {
    return base::fail(errc::wrong_node, "the topology names no node '" + request.node + "'");
  }
  if (!terms.role.empty() && terms.role != place->second.role) {
    return base::fail(errc::wrong_node,
                      "the token is for the role " + terms.role + ", '" + request.node + "' is " + place->second.role);
  }
  bool const by_name = !terms.node.empty() && terms.segment.empty();
  if (!by_name && terms.segment != place->second.segment) {
    return base::fail(errc::wrong_node, "the token is for " +
                                            (terms.segment.empty() ? "the platform" : "segment " + terms.segment) +
                                            ", '" + request.node + "' is of " +
                                            (place->second.segment.empty() ? "the platform" : place->second.segment));
  }
  return {};
}

base::Result<void> check_name(JoinRequest const& request) {
  auto const asked = internal_ca::csr_name(request.csr_pem);
  if (!asked) {
    return asked.error().code == internal_ca::errc::bad_request
               ? base::Result<void>(base::fail(errc::bad_request, asked.error().detail))
               : asked.error();
  }
  if (request.node == internal_ca::controller_name) {
    return base::fail(errc::wrong_node, "a certificate for '" + request.node + "' would pass for the controller's");
  }
  if (*asked != request.node) {
    return base::fail(errc::bad_request, "the certificate request is for '" + *asked + "'");
  }
  if (request.purpose == Purpose::operator_of &&
      (!request.node.ends_with(operator_suffix) || !request.public_key.empty())) {
    return base::fail(errc::bad_request, "an operator is called NAME.operator and has no WireGuard key");
  }
  return {};
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
  return {};
}

// Whether the token admits now; `true` when a use is to be burnt, `false` for a replay of an admitted join.
base::Result<bool> judge(StoredToken const& token, std::optional<std::string> const& earlier_key, Known const& node,
                         JoinRequest const& request, std::int64_t now_s) {
  if (token.terms.expires_at_s <= now_s) {
    return bad_token("the token has expired");
  }
  if (node.removed_at_s != 0 && token.created_at_s <= node.removed_at_s) {
    return base::fail(errc::removed, "'" + request.node + "' was removed; a token made after that brings it back");
  }
  if (earlier_key) {
    if (*earlier_key != request.public_key) {
      return base::fail(errc::taken, "the token was used for '" + request.node + "' with another key");
    }
    // Asking again is for an answer that was lost. When another machine has taken the name, or the node was removed, a
    // used token must not yield certificates any more.
    if (node.public_key != request.public_key || node.removed_at_s != 0) {
      return bad_token("the token was used, and '" + request.node + "' has another key since");
    }
    return false;
  }
  if (token.used >= token.terms.uses) {
    return bad_token("the token is used up");
  }
  bool const member = !node.public_key.empty() && node.removed_at_s == 0;
  if (member && node.public_key != request.public_key && token.terms.node.empty()) {
    return base::fail(errc::taken, "'" + request.node + "' joined already; a token bound to its name replaces its key");
  }
  return true;
}

// A key that is replaced is remembered like one that was removed. A member that is drained stays so: ending that is the
// operator's, and a removal has ended it already.
base::Result<void> write_member(Transaction& transaction, JoinRequest const& request, std::int64_t now_s) {
  auto kept = transaction.execute(
      "INSERT OR REPLACE INTO enrolment_removed SELECT public_key, name, ? FROM enrolment_node "
      "WHERE name = ? AND public_key <> ?",
      {now_s, request.node, request.public_key});
  if (!kept) {
    return kept.error();
  }
  return without_value(transaction.execute(
      "INSERT INTO enrolment_node (name, public_key, joined_at_s, removed_at_s, key_since_s) VALUES (?, ?, ?, 0, ?) "
      "ON CONFLICT (name) DO UPDATE SET public_key = excluded.public_key, joined_at_s = excluded.joined_at_s, "
      "removed_at_s = 0, next_key = '', rotate_since_s = 0, key_since_s = excluded.key_since_s",
      {request.node, request.public_key, now_s, now_s}));
}

base::Result<void> write_certificate_key(Transaction& transaction, std::string const& name, std::string const& key) {
  return without_value(transaction.execute("INSERT OR REPLACE INTO enrolment_certificate VALUES (?, ?)", {name, key}));
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
  return request.purpose == Purpose::operator_of
             ? without_value(transaction.execute("INSERT OR REPLACE INTO enrolment_operator VALUES (?, ?)",
                                                 {request.node, now_s}))
             : write_member(transaction, request, now_s);
}

// One key is one node: a machine that was removed does not come back by another name.
base::Result<bool> is_anothers_key(Transaction& transaction, JoinRequest const& request) {
  if (request.purpose != Purpose::node) {
    return false;
  }
  auto rows = transaction.query(
      "SELECT 1 FROM enrolment_node WHERE (public_key = ?1 OR next_key = ?1) AND name <> ?2 "
      "UNION SELECT 1 FROM enrolment_removed WHERE public_key = ?1 AND name <> ?2",
      {request.public_key, request.node});
  if (!rows) {
    return rows.error();
  }
  return !rows->empty();
}

base::Result<void> admit_in(Transaction& transaction, JoinRequest const& request, Places const& places,
                            std::int64_t now_s) {
  auto token = find_token(transaction, request);
  if (!token) {
    return token.error();
  }
  if (auto const meant = check_terms(token->terms, request, places); !meant) {
    return meant.error();
  }
  auto earlier = earlier_use(transaction, request);
  if (!earlier) {
    return earlier.error();
  }
  auto node = find_node(transaction, request.node);
  if (!node) {
    return node.error();
  }
  if (request.purpose == Purpose::operator_of && *earlier) {
    return bad_token("the token was used by this operator");  // no key of its own tells a lost answer from a thief
  }
  auto const fresh = judge(*token, *earlier, *node, request, now_s);
  if (!fresh) {
    return fresh.error();
  }
  auto const key = internal_ca::csr_key(request.csr_pem);
  if (!key) {
    return key.error();
  }
  if (!*fresh) {
    return write_certificate_key(transaction, request.node, *key);
  }
  auto const anothers = is_anothers_key(transaction, request);
  if (!anothers) {
    return anothers.error();
  }
  if (*anothers) {
    return base::fail(errc::taken, "'" + request.node + "' shows a key that is or was another node's");
  }
  if (auto const written = write_certificate_key(transaction, request.node, *key); !written) {
    return written;
  }
  return burn(transaction, request, now_s);
}

}  // namespace

char const* name(Purpose purpose) {
  return purpose == Purpose::operator_of ? "operator" : "node";
}

std::optional<Purpose> purpose_of(std::string_view text) {
  for (auto const purpose : {Purpose::node, Purpose::operator_of}) {
    if (text == name(purpose)) {
      return purpose;
    }
  }
  return std::nullopt;
}

database::Schema schema() {
  return {"enrolment",
          {{1, tables}, {2, terms_and_life}, {3, certificates}},
          {{"enrolment_node", {"name"}}, {"enrolment_removed", {"public_key"}}}};
}

base::Result<void> record_token(database::Database& database, Token const& token, TokenTerms const& terms,
                                std::int64_t now_s) {
  auto const body = [&](Transaction& transaction) {
    return without_value(
        transaction.execute("INSERT INTO enrolment_token (id, secret_sha256, node, expires_at_s, uses, created_at_s, "
                            "purpose, role, segment, "
                            "address) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                            {token.id, sha256_hex(token.secret), terms.node, terms.expires_at_s, terms.uses, now_s,
                             std::string(name(terms.purpose)), terms.role, terms.segment, terms.address}));
  };
  return without_value(database.write(body));
}

base::Result<std::vector<TokenRow>> tokens(database::Database& database) {
  auto rows = database.query(std::string(token_columns) + "ORDER BY created_at_s, id");
  if (!rows) {
    return rows.error();
  }
  std::vector<TokenRow> out;
  for (auto const& row : *rows) {
    auto const token = token_of(row);
    out.push_back({database::text(row[0]), token.terms, token.used, token.created_at_s, token.revoked});
  }
  return out;
}

base::Result<std::map<std::string, std::string>> certificate_keys(database::Database& database) {
  auto rows = database.query("SELECT name, key_sha256 FROM enrolment_certificate");
  if (!rows) {
    return rows.error();
  }
  std::map<std::string, std::string> out;
  for (auto const& row : *rows) {
    out.emplace(database::text(row[0]), database::text(row[1]));
  }
  return out;
}

base::Result<void> learn_certificate_key(database::Database& database, std::string const& name,
                                         std::string const& key) {
  auto const body = [&](Transaction& transaction) -> base::Result<void> {
    // Joins are counted, not former keys: a change of its key makes a node no other machine. Operators have no key.
    auto rows = transaction.query(
        "SELECT COUNT(DISTINCT public_key), COUNT(*) FILTER (WHERE public_key = '') FROM enrolment_use WHERE node = ?",
        {name});
    if (!rows) {
      return rows.error();
    }
    if (integer(rows->front()[0]) > 1 || integer(rows->front()[1]) > 1) {
      return base::fail(errc::taken, "several machines may have certificates of '" + name + "'");
    }
    return without_value(transaction.execute("INSERT OR IGNORE INTO enrolment_certificate VALUES (?, ?)", {name, key}));
  };
  return without_value(database.write(body));
}

base::Result<void> revoke_token(database::Database& database, std::string const& id) {
  auto const body = [&](Transaction& transaction) -> base::Result<void> {
    auto changed = transaction.execute("UPDATE enrolment_token SET revoked = 1 WHERE id = ?", {id});
    if (!changed) {
      return changed.error();
    }
    if (*changed == 0) {
      return bad_token("there is no token '" + id + "'");
    }
    return {};
  };
  return without_value(database.write(body));
}

base::Result<void> admit(database::Database& database, JoinRequest const& request,
                         wireguard::PrivateKey const& controller, Places const& places, std::int64_t now_s) {
  if (auto named = check_name(request); !named) {
    return named.error();
  }
  if (request.purpose == Purpose::node) {
    if (auto proved = check_proof(request, controller); !proved) {
      return proved.error();
    }
  }
  auto const body = [&](Transaction& transaction) { return admit_in(transaction, request, places, now_s); };
  return without_value(database.write(body));
}

}  // namespace enrolment
