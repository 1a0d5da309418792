#include "dns-backend/pool/select.hpp"

#include "world.hpp"

#include <gmock/gmock.h>

#include <array>
#include <functional>

namespace pool {
namespace {

using probe::Health;
using testing::ElementsAre;

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
       w.policy(AllDown::fallback);
     },
     {"b", "c"},
     "q",
     false},
    {"empty answers nothing",
     [](World& w) {
       w.pool("p", "a-").pool("q", "b-");
       w["p"].all_down = AllDown::empty;
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
    {"draining is better than nothing", [](World& w) { w.pool("p", "a- b=").pool("q", "c- d="); }, {"b"}, "p", true},
    {"but not than what was never checked", [](World& w) { w.pool("p", "a=").pool("q", "c?"); }, {"c"}, "q", true},
    {"and counts for no minimum while others are up",
     [](World& w) { w.pool("p", "a+ b=", 2).pool("q", "c+ d+", 2); },
     {"c", "d"},
     "q",
     true},
    {"disabled pools do not exist",
     [](World& w) {
       w.pool("p", "a+").pool("q", "b+");
       w["p"].enabled = false;
     },
     {"b"},
     "q",
     true},
    {"the policy is that of the first pool with a candidate",
     [](World& w) {
       w.pool("o", "(z-)").pool("p", "a-").pool("q", "b-");
       w["o"].all_down = AllDown::empty;
       w["q"].all_down = AllDown::fallback;
     },
     {"a"},
     "p",
     false},
    {"the fallback pool answers with its up ones",
     [](World& w) {
       w.pool("p", "a-").pool("q", "b-");
       w.balancer.fallback_pool = w.make("f", "c+ d- e?", 3);
       w.policy(AllDown::fallback);
     },
     {"c"},
     "f",
     false},
    {"with what was never checked before what is down",
     [](World& w) {
       w.pool("p", "a-");
       w.balancer.fallback_pool = w.make("f", "d- e?");
       w.policy(AllDown::fallback);
     },
     {"e"},
     "f",
     false},
    {"and else with all of them",
     [](World& w) {
       w.pool("p", "a-");
       w.balancer.fallback_pool = w.make("f", "d- e-");
       w.policy(AllDown::fallback);
     },
     {"d", "e"},
     "f",
     false},
    {"a fallback pool without candidates is none",
     [](World& w) {
       w.pool("p", "a-").pool("q", "b-");
       w.balancer.fallback_pool = w.make("f", "d+");
       w["f"].enabled = false;
       w.policy(AllDown::fallback);
     },
     {"b"},
     "q",
     false},
    {"while anything works the fallback pool is nothing",
     [](World& w) {
       w.pool("p", "a=");
       w.balancer.fallback_pool = w.make("f", "d+");
       w.policy(AllDown::fallback);
     },
     {"a"},
     "p",
     true},
    {"without any candidate the fallback pool answers",
     [](World& w) {
       w.pool("p", "(a+)");
       w.balancer.fallback_pool = w.make("f", "d+ e-");
     },
     {"d"},
     "f",
     false},
    {"a ready fallback makes the others wait",
     [](World& w) {
       w.pool("p", "a+");
       w.balancer.fallback_pool = w.make("f", "d+");
       w.balancer.ready = std::set<std::string>{"d"};
     },
     {"d"},
     "f",
     false},
    {"what a nested pool answers counts as the outer one's",
     [](World& w) {
       w.pool("p", "a+", 3);
       w["p"].pools = {w.make("n", "b+ c- d+", 2)};
       w.pool("q", "e+");
     },
     {"a", "b", "d"},
     "p",
     true},
    {"a nested pool below its own minimum answers nothing",
     [](World& w) {
       w.pool("p", "a+", 2);
       w["p"].pools = {w.make("n", "b+ c-", 2)};
       w.pool("q", "e+");
     },
     {"e"},
     "q",
     true},
    {"unless all minima are waived",
     [](World& w) {
       w.pool("p", "a-");
       w["p"].pools = {w.make("n", "b+ c-", 2)};
       w.pool("q", "e-");
     },
     {"b"},
     "p",
     true},
    {"nested pools are chosen from before they count",
     [](World& w) {
       w.pool("p", "a+", 3);
       w["p"].pools = {w.make("n", "b+ c+ d+")};
       w["n"].origins_max = 1;
       w.pool("q", "e+");
     },
     {"e"},
     "q",
     true},
    {"an endpoint of two nested pools is answered once",
     [](World& w) {
       w.pool("p", "");
       w["p"].pools = {w.make("n", "a+ b+"), w.make("m", "b+ c+")};
     },
     {"a", "b", "c"},
     "p",
     true},
    {"a disabled nested pool does not exist",
     [](World& w) {
       w.pool("p", "a-");
       w["p"].pools = {w.make("n", "b+")};
       w["n"].enabled = false;
     },
     {"a"},
     "p",
     false},
    {"serve-all is for nested ones too",
     [](World& w) {
       w.pool("p", "a-");
       w["p"].pools = {w.make("n", "b- c-", 2)};
     },
     {"a", "b", "c"},
     "p",
     false},
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
  world.policy(AllDown::keep_last);
  world.health.set(world.health.slot("c"), Health::down);
  world.health.set(world.health.slot("a"), Health::down);
  EXPECT_THAT(names(world.selected()), ElementsAre("b"));
  world.health.set(world.health.slot("b"), Health::down);
  Selection const kept = world.selected();
  EXPECT_THAT(names(kept), ElementsAre("b"));
  EXPECT_EQ(kept.pool->name, "p");
  EXPECT_FALSE(kept.healthy);
}

TEST(Select, KeepsTheLastOneOfAnyPoolAndBelow) {
  World world;
  world.pool("p", "a-").pool("q", "");
  world["q"].pools = {world.make("n", "b+ c+")};
  world.policy(AllDown::keep_last);
  world.set("b", Health::down);
  world.set("c", Health::down);
  Selection const kept = world.selected();
  EXPECT_THAT(names(kept), ElementsAre("c"));
  EXPECT_EQ(kept.pool->name, "q");
}

TEST(Select, LooksSoManyLevelsDeepAndNoDeeper) {
  World world;
  world.pool("0", "");
  std::string outer = "0";
  for (unsigned level = 1; level <= nesting_max + 1; ++level) {
    std::string const inner = std::to_string(level);
    world[outer].pools = {world.make(inner, "e" + inner + "+")};
    outer = inner;
  }
  EXPECT_THAT(world.answer(), ElementsAre("e1", "e2", "e3", "e4"));
  static_assert(nesting_max == 4);
}

TEST(Select, GoesBackToAnEarlierPoolOnlyWhenItHasSettled) {
  World world;
  world.pool("p", "a- b-", 2).pool("q", "c-").pool("r", "d-");
  world.balancer.failback_s = 60;
  for (char const* const endpoint : {"a", "b", "c", "d"}) {
    world.set(endpoint, Health::up, 1000);
  }
  world.now_s = 1001;
  EXPECT_THAT(world.answer(), ElementsAre("a", "b")) << "nothing is settled: a cold start";
  world.now_s = 1100;
  EXPECT_THAT(world.answer(), ElementsAre("a", "b"));
  world.set("a", Health::down, 1100);
  EXPECT_THAT(world.answer(), ElementsAre("c"));
  world.set("a", Health::up, 1110);
  world.now_s = 1169;
  EXPECT_THAT(world.answer(), ElementsAre("c")) << "59 s are not enough";
  world.set("c", Health::down, 1169);
  EXPECT_THAT(world.answer(), ElementsAre("d")) << "the last pool is settled, the first is not";
  world.set("d", Health::down, 1169);
  EXPECT_THAT(world.answer(), ElementsAre("a", "b")) << "and else the first with enough";
  world.set("d", Health::up, 1169);
  world.now_s = 1170;
  EXPECT_THAT(world.answer(), ElementsAre("a", "b"));
  world["p"].minimum_origins = 1;
  world.now_s = 1169;
  EXPECT_THAT(world.answer(), ElementsAre("a", "b")) << "one that has settled is enough for all that are up";
}

TEST(Select, BoundsTheTtlByTheMomentAtWhichAnEarlierPoolTakesOverAgain) {
  World world;
  world.pool("p", "a- b- c-", 2).pool("q", "d-").pool("r", "e-");
  world.balancer.failback_s = 60;
  world.balancer.ttl = 300;
  world.set("e", Health::up, 1);
  world.set("a", Health::up, 1000);
  world.now_s = 1010;
  EXPECT_EQ(world.selected().ttl, 300U) << "the first pool has not enough, so nothing is near";
  world.set("b", Health::up, 1008);
  EXPECT_THAT(names(world.selected()), ElementsAre("e"));
  EXPECT_EQ(world.selected().ttl, 58U);
  world.set("c", Health::up, 1009);
  EXPECT_EQ(world.selected().ttl, 58U) << "two are enough";
  world.set("d", Health::up, 960);
  EXPECT_EQ(world.selected().ttl, 10U) << "the second pool is sooner";
  world.now_s = 1067;
  EXPECT_EQ(world.selected().ttl, 1U);
  world.now_s = 1068;
  EXPECT_THAT(world.answer(), ElementsAre("a", "b", "c"));
}

TEST(Select, WaitsForAFallenPoolAlsoSoonAfterTheStart) {
  World world;
  world.pool("p", "a-").pool("q", "b-");
  world.balancer.failback_s = 60;
  world.set("a", Health::up, HealthTable::since_ever_ms / 1000);
  world.set("b", Health::up, HealthTable::since_ever_ms / 1000);
  world.now_s = 1000;
  EXPECT_THAT(world.answer(), ElementsAre("a"));
  world.set("a", Health::down, 1000);
  world.set("a", Health::up, 1005);
  world.now_s = 1005;
  EXPECT_THAT(world.answer(), ElementsAre("b"));
}

TEST(Select, BoundsTheTtlByTheNextFlip) {
  World world;
  world.pool("p", "a+ b+ c-");
  world.balancer.ttl = 30;
  EXPECT_EQ(world.selected().ttl, 30U) << "nobody said when";
  world.health.set_stable(world.health.slot("a"), 300);
  EXPECT_EQ(world.selected().ttl, 30U);
  world.health.set_stable(world.health.slot("b"), 7);
  world.health.set_stable(world.health.slot("c"), 2);
  EXPECT_EQ(world.selected().ttl, 7U) << "of those that are answered";
  world.health.set_stable(world.health.slot("a"), 0);
  EXPECT_EQ(world.selected().ttl, 1U);
  world.balancer.ttl = 0;
  EXPECT_EQ(world.selected().ttl, 0U) << "never above the balancer's";
  world.balancer.ttl = 30;
  world.health.set_stable(world.health.slot("a"), 1'000'000);
  world.health.set_stable(world.health.slot("b"), 1'000'000);
  EXPECT_EQ(world.selected().ttl, 30U);
}

TEST(Select, NeverAnswersNothingWhereThatWouldBeAForgery) {
  World world;
  world.pool("p", "a- b-");
  world.policy(AllDown::empty);
  EXPECT_THAT(world.answer(), ElementsAre());
  Asking asking = world.asking();
  asking.never_empty = true;
  EXPECT_THAT(names(select(world.balancer, asking)), ElementsAre("a", "b"));
}

TEST(Select, TheKindsOfAnswersAreThoseOfTheConfiguration) {
  World world;
  EXPECT_FALSE(serves(world.balancer, Family::any));
  world.pool("p", "a- (b+)").pool("q", "");
  world["q"].pools = {world.make("n", "c-")};
  world.endpoint("n", "c").address6 = "2001:db8::1";
  world.endpoint("p", "b").target = "b.test.";
  EXPECT_TRUE(serves(world.balancer, Family::ipv4));
  EXPECT_TRUE(serves(world.balancer, Family::ipv6));
  EXPECT_FALSE(serves(world.balancer, Family::name)) << "it is disabled";
  EXPECT_THAT(world.answer(Family::ipv6), ElementsAre("c"));
  world["n"].enabled = false;
  EXPECT_FALSE(serves(world.balancer, Family::ipv6));
  world.balancer.fallback_pool = world.make("f", "d+");
  world.endpoint("f", "d").address6 = "2001:db8::2";
  EXPECT_FALSE(serves(world.balancer, Family::ipv6)) << "or all that prefer IPv6 would go to the fallback";
  world["p"].enabled = false;
  EXPECT_TRUE(serves(world.balancer, Family::ipv6)) << "where it is all there is, they do";
  EXPECT_TRUE(mentions(world.balancer, {"b"}));
  EXPECT_TRUE(mentions(world.balancer, {"c"}));
  EXPECT_TRUE(mentions(world.balancer, {"d"}));
  EXPECT_FALSE(mentions(world.balancer, {"e"}));
}

TEST(Select, EndpointsThatAreNamesAreAnsweredByName) {
  World world;
  world.pool("p", "a- b+");
  for (char const* const name : {"a", "b"}) {
    world.endpoint("p", name).address4.clear();
    world.endpoint("p", name).target = std::string(name) + ".cdn.test.";
  }
  EXPECT_TRUE(serves(world.balancer, Family::name));
  EXPECT_FALSE(serves(world.balancer, Family::ipv4));
  EXPECT_THAT(world.answer(Family::name), ElementsAre("b"));
  EXPECT_THAT(world.answer(Family::ipv4), ElementsAre());
  world.endpoint("p", "a").address6 = "2001:db8::1";
  EXPECT_FALSE(serves(world.balancer, Family::name)) << "an alias stands alone";
}

TEST(Select, KeepLastServesAllWhenNothingWasEverUp) {
  World world;
  world.pool("p", "a- b-").pool("q", "c-");
  world.policy(AllDown::keep_last);
  EXPECT_THAT(names(world.selected()), ElementsAre("a", "b"));
}

TEST(Select, PassesOverEndpointsWithoutAnAddressOfTheFamily) {
  World world;
  auto first = std::make_shared<Pool>();
  first->name = "p";
  first->endpoints = {{"six", "", "2001:db8::1", "", world.health.slot("six"), true, 1}};
  auto second = std::make_shared<Pool>();
  second->name = "q";
  second->endpoints = {{"four", "192.0.2.1", "", "", world.health.slot("four"), true, 1},
                       {"none", "", "", "", world.health.slot("none"), true, 1}};
  world.balancer.pools = {first, second};
  world.health.set(world.health.slot("six"), Health::up);
  EXPECT_THAT(names(world.selected(Family::ipv6)), ElementsAre("six"));
  EXPECT_THAT(names(world.selected(Family::ipv4)), ElementsAre("four"))
      << "an A answer exists while any IPv4 endpoint does";
  EXPECT_THAT(names(world.selected()), ElementsAre("six"));
}

// --- every small case against the rules, stated independently of the code ---

// One endpoint: health and readiness, or disabled.
constexpr int kinds = 8;
struct Kind {
  Health health;
  bool ready;
  bool enabled;
};
Kind kind(int index) {
  if (index == 7) {
    return {Health::up, true, false};
  }
  return index < 4 ? Kind{static_cast<Health>(index), true, true} : Kind{static_cast<Health>(index - 4), false, true};
}

// What is true of a balancer of flat pools that answers with all it has, policy by policy.
class Rules {
 public:
  Rules(LoadBalancer const& balancer, HealthTable const& health) : balancer_(balancer), health_(health) {
    auto const look = [this](Pool const& pool) {
      for (Endpoint const& endpoint : pool.endpoints) {
        any_ready_ = any_ready_ || (endpoint.enabled && balancer_.ready && balancer_.ready->contains(endpoint.name));
      }
    };
    std::for_each(balancer.pools.begin(), balancer.pools.end(), [&](auto const& pool) { look(*pool); });
    if (balancer.fallback_pool != nullptr) {
      look(*balancer.fallback_pool);
    }
  }

  void expect(Selection const& selection) const {
    std::optional<Health> const state = best(balancer_.pools);
    ASSERT_EQ(selection.healthy, state && *state != Health::down);
    if (selection.healthy) {
      expect_answer(selection, first(*state), state);
      return;
    }
    auto const policy = std::find_if(balancer_.pools.begin(), balancer_.pools.end(),
                                     [this](PoolPtr const& pool) { return count(*pool, std::nullopt) > 0; });
    bool const none = policy == balancer_.pools.end();
    AllDown const all_down = none ? AllDown::fallback : (*policy)->all_down;
    if (all_down == AllDown::serve_all) {
      expect_answer(selection, first(std::nullopt), std::nullopt);
    } else if (all_down == AllDown::fallback && balancer_.fallback_pool && best({balancer_.fallback_pool})) {
      Health const theirs = *best({balancer_.fallback_pool});
      expect_answer(selection, balancer_.fallback_pool.get(), theirs);
    } else if (all_down == AllDown::fallback && !none) {
      auto const last = std::find_if(balancer_.pools.rbegin(), balancer_.pools.rend(),
                                     [this](PoolPtr const& pool) { return count(*pool, std::nullopt) > 0; });
      expect_answer(selection, last->get(), std::nullopt);
    } else {
      ASSERT_TRUE(selection.endpoints.empty());
    }
  }

 private:
  [[nodiscard]] bool candidate(Endpoint const& endpoint) const {
    return endpoint.enabled && (!any_ready_ || balancer_.ready->contains(endpoint.name));
  }
  [[nodiscard]] std::size_t count(Pool const& pool, std::optional<Health> state) const {
    return static_cast<std::size_t>(std::count_if(pool.endpoints.begin(), pool.endpoints.end(), [&](Endpoint const& e) {
      return candidate(e) && (!state || health_.get(e.slot) == *state);
    }));
  }
  [[nodiscard]] std::optional<Health> best(std::vector<PoolPtr> const& pools) const {
    for (Health const state : {Health::up, Health::unknown, Health::draining, Health::down}) {
      if (std::any_of(pools.begin(), pools.end(), [&](auto const& pool) { return count(*pool, state) > 0; })) {
        return state;
      }
    }
    return std::nullopt;
  }
  [[nodiscard]] Pool const* first(std::optional<Health> state) const {
    for (auto const& pool : balancer_.pools) {
      if (count(*pool, state) >= std::max<std::size_t>(1, pool->minimum_origins)) {
        return pool.get();
      }
    }
    for (auto const& pool : balancer_.pools) {
      if (count(*pool, state) > 0) {
        return pool.get();
      }
    }
    return nullptr;
  }
  void expect_answer(Selection const& selection, Pool const* pool, std::optional<Health> state) const {
    ASSERT_EQ(selection.pool, pool);
    ASSERT_EQ(selection.endpoints.size(), count(*pool, state));
    for (Endpoint const& endpoint : pool->endpoints) {
      bool const selected = std::count(selection.endpoints.begin(), selection.endpoints.end(), &endpoint) == 1;
      ASSERT_EQ(selected, candidate(endpoint) && (!state || health_.get(endpoint.slot) == *state)) << endpoint.name;
    }
    ASSERT_TRUE(std::is_sorted(selection.endpoints.begin(), selection.endpoints.end())) << "configuration order";
  }

  LoadBalancer const& balancer_;
  HealthTable const& health_;
  bool any_ready_ = false;
};

TEST(Select, KeepsEveryRuleInEverySmallCase) {
  World world;
  world.pool("p", "p0? p1?").pool("q", "q0? q1?");
  auto const fallback = world.make("f", "f0-");
  // keep_last depends on history and has tests of its own.
  constexpr std::array policies{AllDown::serve_all, AllDown::fallback, AllDown::empty};
  int cases = 0;
  for (int combination = 0; combination < kinds * kinds * kinds * kinds; ++combination) {
    std::set<std::string> ready;
    int rest = combination;
    for (char const* const pool : {"p", "q"}) {
      for (Endpoint& endpoint : world[pool].endpoints) {
        Kind const now = kind(rest % kinds);
        rest /= kinds;
        endpoint.enabled = now.enabled;
        world.health.set(endpoint.slot, now.health);
        if (now.ready) {
          ready.insert(endpoint.name);
        }
      }
    }
    world.set("f0", combination % 2 == 0 ? Health::down : Health::up);
    for (unsigned setting = 0; setting < 4 * 3 * 2 * 2; ++setting) {
      world["p"].minimum_origins = setting % 2 + 1;
      world["q"].minimum_origins = setting / 2 % 2 + 1;
      world["p"].all_down = policies[setting / 4 % 3];
      world["q"].all_down = policies[(setting / 4 + 1) % 3];
      world.balancer.ready = setting / 12 % 2 == 0 ? std::nullopt : std::optional(ready);
      world.balancer.fallback_pool = setting / 24 == 0 ? nullptr : fallback;
      SCOPED_TRACE("combination " + std::to_string(combination) + " setting " + std::to_string(setting));
      Rules(world.balancer, world.health).expect(world.selected());
      if (HasFatalFailure()) {
        return;
      }
      ++cases;
    }
  }
  EXPECT_EQ(cases, 4096 * 48);
}

}  // namespace
}  // namespace pool
