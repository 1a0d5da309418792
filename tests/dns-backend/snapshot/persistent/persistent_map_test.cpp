#include "dns-backend/snapshot/persistent/persistent_map.hpp"

#include <gmock/gmock.h>

#include <map>
#include <random>

namespace store {
namespace {

using Map = PersistentMap<std::string, int>;
using Model = std::map<std::string, int>;

std::string key_of(std::uint64_t number) {
  // A long common prefix and a few zero octets, as names have them.
  std::string key("org\0\0example\0\0", 14);
  key += std::to_string(number);
  return key.append(number % 3, '\0');
}

Model contents(Map const& map) {
  Model model;
  map.for_each([&model](std::string const& key, int value) { model.emplace(key, value); });
  return model;
}

void expect_same(Map const& map, Model const& model) {
  ASSERT_TRUE(map.well_formed());
  ASSERT_EQ(map.size(), model.size());
  std::vector<std::pair<std::string, int>> order;
  map.for_each([&order](std::string const& key, int value) { order.emplace_back(key, value); });
  ASSERT_TRUE(std::equal(order.begin(), order.end(), model.begin(), model.end(),
                         [](auto const& a, auto const& b) { return a.first == b.first && a.second == b.second; }));
}

void expect_same_neighbours(Map const& map, Model const& model, std::string const& key) {
  auto const text = [](Map::Item const* item) { return item == nullptr ? "none" : item->key; };
  auto const at_or_after = model.lower_bound(key);
  auto const after = model.upper_bound(key);
  ASSERT_EQ(text(map.lower_bound(key)), at_or_after == model.end() ? "none" : at_or_after->first);
  ASSERT_EQ(text(map.upper_bound(key)), after == model.end() ? "none" : after->first);
  ASSERT_EQ(text(map.predecessor(key)), after == model.begin() ? "none" : std::prev(after)->first);
  ASSERT_EQ(text(map.before(key)), at_or_after == model.begin() ? "none" : std::prev(at_or_after)->first);
  int const* const found = map.find(key);
  ASSERT_EQ(found != nullptr, model.contains(key));
  if (found != nullptr) {
    ASSERT_EQ(*found, model.at(key));
  }
}

TEST(PersistentMap, an_empty_map_has_nothing_anywhere) {
  Map const map;
  EXPECT_TRUE(map.empty());
  EXPECT_TRUE(map.well_formed());
  EXPECT_EQ(map.find("a"), nullptr);
  EXPECT_EQ(map.first(), nullptr);
  EXPECT_EQ(map.last(), nullptr);
  EXPECT_EQ(map.predecessor("a"), nullptr);
  EXPECT_EQ(map.upper_bound("a"), nullptr);
  EXPECT_EQ(map.before("a"), nullptr);
  EXPECT_TRUE(map.erase("a").empty());
  EXPECT_TRUE(Map::from_sorted({}).well_formed());
}

TEST(PersistentMap, insert_replaces_and_erase_of_a_missing_key_is_the_same_map) {
  Map const one = Map().insert("a", 1);
  Map const two = one.insert("a", 2);
  EXPECT_EQ(*one.find("a"), 1);
  EXPECT_EQ(*two.find("a"), 2);
  EXPECT_EQ(two.size(), 1U);
  EXPECT_TRUE(two.erase("b").same_as(two));
  EXPECT_FALSE(two.erase("a").same_as(two));
  EXPECT_TRUE(two.erase("a").empty());
}

TEST(PersistentMap, behaves_like_std_map_in_random_operations) {
  for (unsigned const seed : {1U, 2U, 3U}) {
    std::mt19937_64 random(seed);
    Map map;
    Model model;
    for (int step = 0; step < 10000; ++step) {
      // Grows, shrinks and grows again.
      bool const shrinking = step / 2000 % 2 == 1;
      std::string const key = key_of(random() % 3000);
      if (random() % 10 < (shrinking ? 2U : 7U)) {
        map = map.insert(key, step);
        model[key] = step;
      } else {
        map = map.erase(key);
        model.erase(key);
      }
      ASSERT_NO_FATAL_FAILURE(expect_same_neighbours(map, model, key_of(random() % 3000)));
      if (step % 1000 == 0) {
        ASSERT_NO_FATAL_FAILURE(expect_same(map, model));
      }
    }
    ASSERT_NO_FATAL_FAILURE(expect_same(map, model));
    while (!model.empty()) {
      std::string const key = random() % 2 == 0 ? model.begin()->first : std::prev(model.end())->first;
      map = map.erase(key);
      model.erase(key);
      ASSERT_TRUE(model.size() % 16 != 0 || map.well_formed());
    }
    EXPECT_TRUE(map.empty());
  }
}

TEST(PersistentMap, old_versions_stay_as_they_were) {
  std::mt19937_64 random(7);
  std::vector<std::pair<Map, Model>> versions{{Map(), Model()}};
  for (int step = 0; step < 400; ++step) {
    // Branches off any version, not only the newest.
    auto [map, model] = versions[random() % versions.size()];
    for (int change = 0; change < 20; ++change) {
      std::string const key = key_of(random() % 500);
      if (random() % 3 != 0) {
        map = map.insert(key, step);
        model[key] = step;
      } else {
        map = map.erase(key);
        model.erase(key);
      }
    }
    versions.emplace_back(map, model);
  }
  for (auto const& [map, model] : versions) {
    ASSERT_NO_FATAL_FAILURE(expect_same(map, model));
  }
}

TEST(PersistentMap, bulk_building_gives_a_map_that_takes_further_changes) {
  for (std::size_t const count : {1U, 24U, 25U, 32U, 33U, 600U, 10000U}) {
    Model model;
    for (std::size_t i = 0; i < count; ++i) {
      model[key_of(i * 7)] = static_cast<int>(i);
    }
    std::vector<Map::Item> items;
    for (auto const& [key, value] : model) {
      items.push_back({key, value});
    }
    Map map = Map::from_sorted(std::move(items));
    ASSERT_NO_FATAL_FAILURE(expect_same(map, model));
    std::mt19937_64 random(count);
    for (int step = 0; step < 500; ++step) {
      std::string const key = key_of(random() % (count * 8));
      if (step % 2 == 0) {
        map = map.insert(key, step);
        model[key] = step;
      } else {
        map = map.erase(key);
        model.erase(key);
      }
      ASSERT_NO_FATAL_FAILURE(expect_same_neighbours(map, model, key));
    }
    ASSERT_NO_FATAL_FAILURE(expect_same(map, model));
  }
}

TEST(PersistentMap, a_walk_from_a_key_stops_when_told) {
  Map map;
  for (int i = 0; i < 1000; ++i) {
    map = map.insert(std::to_string(1000 + i), i);
  }
  std::vector<int> seen;
  map.for_each_from("1497x", [&seen](std::string const&, int value) {
    seen.push_back(value);
    return seen.size() < 3;
  });
  EXPECT_THAT(seen, testing::ElementsAre(498, 499, 500));
  seen.clear();
  map.for_each_from("1998", [&seen](std::string const&, int value) {
    seen.push_back(value);
    return true;
  });
  EXPECT_THAT(seen, testing::ElementsAre(998, 999));
  EXPECT_EQ(contents(map).size(), 1000U);
}

TEST(PersistentMap, an_erased_value_lives_no_longer_than_the_versions_that_have_it) {
  PersistentMap<std::string, std::shared_ptr<int>> map;
  std::weak_ptr<int> watched;
  for (int i = 0; i < 2000; ++i) {
    auto value = std::make_shared<int>(i);
    if (i == 1000) {
      watched = value;
    }
    map = map.insert(std::to_string(10000 + i), std::move(value));
  }
  auto old = map;
  map = map.erase("11000");
  EXPECT_FALSE(watched.expired());
  PersistentMap<std::string, std::shared_ptr<int>> copy = old;
  EXPECT_EQ(**copy.find("11000"), 1000);
  copy = {};
  EXPECT_FALSE(watched.expired());
  old = {};
  EXPECT_TRUE(watched.expired());
}

TEST(PersistentMap, keys_may_be_numbers) {
  PersistentMap<std::int64_t, int> map;
  for (int i = 0; i < 200; ++i) {
    map = map.insert(i * 2, i);
  }
  EXPECT_EQ(*map.find(100), 50);
  EXPECT_EQ(map.find(101), nullptr);
  EXPECT_EQ(map.upper_bound(100)->key, 102);
}

}  // namespace
}  // namespace store
