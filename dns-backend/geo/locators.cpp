#include "dns-backend/geo/locators.hpp"

#include "dns-backend/geo/cidr_map.hpp"
#include "dns-backend/geo/mmdb.hpp"

#include <algorithm>

namespace geo {
namespace {

class MapThenDatabase final : public Locator {
 public:
  MapThenDatabase(std::shared_ptr<CidrMap const> map, std::shared_ptr<Mmdb const> database)
      : map_(std::move(map)), database_(std::move(database)) {}

  [[nodiscard]] std::optional<Place> locate(Client const& client) const override {
    CidrMap::Match const own = map_->match(client);
    if (own.entry != nullptr) {
      return map_->locate(client);
    }
    std::optional<Place> place = database_->locate(client);
    if (place) {
      // A neighbour within the database's prefix may be in the map.
      place->scope_bits = std::max(place->scope_bits, own.scope_bits);
    }
    return place;
  }

 private:
  std::shared_ptr<CidrMap const> map_;
  std::shared_ptr<Mmdb const> database_;
};

}  // namespace

boost::system::result<std::shared_ptr<Locator const>, base::Problems> load_locator(Files const& files) {
  base::Problems problems;
  std::shared_ptr<CidrMap const> map;
  std::shared_ptr<Mmdb const> database;
  auto const take = [&problems](auto loaded, auto& place) {
    if (loaded) {
      place = std::move(*loaded);
    } else {
      base::Problems const theirs = loaded.error();
      problems.insert(problems.end(), theirs.begin(), theirs.end());
    }
  };
  if (!files.cidr_map.empty()) {
    take(CidrMap::load(files.cidr_map), map);
  }
  if (!files.mmdb.empty()) {
    take(Mmdb::open(files.mmdb), database);
  }
  if (!problems.empty()) {
    return problems;
  }
  if (map && database) {
    return std::make_shared<MapThenDatabase const>(std::move(map), std::move(database));
  }
  return map ? std::shared_ptr<Locator const>(std::move(map)) : std::shared_ptr<Locator const>(std::move(database));
}

}  // namespace geo
