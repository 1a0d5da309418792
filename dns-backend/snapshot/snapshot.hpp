// What is served: an immutable picture of every zone, read by lookups without a lock, replaced per change.
//
// Zones and the names of a zone sit in persistent ordered maps (persistent_map.hpp): a new snapshot shares everything
// but the path to what changed, so one changed name among a million copies a few kilobytes. Canonical order (RFC
// 4034 6.1) serves NSEC and AXFR; the backend derives `auth`, delegations and empty non-terminals here, never the
// operator.
//
// Threads: immutable; handed over through Published<Snapshot> (published.hpp).
#pragma once

#include "dns-backend/dns/name.hpp"
#include "dns-backend/dns/rrset.hpp"
#include "dns-backend/pool/pool.hpp"
#include "dns-backend/snapshot/persistent/balanced_names.hpp"
#include "dns-backend/snapshot/persistent/leading_names.hpp"
#include "dns-backend/snapshot/persistent/persistent_map.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace store {

// Everything at one owner name. An entry without rrsets and balancer is an empty non-terminal.
// A million of them are in memory, so the name is kept once: as the key, from which it is read when it is wanted.
struct Entry {
  std::string key;                                     // Name::key() of the owner
  std::vector<dns::RRset> rrsets;                      // by type
  std::shared_ptr<pool::LoadBalancer const> balancer;  // A and AAAA with HTTPS and SVCB, or CNAME, chosen at lookup
  // The types the balancer answers with: constant while health moves, so that NSEC bitmaps stay true.
  bool balancer_has4 = false;
  bool balancer_has6 = false;
  bool balancer_has_target = false;  // CNAME, and then neither of the others
  bool cut = false;        // NS here and not the apex: a delegation
  bool below_cut = false;  // glue or occluded: auth 0, not in the NSEC chain

  [[nodiscard]] bool is_ent() const { return rrsets.empty() && balancer == nullptr; }
  [[nodiscard]] dns::Name name() const { return dns::Name::from_key(key); }
  [[nodiscard]] bool is_within(Entry const& ancestor) const { return key.starts_with(ancestor.key); }
  // The owner of an NSEC3 record in a zone that came with its signatures: no name of the zone, and in no chain.
  [[nodiscard]] bool only_signatures() const;
};

struct EntryKey {
  std::string_view operator()(Entry const& entry) const { return entry.key; }
};
using EntryPtr = std::shared_ptr<Entry const>;
using EntrySet = PersistentSet<Entry, EntryKey>;         // in canonical order
using HashMap = PersistentMap<std::string, EntryPtr>;    // by lower-case base32hex hash

struct Key {  // DNSSEC key as PowerDNS keeps it
  std::int64_t id = 0;
  std::uint32_t flags = 0;
  bool active = true;
  bool published = true;
  std::string content;  // PowerDNS private-key text
};

struct Zone {
  std::int64_t id = 0;  // PowerDNS domain_id
  dns::Name apex;
  std::uint32_t serial = 0;  // what the SOA carries: raised on each change of the zone
  std::uint32_t notified_serial = 0;
  std::string kind = "native";  // "native", "master", "slave"
  std::vector<std::string> masters;  // of a slave: "ip", "ip:port" or "[ip6]:port"
  std::string account;
  std::int64_t last_check_s = 0;  // Unix time of the last comparison with a master; 0: look again
  std::map<std::string, std::vector<std::string>> metadata;
  std::vector<Key> keys;
  EntrySet entries;
  HashMap nsec3;  // filled only when NSEC3PARAM is set

  [[nodiscard]] EntryPtr find(dns::Name const& name) const { return find(name.key()); }
  [[nodiscard]] EntryPtr find(std::string_view key) const;
};

using ZonePtr = std::shared_ptr<Zone const>;

struct TsigKey {
  std::string name, algorithm, content;
};

// A primary whose NOTIFY of an unknown zone makes it a secondary zone here, when `nameserver` is among its NS records.
struct Autoprimary {
  std::string ip, nameserver, account;
};

struct Snapshot {
  std::int64_t revision = 0;
  PersistentMap<std::string, ZonePtr> zones;  // by apex key
  PersistentMap<std::int64_t, ZonePtr> zones_by_id;
  BalancedNames balanced;
  LeadingNames leading;
  std::vector<TsigKey> tsig_keys;
  std::vector<Autoprimary> autoprimaries;

  // nullptr: none. Names are given as Name::key(), or as they are.
  [[nodiscard]] ZonePtr zone(std::string_view apex_key) const;
  [[nodiscard]] ZonePtr zone(dns::Name const& apex) const { return zone(apex.key()); }
  [[nodiscard]] ZonePtr zone_by_id(std::int64_t id) const;
  [[nodiscard]] ZonePtr enclosing(std::string_view key) const;  // the longest apex that is an ancestor or equal
  [[nodiscard]] ZonePtr enclosing(dns::Name const& name) const { return enclosing(name.key()); }
};

// What a change may have changed in answers, the unit in which caches are told to forget: the exact name, or with
// `subtree` everything below it as well.
struct Touched {
  dns::Name name;
  bool subtree = false;
  auto operator<=>(Touched const&) const = default;
};

}  // namespace store
