// Which names lead to a name: whose answers hold what stands at another one, because PowerDNS follows or adds it by
// itself and caches the whole under the name that was asked.
//
//   CNAME, DNAME                            followed, into other zones too
//   NS, MX, SRV, NAPTR, HTTPS, SVCB         their target's addresses are added, when the target is in the same zone
//
// Kept by target: one ordered set of "target, alias, zone", so that what leads to a name, or to anything below it, is
// one range. (A delegation and the apex of the zone below it are one name in two zones.) A value in a persistent set: a
// copy is free, a change copies a path.
//
// Threads: immutable once it is part of a Snapshot.
#pragma once

#include "dns-backend/snapshot/persistent/persistent_map.hpp"

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace store {

// That the answers of a name hold what stands at `target`, or (DNAME) at names below it.
struct Link {
  std::string target;  // Name::key()
  bool below = false;
  // The answers that do are not only those of the name itself, but of everything below it: a DNAME, a delegation.
  bool subtree = false;
  auto operator<=>(Link const&) const = default;
};
using Links = std::set<Link>;

class LeadingNames {
 public:
  struct Lead {
    std::string alias;  // Name::key()
    bool subtree = false;
  };

  // A name of a zone and what it leads to. Of one target and kind there is one link.
  struct Named {
    std::int64_t zone_id = 0;
    std::string key;  // Name::key()
    Links links;
  };

  // The links of the name with this key were `before` and are `now`.
  void set(std::int64_t zone_id, std::string_view key, Links const& before, Links const& now);
  // The same for many names that had none, at once and cheaper: into an empty index.
  static LeadingNames of(std::vector<Named> const& names);

  // What leads to the name with this key, and with `subtree` to anything below it; while visit(Lead) returns true. Costs
  // as much as there is of it, and a look at each name above.
  template <class Visit>
  void visit(std::string_view key, bool subtree, Visit&& visit) const;

  [[nodiscard]] std::size_t size() const { return at_.size() + below_.size(); }

 private:
  struct Item {
    std::string key;  // the target's key, an empty label, the alias's key, the zone's id
    std::uint16_t alias_at = 0;
    std::uint16_t alias_size = 0;
    bool subtree = false;
  };
  struct KeyOf {
    std::string_view operator()(Item const& item) const { return item.key; }
  };
  using Items = PersistentSet<Item, KeyOf>;

  static std::shared_ptr<Item const> item(std::int64_t zone_id, std::string_view alias, Link const& link);
  template <class Visit>
  static bool range(Items const& items, std::string_view prefix, Visit& visit);

  Items at_;
  Items below_;  // by the DNAME's target: leads to what lies below it
};

// No label is empty, so this cannot be part of a longer key.
inline constexpr std::string_view empty_label{"\0\0", 2};

template <class Visit>
bool LeadingNames::range(Items const& items, std::string_view prefix, Visit& visit) {
  bool more = true;
  items.for_each_from(prefix, [&](std::shared_ptr<Item const> const& one) {
    if (!one->key.starts_with(prefix)) {
      return false;
    }
    more = visit(Lead{one->key.substr(one->alias_at, one->alias_size), one->subtree});
    return more;
  });
  return more;
}

template <class Visit>
void LeadingNames::visit(std::string_view key, bool subtree, Visit&& visit) const {
  std::string const exact = std::string(key).append(empty_label);
  std::string_view const wanted = subtree ? key : std::string_view(exact);
  if (!range(at_, wanted, visit) || (subtree && !range(below_, wanted, visit)) || below_.empty()) {
    return;
  }
  // A DNAME at a name above reaches this one.
  for (std::size_t end = 0; end < key.size();) {
    std::string const above = std::string(key.substr(0, end)).append(empty_label);
    if (!range(below_, above, visit)) {
      return;
    }
    end = key.find(empty_label, end) + empty_label.size();
  }
}

}  // namespace store
