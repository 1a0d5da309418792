#include "dns-backend/tables/schema.hpp"

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

}  // namespace

database::Schema schema() {
  return {"store",
          {{1, version_1}, {2, version_2}, {3, version_3}},
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
           {"steering", {"kind", "name"}}}};
}

}  // namespace store
