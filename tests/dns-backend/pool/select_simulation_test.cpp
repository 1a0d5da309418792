// A fleet over virtual time: 20 sites, 200 pools of every shape, health that comes and goes, 20,000 answers on two
// replicas that gave their slots out in another order. What must hold for every one of them is stated here without
// looking at how an answer is found.
#include "dns-backend/pool/select.hpp"

#include "dns-backend/geo/cidr_map.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace pool {
namespace {

using probe::Health;

constexpr int sites = 20;
constexpr int pools = 200;
constexpr int balancers = 150;
constexpr int selections = 20000;

// The same things at two replicas: equal but for their slots and their places in memory.
struct Replica {
  HealthTable health;
  std::vector<std::shared_ptr<Pool>> pools;
  std::vector<LoadBalancer> balancers;
};

bool has(Endpoint const& endpoint, Family family) {
  return family == Family::ipv4   ? !endpoint.address4.empty()
         : family == Family::ipv6 ? !endpoint.address6.empty()
                                  : !endpoint.target.empty();
}

class Simulation {
 public:
  explicit Simulation(unsigned seed) : random_(seed) {
    make_pools();
    make_balancers();
    copy();
    std::string text;
    for (int i = 0; i < 60; ++i) {
      text += std::to_string(below(4) * 64) + "." + std::to_string(i) + ".0.0/16 s" + std::to_string(below(sites)) +
              " " + std::to_string(below(120) - 60) + "," + std::to_string(below(300) - 150) + "\n";
    }
    text += "64.0.0.0/2 s1\n2001:db8::/32 s2 1,2\n2001:db8:8000::/33 s3 3,4\n";
    places_ = *geo::CidrMap::parse(text, "places");
    for (int site = 0; site < sites; ++site) {
      if (!chance(5)) {
        costs_["s" + std::to_string(site)] = static_cast<std::uint32_t>(below(500));
      }
    }
  }

  void run() {
    for (int i = 0; i < selections && !testing::Test::HasFatalFailure(); ++i) {
      now_ += below(4);
      for (int flips = below(6); flips > 0; --flips) {
        flip();
      }
      if (i % 1000 == 999) {
        disaster();
      }
      check(static_cast<std::size_t>(below(balancers)),
            std::array{Family::ipv4, Family::ipv6, Family::name}[static_cast<std::size_t>(below(3))]);
    }
  }
  std::map<std::string, int> seen;

 private:
  int below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }
  bool chance(int one_in) { return below(one_in) == 0; }

