// The controller's book of tokens and nodes: who may join, who joined with which key, who was removed.
//
// One transaction admits a node: the token is checked and burnt, the key recorded. A lost answer may be asked for again
// with the same token, node and key until the token expires or the name has another key. An unbound token never
// replaces the key of a node that joined already; a token bound to the name does (a machine was reinstalled). A removed
// node comes back only by a token made after its removal.
//
// Threads: pure functions over a Database, called on the thread that owns it.
#pragma once

#include "base/database/database.hpp"
#include "mesh/enrolment/token.hpp"
#include "mesh/wireguard/key.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace enrolment {

struct TokenTerms {
  std::string node;  // empty: any node of the topology that has not joined yet
  std::int64_t expires_at_s = 0;
  std::int64_t uses = 1;
};

struct TokenRow {
  std::string id;
  TokenTerms terms;  // `uses` as issued
  std::int64_t used = 0;
  std::int64_t created_at_s = 0;
  bool revoked = false;
};

struct NodeRow {
  std::string name;
  std::string public_key;  // base64
  std::int64_t joined_at_s = 0;
  std::int64_t removed_at_s = 0;  // 0: a member
};

struct JoinRequest {
  std::string token_id;
  std::string secret;
  std::string node;
  std::string public_key;  // WireGuard, base64
  std::string csr_pem;
  std::string proof;  // proof_of_possession
};

// Tables enrolment_token, enrolment_use, enrolment_node; the last is replicated, so that a change of it raises the
// revision.
database::Schema schema();

base::Result<void> record_token(database::Database& database, Token const& token, TokenTerms const& terms,
                                std::int64_t now_s);
base::Result<std::vector<TokenRow>> tokens(database::Database& database);
base::Result<void> revoke_token(database::Database& database, std::string const& id);  // bad_token when unknown

// Everything that can be wrong is checked before anything is written: bad_token, wrong_node, bad_proof, bad_request,
// taken, removed.
base::Result<void> admit(database::Database& database, JoinRequest const& request,
                         wireguard::PrivateKey const& controller, std::set<std::string> const& topology_nodes,
                         std::int64_t now_s);

base::Result<std::vector<NodeRow>> nodes(database::Database& database);
base::Result<void> remove_node(database::Database& database, std::string const& name,
                               std::int64_t now_s);  // wrong_node

}  // namespace enrolment
