#include "dns-backend/snapshot/persistent/leading_names.hpp"

#include <algorithm>

namespace store {

std::shared_ptr<LeadingNames::Item const> LeadingNames::item(std::int64_t zone_id, std::string_view alias,
                                                            Link const& link) {
  std::string const zone = std::to_string(zone_id);
  Item out;
  out.key.reserve(link.target.size() + empty_label.size() + alias.size() + zone.size());
  out.key.append(link.target).append(empty_label);
  out.alias_at = static_cast<std::uint16_t>(out.key.size());
  out.alias_size = static_cast<std::uint16_t>(alias.size());
  out.key.append(alias).append(zone);
  out.subtree = link.subtree;
  return std::make_shared<Item const>(std::move(out));
}

void LeadingNames::set(std::int64_t zone_id, std::string_view key, Links const& before, Links const& now) {
  if (before == now) {
    return;
  }
  for (Link const& link : before) {
    if (!now.contains(link)) {
      Items& items = link.below ? below_ : at_;
      items = items.erase(item(zone_id, key, link)->key);
    }
  }
  for (Link const& link : now) {
    if (!before.contains(link)) {
      Items& items = link.below ? below_ : at_;
      items = items.insert(item(zone_id, key, link));
    }
  }
}

LeadingNames LeadingNames::of(std::vector<Named> const& names) {
  std::vector<std::shared_ptr<Item const>> at;
  std::vector<std::shared_ptr<Item const>> below;
  for (Named const& name : names) {
    for (Link const& link : name.links) {
      (link.below ? below : at).push_back(item(name.zone_id, name.key, link));
    }
  }
  LeadingNames out;
  for (auto const& [items, set] : {std::pair{&at, &out.at_}, std::pair{&below, &out.below_}}) {
    std::sort(items->begin(), items->end(), [](auto const& one, auto const& two) { return one->key < two->key; });
    *set = Items::from_sorted(*items);
  }
  return out;
}

}  // namespace store
