// Twenty sites over virtual time: each checks every origin of 200 pools by probes that may be lost, tells the others by
// reports that may be lost, and decides. Origins die and return, the network falls apart and heals, uplinks are cut,
// Navigators restart with and without memory. What must hold is said by what is true of the world, not by how a
// decision is found.
#include "dns-backend/monitor/endpoint_state.hpp"
#include "dns-backend/pool/select.hpp"
#include "dns-backend/vantage/council.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using pool::HealthTable;
using probe::Health;
using probe::Thresholds;

constexpr std::size_t sites = 20;
constexpr std::size_t pools = 200;  // one origin each; pool p stands at site p % sites
constexpr std::size_t balancers = 100;
constexpr std::int64_t wall0_ms = 1'800'000'000'000;
constexpr auto tick = 1s;
constexpr auto interval = 2s;
// From an event until all who can hear each other agree: the fall of a threshold, the age of a report, those lost.
constexpr auto bound = 15s;
constexpr auto between = 20s;  // events

std::string endpoint(std::size_t number) {
  return "e" + std::to_string(number);
}

// One Navigator: its checks, its council, and what its lookups see.
struct Site {
  std::string name;
  std::unique_ptr<vantage::Council> council;
  std::unique_ptr<HealthTable> table;
  std::vector<monitor::EndpointState> states;
  std::vector<pool::LoadBalancer> balancers;
  vantage::Standing standing;
  std::int64_t boot_ms = 0;
  std::uint64_t sequence = 0, votes_of = 0;
  std::array<std::uint64_t, sites> confirmed{};  // by peers: the votes they have
  bool stale = true;                             // something came in since it decided last
  std::size_t changes = 0;                       // of health, since the last event
};

class Simulation {
 public:
  explicit Simulation(unsigned seed) : random_(seed), alive_(pools, true), group_(sites, 0) {
    for (std::size_t s = 0; s < sites; ++s) {
      Site site;
      site.name = "s" + std::to_string(s);
      sites_.push_back(std::move(site));
    }
    for (Site& site : sites_) {
      begin(site, false);
    }
    since_ = now_;
  }

  void run(int events) {
    for (int event = 0; event < events && !testing::Test::HasFatalFailure(); ++event) {
      for (auto const end = now_ + between; now_ < end && !testing::Test::HasFatalFailure();) {
        step();
      }
      happen(event);
    }
  }
  std::map<std::string, int> seen;