  void make_pools() {
    for (int p = 0; p < pools; ++p) {
      auto pool = std::make_shared<Pool>();
      pool->name = "pool-" + std::to_string(p);
      pool->site = "s" + std::to_string(below(sites));
      pool->enabled = !chance(12);
      pool->minimum_origins = static_cast<std::uint32_t>(below(4));
      pool->all_down = static_cast<AllDown>(below(4));
      pool->origin_steering = static_cast<OriginSteering>(below(4));
      pool->origins_max = chance(2) ? 0 : static_cast<std::uint32_t>(below(4));
      pool->shed_at_permille = chance(2) ? 0 : 700;
      if (chance(2)) {
        pool->coordinates = Coordinates{static_cast<double>(below(120) - 60), static_cast<double>(below(300) - 150)};
      }
      bool const of_names = p % 10 == 9;
      for (int e = below(7); e > 0; --e) {
        Endpoint endpoint;
        endpoint.name = "e-" + std::to_string(p) + "-" + std::to_string(e);
        int const kinds = 1 + below(3);
        endpoint.address4 = !of_names && (kinds & 1) != 0 ? "192.0.2.1" : "";
        endpoint.address6 = !of_names && (kinds & 2) != 0 ? "2001:db8::1" : "";
        endpoint.target = of_names ? endpoint.name + ".test." : "";
        endpoint.enabled = !chance(10);
        endpoint.weight = chance(6) ? 0 : static_cast<std::uint32_t>(1 + below(3000));
        pool->endpoints.push_back(endpoint);
      }
      // Pools of names hold pools of names.
      for (int n = chance(3) ? below(4) : 0; n > 0 && p >= 20; --n) {
        int const inner = below(p / 10) * 10 + (of_names ? 9 : below(9));
        pool->pools.push_back(one_.pools[static_cast<std::size_t>(std::min(inner, p - 1))]);
      }
      one_.pools.push_back(pool);
    }
  }
  PoolPtr any_pool(bool of_names) {
    return one_.pools[static_cast<std::size_t>(below(pools / 10) * 10 + (of_names ? 9 : below(9)))];
  }
  std::vector<PoolPtr> any_pools(bool of_names, int most) {
    std::vector<PoolPtr> out;
    for (int i = below(most + 1); i > 0; --i) {
      out.push_back(any_pool(of_names));
    }
    return out;
  }
  void make_balancers() {
    for (int b = 0; b < balancers; ++b) {
      LoadBalancer balancer;
      bool const of_names = b % 8 == 0;
      balancer.name = "name-" + std::to_string(b) + ".example.org.";
      balancer.pools = any_pools(of_names, 6);
      balancer.fallback_pool = chance(2) ? any_pool(of_names) : nullptr;
      for (int r = chance(2) ? below(5) : 0; r > 0; --r) {
        balancer.region_pools["s" + std::to_string(below(sites))] = any_pools(of_names, 3);
      }
      for (PoolPtr const& pool : balancer.pools) {
        if (chance(2)) {
          balancer.pool_weights[pool->name] = static_cast<std::uint32_t>(below(3) * 500);
        }
      }
      balancer.steering = static_cast<Steering>(below(7));
      balancer.ttl = static_cast<std::uint32_t>(below(4) * 20);
      balancer.failback_s = chance(2) ? 0 : static_cast<std::uint32_t>(below(100));
      if (chance(2)) {
        balancer.ready.emplace();
        for (auto const& pool : one_.pools) {
          for (Endpoint const& endpoint : pool->endpoints) {
            if (!chance(3)) {
              balancer.ready->insert(endpoint.name);
            }
          }
        }
      }
      one_.balancers.push_back(balancer);
    }
  }
  // The other replica, with slots given out backwards.
  void copy() {
    std::map<Pool const*, std::shared_ptr<Pool>> copies;
    for (auto const& pool : one_.pools) {
      auto const twin = std::make_shared<Pool>(*pool);
      for (PoolPtr& nested : twin->pools) {
        nested = copies.at(nested.get());
      }
      copies[pool.get()] = twin;
      two_.pools.push_back(twin);
    }
    for (std::size_t p = 0; p < pools; ++p) {
      for (Endpoint& endpoint : one_.pools[p]->endpoints) {
        endpoint.slot = one_.health.slot(endpoint.name);
        endpoints_.push_back(endpoint.name);
      }
    }
    for (std::size_t p = pools; p-- > 0;) {
      for (Endpoint& endpoint : two_.pools[p]->endpoints) {
        endpoint.slot = two_.health.slot(endpoint.name);
      }
    }
    auto const translate = [&copies](std::vector<PoolPtr>& list) {
      for (PoolPtr& pool : list) {
        pool = copies.at(pool.get());
      }
    };
    for (LoadBalancer balancer : one_.balancers) {
      translate(balancer.pools);
      for (auto& [region, list] : balancer.region_pools) {
        translate(list);
      }
      balancer.fallback_pool = balancer.fallback_pool ? copies.at(balancer.fallback_pool.get()) : nullptr;
      two_.balancers.push_back(balancer);
    }
  }

  void set(std::string const& endpoint, Health state) {
    std::int64_t const now = now_ * 1000;
    one_.health.set(one_.health.slot(endpoint), state, now);
    two_.health.set(two_.health.slot(endpoint), state, now);
  }
  void flip() {
    std::string const& endpoint = endpoints_[static_cast<std::size_t>(below(static_cast<int>(endpoints_.size())))];
    constexpr std::array states{Health::up,   Health::up,   Health::up,      Health::down,
                                Health::down, Health::down, Health::unknown, Health::draining};
    set(endpoint, states[static_cast<std::size_t>(below(8))]);
    auto const stable = static_cast<std::uint32_t>(below(40));
    auto const load = static_cast<std::uint32_t>(below(1000));
    bool const with_load = chance(2);
    for (Replica* replica : {&one_, &two_}) {
      std::uint32_t const slot = replica->health.slot(endpoint);
      replica->health.set_stable(slot, stable);
      if (with_load) {
        replica->health.set_load(slot, load);
      }
    }
  }
  // From time to time nearly everything is down, or up.
  void disaster() {
    Health const state = chance(2) ? Health::up : Health::down;
    for (std::string const& endpoint : endpoints_) {
      if (!chance(20)) {
        set(endpoint, state);
      }
    }
  }

