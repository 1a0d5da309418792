// The monitor with a prober that answers as the test says; the real probes are tested in base/probe.
#include "dns-backend/pool/monitor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <stdexcept>

namespace pool {
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

Watch watch(HealthTable& table, std::string const& name, probe::Thresholds thresholds = {}) {
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
  void make() {
    auto const heard = [this](std::string endpoint, probe::Transition transition, std::string reason) {
      events_.push_back(endpoint + " " + probe::name(transition.from) + ">" + probe::name(transition.to) + " " +
                        reason);
    };
    auto const prober = [this](probe::Check check) { return answer(&targets_, std::move(check)); };
    monitor_ = std::make_unique<Monitor>(loop_.get_executor(), table_, heard, prober);
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
  HealthTable table_;
  std::vector<std::string> events_;
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

TEST_F(MonitorTest, ReportsTheLastCheckInItsStatus) {
  targets_.answers = {{"a", false}};
  monitor_->watch({watch(table_, "a", {4, 1})});
  EXPECT_EQ(monitor_->status().at(0).checked_at_ms, 0);
  run_until([&] { return !events_.empty(); });
  EndpointStatus const status = monitor_->status().at(0);
  EXPECT_EQ(status.endpoint, "a");
  EXPECT_EQ(status.health, Health::down);
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
  EXPECT_EQ(targets_.in_flight, Monitor::in_flight_max);
  wanted.erase(wanted.begin() + 300, wanted.end());
  monitor_->watch(wanted);
  targets_.hold = false;
  targets_.release.notify();
  run_until([&] { return events_.size() == 300; });
  EXPECT_EQ(targets_.in_flight_most, Monitor::in_flight_max);
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
  auto const prober = [this](probe::Check check) { return answer(&targets_, std::move(check)); };
  auto const rewatch = [this](std::string endpoint, probe::Transition, std::string) {
    events_.push_back(endpoint);
    if (endpoint == "a") {
      monitor_->watch({watch(table_, "b")});
    }
  };
  monitor_ = std::make_unique<Monitor>(loop_.get_executor(), table_, rewatch, prober);
  monitor_->watch({watch(table_, "a")});
  run_until([&] { return events_.size() == 2; });
  EXPECT_THAT(events_, ElementsAre("a", "b"));
}

TEST(Jitter, StaysWithinATenthOfTheInterval) {
  std::chrono::milliseconds least{1000000};
  std::chrono::milliseconds most{0};
  for (std::uint32_t random = 0; random < 5000; ++random) {
    auto const wait = jittered(std::chrono::milliseconds(5000), random * 2654435761U);
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  EXPECT_GE(least.count(), 4500);
  EXPECT_LE(least.count(), 4520);
  EXPECT_LE(most.count(), 5500);
  EXPECT_GE(most.count(), 5480);
  EXPECT_EQ(jittered(std::chrono::milliseconds(0), 7).count(), 1) << "never a busy loop";
  EXPECT_EQ(jittered(std::chrono::milliseconds(3), 7).count(), 3);
}

}  // namespace
}  // namespace pool
