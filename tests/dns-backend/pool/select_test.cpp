#include "dns-backend/pool/select.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

namespace pool {
namespace {

using probe::Health;
using testing::ElementsAre;

std::vector<std::string> names(Selection const& selection) {
  std::vector<std::string> out;
  for (Endpoint const* endpoint : selection.endpoints) {
    out.push_back(endpoint->name);
  }
  return out;
}

class World {
 public:
  // "a+ b- c?": endpoints with their health; "(a+)" is disabled.
  World& pool(std::string const& name, std::string const& endpoints, std::uint32_t minimum = 1) {
    auto made = std::make_shared<Pool>();
    made->name = name;
    made->minimum_origins = minimum;
    std::string word;
    for (char const letter : endpoints + " ") {
      if (letter != ' ') {
        word += letter;
        continue;
      }
      if (!word.empty()) {
        made->endpoints.push_back(endpoint(word));
        word.clear();
      }
    }
    balancer.pools.push_back(made);
    return *this;
  }
  [[nodiscard]] Selection selected(Family family = Family::any) const { return select(balancer, health, family); }

  LoadBalancer balancer;
  HealthTable health;

 private:
  Endpoint endpoint(std::string word) {
    Endpoint out;
    out.enabled = word.front() != '(';
    std::erase_if(word, [](char letter) { return letter == '(' || letter == ')'; });
    out.name = word.substr(0, word.size() - 1);
    out.address4 = "192.0.2.1";
    out.slot = health.slot(out.name);
    switch (word.back()) {
      case '+':
        health.set(out.slot, Health::up);
        break;
      case '-':
        health.set(out.slot, Health::down);
        break;
      default:
        break;
    }
    return out;
  }
};

struct Case {
  char const* says;
  std::function<void(World&)> build;
  std::vector<std::string> answered;
  char const* from;
  bool healthy;
};

std::vector<Case> const rule_table = {
    {"all up ones of the first pool",
     [](World& w) { w.pool("p", "a+ b- c+ d?").pool("q", "e+"); },
     {"a", "c"},
     "p",
     true},
    {"the next pool below the minimum", [](World& w) { w.pool("p", "a+ b-", 2).pool("q", "c+"); }, {"c"}, "q", true},
    {"the minimum is waived before anything else",
     [](World& w) { w.pool("p", "a+ b-", 2).pool("q", "c+ d?", 2); },
     {"a"},
     "p",
     true},
    {"unknown counts only when none is up", [](World& w) { w.pool("p", "a? b?").pool("q", "c+"); }, {"c"}, "q", true},
    {"unknown before down", [](World& w) { w.pool("p", "a- b?").pool("q", "c-"); }, {"b"}, "p", true},
    {"a cold start answers the first pool",
     [](World& w) { w.pool("p", "a? b?", 2).pool("q", "c?"); },
     {"a", "b"},
     "p",
     true},
    {"disabled endpoints do not exist", [](World& w) { w.pool("p", "(a+) b-").pool("q", "c+"); }, {"c"}, "q", true},
    {"serve-all answers as if all were up",
     [](World& w) { w.pool("p", "a- b- (c-)").pool("q", "d-"); },
     {"a", "b"},
     "p",
     false},
    {"fallback answers the last pool",
     [](World& w) {
       w.pool("p", "a-").pool("q", "b- c-").pool("r", "(d-)");
       w.balancer.all_down = AllDown::fallback;
     },
     {"b", "c"},
     "q",
     false},
    {"empty answers nothing",
     [](World& w) {
       w.pool("p", "a-");
       w.balancer.all_down = AllDown::empty;
     },
     {},
     "",
     false},
    {"only ready endpoints",
     [](World& w) {
       w.pool("p", "a+ b+");
       w.balancer.ready = std::set<std::string>{"b"};
     },
     {"b"},
     "p",
     true},
    {"a ready backup before a primary that is not",
     [](World& w) {
       w.pool("p", "a+").pool("q", "b+");
       w.balancer.ready = std::set<std::string>{"b"};
     },
     {"b"},
     "q",
     true},
    {"not even when the ready one is down",
     [](World& w) {
       w.pool("p", "a+ b-");
       w.balancer.ready = std::set<std::string>{"b"};
     },
     {"b"},
     "p",
     false},
    {"readiness of nobody restricts nobody",
     [](World& w) {
       w.pool("p", "a+ (b+)");
       w.balancer.ready = std::set<std::string>{"b", "gone"};
     },
     {"a"},
     "p",
     true},
    {"no pools, no answer", [](World&) {}, {}, "", false},
    {"an empty pool is passed over", [](World& w) { w.pool("p", "").pool("q", "a+"); }, {"a"}, "q", true},
    {"a minimum of zero means one", [](World& w) { w.pool("p", "a-", 0).pool("q", "b+", 0); }, {"b"}, "q", true},
};

TEST(Select, FollowsTheRuleTable) {
  for (Case const& row : rule_table) {
    World world;
    row.build(world);
    Selection const selection = world.selected();
    EXPECT_EQ(names(selection), row.answered) << row.says;
    EXPECT_EQ(selection.pool == nullptr ? std::string() : selection.pool->name, row.from) << row.says;
    EXPECT_EQ(selection.healthy, row.healthy) << row.says;
  }
}

TEST(Select, KeepsTheEndpointThatWasUpLast) {
  World world;
  world.pool("p", "a+ b+").pool("q", "c+");
  world.balancer.all_down = AllDown::keep_last;
  world.health.set(world.health.slot("c"), Health::down);
  world.health.set(world.health.slot("a"), Health::down);
  EXPECT_THAT(names(world.selected()), ElementsAre("b"));
  world.health.set(world.health.slot("b"), Health::down);
  Selection const kept = world.selected();
  EXPECT_THAT(names(kept), ElementsAre("b"));
  EXPECT_EQ(kept.pool->name, "p");
  EXPECT_FALSE(kept.healthy);
}

TEST(Select, KeepLastServesAllWhenNothingWasEverUp) {
  World world;
  world.pool("p", "a- b-").pool("q", "c-");
  world.balancer.all_down = AllDown::keep_last;
  EXPECT_THAT(names(world.selected()), ElementsAre("a", "b"));
}

TEST(Select, PassesOverEndpointsWithoutAnAddressOfTheFamily) {
  World world;
  auto first = std::make_shared<Pool>();
  first->name = "p";
  first->endpoints = {{"six", "", "2001:db8::1", world.health.slot("six"), true, 1}};
  auto second = std::make_shared<Pool>();
  second->name = "q";
  second->endpoints = {{"four", "192.0.2.1", "", world.health.slot("four"), true, 1},
                       {"none", "", "", world.health.slot("none"), true, 1}};
  world.balancer.pools = {first, second};
  world.health.set(world.health.slot("six"), Health::up);
  EXPECT_THAT(names(world.selected(Family::ipv6)), ElementsAre("six"));
  EXPECT_THAT(names(world.selected(Family::ipv4)), ElementsAre("four"))
      << "an A answer exists while any IPv4 endpoint does";
  EXPECT_THAT(names(world.selected()), ElementsAre("six"));
}

// --- every small case against the rules, stated independently of the code ---

// One endpoint: health and readiness, or disabled.
constexpr int kinds = 7;
struct Kind {
  Health health;
  bool ready;
  bool enabled;
};
Kind kind(int index) {
  return index == 6 ? Kind{Health::up, true, false} : Kind{static_cast<Health>(index % 3), index < 3, true};
}

void expect_rules(LoadBalancer const& balancer, HealthTable const& health, Selection const& selection) {
  bool any_ready = false;
  for (auto const& pool : balancer.pools) {
    for (Endpoint const& endpoint : pool->endpoints) {
      any_ready = any_ready || (endpoint.enabled && balancer.ready && balancer.ready->contains(endpoint.name));
    }
  }
  auto const candidate = [&](Endpoint const& endpoint) {
    return endpoint.enabled && (!any_ready || balancer.ready->contains(endpoint.name));
  };
  // How many candidates of a pool have this health.
  auto const count = [&](Pool const& pool, Health wanted) {
    return static_cast<std::size_t>(std::count_if(pool.endpoints.begin(), pool.endpoints.end(), [&](Endpoint const& e) {
      return candidate(e) && health.get(e.slot) == wanted;
    }));
  };
  auto const total = [&](Health wanted) {
    std::size_t sum = 0;
    for (auto const& pool : balancer.pools) {
      sum += count(*pool, wanted);
    }
    return sum;
  };
  bool const has_up = total(Health::up) > 0;
  bool const has_unknown = total(Health::unknown) > 0;
  bool const has_any = has_up || has_unknown || total(Health::down) > 0;
  Health const answered = has_up ? Health::up : has_unknown ? Health::unknown : Health::down;
  ASSERT_EQ(selection.healthy, has_up || has_unknown);
  ASSERT_EQ(selection.endpoints.empty(), !has_any || (answered == Health::down && balancer.all_down == AllDown::empty));
  if (selection.endpoints.empty()) {
    return;
  }
  auto const chosen = std::find_if(balancer.pools.begin(), balancer.pools.end(),
                                   [&](auto const& pool) { return pool.get() == selection.pool; });
  ASSERT_NE(chosen, balancer.pools.end());
  std::size_t in_pool = 0;
  for (Endpoint const& endpoint : (*chosen)->endpoints) {
    bool const selected = std::count(selection.endpoints.begin(), selection.endpoints.end(), &endpoint) == 1;
    in_pool += selected ? 1 : 0;
    ASSERT_EQ(selected, candidate(endpoint) && health.get(endpoint.slot) == answered) << endpoint.name;
  }
  ASSERT_EQ(in_pool, selection.endpoints.size()) << "all from one pool, each once";
  ASSERT_TRUE(std::is_sorted(selection.endpoints.begin(), selection.endpoints.end())) << "configuration order";
  auto const enough = [&](auto const& pool) {
    return count(*pool, answered) >= std::max<std::size_t>(1, pool->minimum_origins);
  };
  auto const some = [&](auto const& pool) { return count(*pool, answered) > 0; };
  auto expected = std::find_if(balancer.pools.begin(), balancer.pools.end(), enough);
  if (expected == balancer.pools.end()) {
    expected = std::find_if(balancer.pools.begin(), balancer.pools.end(), some);
  }
  if (answered == Health::down && balancer.all_down == AllDown::fallback) {
    expected = std::find_if(balancer.pools.rbegin(), balancer.pools.rend(), some).base() - 1;
  }
  ASSERT_EQ(*chosen, *expected);
}

TEST(Select, KeepsEveryRuleInEverySmallCase) {
  HealthTable health;
  LoadBalancer balancer;
  std::array<std::shared_ptr<Pool>, 2> pools;
  for (std::size_t p = 0; p < 2; ++p) {
    pools[p] = std::make_shared<Pool>();
    pools[p]->name = p == 0 ? "p" : "q";
    for (int e = 0; e < 2; ++e) {
      std::string const name = pools[p]->name + std::to_string(e);
      pools[p]->endpoints.push_back({name, "192.0.2.1", "", health.slot(name), true, 1});
    }
    balancer.pools.push_back(pools[p]);
  }
  int cases = 0;
  for (int combination = 0; combination < kinds * kinds * kinds * kinds; ++combination) {
    std::set<std::string> ready;
    int rest = combination;
    for (auto const& pool : pools) {
      for (Endpoint& endpoint : pool->endpoints) {
        Kind const now = kind(rest % kinds);
        rest /= kinds;
        endpoint.enabled = now.enabled;
        health.set(endpoint.slot, now.health);
        if (now.ready) {
          ready.insert(endpoint.name);
        }
      }
    }
    for (int setting = 0; setting < 4 * 3 * 2; ++setting) {
      pools[0]->minimum_origins = static_cast<std::uint32_t>(setting % 2 + 1);
      pools[1]->minimum_origins = static_cast<std::uint32_t>(setting / 2 % 2 + 1);
      // keep_last depends on history and has tests of its own.
      balancer.all_down =
          std::array{AllDown::serve_all, AllDown::fallback, AllDown::empty}[static_cast<std::size_t>(setting) / 4 % 3];
      balancer.ready = setting / 12 == 0 ? std::nullopt : std::optional(ready);
      SCOPED_TRACE("combination " + std::to_string(combination) + " setting " + std::to_string(setting));
      expect_rules(balancer, health, select(balancer, health));
      if (HasFatalFailure()) {
        return;
      }
      ++cases;
    }
  }
  EXPECT_EQ(cases, 2401 * 24);
}

}  // namespace
}  // namespace pool
