#include "dns-backend/snapshot/zone_builder.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <sstream>

namespace store {
namespace {

bool has_type(Entry const& entry, dns::RRType type) {
  return std::any_of(entry.rrsets.begin(), entry.rrsets.end(),
                     [type](auto const& rrset) { return rrset.type == type; });
}

std::shared_ptr<Entry> make_entry(Zone const& zone, std::string key, Node node, Entry const* parent) {
  auto entry = std::make_shared<Entry>();
  entry->key = std::move(key);
  entry->rrsets = std::move(node.rrsets);
  entry->balancer = std::move(node.balancer);
  entry->balancer_has4 = node.has4;
  entry->balancer_has6 = node.has6;
  entry->balancer_has_target = node.has_target;
  entry->cut = entry->key != zone.apex.key() && has_type(*entry, dns::type_ns);
  entry->below_cut = parent != nullptr && (parent->cut || parent->below_cut);
  return entry;
}

Entry const* entry_at(Zone const& zone, std::string_view key) {
  EntryPtr const* const found = zone.entries.find(key);
  return found == nullptr ? nullptr : found->get();
}

bool has_below(Zone const& zone, std::string_view key) {
  auto const* const next = zone.entries.upper_bound(key);
  return next != nullptr && next->key.starts_with(key);
}

bool same_balancer(Entry const& a, Entry const& b) {
  if (a.balancer == b.balancer) {
    return true;
  }
  if (a.balancer == nullptr || b.balancer == nullptr) {
    return false;
  }
  auto const same_pool = [](pool::PoolPtr const& one, pool::PoolPtr const& two) {
    return one == two || (one != nullptr && two != nullptr && *one == *two);
  };
  auto const same_pools = [&same_pool](auto const& one, auto const& two) {
    return std::equal(one.begin(), one.end(), two.begin(), two.end(), same_pool);
  };
  pool::LoadBalancer const& one = *a.balancer;
  pool::LoadBalancer const& two = *b.balancer;
  return one.name == two.name && one.ttl == two.ttl && one.ready == two.ready && one.steering == two.steering &&
         one.failback_s == two.failback_s && one.bindings == two.bindings && one.pool_weights == two.pool_weights &&
         same_pool(one.fallback_pool, two.fallback_pool) && same_pools(one.pools, two.pools) &&
         std::equal(one.region_pools.begin(), one.region_pools.end(), two.region_pools.begin(), two.region_pools.end(),
                    [&](auto const& x, auto const& y) { return x.first == y.first && same_pools(x.second, y.second); });
}

// What answers change when `entry` does, while names and delegations stay where they are.
Touched touched_by_change(Entry const& entry, bool subtree) {
  dns::Name const name = entry.name();
  if (name.is_wildcard()) {
    return {name.parent(), true};
  }
  return {name, subtree || has_type(entry, dns::type_dname)};
}

Touched touched_by_presence(dns::Name const& topmost) {
  return {topmost.is_wildcard() ? topmost.parent() : topmost, true};
}

// --- NSEC3 ---

bool is_presigned(Zone const& zone) {
  auto const found = zone.metadata.find("PRESIGNED");
  return found != zone.metadata.end() && found->second.size() == 1 && found->second.front() == "1";
}

// Whoever signed a zone elsewhere may have put insecure delegations into an opt-out chain all the same. What came with
// the signatures tells: there is one for the NSEC3 record.
bool signed_in_chain(Zone const& zone, Entry const& entry) {
  auto const settings = is_presigned(zone) ? nsec3_of(zone) : std::nullopt;
  if (!settings) {
    return false;
  }
  auto const owner = zone.apex.child(dns::nsec3_hash(entry.name(), settings->salt, settings->iterations));
  Entry const* const found = owner ? entry_at(zone, owner->key()) : nullptr;
  return found != nullptr && has_type(*found, dns::type_rrsig);
}

bool is_insecure_delegation(Zone const& zone, Entry const& entry) {
  return entry.cut && !has_type(entry, dns::type_ds) && !signed_in_chain(zone, entry);
}

// RFC 5155 7.1: with opt-out an insecure delegation is left out.
bool in_nsec3(Zone const& zone, Entry const& entry, Nsec3 const& settings) {
  if (entry.below_cut || entry.only_signatures()) {
    return false;
  }
  if (!settings.opt_out || entry.key == zone.apex.key()) {
    return true;
  }
  if (entry.cut) {
    return !is_insecure_delegation(zone, entry);
  }
  if (!entry.is_ent() || !settings.omits_ents) {
    return true;
  }
  bool found = false;
  zone.entries.for_each_from(entry.key, [&](EntryPtr const& below) {
    if (!below->is_within(entry)) {
      return false;
    }
    found = !below->is_ent() && !below->below_cut && !is_insecure_delegation(zone, *below);
    return !found;
  });
  return found;
}

void update_nsec3(Zone& zone, std::set<dns::Name> names, std::vector<Touched>& touched) {
  auto const settings = nsec3_of(zone);
  if (!settings) {
    return;
  }
  if (settings->omits_ents) {
    // Whether an ancestor that is an empty non-terminal belongs to the chain depends on what is below it.
    std::set<dns::Name> ancestors;
    for (dns::Name const& name : names) {
      for (dns::Name up = name; up != zone.apex && ancestors.insert(up.parent()).second;) {
        up = up.parent();
      }
    }
    names.merge(ancestors);
  }
  for (dns::Name const& name : names) {
    EntryPtr const* const entry = zone.entries.find(name.key());
    std::string const hash = dns::nsec3_hash(name, settings->salt, settings->iterations);
    bool const wanted = entry != nullptr && in_nsec3(zone, **entry, *settings);
    EntryPtr const* const present = zone.nsec3.find(hash);
    if (entry != nullptr && (*entry)->is_ent() && wanted != (present != nullptr)) {
      touched.push_back({name, false});  // its authority came or went, see is_authoritative_ent()
    }
    if (!wanted) {
      zone.nsec3 = zone.nsec3.erase(hash);
    } else if (present == nullptr || *present != *entry) {
      zone.nsec3 = zone.nsec3.insert(hash, *entry);
    }
  }
}

// --- one name ---

// Creates the empty non-terminals above `name`; the topmost name that did not exist.
dns::Name add_ancestors(Zone& zone, dns::Name const& name, std::set<dns::Name>& changed) {
  std::vector<dns::Name> missing;
  for (dns::Name up = name; up != zone.apex; up = up.parent()) {
    if (entry_at(zone, up.key()) != nullptr) {
      break;
    }
    missing.push_back(up);
  }
  for (std::size_t i = missing.size(); i-- > 1;) {
    Entry const* const parent = entry_at(zone, dns::parent_key(missing[i].key()));
    zone.entries = zone.entries.insert(make_entry(zone, missing[i].key(), {}, parent));
    changed.insert(missing[i]);
  }
  return missing.empty() ? name : missing.back();
}

// Removes `name` and the empty non-terminals that led to it alone; the topmost name that is gone.
dns::Name remove_with_ancestors(Zone& zone, dns::Name const& name, std::set<dns::Name>& changed) {
  dns::Name topmost = name;
  for (dns::Name up = name;; up = up.parent()) {
    zone.entries = zone.entries.erase(up.key());
    changed.insert(up);
    topmost = up;
    Entry const* const parent = up == zone.apex ? nullptr : entry_at(zone, dns::parent_key(up.key()));
    if (parent == nullptr || parent->key == zone.apex.key() || !parent->is_ent() || has_below(zone, parent->key)) {
      return topmost;
    }
  }
}

// Below a delegation that came or went every name is hidden or shown.
void refresh_below(Zone& zone, dns::Name const& top, std::set<dns::Name>& changed) {
  std::vector<EntryPtr> below;
  zone.entries.for_each_from(top.key(), [&](EntryPtr const& entry) {
    bool const within = entry->key.starts_with(top.key());
    if (within && entry->key != top.key()) {
      below.push_back(entry);
    }
    return within;
  });
  for (EntryPtr const& entry : below) {  // in canonical order a parent comes before its children
    Entry const* const parent = entry_at(zone, dns::parent_key(entry->key));
    bool const hidden = parent->cut || parent->below_cut;
    if (entry->below_cut != hidden) {
      auto next = std::make_shared<Entry>(*entry);
      next->below_cut = hidden;
      zone.entries = zone.entries.insert(std::move(next));
      changed.insert(entry->name());
    }
  }
}

}  // namespace

std::optional<Nsec3> nsec3_of(Zone const& zone) {
  auto const parameters = zone.metadata.find("NSEC3PARAM");
  auto const narrow = zone.metadata.find("NSEC3NARROW");
  if (parameters == zone.metadata.end() || parameters->second.empty() ||
      (narrow != zone.metadata.end() && !narrow->second.empty() && narrow->second[0] == "1")) {
    return std::nullopt;
  }
  std::istringstream words(parameters->second[0]);
  unsigned algorithm = 0;
  unsigned flags = 0;
  Nsec3 result;
  std::string salt;
  words >> algorithm >> flags >> result.iterations >> salt;
  constexpr unsigned iterations_max = 2500;  // RFC 5155 10.3
  bool const valid_salt = salt == "-" || salt.size() % 2 == 0;
  if (words.fail() || algorithm != 1 || result.iterations > iterations_max || !valid_salt) {
    return std::nullopt;
  }
  result.opt_out = (flags & 1U) != 0;
  result.omits_ents = result.opt_out && is_presigned(zone);
  for (std::size_t i = 0; salt != "-" && i + 1 < salt.size(); i += 2) {
    unsigned octet = 0;
    std::from_chars(salt.data() + i, salt.data() + i + 2, octet, 16);
    result.salt.push_back(static_cast<char>(octet));
  }
  return result;
}

bool is_authoritative_ent(Zone const& zone, Entry const& entry) {
  if (entry.below_cut || !is_presigned(zone)) {
    return !entry.below_cut;  // a lookup comes this way, and the settings are text
  }
  auto const settings = nsec3_of(zone);
  return !settings || !settings->omits_ents ||
         zone.nsec3.find(dns::nsec3_hash(entry.name(), settings->salt, settings->iterations)) != nullptr;
}

bool chain_follows_signatures(Zone const& zone) {
  auto const settings = is_presigned(zone) ? nsec3_of(zone) : std::nullopt;
  return settings && settings->opt_out;
}

void rebuild_nsec3(Zone& zone) {
  zone.nsec3 = {};
  auto const settings = nsec3_of(zone);
  if (!settings) {
    return;
  }
  std::map<std::string, EntryPtr> chain;
  zone.entries.for_each([&](EntryPtr const& entry) {
    if (in_nsec3(zone, *entry, *settings)) {
      chain.emplace(dns::nsec3_hash(entry->name(), settings->salt, settings->iterations), entry);
    }
  });
  std::vector<HashMap::Item> items;
  items.reserve(chain.size());
  for (auto const& [hash, entry] : chain) {
    items.push_back({hash, entry});
  }
  zone.nsec3 = HashMap::from_sorted(std::move(items));
}

void fill(Zone& zone, std::vector<OwnedNode> nodes) {
  std::sort(nodes.begin(), nodes.end(), [](auto const& a, auto const& b) { return a.key < b.key; });
  if (nodes.empty() || nodes.front().key != zone.apex.key()) {
    nodes.insert(nodes.begin(), {zone.apex.key(), Node{}});
  }
  std::vector<EntryPtr> items;
  items.reserve(nodes.size());
  std::vector<EntryPtr> path;  // from the apex to the last name
  auto const push = [&](std::string key, Node node) {
    EntryPtr entry = make_entry(zone, std::move(key), std::move(node), path.empty() ? nullptr : path.back().get());
    items.push_back(entry);
    path.push_back(std::move(entry));
  };
  for (auto& [key, node] : nodes) {
    ASSERT(key.starts_with(zone.apex.key()));
    while (!path.empty() && !key.starts_with(path.back()->key)) {
      path.pop_back();
    }
    std::vector<std::string_view> missing;
    for (std::string_view up = dns::parent_key(key); !path.empty() && up != path.back()->key;
         up = dns::parent_key(up)) {
      missing.push_back(up);
    }
    for (std::size_t i = missing.size(); i-- > 0;) {
      push(std::string(missing[i]), {});
    }
    push(std::move(key), std::move(node));
  }
  zone.entries = EntrySet::from_sorted(items);
  rebuild_nsec3(zone);
}

bool same_content(Entry const& a, Entry const& b) {
  return a.key == b.key && a.rrsets == b.rrsets && a.balancer_has4 == b.balancer_has4 &&
         a.balancer_has6 == b.balancer_has6 && a.balancer_has_target == b.balancer_has_target && a.cut == b.cut &&
         a.below_cut == b.below_cut && same_balancer(a, b);
}

void set_node(Zone& zone, dns::Name const& name, Node node, std::vector<Touched>& touched) {
  EntryPtr const* const found = zone.entries.find(name.key());
  EntryPtr const old = found == nullptr ? nullptr : *found;
  std::set<dns::Name> changed{name};
  bool const stays = !node.empty() || name == zone.apex || (old != nullptr && has_below(zone, name.key()));
  if (!stays) {
    if (old != nullptr) {
      touched.push_back(touched_by_presence(remove_with_ancestors(zone, name, changed)));
      update_nsec3(zone, std::move(changed), touched);
    }
    return;
  }
  dns::Name const topmost = old != nullptr ? name : add_ancestors(zone, name, changed);
  Entry const* const parent = name == zone.apex ? nullptr : entry_at(zone, dns::parent_key(name.key()));
  auto const next = make_entry(zone, name.key(), std::move(node), parent);
  if (old != nullptr && same_content(*old, *next)) {
    return;
  }
  zone.entries = zone.entries.insert(next);
  bool const moved = (old != nullptr && old->cut) != next->cut;
  if (moved) {
    refresh_below(zone, name, changed);
  }
  if (old == nullptr) {
    touched.push_back(touched_by_presence(topmost));
  } else {
    touched.push_back(touched_by_change(*next, moved || has_type(*old, dns::type_dname)));
  }
  update_nsec3(zone, std::move(changed), touched);
}

void compare(Zone const& before, Zone const& after, std::vector<Touched>& touched) {
  auto const* old = before.entries.first();
  auto const* now = after.entries.first();
  while (old != nullptr || now != nullptr) {
    if (now == nullptr || (old != nullptr && old->key < now->key)) {
      touched.push_back(touched_by_presence(old->name()));
      old = before.entries.upper_bound(old->key);
    } else if (old == nullptr || now->key < old->key) {
      touched.push_back(touched_by_presence(now->name()));
      now = after.entries.upper_bound(now->key);
    } else {
      Entry const& was = *old;
      if (!same_content(was, *now)) {
        touched.push_back(touched_by_change(*now, was.cut != now->cut || has_type(was, dns::type_dname)));
      }
      old = before.entries.upper_bound(old->key);
      now = after.entries.upper_bound(now->key);
    }
  }
}

void tidy(std::vector<Touched>& touched, Snapshot const& snapshot, std::size_t names_max) {
  std::map<std::string, std::size_t> names;
  if (touched.size() > names_max) {
    for (Touched& one : touched) {
      ZonePtr const zone = snapshot.enclosing(one.name);
      if (zone != nullptr && ++names[zone->apex.key()] > names_max) {
        one = {zone->apex, true};
      }
    }
  }
  // In canonical order a subtree's top comes first; at one name the larger claim does.
  std::sort(touched.begin(), touched.end(), [](Touched const& a, Touched const& b) {
    return a.name != b.name ? a.name < b.name : a.subtree > b.subtree;
  });
  std::vector<Touched> kept;
  std::size_t cover = touched.size();  // index into kept of the last subtree
  for (Touched& one : touched) {
    bool const covered = cover < kept.size() && one.name.is_within(kept[cover].name);
    if (covered || (!kept.empty() && kept.back().name == one.name)) {
      continue;
    }
    kept.push_back(std::move(one));
    cover = kept.back().subtree ? kept.size() - 1 : cover;
  }
  touched = std::move(kept);
}

}  // namespace store
