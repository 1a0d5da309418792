// Zones and RRsets: what a write checks and which rows it makes.
#include "dns-backend/writes/zones.hpp"

#include "dns-backend/writes/rules.hpp"

#include <algorithm>
#include <map>

namespace store {
namespace {

using RRsetKey = std::pair<dns::Name, dns::RRType>;
using RRsets = std::map<RRsetKey, dns::RRset>;

base::Failure refused_conflicts(std::vector<dns::Conflict> const& conflicts) {
  constexpr std::size_t shown_max = 20;
  std::string text;
  for (std::size_t i = 0; i < conflicts.size() && i < shown_max; ++i) {
    text += (i == 0 ? "" : "; ") + conflicts[i].message;
  }
  if (conflicts.size() > shown_max) {
    text += "; and " + std::to_string(conflicts.size() - shown_max) + " more";
  }
  return refused(std::move(text));
}

// The file's serial is kept apart (schema.cpp says why). 0 when the set is no SOA.
std::optional<std::uint32_t> split_serial(dns::RRset& rrset) {
  if (rrset.type != dns::type_soa || rrset.contents.empty()) {
    return std::nullopt;
  }
  std::uint32_t const serial = dns::soa_serial(rrset.contents.front());
  rrset.contents.front() = dns::with_soa_serial(rrset.contents.front(), 0);
  return serial;
}

base::Result<RRsets> present_rrsets(Write const& write, std::int64_t zone_id) {
  auto rows = write.transaction.query("SELECT owner, type, ttl, contents FROM rrset WHERE zone_id = ?", {zone_id});
  if (!rows) {
    return rows.error();
  }
  RRsets present;
  for (database::Row const& row : *rows) {
    if (auto owned = rrset_of(row)) {
      present.emplace(RRsetKey{owned->owner, owned->rrset.type}, std::move(owned->rrset));
    }
  }
  return present;
}

base::Result<void> put_rrset(Write const& write, std::int64_t zone_id, dns::Name const& owner,
                             dns::RRset const& rrset) {
  return write.run(
      "INSERT INTO rrset (zone_id, owner, type, ttl, contents) VALUES (?, ?, ?, ?, ?) "
      "ON CONFLICT (zone_id, owner, type) DO UPDATE SET ttl = excluded.ttl, contents = excluded.contents",
      {zone_id, owner.text(), std::int64_t{rrset.type.value}, std::int64_t{rrset.ttl}, to_json(rrset.contents)});
}

base::Result<void> remove_rrset(Write const& write, std::int64_t zone_id, dns::Name const& owner, dns::RRType type) {
  return write.run("DELETE FROM rrset WHERE zone_id = ? AND owner = ? AND type = ?",
                   {zone_id, owner.text(), std::int64_t{type.value}});
}

void sort_contents(dns::RRset& rrset) {
  std::sort(rrset.contents.begin(), rrset.contents.end());
  rrset.contents.erase(std::unique(rrset.contents.begin(), rrset.contents.end()), rrset.contents.end());
}

// Whether the serial of an SOA that comes in is to be taken: a secondary's is its primary's, whatever we think of it.
bool takes_serial(ZoneRow const& zone, std::uint32_t serial) {
  return zone.kind == "slave" ? serial != zone.serial : dns::serial_after(serial, zone.serial);
}

// A zone that was signed elsewhere brings a signature of its SOA, which holds for that serial alone.
bool signs_soa(RRsets const& rrsets, dns::Name const& apex) {
  auto const signatures = rrsets.find({apex, dns::type_rrsig});
  return signatures != rrsets.end() &&
         std::any_of(signatures->second.contents.begin(), signatures->second.contents.end(),
                     [](std::string const& content) { return content.starts_with("SOA "); });
}

// Writes the difference between two sets; whether there was any.
base::Result<bool> write_difference(Write const& write, std::int64_t zone_id, RRsets const& before,
                                    RRsets const& after) {
  bool changed = false;
  for (auto const& [key, rrset] : before) {
    if (!after.contains(key)) {
      changed = true;
      if (auto const removed = remove_rrset(write, zone_id, key.first, key.second); !removed) {
        return removed.error();
      }
    }
  }
  for (auto const& [key, rrset] : after) {
    auto const old = before.find(key);
    if (old == before.end() || !(old->second == rrset)) {
      changed = true;
      if (auto const put = put_rrset(write, zone_id, key.first, rrset); !put) {
        return put.error();
      }
    }
  }
  return changed;
}

base::Result<ZoneRow> make_zone(Write const& write, dns::Name const& apex, std::uint32_t serial,
                                ZoneSettings const& settings) {
  if (auto const fine = check_new_zone(write, apex); !fine) {
    return fine.error();
  }
  auto const made =
      write.run("INSERT INTO zone (apex, serial, kind, masters, account) VALUES (?, ?, ?, ?, ?)",
                {apex.text(), std::int64_t{serial}, settings.kind, to_json(settings.masters), settings.account});
  if (!made) {
    return made.error();
  }
  return ZoneRow{write.transaction.last_insert_id(), apex, serial, 0, settings.kind};
}

// The RRsets of a whole zone, each once and sorted, after every rule was held against them.
base::Result<RRsets> whole_content(Write const& write, dns::Name const& apex,
                                   std::vector<dns::OwnedRRset> const& rrsets) {
  RRsets wanted;
  for (dns::OwnedRRset const& owned : rrsets) {
    if (owned.rrset.contents.empty()) {
      continue;
    }
    auto const [place, fresh] = wanted.emplace(RRsetKey{owned.owner, owned.rrset.type}, owned.rrset);
    if (!fresh) {
      place->second.contents.insert(place->second.contents.end(), owned.rrset.contents.begin(),
                                    owned.rrset.contents.end());
    }
    sort_contents(place->second);
  }
  std::vector<dns::OwnedRRset> merged;
  std::map<dns::Name, std::vector<dns::RRset>> nodes;
  for (auto const& [key, rrset] : wanted) {
    merged.push_back({key.first, rrset});
    nodes[key.first].push_back(rrset);
  }
  if (auto const conflicts = dns::check_zone(apex, merged); !conflicts.empty()) {
    return refused_conflicts(conflicts);
  }
  for (auto const& [name, at] : nodes) {
    if (auto const fine = check_derived(write, apex, name, at); !fine) {
      return fine.error();
    }
  }
  return wanted;
}

base::Result<void> make_whole_zone(Write const& write, dns::Name const& apex, ZoneSettings const& settings,
                                   RRsets wanted) {
  std::uint32_t const serial = wanted.empty() ? 0 : *split_serial(wanted.at({apex, dns::type_soa}));
  auto const made = make_zone(write, apex, serial, settings);
  if (!made) {
    return made.error();
  }
  auto const written = write_difference(write, made->id, {}, wanted);
  return written ? base::Result<void>() : written.error();
}

base::Result<void> check_apex(dns::Name const& apex, std::vector<dns::RRset> const& rrsets) {
  for (dns::RRType const type : {dns::type_soa, dns::type_ns}) {
    bool const there =
        std::any_of(rrsets.begin(), rrsets.end(), [type](auto const& rrset) { return rrset.type == type; });
    if (!there) {
      return refused("the zone " + apex.text() + " would have no " + dns::to_text(type) + " at its apex");
    }
  }
  return {};
}

// The new sets of one owner; what becomes of the name is checked before a row is written.
base::Result<bool> replace_at(Write const& write, ZoneRow const& zone, dns::Name const& owner,
                              std::vector<dns::RRset> const& rrsets) {
  auto const present = rrsets_at(write, zone.id, owner);
  if (!present) {
    return present.error();
  }
  RRsets before;
  RRsets after;
  for (dns::RRset const& rrset : *present) {
    before.emplace(RRsetKey{owner, rrset.type}, rrset);
  }
  after = before;
  for (dns::RRset const& rrset : rrsets) {
    after.erase({owner, rrset.type});
    if (!rrset.contents.empty()) {
      after.emplace(RRsetKey{owner, rrset.type}, rrset);
    }
  }
  std::vector<dns::RRset> node;
  for (auto const& [key, rrset] : after) {
    node.push_back(rrset);
  }
  if (auto const conflicts = dns::check_node(zone.apex, owner, node); !conflicts.empty()) {
    return refused_conflicts(conflicts);
  }
  if (auto const fine = check_derived(write, zone.apex, owner, node); !fine) {
    return fine.error();
  }
  if (owner == zone.apex) {
    if (auto const fine = check_apex(zone.apex, node); !fine) {
      return fine.error();
    }
  }
  return write_difference(write, zone.id, before, after);
}

}  // namespace

base::Result<std::vector<dns::RRset>> rrsets_at(Write const& write, std::int64_t zone_id, dns::Name const& owner) {
  auto rows = write.transaction.query(
      "SELECT owner, type, ttl, contents FROM rrset WHERE zone_id = ? AND owner = ? ORDER BY type",
      {zone_id, owner.text()});
  if (!rows) {
    return rows.error();
  }
  std::vector<dns::RRset> rrsets;
  for (database::Row const& row : *rows) {
    if (auto owned = rrset_of(row)) {
      rrsets.push_back(std::move(owned->rrset));
    }
  }
  return rrsets;
}

base::Result<void> create_zone(Write const& write, dns::Name const& apex, ZoneSettings const& settings,
                               std::vector<dns::OwnedRRset> const& rrsets) {
  if (write.model.zone(apex) != nullptr) {
    return base::fail(errc::exists, "the zone " + apex.text() + " exists already");
  }
  if (rrsets.empty()) {
    return make_whole_zone(write, apex, settings, {});
  }
  auto wanted = whole_content(write, apex, rrsets);
  return wanted ? make_whole_zone(write, apex, settings, std::move(*wanted)) : wanted.error();
}

namespace {

// What an export showed of tenants' names is made of the CAs' rows: stored, it would stay when these change.
bool is_derived_caa(Write const& write, ZoneRow const& zone, RRsets const& before, dns::RRset const& rrset,
                    RRsetKey const& key) {
  if (rrset.type != dns::type_caa || before.contains(key) || write.model.tenant_at(key.first) == nullptr) {
    return false;
  }
  EntryPtr const entry = write.snapshot.zone_by_id(zone.id)->find(key.first);
  return entry != nullptr && std::ranges::any_of(entry->rrsets, [&rrset](dns::RRset const& one) {
           return one.type == rrset.type && one.contents == rrset.contents;
         });
}

}  // namespace

base::Result<void> import_zone(Write const& write, dns::Name const& apex, std::vector<dns::OwnedRRset> const& rrsets) {
  auto wanted = whole_content(write, apex, rrsets);
  if (!wanted) {
    return wanted.error();
  }
  ZoneRow const* const present = write.model.zone(apex);
  if (present == nullptr) {
    return make_whole_zone(write, apex, {}, std::move(*wanted));
  }
  std::uint32_t const file_serial = *split_serial(wanted->at({apex, dns::type_soa}));
  auto const before = present_rrsets(write, present->id);
  if (!before) {
    return before.error();
  }
  std::erase_if(*wanted,
                [&](auto const& item) { return is_derived_caa(write, *present, *before, item.second, item.first); });
  auto const changed = write_difference(write, present->id, *before, *wanted);
  if (!changed) {
    return changed.error();
  }
  if (signs_soa(*wanted, apex)) {
    return write.run("UPDATE zone SET serial = ? WHERE id = ?", {std::int64_t{file_serial}, present->id});
  }
  bool const raise = *changed || takes_serial(*present, file_serial);
  return raise ? write.raise_serial(*present, file_serial) : base::Result<void>();
}

base::Result<void> replace_rrsets(Write const& write, dns::Name const& apex,
                                  std::vector<dns::OwnedRRset> const& rrsets) {
  auto const zone = write.zone(apex);
  if (!zone) {
    return zone.error();
  }
  std::map<dns::Name, std::vector<dns::RRset>> by_owner;
  std::optional<std::uint32_t> wanted_serial;
  for (dns::OwnedRRset owned : rrsets) {
    sort_contents(owned.rrset);
    if (auto const serial = split_serial(owned.rrset)) {
      wanted_serial = serial;
    }
    by_owner[owned.owner].push_back(std::move(owned.rrset));
  }
  bool changed = wanted_serial && takes_serial(*zone, *wanted_serial);
  for (auto const& [owner, at] : by_owner) {
    auto const done = replace_at(write, *zone, owner, at);
    if (!done) {
      return done.error();
    }
    changed = changed || *done;
  }
  return changed ? write.raise_serial(*zone, wanted_serial) : base::Result<void>();
}

base::Result<void> delete_zone(Write const& write, dns::Name const& apex) {
  auto const zone = write.zone(apex);
  if (!zone) {
    return zone.error();
  }
  for (auto const& [id, tenant] : write.model.tenants()) {
    if (tenant.zone == apex.text()) {
      return refused("the zone " + apex.text() + " has tenants, for instance '" + tenant.label + "'");
    }
  }
  for (dns::Name const& name : write.model.balancer_names(apex)) {
    if (write.model.enclosing(name)->id == zone->id) {
      return refused("the zone " + apex.text() + " has load balancers, for instance '" + name.text() + "'");
    }
  }
  for (auto const* sql : {"DELETE FROM rrset WHERE zone_id = ?", "DELETE FROM metadata WHERE zone_id = ?",
                          "DELETE FROM dnskey WHERE zone_id = ?", "DELETE FROM zone WHERE id = ?"}) {
    if (auto const done = write.run(sql, {zone->id}); !done) {
      return done;
    }
  }
  return {};
}

}  // namespace store