 private:
  std::size_t below(std::size_t end) { return random_() % end; }
  [[nodiscard]] bool lost(unsigned percent) { return below(100) < percent; }
  [[nodiscard]] static std::size_t home(std::size_t pool) { return pool % sites; }
  [[nodiscard]] std::int64_t wall_ms() const {
    return wall0_ms + std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch()).count();
  }
  [[nodiscard]] monitor::Instant instant() const { return {now_, wall_ms()}; }
  [[nodiscard]] std::uint32_t now_s() const { return static_cast<std::uint32_t>(wall_ms() / 1000); }

  // --- the world

  void begin(Site& site, bool warm) {
    std::set<std::string> peers;
    for (Site const& other : sites_) {
      peers.insert(other.name);
    }
    peers.erase(site.name);
    std::vector<monitor::EndpointState> const before = std::move(site.states);
    site.table = std::make_unique<HealthTable>();
    site.council = std::make_unique<vantage::Council>(vantage::CouncilSettings{site.name, peers}, now_);
    site.states.clear();
    site.boot_ms = wall_ms();
    site.sequence = site.votes_of = 0;
    site.confirmed = {};
    site.standing = site.council->standing(now_);
    for (std::size_t e = 0; e < pools; ++e) {
      Health const known = warm ? before[e].effective() : Health::unknown;
      site.states.emplace_back(Thresholds{2, 3}, warm ? before[e].observed() : Health::unknown, known);
      site.states[e].judge(known, instant());
      site.table->set(site.table->slot(endpoint(e)), known, wall_ms());
      if (site.states[e].observed() != Health::unknown) {
        site.council->vote(endpoint(e), site.states[e].observed());
      }
    }
    compose(site);
  }

  // Two origins a balancer, at neighbouring sites, so that whatever single site is gone another one can answer.
  static void compose(Site& site) {
    site.balancers.clear();
    for (std::size_t b = 0; b < balancers; ++b) {
      pool::LoadBalancer balancer;
      balancer.name = "lb" + std::to_string(b) + ".example.org.";
      for (std::size_t const p : {2 * b, 2 * b + 1}) {
        auto one = std::make_shared<pool::Pool>();
        one->name = "p" + std::to_string(p);
        one->endpoints.emplace_back();
        one->endpoints.back().name = endpoint(p);
        one->endpoints.back().address4 = "192.0.2.1";
        one->endpoints.back().slot = site.table->slot(endpoint(p));
        balancer.pools.push_back(std::move(one));
      }
      site.balancers.push_back(std::move(balancer));
    }
  }

  void happen(int event) {
    since_ = now_;
    for (Site& site : sites_) {
      site.changes = 0;
    }
    warm_ = sites;
    switch (event % 7) {
      case 0:  // a tenth of the origins die, those that were dead return
        for (std::size_t e = 0; e < pools; ++e) {
          alive_[e] = !alive_[e] || below(10) != 0;
        }
        ++seen["origins"];
        break;
      case 1:  // an uplink is cut
        group_[below(sites)] = 1;
        ++seen["uplink"];
        break;
      case 4:  // the network falls apart
        for (std::size_t& group : group_) {
          group = below(2);
        }
        ++seen["partition"];
        break;
      case 2:
      case 5:
        std::fill(group_.begin(), group_.end(), 0);
        ++seen["healed"];
        break;
      case 3:
        warm_ = below(sites);
        begin(sites_[warm_], true);
        ++seen["warm start"];
        break;
      default:
        begin(sites_[below(sites)], false);
        ++seen["cold start"];
        break;
    }
  }

  // --- what Navigators do

  void step() {
    now_ += tick;
    ++ticks_;
    for (std::size_t s = 0; s < sites; ++s) {
      for (std::size_t e = 0; e < pools; ++e) {
        if ((s * 7 + e + ticks_) % static_cast<std::size_t>(interval / tick) == 0) {
          check(s, e);
        }
      }
    }
    for (std::size_t s = 0; s < sites; ++s) {
      tell(s);
    }
    for (std::size_t s = 0; s < sites; ++s) {
      decide(sites_[s]);
    }
    hold();
  }

  void check(std::size_t s, std::size_t e) {
    Site& site = sites_[s];
    bool const success = alive_[e] && group_[s] == group_[home(e)] && !lost(5);
    site.states[e].observe(success, instant());
    if (success && home(e) != s) {
      site.council->reached(now_);
    }
    Health const observed = site.states[e].observed();
    if (observed != Health::unknown && site.council->vote(endpoint(e), observed)) {
      site.votes_of = 0;
      site.stale = true;
    }
  }

  vantage::Report report_of(Site& site, bool complete) {
    vantage::Report report;
    report.site = site.name;
    report.boot_ms = site.boot_ms;
    report.sequence = ++site.sequence;
    report.at_ms = wall_ms();
    site.votes_of = site.votes_of == 0 ? site.sequence : site.votes_of;
    report.votes_of = site.votes_of;
    report.complete = complete;
    if (complete) {
      report.votes = site.council->votes();
    }
    report.hears = site.council->heard(now_);
    report.cut_off = site.standing.cut_off;
    return report;
  }

  void tell(std::size_t s) {
    Site& site = sites_[s];
    site.votes_of = site.votes_of == 0 ? site.sequence + 1 : site.votes_of;
    for (std::size_t peer = 0; peer < sites; ++peer) {
      if (peer == s || group_[peer] != group_[s] || lost(10)) {
        continue;
      }
      bool const known = site.confirmed[peer] == site.votes_of;
      auto taken = sites_[peer].council->take(report_of(site, !known), site.name, now_, wall_ms());
      if (!taken && taken.error().code == vantage::errc::unconfirmed) {
        taken = sites_[peer].council->take(report_of(site, true), site.name, now_, wall_ms());
      }
      ASSERT_TRUE(taken) << taken.error().what();
      site.confirmed[peer] = site.votes_of;
      sites_[peer].stale = sites_[peer].stale || *taken;
    }
  }

  void decide(Site& site) {
    vantage::Standing const now = site.council->standing(now_);
    if (!site.stale && now.cut_off == site.standing.cut_off && now.heard == site.standing.heard) {
      return;
    }
    site.standing = now;
    site.stale = false;
    for (std::size_t e = 0; e < pools; ++e) {
      Health const before = site.states[e].judged().value_or(Health::unknown);
      vantage::Ballot const ballot = site.council->decide({endpoint(e), 0, before}, site.standing, now_);
      if (ballot.decided != before) {
        site.changes += before == Health::unknown ? 0 : 1;
        site.states[e].judge(ballot.decided, instant());
        site.table->set(site.table->slot(endpoint(e)), ballot.decided, wall_ms());
      }
    }
  }

  // --- what must hold

  [[nodiscard]] bool alone(std::size_t s) const { return std::count(group_.begin(), group_.end(), group_[s]) == 1; }
  void hold() {
    bool const settled = now_ - since_ >= bound;
    for (std::size_t s = 0; s < sites && !testing::Test::HasFatalFailure(); ++s) {
      SCOPED_TRACE(sites_[s].name + " " + std::to_string((now_ - since_) / 1ms) + " ms after the event");
      if (alone(s)) {
        ASSERT_EQ(sites_[s].changes, 0U) << "its uplink is cut: it changes nothing, from the first moment on";
        if (settled) {
          ASSERT_TRUE(sites_[s].standing.cut_off);
          ++seen["alone"];
        }
      } else if (settled) {
        converged(s);
      }
      ASSERT_TRUE(s != warm_ || sites_[s].changes == 0) << "it remembers what is still true";
      if (sites_[s].states[0].effective() != Health::unknown) {
        answers(sites_[s], settled && !alone(s) ? &group_[s] : nullptr);
      }
    }
  }

  // Equal inputs, equal decisions, and they are true of what these sites can reach.
  void converged(std::size_t s) {
    ASSERT_FALSE(sites_[s].standing.cut_off) << sites_[s].standing.reason;
    for (std::size_t e = 0; e < pools; ++e) {
      bool const reachable = alive_[e] && group_[home(e)] == group_[s];
      ASSERT_EQ(sites_[s].states[e].effective(), reachable ? Health::up : Health::down) << endpoint(e);
    }
    ++seen["converged"];
  }

  // Never a down origin while an up one is eligible, never empty; once settled, never one that cannot be reached.
  void answers(Site const& site, std::size_t const* group) {
    for (std::size_t turn = 0; turn < 5; ++turn) {
      std::size_t const b = below(balancers);
      pool::LoadBalancer const& balancer = site.balancers[b];
      pool::Asking const asking{*site.table, wall_ms() / 1000};
      pool::Selection const selection = pool::select(balancer, asking, pool::Family::ipv4);
      ASSERT_FALSE(selection.endpoints.empty());
      for (pool::Endpoint const* const answered : selection.endpoints) {
        bool any_up = false;
        bool any_reachable = false;
        for (std::size_t const p : {2 * b, 2 * b + 1}) {
          any_up = any_up || site.table->get(site.table->slot(endpoint(p))) == Health::up;
          any_reachable = any_reachable || (group != nullptr && alive_[p] && group_[home(p)] == *group);
        }
        ASSERT_TRUE(!any_up || site.table->get(answered->slot) == Health::up) << answered->name;
        std::size_t const which = std::stoul(answered->name.substr(1));
        if (any_reachable) {
          ASSERT_TRUE(alive_[which] && group_[home(which)] == *group) << answered->name;
          ++seen["answers"];
        }
      }
    }
  }

  std::mt19937 random_;
  std::vector<bool> alive_;
  std::vector<std::size_t> group_;  // who reaches whom: equal numbers
  std::vector<Site> sites_;
  probe::Time now_ = probe::Time(1000s);
  probe::Time since_;  // the last event
  std::size_t ticks_ = 0;
  std::size_t warm_ = sites;  // who has restarted with its memory; none: `sites`
};

TEST(SitesSimulation, TwentySitesAgreeOnWhatIsTrueThroughLossPartitionsAndRestarts) {
  bool const whole = std::getenv("SOVEREIGN_LONG") != nullptr;
  for (unsigned seed = 1; seed <= (whole ? 10U : 1U); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation simulation(seed);
    simulation.run(whole ? 28 : 8);
    if (testing::Test::HasFatalFailure()) {
      return;
    }
    for (char const* const kind : {"origins", "uplink", "partition", "healed", "warm start", "cold start", "alone"}) {
      EXPECT_GT(simulation.seen[kind], 0) << kind << " never happened";
    }
    EXPECT_GT(simulation.seen["converged"], 500);
    EXPECT_GT(simulation.seen["answers"], 1000);
  }
}

}  // namespace
