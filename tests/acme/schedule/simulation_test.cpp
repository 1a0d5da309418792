// A year of certificates on a fake clock: the planner as the issuer drives it, against a CA with Let's Encrypt's limits
// that is away for two days, draws renewal windows, wants certificates replaced early, and fails some orders.
// 1,000 tenants; 100,000 with SOVEREIGN_LONG.
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

// A draw in [0, 1) that is the same in every run (splitmix64).
double draw(std::uint64_t one, std::uint64_t other) {
  std::uint64_t z = one * 0x9e3779b97f4a7c15ULL + other * 0xd1b54a32d192ed03ULL + 0x632be59bd9b4e019ULL;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return static_cast<double>((z ^ (z >> 31U)) >> 11U) / static_cast<double>(1ULL << 53U);
}

struct Order {
  std::int64_t tenant = 0;
  std::int64_t domain = 0;  // registered domain
  bool renewal = false;
  bool replaces = false;
};

struct CaSettings {
  Time away_from{}, away_until{};
  double unproved = 0;  // of the orders: a validation fails
  double erring = 0;    // of the orders: the CA answers 500
};

// The CA's own books, kept another way than Limits keeps them: token buckets by what they hold.
class Ca {
 public:
  explicit Ca(CaSettings settings) : settings_(settings) {}

  Ending order(Order const& order, Time now) {
    ++orders;
    placed = false;
    if (now >= settings_.away_from && now < settings_.away_until) {
      ++lost;
      return {FailureClass::transient, {}};
    }
    auto const tenant = static_cast<std::uint64_t>(order.tenant);
    if (draw(tenant, orders) < settings_.erring) {
      ++erred;
      return {FailureClass::transient, {}};
    }
    auto const refused = [this, now] {
      ++rate_limited;
      return Ending{FailureClass::not_before, now + hours(1)};
    };
    if (tokens_gone(failures_[order.tenant], 5, hours(1), now, 0)) {
      return refused();
    }
    if (!order.replaces && tokens_gone(of_set_[order.tenant], 5, hours(168), now)) {
      return refused();
    }
    if (!order.renewal &&
        (tokens_gone(account_, 300, hours(3), now) || tokens_gone(of_domain_[order.domain], 50, hours(168), now))) {
      return refused();
    }
    placed = true;
    if (draw(tenant + 1, orders + 1) < settings_.unproved) {
      ++unproved;
      tokens_gone(failures_[order.tenant], 5, hours(1), now);
      return {FailureClass::validation, {}};
    }
    return {};
  }

  std::size_t orders = 0;
  bool placed = false;  // the last one that was asked for
  std::size_t rate_limited = 0;
  std::size_t lost = 0;
  std::size_t unproved = 0;
  std::size_t erred = 0;

 private:
  // A token bucket by simulation of its content; takes one when there is one.
  struct Content {
    double tokens = -1;
    Time at;
  };
  static bool tokens_gone(Content& content, double count, milliseconds per, Time now, double take = 1) {
    if (content.tokens < 0) {
      content = {count, now};
    }
    double const gained = static_cast<double>((now - content.at).count()) * count / static_cast<double>(per.count());
    content = {std::min(count, content.tokens + gained), now};
    // Half a thousandth for sums of doubles.
    if (content.tokens < 0.9995) {
      return true;
    }
    content.tokens -= take;
    return false;
  }

  CaSettings settings_;
  Content account_;
  std::unordered_map<std::int64_t, Content> of_set_;
  std::unordered_map<std::int64_t, Content> of_domain_;
  std::unordered_map<std::int64_t, Content> failures_;
};

struct Story {
  std::vector<milliseconds> lifetimes;  // tenants take them in turn
  std::int64_t tenants = 1000;
  milliseconds arrivals{0};  // tenants sign up over so long
  milliseconds length{0};
  CaSettings ca;
  std::optional<Time> recall;        // all that is there then
  bool replaces = true;              // the CA offers renewal information
  std::int64_t names_of_domain = 1;  // tenants below one registered domain
  bool windows = false;              // the CA draws the moment of renewal (RFC 9773)
  double early = 0;                  // of the certificates: the CA wants them replaced somewhere in their life
};

struct Report {
  std::size_t issued = 0, first = 0, expired = 0, rate_limited = 0, lost = 0, unproved = 0, erred = 0, early = 0;
  double peak_over_mean = 0;
  milliseconds window{0};
  milliseconds latest{0};    // longest delay of a renewal past its due time
  milliseconds newcomer{0};  // longest wait of a first certificate, of those who came in an outage: behind its end
  std::size_t busiest_recall_minute = 0;
  double recall_peak_over_mean = 0;  // by hours
};

