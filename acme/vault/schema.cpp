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

}  // namespace

database::Schema schema() {
  return {"acme", {{1, version_1}}, {}};
}

}  // namespace vault
