#include "acme/schema/schema.hpp"

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

// A certificate belongs to a subject, which is one name of one tenant: its own, one it had before a rename, a domain. A
// certificate of an upload (`source`) may be for several subjects, so its fingerprint is unique for each alone. What
// was kept for a tenant belongs to the name it ordered for last; without any name it waits under '' for the tenant's
// own.
constexpr std::string_view version_4 = R"(
CREATE TABLE acme_subject (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (tenant_id, name)
);
INSERT INTO acme_subject (tenant_id, name)
  SELECT tenant_id, name FROM (
    SELECT tenant_id, substr(names, instr(names, ' ') + 1) AS name, sequence AS place FROM certificate
    UNION ALL SELECT tenant_id, substr(names, instr(names, ' ') + 1), 9223372036854775807 FROM acme_order)
  GROUP BY tenant_id, name ORDER BY tenant_id, max(place);
INSERT INTO acme_subject (tenant_id, name)
  SELECT tenant_id, '' FROM (SELECT tenant_id FROM acme_attempt UNION SELECT tenant_id FROM acme_event)
  WHERE tenant_id NOT IN (SELECT tenant_id FROM acme_subject);

CREATE TABLE acme_order_of (
  subject_id INTEGER PRIMARY KEY REFERENCES acme_subject (id) ON DELETE CASCADE,
  names TEXT NOT NULL,
  directory_url TEXT NOT NULL,
  order_url TEXT NOT NULL,
  csr BLOB NOT NULL,
  sealed_key BLOB NOT NULL
);
INSERT INTO acme_order_of (subject_id, names, directory_url, order_url, csr, sealed_key)
  SELECT acme_subject.id, names, directory_url, order_url, csr, sealed_key FROM acme_order JOIN acme_subject
  ON acme_subject.tenant_id = acme_order.tenant_id AND name = substr(names, instr(names, ' ') + 1);
DROP TABLE acme_order;
ALTER TABLE acme_order_of RENAME TO acme_order;

CREATE TABLE acme_attempt_of (
  subject_id INTEGER NOT NULL REFERENCES acme_subject (id) ON DELETE CASCADE,
  directory_url TEXT NOT NULL,
  failures INTEGER NOT NULL,
  not_before_ms INTEGER NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (subject_id, directory_url)
);
INSERT INTO acme_attempt_of (subject_id, directory_url, failures, not_before_ms, detail)
  SELECT (SELECT max(id) FROM acme_subject WHERE acme_subject.tenant_id = acme_attempt.tenant_id), directory_url,
  failures, not_before_ms, detail FROM acme_attempt;
DROP TABLE acme_attempt;
ALTER TABLE acme_attempt_of RENAME TO acme_attempt;

CREATE TABLE acme_event_of (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  subject_id INTEGER NOT NULL REFERENCES acme_subject (id) ON DELETE CASCADE,
  at_ms INTEGER NOT NULL,
  directory_url TEXT NOT NULL,
  outcome TEXT NOT NULL,
  detail TEXT NOT NULL
);
INSERT INTO acme_event_of (id, subject_id, at_ms, directory_url, outcome, detail)
  SELECT id, (SELECT max(id) FROM acme_subject WHERE acme_subject.tenant_id = acme_event.tenant_id), at_ms,
  directory_url, outcome, detail FROM acme_event;
DROP TABLE acme_event;
ALTER TABLE acme_event_of RENAME TO acme_event;
CREATE INDEX acme_event_by_subject ON acme_event (subject_id, id);

CREATE TABLE certificate_of (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  subject_id INTEGER NOT NULL REFERENCES acme_subject (id) ON DELETE CASCADE,
  names TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  not_before_ms INTEGER NOT NULL,
  not_after_ms INTEGER NOT NULL,
  chain_pem TEXT NOT NULL,
  sealed_key BLOB NOT NULL,
  directory_url TEXT NOT NULL DEFAULT '',
  ari_id TEXT NOT NULL DEFAULT '',
  revoked_reason INTEGER,
  revoked_at_ms INTEGER,
  source TEXT NOT NULL DEFAULT 'acme',
  fallback INTEGER NOT NULL DEFAULT 1,
  UNIQUE (subject_id, fingerprint)
);
INSERT INTO certificate_of (sequence, subject_id, names, fingerprint, not_before_ms, not_after_ms, chain_pem,
  sealed_key, directory_url, ari_id, revoked_reason, revoked_at_ms)
  SELECT sequence, acme_subject.id, names, fingerprint, not_before_ms, not_after_ms, chain_pem, sealed_key,
  directory_url, ari_id, revoked_reason, revoked_at_ms FROM certificate JOIN acme_subject
  ON acme_subject.tenant_id = certificate.tenant_id AND name = substr(names, instr(names, ' ') + 1);
