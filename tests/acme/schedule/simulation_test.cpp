// A year of certificates on a fake clock: the planner as the issuer drives it, against a CA with Let's Encrypt's limits
// that is away for two days. 1,000 tenants; 100,000 with SOVEREIGN_LONG.
#include "acme/schedule/planner.hpp"
#include "acme/schedule/renewal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <queue>
#include <unordered_map>

namespace acme {
namespace {

using protocol::FailureClass;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time begin{milliseconds(1'800'000'000'000)};

// The CA's own books, kept another way than Limits keeps them: it remembers when each order came, and counts those of
// the window.
class Ca {
 public:
  Ca(Time away_from, Time away_until) : away_from_(away_from), away_until_(away_until) {}

  Ending order(std::int64_t tenant, bool renewal, bool replaces, Time now) {
    if (now >= away_from_ && now < away_until_) {
      ++lost;
      return {FailureClass::transient, {}};
    }
    auto const refused = [this, now] {
      ++rate_limited;
      return Ending{FailureClass::not_before, now + hours(1)};
    };
    if (!replaces && tokens_gone(of_set_[tenant], 5, hours(168), now)) {
      return refused();
    }
    if (!renewal && tokens_gone(account_, 300, hours(3), now)) {
      return refused();
    }
    return {};
  }

  std::size_t rate_limited = 0;
  std::size_t lost = 0;

 private:
  // A token bucket by simulation of its content; takes one when there is one.
  struct Content {
    double tokens = -1;
    Time at;
  };
  static bool tokens_gone(Content& content, double count, milliseconds per, Time now) {
    if (content.tokens < 0) {
      content = {count, now};
    }
    double const gained = static_cast<double>((now - content.at).count()) * count / static_cast<double>(per.count());
    content = {std::min(count, content.tokens + gained), now};
    // Half a thousandth for sums of doubles.
    if (content.tokens < 0.9995) {
      return true;
    }
    content.tokens -= 1;
    return false;
  }

  Time away_from_;
  Time away_until_;
  Content account_;
  std::unordered_map<std::int64_t, Content> of_set_;
};

struct Story {
  std::vector<milliseconds> lifetimes;  // tenants take them in turn
  std::int64_t tenants = 1000;
  milliseconds arrivals{0};  // tenants sign up over so long
  milliseconds length{0};
  Time away_from, away_until;
  std::optional<Time> recall;  // all that is there then
  bool replaces = true;        // the CA offers renewal information
};

struct Report {
  std::size_t issued = 0, expired = 0, rate_limited = 0, lost = 0;
  double peak_over_mean = 0;
  milliseconds window{0};
  milliseconds latest{0};  // longest delay of a renewal past its due time
  std::size_t busiest_recall_minute = 0;
  double recall_peak_over_mean = 0;  // by hours
};

class Simulation {
 public:
  explicit Simulation(Story story) : story_(std::move(story)), ca_(story_.away_from, story_.away_until) {
    PlannerSettings settings;
    settings.orders_max = 8;
    settings.slowest_pace = hours(24 * 30);  // the floor is for small installations; here the mean rate shall rule
    planner_.emplace(settings,
                     std::vector<LimitSettings>{{{300, hours(3)}, {50, hours(168)}, {5, hours(168)}, {5, hours(1)}}});
  }

  Report run() {
    for (std::int64_t id = 0; id < story_.tenants; ++id) {
      events_.push({begin + story_.arrivals * id / story_.tenants, Kind::arrival, id});
    }
    if (story_.recall) {
      events_.push({*story_.recall, Kind::recall, 0});
    }
    Time const end = begin + story_.length;
    while (!events_.empty() && events_.top().at <= end) {
      Event const event = events_.top();
      events_.pop();
      handle(event);
    }
    for (auto const& [id, holding] : held_) {
      report_.expired += holding.not_after <= end ? 1U : 0U;
    }
    report_.rate_limited = ca_.rate_limited;
    report_.lost = ca_.lost;
    level(end);
    std::size_t recalls = 0;
    std::size_t most = 0;
    for (auto const& [hour, count] : recalls_of_hour_) {
      recalls += count;
      most = std::max(most, count);
    }
    report_.recall_peak_over_mean =
        6.0 * static_cast<double>(most) / static_cast<double>(std::max<std::size_t>(recalls, 1));
    return report_;
  }

