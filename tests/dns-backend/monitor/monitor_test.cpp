// The monitor with a prober that answers as the test says; the real probes are tested in base/probe.
#include "dns-backend/monitor/monitor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <stdexcept>

namespace monitor {
namespace {

using probe::Health;
using testing::ElementsAre;

struct Targets {
  explicit Targets(boost::asio::io_context& loop) : release(loop.get_executor()) {}

  std::map<std::string, bool> answers;  // by address; absent: throws
  std::map<std::string, int> checked;
  bool hold = false;  // answers wait for `release`
  net::Signal release;
  std::size_t in_flight = 0;
  std::size_t in_flight_most = 0;
};

net::Task<probe::Verdict> answer(Targets* targets, probe::Check check) {
  ++targets->checked[check.address];
  ++targets->in_flight;
  targets->in_flight_most = std::max(targets->in_flight_most, targets->in_flight);
  while (targets->hold) {
    co_await targets->release.wait(std::chrono::hours(1));
  }
  --targets->in_flight;
  auto const found = targets->answers.find(check.address);
  if (found == targets->answers.end()) {
    throw std::runtime_error("no such target");
  }
  probe::Verdict verdict;
  verdict.success = found->second;
  verdict.reason = found->second ? "ok" : "sick";
  co_return verdict;
}

Watch watch(pool::HealthTable& table, std::string const& name, probe::Thresholds thresholds = {}) {
  Watch out;
  out.endpoint = name;
  out.slot = table.slot(name);
  out.check.address = name;
  out.interval = std::chrono::milliseconds(1);
  out.thresholds = thresholds;
  return out;
}

class MonitorTest : public testing::Test {
 protected:
  void make(std::vector<Warm> warm = {}) {
    auto const heard = [this](std::string endpoint, probe::Transition transition, std::string reason) {
      events_.push_back(endpoint + " " + probe::name(transition.from) + ">" + probe::name(transition.to) + " " +
                        reason);
    };
    monitor_.reset();
    monitor_ = std::make_unique<Monitor>(loop_.get_executor(), table_, heard, std::move(warm), prober());
  }
  Prober prober() {
    return [this](probe::Check const& check, bool keep) -> Probe {
      kept_ += keep ? 1 : 0;
      return [this, check] { return answer(&targets_, check); };
    };
  }
  void SetUp() override { make(); }
  template <class Condition>
  void run_until(Condition condition) {
    for (int steps = 0; steps < 200000 && !condition(); ++steps) {
      loop_.restart();
      loop_.run_one();
    }
    ASSERT_TRUE(condition());
  }
  Health health(std::string const& name) { return table_.get(table_.slot(name)); }