  geo::Client any_client() {
    if (chance(10)) {
      return {};
    }
    std::string const text = chance(4) ? (chance(2) ? "2001:db8:8000::" : "2001:db8::") + std::to_string(below(9))
                                       : std::to_string(below(256)) + "." + std::to_string(below(60)) + ".7.9";
    geo::Client const client = geo::parse_client(text).value();
    return geo::shortened(client, static_cast<std::uint8_t>(8 + below(client.bits - 7)));
  }

  static void collect(Pool const& pool, Family family, unsigned depth, std::vector<Endpoint const*>& out) {
    if (!pool.enabled || depth > nesting_max) {
      return;
    }
    for (Endpoint const& endpoint : pool.endpoints) {
      if (endpoint.enabled && has(endpoint, family)) {
        out.push_back(&endpoint);
      }
    }
    for (PoolPtr const& nested : pool.pools) {
      collect(*nested, family, depth + 1, out);
    }
  }
  // What may be answered to this client, and what only the fallback pool may.
  struct Eligible {
    std::vector<Endpoint const*> usual, fallback;
    bool empty_policy = false;  // a pool may wish for no answer
  };
  Eligible eligible(LoadBalancer const& balancer, geo::Client const& client, Family family) const {
    std::vector<PoolPtr> order = balancer.pools;
    auto const append = [&order](std::vector<PoolPtr> const& more) {
      order.insert(order.end(), more.begin(), more.end());
    };
    auto const place = client.bits > 0 ? places_->locate(client) : std::nullopt;
    if (balancer.steering == Steering::geo && place) {
      if (auto const found = balancer.region_pools.find(place->region); found != balancer.region_pools.end()) {
        append(found->second);
      }
    }
    Eligible out;
    auto const look = [&] {
      for (PoolPtr const& pool : order) {
        collect(*pool, family, 0, out.usual);
        out.empty_policy = out.empty_policy || pool->all_down == AllDown::empty;
      }
    };
    look();
    if (balancer.fallback_pool) {
      collect(*balancer.fallback_pool, family, 0, out.fallback);
    }
    if (out.usual.empty() && out.fallback.empty() && balancer.steering == Steering::geo) {
      for (auto const& [region, list] : balancer.region_pools) {
        append(list);
      }
      look();
    }
    auto const unready = [&balancer](Endpoint const* one) { return !balancer.ready->contains(one->name); };
    bool const any_ready = balancer.ready && (!std::all_of(out.usual.begin(), out.usual.end(), unready) ||
                                              !std::all_of(out.fallback.begin(), out.fallback.end(), unready));
    if (any_ready) {
      std::erase_if(out.usual, unready);
      std::erase_if(out.fallback, unready);
    }
    return out;
  }

  static std::vector<std::string> names(Selection const& selection) {
    std::vector<std::string> out;
    for (Endpoint const* endpoint : selection.endpoints) {
      out.push_back(endpoint->name);
    }
    return out;
  }

  void check(std::size_t which, Family family) {
    LoadBalancer const& balancer = one_.balancers[which];
    geo::Client const client = any_client();
    bool const never_empty = chance(2);
    geo::Locator const* const locator = chance(8) ? nullptr : places_.get();
    Asking const asking{one_.health, now_, client, locator, chance(8) ? nullptr : &costs_, never_empty};
    Selection const selection = select(balancer, asking, family);
    SCOPED_TRACE(balancer.name + " steering " + std::to_string(static_cast<int>(balancer.steering)) + " for " +
                 geo::to_text(client) + " at " + std::to_string(now_));
    Asking there = {two_.health, now_, client, locator, asking.costs, never_empty};
    Selection const twin = select(two_.balancers[which], there, family);
    ASSERT_EQ(names(selection), names(twin));
    ASSERT_EQ(selection.ttl, twin.ttl);
    ASSERT_EQ(selection.scope_bits, twin.scope_bits);
    ASSERT_LE(selection.ttl, balancer.ttl);
    ASSERT_GE(selection.ttl, std::min(balancer.ttl, 1U));
    check_health(balancer, selection, client, family, locator != nullptr, never_empty);
    check_neighbour(balancer, asking, selection, family);
    if (serves(balancer, family) && never_empty) {
      ASSERT_FALSE(selection.endpoints.empty()) << "a type is gone";
    }
    ASSERT_EQ(serves(balancer, family), serves(two_.balancers[which], family));
  }