 private:
  enum class Kind { arrival, wake, end, recall };
  struct Event {
    Time at;
    Kind kind;
    std::int64_t id;
    bool operator<(Event const& other) const { return at > other.at; }  // the earliest on top
  };

  void handle(Event const& event) {
    Time const now = event.at;
    switch (event.kind) {
      case Kind::arrival:
        planner_->want(wish(event.id), now);
        break;
      case Kind::wake:
        if (event.at != wake_) {
          return;  // an earlier one took its place
        }
        wake_.reset();
        break;
      case Kind::end:
        finish(event.id, now);
        break;
      case Kind::recall:
        for (auto& [id, holding] : held_) {
          holding.recalled = true;
          planner_->want(wish(id), now);
        }
        break;
    }
    Plan const plan = planner_->plan(now);
    for (Start const& one : plan.start) {
      events_.push({now + seconds(2), Kind::end, one.id});
      count_recall(one.id, now);
    }
    if (plan.wake && (!wake_ || *plan.wake < *wake_)) {
      wake_ = std::max(*plan.wake, now + milliseconds(1));
      events_.push({*wake_, Kind::wake, 0});
    }
  }

  void count_recall(std::int64_t id, Time now) {
    auto const found = held_.find(id);
    if (found != held_.end() && found->second.recalled) {
      ++recalls_of_hour_[(now - *story_.recall) / hours(1)];
      auto const minute = std::chrono::duration_cast<std::chrono::minutes>(now - begin).count();
      recalls_ = minute == recall_minute_ ? recalls_ + 1 : 1;
      recall_minute_ = minute;
      report_.busiest_recall_minute = std::max(report_.busiest_recall_minute, recalls_);
    }
  }

  [[nodiscard]] Wish wish(std::int64_t id) const {
    Wish out{id, id, "d" + std::to_string(id), std::to_string(id), {}};
    if (auto const found = held_.find(id); found != held_.end()) {
      out.holding = found->second;
    }
    return out;
  }

  void finish(std::int64_t id, Time now) {
    auto const before = held_.find(id);
    bool const renewal = before != held_.end();
    Ending const ending = ca_.order(id, renewal, renewal && story_.replaces, now);
    planner_->ended(id, 0, ending, now);
    if (ending.failure != FailureClass::none) {
      return;
    }
    if (renewal) {
      report_.expired += before->second.not_after <= now ? 1U : 0U;
      if (!before->second.recalled) {
        report_.latest = std::max(report_.latest, now - before->second.due);
        renewals_.push_back(now);
      }
    }
    ++report_.issued;
    milliseconds const life = story_.lifetimes[static_cast<std::size_t>(id) % story_.lifetimes.size()];
    Holding const holding{now, now + life, renewal_due(now, now + life, 0, report_.issued), false, 0, story_.replaces};
    held_[id] = holding;
    planner_->want(wish(id), now);
  }

  // Renewals in windows of an hour; of more hours where an hour holds so few that chance alone makes peaks.
  void level(Time end) {
    Time const from = begin + story_.arrivals + *std::ranges::max_element(story_.lifetimes);
    auto const first = std::ranges::lower_bound(renewals_, from);
    auto const count = static_cast<double>(renewals_.end() - first);
    double const hourly = count / static_cast<double>((end - from) / hours(1));
    std::int64_t const width = std::max<std::int64_t>(1, static_cast<std::int64_t>(40 / hourly));
    report_.window = hours(width);
    std::map<std::int64_t, double> windows;
    std::int64_t const whole = (end - from) / report_.window;
    for (auto it = first; it != renewals_.end(); ++it) {
      if (std::int64_t const window = (*it - from) / report_.window; window < whole) {
        windows[window] += 1;
      }
    }
    double peak = 0;
    double total = 0;
    for (auto const& [window, renewals] : windows) {
      peak = std::max(peak, renewals);
      total += renewals;
    }
    report_.peak_over_mean = peak / (total / static_cast<double>(whole));
  }