  boost::asio::io_context loop_;
  Targets targets_{loop_};
  pool::HealthTable table_;
  std::vector<std::string> events_;
  int kept_ = 0;  // probes that may keep their connection
  std::unique_ptr<Monitor> monitor_;
};

TEST_F(MonitorTest, TellsTheTableAndTheListenerOfEachTransition) {
  targets_.answers = {{"a", true}, {"b", false}};
  monitor_->watch({watch(table_, "a", {1, 3}), watch(table_, "b")});
  run_until([&] { return events_.size() == 2; });
  EXPECT_EQ(health("a"), Health::up);
  EXPECT_EQ(health("b"), Health::down);
  targets_.answers["a"] = false;
  int const before = targets_.checked["a"];
  run_until([&] { return events_.size() == 3; });
  EXPECT_EQ(targets_.checked["a"], before + 3) << "three failures in a row";
  EXPECT_THAT(events_, ElementsAre("a unknown>up ok", "b unknown>down sick", "a up>down sick"));
}

TEST_F(MonitorTest, TheTablePromisesNoMoreThanTheSitesJudgement) {
  targets_.answers = {{"a", true}};
  bool observed = false;
  monitor_->observe_only([&](std::string const&, Health) { observed = true; });
  Watch slow = watch(table_, "a", {1, 3});
  slow.interval = std::chrono::hours(1);
  monitor_->watch({slow});
  run_until([&] { return observed; });
  std::uint32_t const slot = table_.slot("a");
  monitor_->judge("a", Health::up, "up at ams, nyc");
  EXPECT_GT(table_.stable_s(slot), 3600U) << "three checks are missing";
  monitor_->judge("a", Health::up, "up at ams, nyc; down at sin", 5);
  EXPECT_EQ(table_.stable_s(slot), 5U);
  EXPECT_EQ(events_.size(), 1U) << "nothing flipped";
  monitor_->judge("a", Health::up, "up at ams, nyc, sin");
  EXPECT_GT(table_.stable_s(slot), 3600U);
}

// What this site found is its vote; what is answered is what the sites had decided.
TEST_F(MonitorTest, BeginsAgainWithTheDecisionOfTheSitesAndNotWithItsOwnChecks) {
  targets_.answers = {{"a", false}};
  make({{"a", Health::down, 1'700'000'000'000, "refused", 0, Health::up, 0}});
  std::vector<std::string> votes;
  monitor_->observe_only([&](std::string const& name, Health health) { votes.push_back(name + probe::name(health)); });
  EXPECT_EQ(monitor_->decided("a"), Health::up) << "before it is watched";
  EXPECT_EQ(monitor_->decided("stranger"), Health::unknown);
  monitor_->watch({watch(table_, "a", {1, 1})});
  EXPECT_EQ(health("a"), Health::up);
  EXPECT_EQ(monitor_->decided("a"), Health::up);
  EXPECT_THAT(votes, ElementsAre("adown"));
  EXPECT_THAT(events_, ElementsAre("a unknown>up as before the restart"));
  ASSERT_EQ(monitor_->save().size(), 1U);
  EXPECT_EQ(monitor_->save()[0].decided, Health::up);
  EXPECT_EQ(monitor_->save()[0].observed, Health::down);
}

TEST_F(MonitorTest, WithoutOtherSitesItsOwnChecksCountAfterARestart) {
  make({{"a", Health::down, 1'700'000'000'000, "refused", 0, Health::up, 0}});
  monitor_->watch({watch(table_, "a")});
  EXPECT_EQ(health("a"), Health::down);
}

TEST_F(MonitorTest, KeepsTheOrderOfFallsOverARestart) {
  targets_.answers = {{"a", true}, {"b", true}};
  monitor_->watch({watch(table_, "a", {1, 1}), watch(table_, "b", {1, 1})});
  run_until([&] { return health("a") == Health::up && health("b") == Health::up; });
  targets_.answers["b"] = false;
  run_until([&] { return health("b") == Health::down; });
  targets_.answers["a"] = false;
  run_until([&] { return health("a") == Health::down; });
  std::int64_t const a_ms = table_.left_up_ms(table_.slot("a"));
  std::int64_t const b_ms = table_.left_up_ms(table_.slot("b"));
  EXPECT_GT(a_ms, b_ms);
  auto const known = monitor_->save();
  monitor_->watch({});
  pool::HealthTable fresh;
  Monitor again(loop_.get_executor(), fresh, {}, known, prober());
  again.watch({watch(fresh, "b"), watch(fresh, "a")});
  EXPECT_EQ(fresh.left_up_ms(fresh.slot("a")), a_ms);
  EXPECT_EQ(fresh.left_up_ms(fresh.slot("b")), b_ms);
}

TEST_F(MonitorTest, ReportsTheLastCheckInItsStatus) {
  targets_.answers = {{"a", false}};
  monitor_->watch({watch(table_, "a", {4, 1})});
  EXPECT_EQ(monitor_->status().at(0).checked_at_ms, 0);
  run_until([&] { return !events_.empty(); });
  EndpointStatus const status = monitor_->status().at(0);
  EXPECT_EQ(status.endpoint, "a");
  EXPECT_EQ(status.observed, Health::down);
  EXPECT_EQ(status.effective, Health::down);
  EXPECT_EQ(status.reason, "sick");
  EXPECT_EQ(status.checks_to_change, 4U);
  EXPECT_GT(status.checked_at_ms, 0);
  EXPECT_EQ(status.changed_at_ms, status.checked_at_ms);
}

TEST_F(MonitorTest, BeginsWithTheHealthTheTableRemembers) {
  table_.set(table_.slot("a"), Health::up);
  targets_.answers = {{"a", false}};
  monitor_->watch({watch(table_, "a", {1, 3})});
  run_until([&] { return targets_.checked["a"] == 2; });
  EXPECT_EQ(health("a"), Health::up);
  run_until([&] { return !events_.empty(); });
  EXPECT_EQ(targets_.checked["a"], 3);
}

TEST_F(MonitorTest, LeavesAnUnchangedWatchAlone) {
  targets_.answers = {{"a", true}, {"b", true}};
  Watch slow = watch(table_, "a");
  slow.interval = std::chrono::hours(1);
  monitor_->watch({slow});
  run_until([&] { return health("a") == Health::up; });
  monitor_->watch({slow, watch(table_, "b")});
  run_until([&] { return targets_.checked["b"] == 5; });
  EXPECT_EQ(targets_.checked["a"], 1);
}

TEST_F(MonitorTest, ChecksAtOnceAndKeepsTheHealthWhenAWatchChanges) {
  targets_.answers = {{"a", true}};
  Watch slow = watch(table_, "a", {1, 2});
  slow.interval = std::chrono::hours(1);
  monitor_->watch({slow});
  run_until([&] { return health("a") == Health::up; });
  targets_.answers["a"] = false;
  slow.check.path = "/other";
  monitor_->watch({slow});
  run_until([&] { return targets_.checked["a"] == 2; });
  loop_.poll();
  EXPECT_EQ(health("a"), Health::up) << "one failure of two";
  EXPECT_EQ(monitor_->status().at(0).checks_to_change, 1U);
  EXPECT_EQ(events_.size(), 1U);
}

TEST_F(MonitorTest, KnowsNothingOfAnEndpointThatMovedUntilItIsChecked) {
  targets_.answers = {{"a", true}, {"b", false}};
  Watch moving = watch(table_, "a", {1, 3});
  moving.interval = std::chrono::hours(1);
  monitor_->watch({moving});
  run_until([&] { return health("a") == Health::up; });
  moving.check.address = "b";
  monitor_->watch({moving});
  EXPECT_EQ(health("a"), Health::unknown) << "another host";
  EXPECT_EQ(monitor_->status().at(0).observed, Health::unknown);
  targets_.answers["b"] = true;
  run_until([&] { return health("a") == Health::up; });
  moving.check.port = 8443;
  monitor_->watch({moving});
  EXPECT_EQ(health("a"), Health::unknown) << "another server of it";
}

TEST_F(MonitorTest, WhatTheSitesDecidedGoesOnWhenAnEndpointMoves) {
  monitor_->observe_only([](std::string const&, Health) {});
  targets_.answers = {{"a", true}, {"b", true}};
  Watch moving = watch(table_, "a");
  moving.interval = std::chrono::hours(1);
  monitor_->watch({moving});
  monitor_->judge("a", Health::up, "two sites");
  moving.check.address = "b";
  monitor_->watch({moving});
  EXPECT_EQ(health("a"), Health::up) << "they do not say it again";
  EXPECT_EQ(monitor_->status().at(0).observed, Health::unknown);
}

TEST_F(MonitorTest, ForgetsWhatIsNoLongerWatched) {
  targets_.answers = {{"a", true}, {"b", true}};
  monitor_->watch({watch(table_, "a"), watch(table_, "b")});
  run_until([&] { return events_.size() == 2; });
  monitor_->watch({watch(table_, "b")});
  EXPECT_EQ(health("a"), Health::unknown);
  int const checked = targets_.checked["a"];
  run_until([&, until = targets_.checked["b"] + 5] { return targets_.checked["b"] == until; });
  EXPECT_LE(targets_.checked["a"], checked + 1);
  EXPECT_EQ(monitor_->status().size(), 1U);
}

TEST_F(MonitorTest, HasAtMost256ProbesInFlightAndServesTheRestInTurn) {
  targets_.hold = true;
  std::vector<Watch> wanted;
  for (int i = 0; i < 600; ++i) {
    wanted.push_back(watch(table_, std::to_string(i)));
    targets_.answers[std::to_string(i)] = true;
  }
  monitor_->watch(wanted);
  loop_.poll();
  EXPECT_EQ(targets_.in_flight, Limits().in_flight);
  run_until([&] { return monitor_->work().waiting == 600U - Limits().in_flight; });
  wanted.erase(wanted.begin() + 300, wanted.end());
  monitor_->watch(wanted);
  targets_.hold = false;
  targets_.release.notify();
  run_until([&] { return events_.size() == 300; });
  EXPECT_EQ(targets_.in_flight_most, Limits().in_flight);
  run_until([&, until = targets_.checked["0"] + 3] { return targets_.checked["0"] == until; });
}

TEST_F(MonitorTest, IsSilentAfterItsEnd) {
  targets_.answers = {{"a", true}};
  targets_.hold = true;
  monitor_->watch({watch(table_, "a")});
  loop_.poll();
  EXPECT_EQ(targets_.in_flight, 1U);
  monitor_.reset();
  targets_.hold = false;
  targets_.release.notify();
  loop_.restart();
  loop_.run();  // ends: nothing is left to do
  EXPECT_TRUE(events_.empty());
  EXPECT_EQ(health("a"), Health::unknown);
}

TEST_F(MonitorTest, CountsACheckThatThrowsAsFailed) {
  monitor_->watch({watch(table_, "nowhere")});
  run_until([&] { return events_.size() == 1; });
  EXPECT_THAT(events_[0], testing::HasSubstr("the check failed: no such target"));
}

TEST_F(MonitorTest, MayBeToldOtherwiseByItsListener) {
  targets_.answers = {{"a", true}, {"b", true}};
  auto const rewatch = [this](std::string endpoint, probe::Transition, std::string) {
    events_.push_back(endpoint);
    if (endpoint == "a") {
      monitor_->watch({watch(table_, "b")});
    }
  };
  monitor_ = std::make_unique<Monitor>(loop_.get_executor(), table_, rewatch, std::vector<Warm>(), prober());
  monitor_->watch({watch(table_, "a")});
  run_until([&] { return events_.size() == 2; });
  EXPECT_THAT(events_, ElementsAre("a", "b"));
}

TEST_F(MonitorTest, MayBeEndedByItsListener) {
  targets_.answers = {{"a", true}, {"b", true}};
  auto const end = [this](std::string const& endpoint, probe::Transition, std::string const&) {
    events_.push_back(endpoint);
    monitor_.reset();
  };
  monitor_ = std::make_unique<Monitor>(loop_.get_executor(), table_, end, std::vector<Warm>(), prober());
  monitor_->watch({watch(table_, "a"), watch(table_, "b")});
  loop_.restart();
  loop_.run();
  EXPECT_EQ(events_.size(), 1U);
}

TEST_F(MonitorTest, SharesOneProbeAmongWatchesWithAnEqualCheckAndInterval) {
  targets_.answers = {{"a", true}};
  Watch first = watch(table_, "first", {1, 1});
  Watch second = watch(table_, "second", {1, 3});
  Watch other = watch(table_, "other");
  first.check.address = second.check.address = other.check.address = "a";
  other.interval = std::chrono::hours(1);
  monitor_->watch({first, second, other});
  EXPECT_EQ(monitor_->work().probes, 2U);
  run_until([&] { return events_.size() == 3; });
  targets_.answers["a"] = false;
  events_.clear();
  int const before = targets_.checked["a"];
  run_until([&] { return events_.size() == 2; });
  EXPECT_THAT(events_, ElementsAre("first up>down sick", "second up>down sick"));
  EXPECT_EQ(targets_.checked["a"], before + 3) << "each check counts for both";
  monitor_->watch({second});
  EXPECT_EQ(monitor_->work().probes, 1U);
  run_until([&] { return targets_.checked["a"] == before + 5; });
  monitor_->watch({});
  EXPECT_EQ(monitor_->work().probes, 0U);
}

TEST_F(MonitorTest, LetsAFewHttpProbesKeepTheirConnections) {
  std::vector<Watch> wanted;
  for (int i = 0; i < 300; ++i) {
    wanted.push_back(watch(table_, std::to_string(i)));
    wanted.back().check.type = i % 2 == 0 ? probe::Type::http : probe::Type::https;
    wanted.back().interval = std::chrono::seconds(i < 30 ? 31 : 30);
  }
  wanted[50].check.type = probe::Type::tcp;
  monitor_->watch(wanted);
  EXPECT_EQ(kept_, 256) << "a limit, and none of those that are asked seldom";
  wanted.resize(100);
  monitor_->watch(wanted);
  monitor_->watch({wanted[0], wanted[99], watch(table_, "x")});
  Watch late = watch(table_, "late");
  late.check.type = probe::Type::http;
  monitor_->watch({late});
  EXPECT_EQ(kept_, 257) << "places become free";
}

// --- overrides ---

TEST_F(MonitorTest, PutsAnOverrideAboveTheChecksAndLetsThemGoOn) {
  targets_.answers = {{"a", true}};
  Watch wanted = watch(table_, "a");
  monitor_->watch({wanted});
  run_until([&] { return events_.size() == 1; });
  wanted.override = {Forced::down, 0, "maintenance"};
  monitor_->watch({wanted});
  EXPECT_THAT(events_, ElementsAre("a unknown>up ok", "a up>down override: maintenance"));
  EXPECT_EQ(health("a"), Health::down);
  EXPECT_EQ(table_.stable_s(table_.slot("a")), 65535U) << "no check changes that";
  run_until([&, until = targets_.checked["a"] + 5] { return targets_.checked["a"] == until; });
  EndpointStatus const status = monitor_->status("a").value();
  EXPECT_EQ(status.observed, Health::up);
  EXPECT_EQ(status.effective, Health::down);
  EXPECT_EQ(status.override, Forced::down);
  EXPECT_EQ(status.override_reason, "maintenance");
  wanted.override = {Forced::draining, 0, ""};
  monitor_->watch({wanted});
  EXPECT_EQ(health("a"), Health::draining);
  wanted.override = {};
  monitor_->watch({wanted});
  EXPECT_EQ(events_.back(), "a draining>up the override ended");
  EXPECT_EQ(health("a"), Health::up);
}

TEST_F(MonitorTest, EndsAnOverrideAtItsTime) {
  Watch wanted = watch(table_, "a");
  wanted.interval = std::chrono::hours(1);
  targets_.answers = {{"a", false}};
  auto const now = std::chrono::system_clock::now().time_since_epoch();
  std::int64_t const soon = std::chrono::duration_cast<std::chrono::milliseconds>(now).count() + 200;
  wanted.override = {Forced::up, soon, "demo"};
  monitor_->watch({wanted});
  EXPECT_EQ(health("a"), Health::up) << "before any check";
  run_until([&] { return events_.size() == 2; });
  EXPECT_THAT(events_, ElementsAre("a unknown>up override: demo", "a up>down the override ended"));
  EXPECT_EQ(targets_.checked["a"], 1);
  EXPECT_EQ(monitor_->status("a")->override, Forced::none);
}

// --- what the table learns ---

TEST_F(MonitorTest, TellsTheTableForHowLongNoCheckCanChangeTheHealth) {
  targets_.answers = {{"a", true}};
  Watch wanted = watch(table_, "a", {1, 3});
  wanted.interval = std::chrono::seconds(10);
  monitor_->watch({wanted});
  EXPECT_EQ(table_.stable_s(table_.slot("a")), 0U) << "the first check may";
  run_until([&] { return !events_.empty(); });
  // The next check comes after 1 to 10 s, two more are needed then, and one second is the jitter.
  EXPECT_GE(table_.stable_s(table_.slot("a")), 20U);
  EXPECT_LE(table_.stable_s(table_.slot("a")), 29U);
  monitor_->watch({});
  EXPECT_EQ(table_.stable_s(table_.slot("a")), 0U);
}

TEST_F(MonitorTest, TellsTheTableSinceWhenAnEndpointIsUp) {
  targets_.answers = {{"a", true}};
  monitor_->watch({watch(table_, "a", {1, 1})});
  auto const up_since_s = [this] { return table_.view(table_.slot("a")).up_since_s; };
  run_until([&] { return health("a") == Health::up; });
  EXPECT_EQ(up_since_s(), pool::HealthTable::since_ever_ms / 1000) << "it was up before anybody looked";
  targets_.answers["a"] = false;
  run_until([&] { return health("a") == Health::down; });
  EXPECT_EQ(up_since_s(), 0U);
  targets_.answers["a"] = true;
  run_until([&] { return health("a") == Health::up; });
  EXPECT_GT(up_since_s(), 1'600'000'000U);
}

TEST_F(MonitorTest, MovesTheHealthToANewSlot) {
  targets_.answers = {{"a", true}};
  Watch wanted = watch(table_, "a");
  monitor_->watch({wanted});
  run_until([&] { return !events_.empty(); });
  wanted.slot = table_.slot("elsewhere");
  monitor_->watch({wanted});
  EXPECT_EQ(health("a"), Health::unknown);
  EXPECT_EQ(health("elsewhere"), Health::up);
}

TEST_F(MonitorTest, RemembersTheLastTenChecks) {
  targets_.answers = {{"a", true}};
  monitor_->watch({watch(table_, "a", {1, 100})});
  run_until([&] { return targets_.checked["a"] == 15; });
  targets_.answers["a"] = false;
  run_until([&] { return targets_.checked["a"] == 18; });
  auto const checks = monitor_->status("a")->checks;
  ASSERT_EQ(checks.size(), 10U);
  EXPECT_EQ(checks[0].reason, "sick");
  EXPECT_FALSE(checks[0].success);
  EXPECT_EQ(checks[9].reason, "ok");
  EXPECT_TRUE(checks[9].success);
  EXPECT_GE(checks[0].at_ms, checks[9].at_ms);
  EXPECT_FALSE(monitor_->status("nobody").has_value());
}

// --- warm state ---

TEST_F(MonitorTest, BeginsWithWhatWasKnownBeforeARestart) {
  targets_.answers = {{"a", true}, {"b", false}};
  monitor_->watch({watch(table_, "a"), watch(table_, "b"), watch(table_, "c")});
  run_until([&] { return targets_.checked["b"] > 0 && monitor_->unknown_count() == 0; });
  std::vector<Warm> saved = monitor_->save();
  ASSERT_EQ(saved.size(), 3U);
  EXPECT_EQ(saved[1].reason, "sick");
  std::erase_if(saved, [](Warm const& one) { return one.endpoint == "c"; });
  saved[0].since_ms = 1'700'000'000'000;
  table_.set(table_.slot("a"), Health::unknown);
  events_.clear();
  make(saved);
  targets_.answers["a"] = false;
  targets_.hold = true;
  monitor_->watch({watch(table_, "a", {1, 3}), watch(table_, "b"), watch(table_, "new")});
  EXPECT_EQ(health("a"), Health::up) << "before any check";
  EXPECT_EQ(table_.view(table_.slot("a")).up_since_s, 1'700'000'000U);
  EXPECT_EQ(monitor_->unknown_count(), 1U);
  EXPECT_THAT(events_, ElementsAre("a unknown>up as before the restart"));
  targets_.hold = false;
  int const before = targets_.checked["a"];
  run_until([&] { return health("a") == Health::down; });
  EXPECT_GE(targets_.checked["a"], before + 3) << "the full threshold";
}

// --- push ---

class PushTest : public MonitorTest {
 protected:
  Watch pushed(std::chrono::milliseconds interval = std::chrono::hours(1)) {
    Watch out = watch(table_, "p", {1, 2});
    out.check.type = probe::Type::push;
    out.check.timeout = std::chrono::milliseconds(0);
    out.interval = interval;
    return out;
  }
  base::Result<void> send(std::uint64_t sequence, bool success, std::int64_t off_ms = 0,
                          std::optional<std::uint32_t> load = std::nullopt) {
    auto const now = std::chrono::system_clock::now().time_since_epoch();
    std::int64_t const now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    return monitor_->report("p", {success, success ? "" : "disk full", load, sequence, now_ms + off_ms});
  }
  std::uint32_t load() { return table_.load_permille(table_.slot("p")); }
};

TEST_F(PushTest, TakesReportsForChecksAndTheirLoad) {
  monitor_->watch({pushed()});
  EXPECT_TRUE(send(1, true, 0, 420).has_value());
  EXPECT_EQ(health("p"), Health::up);
  EXPECT_EQ(load(), 420U);
  EXPECT_TRUE(send(2, false).has_value());
  EXPECT_EQ(health("p"), Health::up);
  EXPECT_EQ(load(), pool::HealthTable::load_unknown);
  EXPECT_TRUE(send(7, false).has_value());
  EXPECT_EQ(health("p"), Health::down);
  EXPECT_THAT(events_, ElementsAre("p unknown>up ok", "p up>down disk full"));
  EXPECT_EQ(targets_.checked["p"], 0) << "nobody asks it";
}

TEST_F(PushTest, RefusesReplaysAndOtherTimesAndCountsThem) {
  monitor_->watch({pushed(), watch(table_, "asked")});
  EXPECT_TRUE(send(5, true).has_value());
  EXPECT_EQ(send(5, false).error().code, errc::replayed);
  EXPECT_EQ(send(4, false).error().code, errc::replayed);
  EXPECT_EQ(send(6, false, -90'000).error().code, errc::misdated);
  EXPECT_EQ(send(6, false, 90'000).error().code, errc::misdated);
  EXPECT_EQ(monitor_->report("nobody", {}).error().code, errc::unknown_endpoint);
  EXPECT_EQ(monitor_->report("asked", {}).error().code, errc::not_pushed);
  EXPECT_EQ(monitor_->refused_reports(), 6U);
  EXPECT_EQ(monitor_->status("p")->checks.size(), 1U);
  EXPECT_TRUE(send(6, false).has_value()) << "a refused sequence is not used up";
}

TEST_F(PushTest, CountsSilenceAsFailuresOnePerInterval) {
  monitor_->watch({pushed(std::chrono::milliseconds(20))});
  EXPECT_TRUE(send(1, true, 0, 100).has_value());
  run_until([&] { return events_.size() == 2; });
  EXPECT_THAT(events_[1], testing::HasSubstr("p up>down no report for more than 20 ms"));
  EXPECT_EQ(load(), pool::HealthTable::load_unknown);
  auto const checks = monitor_->status("p")->checks;
  ASSERT_EQ(checks.size(), 3U) << "two silences were needed";
  EXPECT_TRUE(send(2, true).has_value());
  EXPECT_EQ(health("p"), Health::up);
}

TEST_F(PushTest, KnowsAReplayAlsoAfterARestart) {
  monitor_->watch({pushed()});
  EXPECT_TRUE(send(9, true).has_value());
  make(monitor_->save());
  monitor_->watch({pushed()});
  EXPECT_EQ(send(9, false).error().code, errc::replayed);
  EXPECT_EQ(health("p"), Health::up);
}

TEST_F(PushTest, IsSharedByNobody) {
  Watch other = pushed();
  other.endpoint = "q";
  other.slot = table_.slot("q");
  monitor_->watch({pushed(), other});
  EXPECT_TRUE(send(1, true).has_value());
  EXPECT_EQ(health("q"), Health::unknown);
  monitor_->watch({other});
  EXPECT_EQ(send(2, true).error().code, errc::unknown_endpoint);
}

}  // namespace
}  // namespace monitor