class Simulation {
 public:
  explicit Simulation(Story story) : story_(std::move(story)), ca_(story_.ca) {
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
    report_.unproved = ca_.unproved;
    report_.erred = ca_.erred;
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
  enum class Kind { arrival, wake, end, recall, early };
  struct Event {
    Time at;
    Kind kind;
    std::int64_t id;
    Time of{};  // early: the end of the certificate that is meant
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
      case Kind::early:
        if (auto& holding = held_.at(event.id); holding.not_after == event.of) {  // not replaced meanwhile
          ++report_.early;
          holding.recalled = true;
          planner_->want(wish(event.id), now);
        }
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
    if (story_.recall && found != held_.end() && found->second.recalled) {
      ++recalls_of_hour_[(now - *story_.recall) / hours(1)];
      auto const minute = std::chrono::duration_cast<std::chrono::minutes>(now - begin).count();
      recalls_ = minute == recall_minute_ ? recalls_ + 1 : 1;
      recall_minute_ = minute;
      report_.busiest_recall_minute = std::max(report_.busiest_recall_minute, recalls_);
    }
  }

  [[nodiscard]] Wish wish(std::int64_t id) const {
    Wish out{id, id, "d" + std::to_string(id / story_.names_of_domain), std::to_string(id), {}};
    if (auto const found = held_.find(id); found != held_.end()) {
      out.holding = found->second;
    }
    return out;
  }

  void finish(std::int64_t id, Time now) {
    auto const before = held_.find(id);
    bool const renewal = before != held_.end();
    Ending const ending = ca_.order({id, id / story_.names_of_domain, renewal, renewal && story_.replaces}, now);
    if (ca_.placed) {
      planner_->placed(id, 0, now);
    }
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
    if (!renewal) {
      Time const came = begin + story_.arrivals * id / story_.tenants;
      report_.newcomer = std::max(report_.newcomer, now - std::max(came, story_.ca.away_until));
    }
    report_.first += renewal ? 0U : 1U;
    milliseconds const life = story_.lifetimes[static_cast<std::size_t>(id) % story_.lifetimes.size()];
    held_[id] = {now, now + life, due(now, life), false, 0, story_.replaces};
    planner_->want(wish(id), now);
    auto const at = draw(report_.issued, 3);
    if (draw(report_.issued, 2) < story_.early) {
      events_.push({now + milliseconds(static_cast<std::int64_t>(static_cast<double>(life.count()) * at)), Kind::early,
                    id, now + life});
    }
  }

  // Let's Encrypt's window: a fiftieth of the life, about two thirds into it.
  [[nodiscard]] Time due(Time now, milliseconds life) const {
    Time const own = renewal_due(now, now + life, 0, report_.issued);
    std::optional<Suggestion> suggestion;
    if (story_.windows) {
      Time const from = now + life * 2 / 3 - life / 100;
      suggestion = suggestion_of({from, from + life / 50, {}}, std::nullopt, report_.issued);
    }
    return renewal_moment(own, suggestion, now, now + life);
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
      "%zu unproved, %zu erred, %zu wanted early, peak/mean %.2f in windows of %lld h, longest delay %lld h\n",
      what, static_cast<long long>(story.tenants), static_cast<long long>(story.length / hours(24)), report.issued,
      report.expired, report.rate_limited, report.lost, report.unproved, report.erred, report.early,
      report.peak_over_mean, static_cast<long long>(report.window / hours(1)),
      static_cast<long long>(report.latest / hours(1)));
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
  story.ca.away_from = steady + longest / 3;
  story.ca.away_until = story.ca.away_from + hours(48);
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

// As it is: the CA draws the windows, wants one certificate of fifty replaced early, fails one order of a hundred
// itself and sees no proof in another; tenants come in tens below one registered domain.
TEST(Simulation, WhatACaDoesOfItself) {
  Story story = story_of({hours(90 * 24), hours(45 * 24), hours(160)}, true);
  story.windows = true;
  story.early = 0.02;
  story.names_of_domain = 10;
  story.ca.erring = 0.01;
  story.ca.unproved = 0.01;
  Report const report = Simulation(story).run();
  print("windows, failures, tens", story, report);
  expect_steady(report);
  EXPECT_GT(report.unproved, 10U);
  EXPECT_GT(report.erred, 10U);
  EXPECT_GT(report.early, 10U);
}

// Six days with windows: an outage of two days leaves many of them in their last hours, and they do not come as a heap.
TEST(Simulation, WindowsOfAHundredAndSixtyHours) {
  Story story = story_of({hours(160)}, true);
  story.windows = true;
  story.length = story.arrivals + hours(160) * 6;
  Report const report = Simulation(story).run();
  print("160 h, windows", story, report);
  expect_steady(report);
}

// A platform that grows below one registered domain: fifty new names a week are what the CA grants, whatever asks for
// more; the others wait for their place, nobody is refused, and renewals take no place away.
TEST(Simulation, OneRegisteredDomain) {
  Story story;
  story.lifetimes = {hours(45 * 24)};
  story.tenants = std::getenv("SOVEREIGN_LONG") != nullptr ? 4000 : 400;
  story.names_of_domain = story.tenants;
  story.arrivals = hours(24);
  story.windows = true;
  auto const weeks = (story.tenants - 50) / 50 + 1;
  story.length = hours(168) * weeks + hours(1);
  Report const report = Simulation(story).run();
  print("one registered domain", story, report);
  EXPECT_EQ(report.expired, 0U);
  EXPECT_EQ(report.rate_limited, 0U);
  EXPECT_EQ(report.first, static_cast<std::size_t>(story.tenants)) << "each place was taken when it was there";
}

// Tenants below one registered domain who came while the CA was away for an hour: it owes each of them one certificate,
// and nothing that was tried in vain stands in the way of that.
TEST(Simulation, NewcomersOfAnOutage) {
  Story story;
  story.lifetimes = {hours(45 * 24)};
  story.tenants = story.names_of_domain = 48;  // of the fifty that a week has
  story.arrivals = hours(1);
  story.ca.away_from = begin;
  story.ca.away_until = begin + hours(1);
  story.length = hours(24);
  Report const report = Simulation(story).run();
  print("newcomers of an outage", story, report);
  EXPECT_EQ(report.first, 48U);
  EXPECT_EQ(report.rate_limited, 0U);
  EXPECT_GT(report.lost, 4U);
  EXPECT_LE(report.newcomer, hours(2)) << "the pause of the CA's breaker, and their own";
}

// A mass revocation is announced: everything is replaced within hours, evenly. What was replaced together would fall
// due together: it begins early enough that the pace of renewals stays what it is, and the cycle after that is smooth.
TEST(Simulation, ARecallOfEverything) {
  Story story = story_of({hours(90 * 24)}, true);
  story.recall = story.ca.away_until + hours(24 * 10);
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