DELETE FROM sqlite_sequence WHERE name = 'certificate_of';
INSERT INTO sqlite_sequence (name, seq) SELECT 'certificate_of', seq FROM sqlite_sequence WHERE name = 'certificate';

CREATE TABLE edge_acknowledgment_of (
  subject_id INTEGER NOT NULL REFERENCES acme_subject (id) ON DELETE CASCADE,
  edge TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (subject_id, edge)
);
INSERT INTO edge_acknowledgment_of (subject_id, edge, sequence, fingerprint, at_ms)
  SELECT certificate_of.subject_id, edge, edge_acknowledgment.sequence, edge_acknowledgment.fingerprint, at_ms
  FROM edge_acknowledgment JOIN certificate_of USING (sequence);
DROP TABLE edge_acknowledgment;
ALTER TABLE edge_acknowledgment_of RENAME TO edge_acknowledgment;

CREATE TABLE acme_suggestion_of AS SELECT * FROM acme_suggestion;
DROP TABLE acme_suggestion;
DROP TABLE certificate;
ALTER TABLE certificate_of RENAME TO certificate;
CREATE INDEX certificate_by_subject ON certificate (subject_id);
CREATE TABLE acme_suggestion (
  sequence INTEGER PRIMARY KEY REFERENCES certificate (sequence) ON DELETE CASCADE,
  start_ms INTEGER NOT NULL,
  end_ms INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  explanation_url TEXT NOT NULL,
  ask_again_ms INTEGER NOT NULL
);
INSERT INTO acme_suggestion (sequence, start_ms, end_ms, at_ms, explanation_url, ask_again_ms)
  SELECT sequence, start_ms, end_ms, at_ms, explanation_url, ask_again_ms FROM acme_suggestion_of;
DROP TABLE acme_suggestion_of;
)";

// What was done once and is not to be looked for again, though finding nothing would take a walk over every key.
constexpr std::string_view version_5 = R"(
CREATE TABLE acme_settled (what TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID;
)";

// An order for each subject and CA: one that another CA begins does not take the place of the first one's.
constexpr std::string_view version_6 = R"(
CREATE TABLE acme_order_at (
  subject_id INTEGER NOT NULL REFERENCES acme_subject (id) ON DELETE CASCADE,
  directory_url TEXT NOT NULL,
  names TEXT NOT NULL,
  order_url TEXT NOT NULL,
  csr BLOB NOT NULL,
  sealed_key BLOB NOT NULL,
  PRIMARY KEY (subject_id, directory_url)
);
INSERT INTO acme_order_at (subject_id, directory_url, names, order_url, csr, sealed_key)
  SELECT subject_id, directory_url, names, order_url, csr, sealed_key FROM acme_order;
DROP TABLE acme_order;
ALTER TABLE acme_order_at RENAME TO acme_order;
CREATE INDEX acme_bucket_by_end ON acme_bucket (full_at_ms);
)";

// Orders that are not gone on with: the CA that has them is told, whenever it can be reached. A subject knows since
// when it is wanted, so that one which never had a certificate is missed; those that are there are missed from now on.
constexpr std::string_view version_7 = R"(
CREATE TABLE acme_dropped_order (
  directory_url TEXT NOT NULL,
  order_url TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  PRIMARY KEY (directory_url, order_url)
) WITHOUT ROWID;
ALTER TABLE acme_subject ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0;
UPDATE acme_subject SET since_ms = CAST(strftime('%s', 'now') AS INTEGER) * 1000;
)";

}  // namespace

database::Schema schema() {
  return {
      "acme",
      {{1, version_1}, {2, version_2}, {3, version_3}, {4, version_4}, {5, version_5}, {6, version_6}, {7, version_7}},
      {}};
}

}  // namespace vault
