// Zones and RRsets: their bodies are dns-backend/writes.
#include "dns-backend/store/state.hpp"

#include <algorithm>

namespace store {

net::Task<base::Result<Revision>> Store::create_zone(dns::Name apex, ZoneSettings settings,
                                                     std::vector<dns::OwnedRRset> rrsets) {
  Body body = [apex, settings = std::move(settings), rrsets = std::move(rrsets)](Write const& write) {
    auto const checked = check_settings(settings);
    return checked ? store::create_zone(write, apex, *checked, rrsets) : base::Result<void>(checked.error());
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::import_zone(dns::Name apex, std::vector<dns::OwnedRRset> rrsets) {
  Body body = [apex, rrsets = std::move(rrsets)](Write const& write) {
    return store::import_zone(write, apex, rrsets);
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::replace_rrsets(dns::Name apex, std::vector<dns::OwnedRRset> rrsets) {
  Body body = [apex, rrsets = std::move(rrsets)](Write const& write) {
    return store::replace_rrsets(write, apex, rrsets);
  };
  co_return co_await state_->write(std::move(body));
}

net::Task<base::Result<Revision>> Store::delete_zone(dns::Name apex) {
  Body body = [apex](Write const& write) { return store::delete_zone(write, apex); };
  co_return co_await state_->write(std::move(body));
}

std::vector<ZoneInfo> Store::zones() const {
  std::vector<ZoneInfo> list;
  auto const snapshot = state_->published.copy();
  snapshot->zones.for_each([&list](std::string const&, ZonePtr const& zone) {
    bool const secured = std::any_of(zone->keys.begin(), zone->keys.end(), [](Key const& key) { return key.active; });
    list.push_back({zone->apex, zone->serial, zone->kind, zone->entries.size(), secured, zone->masters, zone->account});
  });
  return list;
}

}  // namespace store
