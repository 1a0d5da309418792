#include "dns-backend/tables/build.hpp"

#include "base/process/log.hpp"
#include "dns-backend/snapshot/leading.hpp"

#include <algorithm>

namespace store {
namespace {

// Above so many names of one zone it is cheaper to read the zone in one go.
constexpr std::size_t single_names_max = 2000;

void put_zone(Snapshot& snapshot, ZonePtr const& zone) {
  snapshot.zones = snapshot.zones.insert(zone->apex.key(), zone);
  snapshot.zones_by_id = snapshot.zones_by_id.insert(zone->id, zone);
}

// A type that PowerDNS does not know was stored in its own presentation form once; it can be served as RFC 3597 only.
void make_generic(dns::RRType type, std::vector<std::string>& contents) {
  if (contents.front().starts_with("\\#") || !dns::to_text(type).starts_with("TYPE")) {
    return;
  }
  for (std::string& content : contents) {
    if (auto normal = dns::normalize_content(type, content)) {
      content = std::move(*normal);
    }
  }
  std::sort(contents.begin(), contents.end());
}

}  // namespace

std::optional<dns::OwnedRRset> rrset_of(database::Row const& row) {
  auto const owner = dns::Name::parse(database::text(row[0]));
  auto contents = from_json(database::text(row[3]));
  auto const type = static_cast<std::uint16_t>(database::integer(row[1]));
  bool const soa = type == dns::type_soa.value;
  bool const sound = owner && contents && !contents->empty() &&
                     (!soa || std::count(contents->front().begin(), contents->front().end(), ' ') >= 2);
  if (!sound) {
    process::log::error("store", "an RRset is left out because it makes no sense here owner={} type={}",
                        database::text(row[0]), type);
    return std::nullopt;
  }
  make_generic({type}, *contents);
  return dns::OwnedRRset{*owner, {{type}, static_cast<std::uint32_t>(database::integer(row[2])), std::move(*contents)}};
}

base::Result<std::vector<dns::RRset>> read_rrsets(database::Database& database, std::int64_t zone_id,
                                                  dns::Name const& owner) {
  auto rows =
      database.query("SELECT owner, type, ttl, contents FROM rrset WHERE zone_id = ? AND owner = ? ORDER BY type",
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

base::Result<ZonePtr> Builder::whole_zone(database::Database& database, ZoneRow const& row) {
  auto zone = std::make_shared<Zone>();
  model_.describe(row, *zone);
  std::vector<OwnedNode> nodes;
  std::set<dns::Name> derived = model_.derived_names(row.apex);
  dns::Name owner;
  std::vector<dns::RRset> at;
  auto const finish_owner = [&] {
    if (!at.empty() && owner.is_within(row.apex)) {
      nodes.push_back({owner.key(), model_.compose(row, owner, std::move(at))});
    }
    derived.erase(owner);
    at.clear();
  };
  // A row at a time: a million of them at once would leave as much memory behind again as the zone itself takes.
  auto const read = database.for_each(
      "SELECT owner, type, ttl, contents FROM rrset WHERE zone_id = ? ORDER BY owner, type", {row.id},
      [&](database::Row const& columns) {
        if (auto owned = rrset_of(columns)) {
          if (!(owned->owner == owner)) {
            finish_owner();
            owner = std::move(owned->owner);
          }
          at.push_back(std::move(owned->rrset));
        }
      });
  if (!read) {
    return read.error();
  }
  finish_owner();
  for (dns::Name const& name : derived) {
    Node node = model_.compose(row, name, {});
    if (!node.empty()) {
      nodes.push_back({name.key(), std::move(node)});
    }
  }
  fill(*zone, std::move(nodes));
  return zone;
}

base::Result<ZonePtr> Builder::changed_zone(database::Database& database, ZoneRow const& row, Zone const& old,
                                            std::set<dns::Name> names, bool secured, std::vector<Touched>& touched) {
  auto zone = std::make_shared<Zone>(old);
  model_.describe(row, *zone);
  if (zone->serial != old.serial) {
    names.insert(zone->apex);  // its SOA
  }
  if (secured && nsec3_of(*zone) != nsec3_of(old)) {
    rebuild_nsec3(*zone);
  }
  for (dns::Name const& name : names) {
    auto rrsets = read_rrsets(database, row.id, name);
    if (!rrsets) {
      return rrsets.error();
    }
    set_node(*zone, name, model_.compose(row, name, std::move(*rrsets)), touched);
  }
  if (chain_follows_signatures(*zone)) {
    rebuild_nsec3(*zone);
  }
  return zone;
}

base::Result<ZonePtr> Builder::next_zone(database::Database& database, ZoneRow const& row, ZonePtr const& old,
                                         std::set<dns::Name> const& names, bool secured,
                                         std::vector<Touched>& touched) {
  if (secured || old == nullptr) {
    touched.push_back({row.apex, true});
  }
  if (old != nullptr && names.size() <= single_names_max) {
    return changed_zone(database, row, *old, names, secured, touched);
  }
  auto zone = whole_zone(database, row);
  if (zone && old != nullptr) {
    compare(*old, **zone, touched);
  }
  return zone;
}

void Builder::index(Snapshot& snapshot, Zone const* before, Zone const* after, std::set<dns::Name> const& names) {
  auto const entry_at = [](Zone const* zone, std::string_view key) {
    return zone == nullptr ? nullptr : zone->find(key);
  };
  auto const take = [&](std::string_view key, Entry const* old, Entry const* now) {
    snapshot.balanced.set(key, old == nullptr ? nullptr : old->balancer.get(),
                          now == nullptr ? nullptr : now->balancer.get());
    Links const old_links = before == nullptr ? Links() : links_of(*before, old);
    Links const links = after == nullptr ? Links() : links_of(*after, now);
    snapshot.leading.set(after == nullptr ? before->id : after->id, key, old_links, links);
  };
  if (before != nullptr && after != nullptr && names.size() <= single_names_max) {
    for (dns::Name const& name : names) {
      take(name.key(), entry_at(before, name.key()).get(), entry_at(after, name.key()).get());
    }
    return;
  }
  for (Zone const* const zone : {before, after}) {
    if (zone != nullptr) {
      zone->entries.for_each([&](EntryPtr const& entry) {
        if (entry->balancer != nullptr || !links_of(*zone, entry.get()).empty()) {
          take(entry->key, entry_at(before, entry->key).get(), entry_at(after, entry->key).get());
        }
      });
    }
  }
}

base::Result<Builder::SnapshotPtr> Builder::load(database::Database& database) {
  if (auto loaded = model_.load(database); !loaded) {
    return loaded.error();
  }
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->revision = database.revision();
  snapshot->tsig_keys = model_.tsig_keys();
  snapshot->autoprimaries = model_.autoprimaries();
  std::vector<LeadingNames::Named> leading;
  for (auto const& [id, row] : model_.zones()) {
    auto zone = whole_zone(database, row);
    if (!zone) {
      return zone.error();
    }
    put_zone(*snapshot, *zone);
    (*zone)->entries.for_each([&](EntryPtr const& entry) {
      if (entry->balancer != nullptr) {
        snapshot->balanced.set(entry->key, nullptr, entry->balancer.get());
      }
      if (Links links = links_of(**zone, entry.get()); !links.empty()) {
        leading.push_back({id, entry->key, std::move(links)});
      }
    });
  }
  snapshot->leading = LeadingNames::of(leading);
  return snapshot;
}

Builder::Work Builder::work_of(Dirty const& dirty) const {
  Work work;
  for (std::int64_t const id : dirty.zones) {
    work[id];
  }
  for (auto const& [id, owners] : dirty.owners) {
    work[id].insert(owners.begin(), owners.end());
  }
  // A zone made or removed below another moves what tenants and challenges put there, so every zone above a name looks.
  for (dns::Name const& name : dirty.names) {
    for (dns::Name up = name;; up = up.parent()) {
      if (ZoneRow const* const row = model_.zone(up)) {
        work[row->id].insert(name);
      }
      if (up.is_root()) {
        break;
      }
    }
  }
  return work;
}

base::Result<Builder::Update> Builder::apply(database::Database& database, Snapshot const& present,
                                             database::Changes const& changes) {
  std::vector<Touched> touched;
  if (changes.complete) {
    auto snapshot = load(database);
    if (!snapshot) {
      return snapshot.error();
    }
    for (Snapshot const* one : {&present, snapshot->get()}) {
      one->zones.for_each([&touched](std::string const&, ZonePtr const& zone) {
        touched.push_back({zone->apex, true});
      });
    }
    tidy(touched, **snapshot);
    return Update{*snapshot, std::move(touched)};
  }
  Dirty dirty;
  for (database::Change const& change : changes.rows) {
    model_.apply(change, dirty);
  }
  model_.finish(dirty);
  auto snapshot = std::make_shared<Snapshot>(present);
  snapshot->revision = changes.to;
  if (dirty.tsig) {
    snapshot->tsig_keys = model_.tsig_keys();
  }
  if (dirty.autoprimaries) {
    snapshot->autoprimaries = model_.autoprimaries();
  }
  for (auto const& [id, names] : work_of(dirty)) {
    ZonePtr const old = present.zone_by_id(id);
    auto const row = model_.zones().find(id);
    if (row == model_.zones().end()) {
      if (old != nullptr) {
        index(*snapshot, old.get(), nullptr, {});
        touched.push_back({old->apex, true});
        snapshot->zones_by_id = snapshot->zones_by_id.erase(id);
        ZonePtr const at_apex = snapshot->zone(old->apex);
        if (at_apex != nullptr && at_apex->id == id) {
          snapshot->zones = snapshot->zones.erase(old->apex.key());
        }
      }
      continue;
    }
    auto zone = next_zone(database, row->second, old, names, dirty.secured.contains(id), touched);
    if (!zone) {
      return zone.error();
    }
    put_zone(*snapshot, *zone);
    index(*snapshot, old.get(), zone->get(), names);
  }
  tidy(touched, *snapshot);
  return Update{std::move(snapshot), std::move(touched)};
}

}  // namespace store