  Story story_;
  Ca ca_;
  std::optional<Planner> planner_;
  std::priority_queue<Event> events_;
  std::optional<Time> wake_;
  std::unordered_map<std::int64_t, Holding> held_;
  std::vector<Time> renewals_;
  Report report_;
  std::size_t recalls_ = 0;
  std::int64_t recall_minute_ = -1;
  std::map<std::int64_t, std::size_t> recalls_of_hour_;
};

std::int64_t tenants() {
  return std::getenv("SOVEREIGN_LONG") != nullptr ? 100000 : 1000;
}

void print(char const* what, Story const& story, Report const& report) {
  std::printf(
      "%s: %lld tenants, %lld days: %zu issued, %zu expired, %zu rate-limited, %zu orders lost in the outage, "
      "peak/mean %.2f in windows of %lld h, longest delay %lld h\n",
      what, static_cast<long long>(story.tenants), static_cast<long long>(story.length / hours(24)), report.issued,
      report.expired, report.rate_limited, report.lost, report.peak_over_mean,
      static_cast<long long>(report.window / hours(1)), static_cast<long long>(report.latest / hours(1)));
}

Story story_of(std::vector<milliseconds> lifetimes, bool replaces) {
  Story story;
  milliseconds const longest = *std::ranges::max_element(lifetimes);
  story.lifetimes = std::move(lifetimes);
  story.tenants = tenants();
  story.replaces = replaces;
  // 2,400 first orders a day are what the account may place.
  story.arrivals = std::max<milliseconds>(longest * 2 / 3, hours(24) * story.tenants / 2300);
  Time const steady = begin + story.arrivals + longest;
  story.away_from = steady + longest / 3;
  story.away_until = story.away_from + hours(48);
  story.length = story.arrivals + longest * 3;
  return story;
}

void expect_steady(Report const& report) {
  EXPECT_EQ(report.expired, 0U);
  EXPECT_EQ(report.rate_limited, 0U);
  EXPECT_GT(report.lost, 0U) << "the outage took place";
  EXPECT_LE(report.peak_over_mean, 1.5);
  EXPECT_GT(report.issued, 3U * static_cast<std::size_t>(tenants()));
}

TEST(Simulation, NinetyDays) {
  Story const story = story_of({hours(90 * 24)}, true);
  Report const report = Simulation(story).run();
  print("90 d", story, report);
  expect_steady(report);
}

TEST(Simulation, FortyFiveDays) {
  Story const story = story_of({hours(45 * 24)}, true);
  Report const report = Simulation(story).run();
  print("45 d", story, report);
  expect_steady(report);
}

TEST(Simulation, AHundredAndSixtyHours) {
  Story story = story_of({hours(160)}, true);
  story.length = story.arrivals + hours(160) * 6;
  Report const report = Simulation(story).run();
  print("160 h", story, report);
  expect_steady(report);
}

TEST(Simulation, AHundredAndSixtyHoursWithoutRenewalInformation) {
  Story story = story_of({hours(160)}, false);
  story.length = story.arrivals + hours(160) * 6;
  Report const report = Simulation(story).run();
  print("160 h, sets counted", story, report);
  expect_steady(report);
}

TEST(Simulation, AllLifetimesTogether) {
  Story const story = story_of({hours(90 * 24), hours(45 * 24), hours(160)}, true);
  Report const report = Simulation(story).run();
  print("90 d, 45 d and 160 h", story, report);
  expect_steady(report);
}

// A mass revocation is announced: everything is replaced within hours, evenly. What was replaced together would fall
// due together: it begins early enough that the pace of renewals stays what it is, and the cycle after that is smooth.
TEST(Simulation, ARecallOfEverything) {
  Story story = story_of({hours(90 * 24)}, true);
  story.recall = story.away_until + hours(24 * 10);
  Report const report = Simulation(story).run();
  print("90 d, recalled", story, report);
  std::printf("  busiest minute of the recall: %zu orders\n", report.busiest_recall_minute);
  EXPECT_EQ(report.expired, 0U);
  EXPECT_EQ(report.rate_limited, 0U);
  EXPECT_LE(report.busiest_recall_minute, static_cast<std::size_t>(tenants() / 360 * 2 + 3));
  std::printf("  busiest of the six hours over their mean: %.2f\n", report.recall_peak_over_mean);
  EXPECT_LE(report.recall_peak_over_mean, 1.5);
  EXPECT_LE(report.peak_over_mean, 1.5) << "of the renewals in the cycles after it";
}

}  // namespace
}  // namespace acme
