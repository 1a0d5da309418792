#include "routing/cost/ladder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

namespace {

using cost::Change;
using cost::Costs;
using cost::Ladder;
using cost::RoundTrip;
using cost::Settings;
using cost::Time;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::IsEmpty;

Time const start{std::chrono::hours(1000)};

struct Dated {
  seconds at;
  std::string link;
  std::uint32_t cost;
};

// Runs the clock in steps of one second: `sample(end, second)` is measured, decide is called every 5 seconds.
template <class Sample>
std::vector<Dated> run(Costs& costs, std::string const& link, seconds from, seconds until, Sample const& sample) {
  std::vector<Dated> out;
  for (auto at = from; at < until; at += seconds(1)) {
    costs.observe(link, "a", sample('a', at), start + at);
    costs.observe(link, "b", sample('b', at), start + at);
    if (at.count() % 5 == 0) {
      for (auto const& change : costs.decide(start + at)) {
        out.push_back({at, change.link, change.cost});
      }
    }
  }
  return out;
}

auto constant(RoundTrip latency) {
  return [latency](char, seconds) { return latency; };
}

TEST(Ladder, IsGeometricAndSaturates) {
  Ladder const ladder{Settings{}};
  EXPECT_EQ(ladder.size(), 12U);
  EXPECT_EQ(ladder.rung(RoundTrip(0)), 0U);
  EXPECT_EQ(ladder.rung(RoundTrip(3000)), 0U);
  EXPECT_EQ(ladder.rung(RoundTrip(3001)), 1U);
  EXPECT_EQ(ladder.rung(RoundTrip(4500)), 1U);
  EXPECT_EQ(ladder.rung(milliseconds(100)), 9U);
  EXPECT_EQ(ladder.rung(milliseconds(200)), 11U);
  EXPECT_EQ(ladder.rung(std::chrono::hours(1)), 11U);
  EXPECT_EQ(ladder.cost(0), 10U);
  EXPECT_EQ(ladder.cost(1), 15U);
  EXPECT_EQ(ladder.cost(2), 23U);
  EXPECT_EQ(ladder.cost(11), 865U);
}

TEST(Ladder, CostsStayWithinSixteenBits) {
  Settings settings;
  settings.lowest_cost = 60000;
  Ladder const ladder(settings);
  EXPECT_EQ(ladder.cost(0), 60000U);
  EXPECT_EQ(ladder.cost(5), 65535U);
}

TEST(Ladder, KeepsTheRungWithinItsMargins) {
  Ladder const ladder{Settings{}};  // rung 3 is from 6.75 ms to 10.125 ms
  EXPECT_EQ(ladder.rung_from(3, RoundTrip(11'500)), 3U);
  EXPECT_EQ(ladder.rung_from(3, RoundTrip(11'700)), 4U);
  EXPECT_EQ(ladder.rung_from(3, RoundTrip(5'800)), 3U);
  EXPECT_EQ(ladder.rung_from(3, RoundTrip(5'700)), 2U);
  EXPECT_EQ(ladder.rung_from(11, std::chrono::hours(1)), 11U);
  EXPECT_EQ(ladder.rung_from(0, RoundTrip(0)), 0U);
}

TEST(Costs, AdoptAMeasuredStepAfterItHeldFiveMinutes) {
  Costs costs;
  costs.add("a--b", "a", "b", 7);
  auto const changes = run(costs, "a--b", seconds(0), minutes(30), constant(milliseconds(20)));
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].cost, Ladder(Settings{}).cost(5));
  EXPECT_GE(changes[0].at, seconds(300));
  EXPECT_LE(changes[0].at, seconds(330));
  EXPECT_EQ(costs.cost("a--b"), changes[0].cost);
}

TEST(Costs, FollowALastingStepUpAndDownInOneChangeEach) {
  Ladder const ladder{Settings{}};
  Costs costs;
  costs.add("a--b", "a", "b", 10);
  run(costs, "a--b", seconds(0), minutes(20), constant(milliseconds(18)));
  auto const up = run(costs, "a--b", minutes(20), minutes(40), constant(milliseconds(95)));
  ASSERT_EQ(up.size(), 1U);
  EXPECT_LE(up[0].at, minutes(28));
  EXPECT_EQ(up[0].cost, ladder.cost(ladder.rung(milliseconds(95))));
  auto const down = run(costs, "a--b", minutes(40), minutes(60), constant(milliseconds(18)));
  ASSERT_EQ(down.size(), 1U);
  EXPECT_EQ(down[0].cost, ladder.cost(ladder.rung(milliseconds(18))));
}

TEST(Costs, ASpikeOfTwoMinutesChangesNothing) {
  Costs costs;
  costs.add("a--b", "a", "b", 10);
  run(costs, "a--b", seconds(0), minutes(20), constant(milliseconds(20)));
  auto const before = costs.cost("a--b");
  auto const changes = run(costs, "a--b", minutes(20), minutes(60), [](char, seconds at) {
    return at < minutes(22) ? RoundTrip(milliseconds(300)) : RoundTrip(milliseconds(20));
  });
  EXPECT_THAT(changes, IsEmpty());
  EXPECT_EQ(costs.cost("a--b"), before);
}

// A day of jitter with the base latency on every rung's bound in turn, where a naive map would flap all the time.
TEST(Costs, JitterAroundABoundDoesNotFlap) {
  Settings const settings;
  double bound = 3000;
  for (std::size_t rung = 0; rung + 1 < settings.rungs; ++rung, bound *= settings.factor) {
    Costs costs(settings);
    costs.add("a--b", "a", "b", 10);
    std::mt19937 random(static_cast<unsigned>(rung) + 1);
    std::exponential_distribution<double> queue(1.0 / (bound * 0.2));
    std::uniform_real_distribution<double> base(bound * 0.96, bound * 1.04);
    std::vector<std::uint32_t> naive;
    Ladder const ladder(settings);
    auto const changes = run(costs, "a--b", seconds(0), std::chrono::hours(6), [&](char, seconds) {
      RoundTrip const sample(static_cast<std::int64_t>(base(random) + queue(random)));
      if (naive.empty() || naive.back() != ladder.cost(ladder.rung(sample))) {
        naive.push_back(ladder.cost(ladder.rung(sample)));
      }
      return sample;
    });
    EXPECT_LE(changes.size(), 1U) << "rung " << rung;   // the first adoption
    EXPECT_GT(naive.size(), 1000U) << "rung " << rung;  // what the samples themselves did
  }
}

TEST(Costs, ASlowSwingChangesALinkAtMostOnceInTenMinutes) {
  Costs costs;
  costs.add("a--b", "a", "b", 10);
  auto const changes = run(costs, "a--b", seconds(0), std::chrono::hours(6), [](char, seconds at) {
    return at.count() / 480 % 2 == 0 ? RoundTrip(milliseconds(10)) : RoundTrip(milliseconds(100));
  });
  ASSERT_GE(changes.size(), 2U);
  for (std::size_t i = 1; i < changes.size(); ++i) {
    EXPECT_GE(changes[i].at - changes[i - 1].at, minutes(10));
  }
}

TEST(Costs, TheWorseEndCountsWhicheverItIs) {
  Costs one;
  Costs other;
  one.add("a--b", "a", "b", 10);
  other.add("a--b", "a", "b", 10);
  auto const slow_a = run(one, "a--b", seconds(0), minutes(20),
                          [](char end, seconds) { return RoundTrip(milliseconds(end == 'a' ? 90 : 30)); });
  auto const slow_b = run(other, "a--b", seconds(0), minutes(20),
                          [](char end, seconds) { return RoundTrip(milliseconds(end == 'b' ? 90 : 30)); });
  ASSERT_EQ(slow_a.size(), 1U);
  ASSERT_EQ(slow_b.size(), 1U);
  EXPECT_EQ(slow_a[0].at, slow_b[0].at);
  EXPECT_EQ(slow_a[0].cost, slow_b[0].cost);
  EXPECT_EQ(slow_a[0].cost, Ladder(Settings{}).cost(Ladder(Settings{}).rung(milliseconds(90))));
}

TEST(Costs, ASilentEndLosesItsSayAndSilenceOfBothChangesNothing) {
  Costs costs;
  costs.add("a--b", "a", "b", 10);
  run(costs, "a--b", seconds(0), minutes(20),
      [](char end, seconds) { return RoundTrip(milliseconds(end == 'a' ? 90 : 30)); });
  auto const high = costs.cost("a--b");
  // Nobody measures for two hours.
  for (auto at = minutes(20); at < minutes(140); ++at) {
    EXPECT_THAT(costs.decide(start + at), IsEmpty());
  }
  EXPECT_EQ(costs.cost("a--b"), high);
  // Then only b does.
  std::size_t changes = 0;
  for (auto at = seconds(minutes(140)); at < minutes(180); at += seconds(1)) {
    costs.observe("a--b", "b", milliseconds(30), start + at);
    changes += costs.decide(start + at).size();
  }
  EXPECT_EQ(changes, 1U);
  EXPECT_LT(costs.cost("a--b"), high);
}

TEST(Costs, WhatIsDueChangesTogetherAndThenNothingForAMinute) {
  Costs costs;
  std::vector<std::string> const peers = {"b", "c", "d", "e"};
  for (auto const& peer : peers) {
    costs.add("a--" + peer, "a", peer, 7);
  }
  std::vector<std::pair<seconds, std::size_t>> rounds;
  for (auto at = seconds(0); at < minutes(20); at += seconds(1)) {
    for (auto const& peer : peers) {
      // One of them is slow from half a minute later on.
      if (peer != "e" || at >= seconds(30)) {
        costs.observe("a--" + peer, "a", milliseconds(50), start + at);
      }
    }
    if (auto const changes = costs.decide(start + at); !changes.empty()) {
      rounds.emplace_back(at, changes.size());
    }
  }
  ASSERT_EQ(rounds.size(), 2U);
  EXPECT_EQ(rounds[0].second, 3U);
  EXPECT_EQ(rounds[1].second, 1U);
  EXPECT_GE(rounds[1].first - rounds[0].first, seconds(60));
}

TEST(Costs, NothingChangesWhileAdjacenciesFlap) {
  Costs costs;
  costs.add("a--b", "a", "b", 7);
  for (auto at = seconds(0); at < minutes(20); at += seconds(1)) {
    if (at.count() % 50 == 0) {
      costs.adjacency_changed("b", start + at);
    }
    costs.observe("a--b", "a", milliseconds(50), start + at);
    EXPECT_THAT(costs.decide(start + at), IsEmpty());
  }
  std::size_t changes = 0;
  for (auto at = seconds(minutes(20)); at < minutes(22); at += seconds(1)) {
    costs.observe("a--b", "a", milliseconds(50), start + at);
    changes += costs.decide(start + at).size();
  }
  EXPECT_EQ(changes, 1U);
}

TEST(Costs, AnAdjacencyElsewhereHoldsNothingUp) {
  Costs costs;
  costs.add("a--b", "a", "b", 7);
  std::size_t changes = 0;
  for (auto at = seconds(0); at < minutes(7); at += seconds(1)) {
    costs.adjacency_changed("z", start + at);
    costs.observe("a--b", "a", milliseconds(50), start + at);
    changes += costs.decide(start + at).size();
  }
  EXPECT_EQ(changes, 1U);
}

TEST(Costs, ARestartWithTheDecidedCostChangesNothing) {
  Costs first;
  first.add("a--b", "a", "b", 7);
  // Just above a bound, within the margin of the rung below it.
  run(first, "a--b", seconds(0), minutes(20), constant(RoundTrip(9'900)));
  auto const decided = first.cost("a--b");
  Costs second;
  second.add("a--b", "a", "b", *decided);
  EXPECT_THAT(run(second, "a--b", seconds(0), minutes(60), constant(RoundTrip(10'500))), IsEmpty());
}

TEST(Costs, IgnoresLinksAndEndsItDoesNotKnow) {
  Costs costs;
  costs.add("a--b", "a", "b", 7);
  costs.observe("a--z", "a", milliseconds(1), start);
  costs.observe("a--b", "z", milliseconds(1), start);
  costs.observe("a--b", "a", RoundTrip(-1), start);
  costs.remove("a--b");
  costs.remove("a--b");
  EXPECT_EQ(costs.cost("a--b"), std::nullopt);
  EXPECT_THAT(costs.decide(start + minutes(10)), IsEmpty());
}

// What an agent reports every ten seconds: the least of ten echoes that wander by `jitter` of `base`.
class Line {
 public:
  explicit Line(unsigned seed) : random_(seed) {}
  RoundTrip report(double base_us, double jitter) {
    std::uniform_real_distribution<double> wander(1 - jitter, 1 + jitter);
    double least = base_us * 2;
    for (int echo = 0; echo < 10; ++echo) {
      least = std::min(least, base_us * wander(random_));
    }
    return RoundTrip(std::llround(least));
  }

 private:
  std::mt19937 random_;
};

// Reports of both ends every ten seconds, a decision every five; `base(at)` in microseconds.
template <class Base>
std::vector<Dated> reported(Costs& costs, unsigned seed, seconds from, seconds until, Base const& base) {
  Line a(seed);
  Line b(seed + 1000);
  std::vector<Dated> out;
  for (auto at = from; at < until; at += seconds(5)) {
    if (at.count() % 10 == 0) {
      costs.observe("a--b", "a", a.report(base(at), 0.3), start + at);
      costs.observe("a--b", "b", b.report(base(at), 0.3), start + at);
    }
    for (auto const& change : costs.decide(start + at)) {
      out.push_back({at, change.link, change.cost});
    }
  }
  return out;
}

TEST(Costs, ThirtyPercentOfJitterAndBurstsMoveNothingOnceALinkIsMeasured) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    double const base_us = 2000 * std::pow(1.11, seed);
    std::mt19937 random(seed);
    std::bernoulli_distribution begins(1.0 / 60);  // a burst every ten minutes, of up to two minutes
    seconds burst_until{0};
    Costs costs;
    costs.add("a--b", "a", "b", 10);
    auto const changes = reported(costs, seed, seconds(0), std::chrono::hours(4), [&](seconds at) {
      if (at > minutes(20) && at >= burst_until + minutes(5) && begins(random)) {
        burst_until = at + seconds(random() % 120);
      }
      return at < burst_until ? base_us + 200'000 : base_us;
    });
    EXPECT_LE(changes.size(), 1U) << "base " << base_us;
  }
}

TEST(Costs, BurstsWithoutEndHideWhatIsBelowThemForNoLongerThanTwiceTheHold) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    Costs costs;
    costs.add("a--b", "a", "b", 10);
    seconds burst_until{0};
    auto const changes = reported(costs, seed, seconds(0), minutes(60), [&](seconds at) {
      if (at >= burst_until + seconds(40)) {  // twenty seconds in each minute or so
        burst_until = at + seconds(10 + random() % 20);
      }
      return at < burst_until ? 120'000.0 : 20'000.0;
    });
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_LE(changes[0].at, minutes(10));
    EXPECT_LE(changes[0].cost, Ladder(Settings{}).cost(Ladder(Settings{}).rung(milliseconds(40))));
  }
}

TEST(Costs, FiftyMillisecondsMoreAreAdoptedWithinEightMinutesAndAHalf) {
  Ladder const ladder{Settings{}};
  seconds latest{0};
  for (unsigned seed = 1; seed <= 30; ++seed) {
    double const base_us = 1000 * seed;
    Costs costs;
    costs.add("a--b", "a", "b", 10);
    reported(costs, seed, seconds(0), minutes(30), [&](seconds) { return base_us; });
    auto const before = costs.cost("a--b").value();
    auto const changes = reported(costs, seed + 1, minutes(30), minutes(60), [&](seconds) { return base_us + 50'000; });
    ASSERT_EQ(changes.size(), 1U) << "base " << base_us;
    EXPECT_GT(changes[0].cost, before);
    latest = std::max(latest, changes[0].at - seconds(minutes(30)));
  }
  EXPECT_LE(latest, seconds(510));
  EXPECT_GE(latest, seconds(300));
}

// Two ways, and more traffic than either carries: whichever is cheaper is overloaded and gets 60 ms slower, so its cost
// rises, the traffic moves, and the other one is slow. The costs must not follow the traffic to and fro.
TEST(Costs, ACongestedDiamondDoesNotSwing) {
  Costs costs;
  costs.add("a--b", "a", "b", 10);
  costs.add("a--c", "a", "c", 10);
  Line line(7);
  std::map<std::string, std::vector<seconds>> changed;
  constexpr std::chrono::hours length{12};
  for (auto at = seconds(0); at < length; at += seconds(5)) {
    bool const over_b = *costs.cost("a--b") <= *costs.cost("a--c");
    if (at.count() % 10 == 0) {
      costs.observe("a--b", "a", line.report(over_b ? 80'000 : 20'000, 0.3), start + at);
      costs.observe("a--c", "a", line.report(over_b ? 20'000 : 80'000, 0.3), start + at);
    }
    for (auto const& change : costs.decide(start + at)) {
      changed[change.link].push_back(at);
    }
  }
  for (auto const& [link, times] : changed) {
    for (std::size_t i = 1; i < times.size(); ++i) {
      EXPECT_GE(times[i] - times[i - 1], minutes(10)) << link;
    }
    EXPECT_LE(times.size(), 16U) << link << " swings";  // of 72 that ten minutes each would let it
  }
}

TEST(Costs, AShorterHoldShortensEverythingInProportion) {
  auto const settings = Settings::with_hold(seconds(30));
  EXPECT_EQ(settings.hold, seconds(30));
  EXPECT_EQ(settings.link_pause, seconds(60));
  EXPECT_EQ(settings.window, seconds(1));
  EXPECT_EQ(settings.round_pause, seconds(6));
  EXPECT_EQ(Settings::with_hold(seconds(300)).link_pause, Settings{}.link_pause);
}

}  // namespace
