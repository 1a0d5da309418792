#include "acme/vault/schema.hpp"

namespace vault {
namespace {

// acme_attempt survives restarts, so that a daemon that is restarted in a loop does not ask the CA in a loop.
// certificate.sequence never repeats (AUTOINCREMENT): edges compare it.
constexpr std::string_view version_1 = R"(
CREATE TABLE acme_account (
  directory_url TEXT PRIMARY KEY,
  account_url TEXT NOT NULL,
  sealed_key BLOB NOT NULL
);
CREATE TABLE acme_order (
  tenant_id INTEGER PRIMARY KEY,
  names TEXT NOT NULL,
  directory_url TEXT NOT NULL,
  order_url TEXT NOT NULL,
  csr BLOB NOT NULL,
  sealed_key BLOB NOT NULL
);
CREATE TABLE acme_attempt (
  tenant_id INTEGER PRIMARY KEY,
  failures INTEGER NOT NULL,
  not_before_ms INTEGER NOT NULL,
  detail TEXT NOT NULL
);
CREATE TABLE certificate (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id INTEGER NOT NULL,
  names TEXT NOT NULL,
  fingerprint TEXT NOT NULL UNIQUE,
  not_before_ms INTEGER NOT NULL,
  not_after_ms INTEGER NOT NULL,
  chain_pem TEXT NOT NULL,
  sealed_key BLOB NOT NULL
);
CREATE INDEX certificate_by_tenant ON certificate (tenant_id);
CREATE TABLE edge_acknowledgment (
  tenant_id INTEGER NOT NULL,
  edge TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, edge)
);
)";

// Several CAs: a certificate says which one issued it, an attempt which one refused ('' holds for all). A pending key
// is the account's next one while its change is under way. What the CA suggested for a renewal is kept, because the
// moment is drawn once for a window.
constexpr std::string_view version_2 = R"(
ALTER TABLE certificate ADD COLUMN directory_url TEXT NOT NULL DEFAULT '';
ALTER TABLE certificate ADD COLUMN ari_id TEXT NOT NULL DEFAULT '';
ALTER TABLE acme_account ADD COLUMN sealed_pending_key BLOB;
CREATE TABLE acme_attempt_at (
  tenant_id INTEGER NOT NULL,
  directory_url TEXT NOT NULL,
  failures INTEGER NOT NULL,
  not_before_ms INTEGER NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (tenant_id, directory_url)
);
INSERT INTO acme_attempt_at (tenant_id, directory_url, failures, not_before_ms, detail)
  SELECT tenant_id, '', failures, not_before_ms, detail FROM acme_attempt;
DROP TABLE acme_attempt;
ALTER TABLE acme_attempt_at RENAME TO acme_attempt;
CREATE TABLE acme_suggestion (
  sequence INTEGER PRIMARY KEY REFERENCES certificate (sequence) ON DELETE CASCADE,
  start_ms INTEGER NOT NULL,
  end_ms INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  explanation_url TEXT NOT NULL,
  ask_again_ms INTEGER NOT NULL
);
)";

// One of several Navigators issues: the fence tells its writes from those of a former one. Buckets are the CAs' limits,
// events the last attempts of each tenant. A revocation is written down before the CA is told.
constexpr std::string_view version_3 = R"(
CREATE TABLE acme_lease (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  holder TEXT NOT NULL,
  fence INTEGER NOT NULL,
  until_ms INTEGER NOT NULL
);
CREATE TABLE acme_bucket (
  directory_url TEXT NOT NULL,
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  full_at_ms INTEGER NOT NULL,
  PRIMARY KEY (directory_url, scope, key)
) WITHOUT ROWID;
CREATE TABLE acme_event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  directory_url TEXT NOT NULL,
  outcome TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX acme_event_by_tenant ON acme_event (tenant_id, id);
ALTER TABLE certificate ADD COLUMN revoked_reason INTEGER;
ALTER TABLE certificate ADD COLUMN revoked_at_ms INTEGER;
)";

}  // namespace

database::Schema schema() {
  return {"acme", {{1, version_1}, {2, version_2}, {3, version_3}}, {}};
}

}  // namespace vault