  void check_health(LoadBalancer const& balancer, Selection const& selection, geo::Client const& client, Family family,
                    bool located, bool never_empty) {
    Eligible const may = eligible(balancer, located ? client : geo::Client(), family);
    auto const any = [&](Health state) {
      return std::any_of(may.usual.begin(), may.usual.end(),
                         [&](Endpoint const* one) { return one_.health.get(one->slot) == state; });
    };
    ASSERT_EQ(selection.healthy, any(Health::up) || any(Health::unknown) || any(Health::draining));
    ++seen[selection.healthy ? "healthy" : selection.endpoints.empty() ? "empty" : "by policy"];
    if (selection.endpoints.empty()) {
      ASSERT_EQ(selection.scope_bits, 0) << "PowerDNS caches it for everybody";
      bool const nothing = may.usual.empty() && may.fallback.empty();
      ASSERT_TRUE(nothing || (may.empty_policy && !never_empty && !selection.healthy));
      return;
    }
    std::set<Endpoint const*> const answered(selection.endpoints.begin(), selection.endpoints.end());
    ASSERT_EQ(answered.size(), selection.endpoints.size());
    ASSERT_TRUE(selection.pool->origins_max == 0 || answered.size() <= selection.pool->origins_max);
    for (Endpoint const* one : answered) {
      Health const state = one_.health.get(one->slot);
      auto const among = [one](std::vector<Endpoint const*> const& list) {
        return std::find(list.begin(), list.end(), one) != list.end();
      };
      ASSERT_TRUE(among(may.usual) || (!selection.healthy && among(may.fallback))) << one->name;
      if (selection.healthy) {
        ASSERT_EQ(state, any(Health::up) ? Health::up : any(Health::unknown) ? Health::unknown : Health::draining);
      }
      std::uint32_t const stable = one_.health.stable_s(one->slot);
      ASSERT_LE(selection.ttl, std::max(stable, 1U));
    }
  }

  // RFC 7871: the answer may be given to everybody whose address begins with so many of the same bits.
  void check_neighbour(LoadBalancer const& balancer, Asking const& asking, Selection const& selection, Family family) {
    Asking other{asking.health, asking.now_s, asking.client, asking.locator, asking.costs, asking.never_empty};
    if (selection.scope_bits == 0) {
      other.client = any_client();
    } else {
      for (unsigned bit = selection.scope_bits; bit < asking.client.bits; ++bit) {
        other.client.octets[bit / 8] ^= static_cast<std::uint8_t>(chance(2) ? 0x80U >> bit % 8 : 0);
      }
    }
    seen["scoped"] += selection.scope_bits > 0 ? 1 : 0;
    ASSERT_EQ(names(select(balancer, other, family)), names(selection))
        << geo::to_text(other.client) << " within /" << int{selection.scope_bits};
  }

  std::mt19937 random_;
  std::int64_t now_ = 1'800'000'000;
  Replica one_, two_;
  std::vector<std::string> endpoints_;
  std::shared_ptr<geo::CidrMap const> places_;
  geo::SiteCosts costs_;
};

TEST(SelectSimulation, HoldsThroughTwentyThousandAnswers) {
  for (unsigned const seed : {1U, 2U}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation simulation(seed);
    simulation.run();
    if (testing::Test::HasFatalFailure()) {
      return;
    }
    for (char const* const kind : {"healthy", "by policy", "empty", "scoped"}) {
      EXPECT_GT(simulation.seen[kind], 300) << kind << " hardly ever happened";
    }
  }
}

}  // namespace
}  // namespace pool
