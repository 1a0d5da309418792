#include "dns-backend/remote/neighbours.hpp"

#include <algorithm>

namespace remote {
namespace {

using store::Entry;

bool in_chain(Entry const& entry) {
  return !entry.below_cut && !entry.is_ent() && !entry.only_signatures();
}

// The apex is always in the chain, so that both walks end.
Entry const* chained_at_or_before(store::Zone const& zone, std::string const& key) {
  Entry const* item = zone.entries.predecessor(key);
  while (item != nullptr && !in_chain(*item)) {
    item = zone.entries.before(item->key);
  }
  return item != nullptr ? item : nullptr;
}

Entry const* chained_after(store::Zone const& zone, std::string const& key) {
  Entry const* item = zone.entries.upper_bound(key);
  while (item != nullptr && !in_chain(*item)) {
    item = zone.entries.upper_bound(item->key);
  }
  return item;
}

std::optional<Neighbours> in_nsec(store::Zone const& zone, std::string_view qname) {
  std::string absolute(qname);
  if (!absolute.ends_with('.')) {
    absolute += '.';
  }
  absolute = absolute == "." ? zone.apex.text() : zone.apex.is_root() ? absolute : absolute + zone.apex.text();
  base::Result<dns::Name> const name = dns::Name::parse(absolute);
  Entry const* const apex = zone.entries.first();
  if (!name || apex == nullptr || !in_chain(*apex)) {
    return std::nullopt;
  }
  // Nothing in the zone sorts before its apex, so only `after` can wrap.
  Entry const* before = chained_at_or_before(zone, name->key());
  Entry const* after = chained_after(zone, name->key());
  before = before != nullptr ? before : apex;
  after = after != nullptr ? after : apex;
  dns::Name const owner = before->name();
  return Neighbours{owner.text(), owner.relative_to(zone.apex), after->name().relative_to(zone.apex)};
}

std::optional<Neighbours> in_nsec3(store::Zone const& zone, std::string_view qname) {
  if (zone.nsec3.empty()) {
    return std::nullopt;
  }
  std::string hash(qname.substr(0, qname.find('.')));
  std::transform(hash.begin(), hash.end(), hash.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  auto const* before = zone.nsec3.predecessor(hash);
  auto const* after = zone.nsec3.upper_bound(hash);
  before = before != nullptr ? before : zone.nsec3.last();
  after = after != nullptr ? after : zone.nsec3.first();
  return Neighbours{before->value->name().text(), before->key, after->key};
}

}  // namespace

std::optional<Neighbours> neighbours(store::Zone const& zone, std::string_view qname) {
  return zone.metadata.contains("NSEC3PARAM") ? in_nsec3(zone, qname) : in_nsec(zone, qname);
}

}  // namespace remote
