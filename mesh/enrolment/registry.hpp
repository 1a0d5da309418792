// The controller's book of tokens: who may join as what, and until when.
//
// One transaction admits: the token is checked and burnt, the key recorded. A lost answer may be asked for again with
// the same token, name and key until the token expires or the name has another key. A token that is not bound to a name
// never replaces the key of a node that joined already; one bound to the name does (a machine was reinstalled). A
// removed node comes back only by a token made after its removal.
//
// Every refusal has a code and a sentence for the controller's log; whoever asked is told none of it (refusal_text).
//
// Threads: pure functions over a Database, called on the thread that owns it.
#pragma once

#include "base/database/database.hpp"
#include "mesh/enrolment/token.hpp"
#include "mesh/wireguard/key.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace enrolment {

// What a token is for. One that is for something else is refused like one that does not exist.
enum class Purpose {
  node,         // a machine becomes a node of the mesh
  operator_of,  // a person's machine may read how the mesh fares; it is no node and gets no world
};
[[nodiscard]] char const* name(Purpose purpose);                         // "node", "operator"
[[nodiscard]] std::optional<Purpose> purpose_of(std::string_view name);  // nullopt: there is no such purpose

struct TokenTerms {
  std::string node;  // empty: any node of the topology that has not joined yet
  std::int64_t expires_at_s = 0;
  std::int64_t uses = 1;
  Purpose purpose = Purpose::node;
  std::string role = {};     // only nodes of this role; empty: of any
  std::string segment = {};  // only nodes of this tenant segment; empty: platform nodes, or the one that `node` names
  std::string address = {};  // only from this address or network; empty: from anywhere
};

// What the topology says about a node, as far as terms can ask for it.
struct Place {
  std::string role;     // "central", "regional", "edge"
  std::string segment;  // empty: a platform node
};
using Places = std::map<std::string, Place>;  // by node name

struct TokenRow {
  std::string id;
  TokenTerms terms;  // `uses` as issued
  std::int64_t used = 0;
  std::int64_t created_at_s = 0;
  bool revoked = false;
};

struct JoinRequest {
  std::string token_id;
  std::string secret;
  std::string node;
  std::string public_key;  // WireGuard, base64
  std::string csr_pem;
  std::string proof;  // proof_of_possession; of an operator, who has no WireGuard key, the request's own signature is
  Purpose purpose = Purpose::node;
  std::string from = {};  // the address it comes from, without port
};

// An operator's certificate is for "<name>.operator", which no node can be called.
inline constexpr std::string_view operator_suffix = ".operator";

// Tables enrolment_token, enrolment_use, enrolment_certificate, enrolment_operator, enrolment_node (members.hpp),
// enrolment_removed; the last two are replicated, so that a change of them raises the revision.
database::Schema schema();

base::Result<void> record_token(database::Database& database, Token const& token, TokenTerms const& terms,
                                std::int64_t now_s);
base::Result<std::vector<TokenRow>> tokens(database::Database& database);
// Name of a node or operator -> the key (csr_key) that its certificates are for since it joined last. A machine that
// had the name before has certificates too, which are good for hours yet. One that joined before there was this table
// is missing until its certificate is renewed.
base::Result<std::map<std::string, std::string>> certificate_keys(database::Database& database);
// Of one that is missing there. errc::taken when the name joined more than once: a former machine could claim it.
base::Result<void> learn_certificate_key(database::Database& database, std::string const& name, std::string const& key);
base::Result<void> revoke_token(database::Database& database, std::string const& id);  // bad_token when unknown

// Everything that can be wrong is checked before anything is written: bad_token, wrong_node, bad_proof, bad_request,
// taken, removed. They are for the log.
base::Result<void> admit(database::Database& database, JoinRequest const& request,
                         wireguard::PrivateKey const& controller, Places const& places, std::int64_t now_s);

// The one sentence that whoever is refused is told.
inline constexpr std::string_view refusal_text =
    "the token does not let this machine join; the controller's log says why";

}  // namespace enrolment
