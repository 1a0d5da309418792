#include "dns-backend/schema/schema.hpp"

namespace store {
namespace {

// Names are dns::Name::text(). The SOA's content carries serial 0: the serial that counts is zone.serial, so that
// raising it changes one small row. Ids are never used twice (AUTOINCREMENT): PowerDNS remembers zones by id. No
// foreign keys with cascades: a follower applies rows one by one and in its primary's order.
constexpr std::string_view version_1 = R"sql(
  CREATE TABLE zone (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    apex TEXT NOT NULL UNIQUE,
    serial INTEGER NOT NULL,
    notified_serial INTEGER NOT NULL DEFAULT 0,
    kind TEXT NOT NULL DEFAULT 'native');
  CREATE TABLE rrset (
    zone_id INTEGER NOT NULL,
    owner TEXT NOT NULL,
    type INTEGER NOT NULL,
    ttl INTEGER NOT NULL,
    contents TEXT NOT NULL,              -- JSON array of strings, sorted
    PRIMARY KEY (zone_id, owner, type)) WITHOUT ROWID;
  CREATE TABLE metadata (
    zone_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    contents TEXT NOT NULL,              -- JSON array of strings, in the operator's order
    PRIMARY KEY (zone_id, kind)) WITHOUT ROWID;
  CREATE TABLE dnskey (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    zone_id INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    active INTEGER NOT NULL,
    published INTEGER NOT NULL,
    content TEXT NOT NULL);
  CREATE TABLE tsig (
    name TEXT PRIMARY KEY NOT NULL,
    algorithm TEXT NOT NULL,
    content TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE pool (
    name TEXT PRIMARY KEY NOT NULL,
    position INTEGER NOT NULL,
    site TEXT NOT NULL,
    minimum_origins INTEGER NOT NULL,
    type TEXT NOT NULL,
    port INTEGER NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    host TEXT NOT NULL,
    expected_codes TEXT NOT NULL,
    expected_body TEXT NOT NULL,
    interval_ms INTEGER NOT NULL,
    timeout_ms INTEGER NOT NULL,
    consecutive_up INTEGER NOT NULL,
    consecutive_down INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE endpoint (
    pool TEXT NOT NULL,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    address4 TEXT NOT NULL,
    address6 TEXT NOT NULL,
    probe_address TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    PRIMARY KEY (pool, name)) WITHOUT ROWID;
  CREATE TABLE tenant (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    label TEXT NOT NULL UNIQUE,
    zone TEXT NOT NULL,                  -- apex
    plan TEXT NOT NULL,
    primary_pool TEXT NOT NULL,
    backups TEXT NOT NULL,               -- JSON array of pool names, in failover order
    state TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL);
  CREATE TABLE challenge (
    owner TEXT NOT NULL,                 -- who may remove it
    name TEXT NOT NULL,
    value TEXT NOT NULL,                 -- the octets of one TXT string
    PRIMARY KEY (owner, name, value)) WITHOUT ROWID;
  CREATE TABLE readiness (
    tenant_id INTEGER PRIMARY KEY NOT NULL,
    endpoints TEXT NOT NULL);            -- JSON array, sorted; no row: no restriction
)sql";

// A zone that is pulled from elsewhere: from where, for whom, and when it was last compared with its primaries. And the
// primaries whose NOTIFY may create a zone here.
constexpr std::string_view version_2 = R"sql(
  ALTER TABLE zone ADD COLUMN masters TEXT NOT NULL DEFAULT '[]';      -- JSON array of "ip" or "ip:port"
  ALTER TABLE zone ADD COLUMN account TEXT NOT NULL DEFAULT '';
  ALTER TABLE zone ADD COLUMN last_check_s INTEGER NOT NULL DEFAULT 0; -- Unix time; 0: never, or told to look again
  CREATE TABLE autoprimary (
    ip TEXT NOT NULL,
    nameserver TEXT NOT NULL,
    account TEXT NOT NULL,
    PRIMARY KEY (ip, nameserver)) WITHOUT ROWID;
)sql";

// What operators declare for steering. The body is the object as the API shows it: its fields grow with the program,
// and nothing here is asked for by a column.
constexpr std::string_view version_3 = R"sql(
  CREATE TABLE steering (
    kind TEXT NOT NULL,                  -- monitor, pool, load_balancer
    name TEXT NOT NULL,
    body TEXT NOT NULL,                  -- JSON object
    PRIMARY KEY (kind, name)) WITHOUT ROWID;
)sql";

// Tenants that look after themselves. A replica gets what answers depend on: former labels and domains. Tokens, answers
// kept for repeated requests, the journal and the audit log are the primary's alone.
constexpr std::string_view version_4 = R"sql(
  ALTER TABLE tenant ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE former_label (
    label TEXT PRIMARY KEY NOT NULL,
    tenant_id INTEGER NOT NULL,
    zone TEXT NOT NULL,
    until_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE domain (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    proof TEXT NOT NULL,
    state TEXT NOT NULL,                 -- claimed, verified, failing
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    verified_at_ms INTEGER NOT NULL,
    UNIQUE (tenant_id, name));
  CREATE UNIQUE INDEX domain_has_one_owner ON domain (name) WHERE state <> 'claimed';
  CREATE TABLE domain_check (            -- what the last look at a domain saw; changes often, so it is not replicated
    domain_id INTEGER PRIMARY KEY NOT NULL,
    at_ms INTEGER NOT NULL,
    next_ms INTEGER NOT NULL,
    failures INTEGER NOT NULL,           -- in a row
    reason TEXT NOT NULL);               -- empty: all is as it must be
  CREATE TABLE slug (                    -- every slug there ever was: none is given out twice
    slug TEXT PRIMARY KEY NOT NULL,
    tenant_id INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE challenge_account (            -- who may change one challenge name by the acme-dns protocol
    username TEXT PRIMARY KEY NOT NULL,
    password_hash TEXT NOT NULL,         -- SHA-256 of 240 random bits
    tenant_id INTEGER NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    allow_from TEXT NOT NULL,            -- JSON array of CIDR prefixes; empty: from anywhere
    created_at_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE challenge_account_value (
    slug TEXT NOT NULL,
    value TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (slug, value)) WITHOUT ROWID;
  CREATE TABLE tenant_intent (           -- what is still to be done about a tenant, in order
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    revision INTEGER NOT NULL,           -- the one that every site must have
    not_before_ms INTEGER NOT NULL,
    next_ms INTEGER NOT NULL,            -- of the next attempt, after failed ones
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT NOT NULL DEFAULT '');
  CREATE INDEX tenant_intent_by_tenant ON tenant_intent (tenant_id, id);
  CREATE TABLE tenant_applied (          -- the label that every site is known to answer
    tenant_id INTEGER PRIMARY KEY NOT NULL,
    label TEXT NOT NULL,
    revision INTEGER NOT NULL,
    at_ms INTEGER NOT NULL);
  CREATE TABLE token (
    id TEXT PRIMARY KEY NOT NULL,        -- public
    hash TEXT NOT NULL UNIQUE,           -- SHA-256 of 256 random bits
    tenant_id INTEGER NOT NULL,          -- 0: an administrator's
    scope TEXT NOT NULL,                 -- JSON object
    note TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,      -- 0: never
    revoked_at_ms INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
  CREATE INDEX token_by_tenant ON token (tenant_id, id);
  CREATE TABLE kept_answer (             -- of requests with an Idempotency-Key
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,               -- SHA-256 of method, target and body
    status INTEGER NOT NULL,
    headers TEXT NOT NULL,               -- JSON object
    body TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (actor, key)) WITHOUT ROWID;
  CREATE INDEX kept_answer_by_age ON kept_answer (at_ms);
  CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,                 -- "unix", "certificate:NAME", "token:ID"
    tenant_id INTEGER NOT NULL,          -- of the actor; 0: an administrator
    source TEXT NOT NULL,                -- from where
    method TEXT NOT NULL,
    target TEXT NOT NULL,
    status INTEGER NOT NULL,             -- what it was answered
    request_id TEXT NOT NULL,
    detail TEXT NOT NULL);
  CREATE INDEX audit_by_tenant ON audit (tenant_id, id);
  CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
  END;
  CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit WHEN old.at_ms > (unixepoch() - 34560000) * 1000 BEGIN
    SELECT RAISE(ABORT, 'the audit log keeps 400 days');
  END;
)sql";

// CAs that may issue for tenants' names, when that is published: one row for each, part of every tenant's CAA RRset.
// The values of an order's challenges get an owner that tells them from others of the same subject.
// What a request changed and what tells of it are one transaction; when a tenant got its slugs.
constexpr std::string_view version_5 = R"sql(
  CREATE TABLE caa_issuer (
    directory_url TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL) WITHOUT ROWID;  -- of the properties issue and issuewild (RFC 8659)
  INSERT INTO challenge (owner, name, value)
    SELECT owner || '/order/' || replace(owner, rtrim(owner, replace(owner, '/', '')), ''), name, value
    FROM challenge WHERE owner GLOB 'acme/[0-9]*/[0-9]*' AND NOT owner LIKE 'acme/%/%/%';
  DELETE FROM challenge WHERE owner GLOB 'acme/[0-9]*/[0-9]*' AND NOT owner LIKE 'acme/%/%/%';
  CREATE TABLE request_under_way (       -- that changed something and is not answered yet
    request_id TEXT PRIMARY KEY NOT NULL,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    tenant_id INTEGER NOT NULL,
    source TEXT NOT NULL,
    method TEXT NOT NULL,
    target TEXT NOT NULL,
    audited INTEGER NOT NULL,            -- 0: machines' chatter, of which the log holds nothing
    key TEXT NOT NULL,                   -- its Idempotency-Key; empty: none
    request TEXT NOT NULL) WITHOUT ROWID;  -- SHA-256 of method, target and body
  CREATE INDEX request_under_way_by_key ON request_under_way (actor, key);
  ALTER TABLE slug ADD COLUMN at_ms INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX slug_by_tenant ON slug (tenant_id, at_ms);
)sql";

}  // namespace

database::Schema schema() {
  return {"store",
          {{1, version_1}, {2, version_2}, {3, version_3}, {4, version_4}, {5, version_5}},
          {{"zone", {"id"}},
           {"rrset", {"zone_id", "owner", "type"}},
           {"metadata", {"zone_id", "kind"}},
           {"dnskey", {"id"}},
           {"tsig", {"name"}},
           {"pool", {"name"}},
           {"endpoint", {"pool", "name"}},
           {"tenant", {"id"}},
           {"challenge", {"owner", "name", "value"}},
           {"readiness", {"tenant_id"}},
           {"autoprimary", {"ip", "nameserver"}},
           {"steering", {"kind", "name"}},
           {"former_label", {"label"}},
           {"domain", {"id"}},
           {"caa_issuer", {"directory_url"}}}};
}

}  // namespace store
