#include "dns-backend/pool/select.hpp"

#include "dns-backend/pool/candidates.hpp"
#include "dns-backend/pool/origins.hpp"
#include "dns-backend/pool/steering.hpp"

#include <algorithm>

namespace pool {
namespace {

using probe::Health;

// Which candidates an attempt takes.
struct Wanted {
  std::optional<Health> health = std::nullopt;  // nullopt: any
  std::optional<std::int64_t> left_up_ms = std::nullopt;
  bool minimum = true;  // false: one endpoint is enough for every pool

  [[nodiscard]] bool fits(Candidate const& candidate) const {
    return (!health || candidate.view.health == *health) && (!left_up_ms || candidate.view.left_up_ms == *left_up_ms);
  }
};

// What one pool would answer with.
struct Answer {
  Chosen endpoints;
  std::uint8_t scope_bits = 0;
  std::int64_t settles_s = 0;  // until enough of its endpoints have been up for LoadBalancer::failback_s
};

class Choice {
 public:
  Choice(LoadBalancer const& balancer, Asking const& asking, Family family)
      : balancer_(balancer), asking_(asking), family_(family), all_(balancer, asking, family) {
    order_ = steer(balancer, asking, all_, fallback_);
  }

  Selection make() {
    for (Health const health : {Health::up, Health::unknown, Health::draining}) {
      if (health == Health::up && balancer_.failback_s > 0) {
        if (auto found = first_settled()) {
          return std::move(*found);
        }
      }
      if (auto found = first({health})) {
        return std::move(*found);
      }
    }
    return all_down();
  }

 private:
  // False: not enough for the pool.
  bool ask(std::size_t number, Wanted const& wanted, Answer& answer) {
    Candidates::Node const& node = all_.node(number);
    for (std::size_t i = node.first; i < node.last; ++i) {
      if (all_.counts(all_.at(i)) && wanted.fits(all_.at(i))) {
        answer.endpoints.push_back(&all_.at(i));
      }
    }
    for (std::size_t nested = number + 1; nested < node.end; nested = all_.node(nested).end) {
      Answer inner;
      if (ask(nested, wanted, inner)) {
        consulted_bits_ = std::max(consulted_bits_, inner.scope_bits);
        add(answer, inner);
      }
    }
    std::size_t const minimum = wanted.minimum ? std::max<std::size_t>(node.pool->minimum_origins, 1) : 1;
    if (answer.endpoints.size() < minimum) {
      return false;
    }
    answer.settles_s = settles_in(answer.endpoints, minimum);
    choose_origins(*node.pool, balancer_, asking_, answer.endpoints, answer.scope_bits);
    return true;
  }

  [[nodiscard]] std::int64_t settles_in(Chosen endpoints, std::size_t minimum) const {
    if (balancer_.failback_s == 0) {
      return 0;
    }
    auto const enough = endpoints.begin() + static_cast<std::ptrdiff_t>(minimum - 1);
    std::nth_element(endpoints.begin(), enough, endpoints.end(), [](Candidate const* one, Candidate const* two) {
      return one->view.up_since_s < two->view.up_since_s;
    });
    return std::max<std::int64_t>((*enough)->view.up_since_s + std::int64_t{balancer_.failback_s} - asking_.now_s, 0);
  }

  // An endpoint may be in several of the pools that are nested in one.
  static void add(Answer& answer, Answer const& inner) {
    for (Candidate const* const one : inner.endpoints) {
      bool const there = std::any_of(answer.endpoints.begin(), answer.endpoints.end(), [one](Candidate const* other) {
        return other->endpoint->slot == one->endpoint->slot && other->endpoint->name == one->endpoint->name;
      });
      if (!there) {
        answer.endpoints.push_back(one);
      }
    }
  }

  [[nodiscard]] Selection selection(std::size_t node, Answer const& answer) const {
    Selection out;
    out.pool = all_.node(node).pool;
    out.ttl = balancer_.ttl;
    out.scope_bits = std::max({order_.scope_bits, consulted_bits_, answer.scope_bits});
    for (Candidate const* const one : answer.endpoints) {
      out.endpoints.push_back(one->endpoint);
      out.ttl = std::min(out.ttl, std::max(one->stable_s, 1U));
    }
    return out;
  }

  // Caches must not keep this pool beyond the moment at which an earlier one takes over.
  std::optional<Selection> first_settled() {
    std::int64_t soonest_s = balancer_.ttl;
    for (std::size_t const node : order_.nodes) {
      Answer answer;
      if (!ask(node, {Health::up}, answer)) {
        continue;
      }
      if (answer.settles_s == 0) {
        Selection out = selection(node, answer);
        out.ttl = std::min(out.ttl, static_cast<std::uint32_t>(soonest_s));
        return out;
      }
      soonest_s = std::min(soonest_s, answer.settles_s);
    }
    return std::nullopt;
  }

  // The first pool with enough, or else the first with any.
  std::optional<Selection> first(Wanted wanted) {
    for (bool const minimum : {true, false}) {
      wanted.minimum = minimum;
      for (std::size_t const node : order_.nodes) {
        if (auto found = only(node, wanted)) {
          return found;
        }
      }
    }
    return std::nullopt;
  }

  std::optional<Selection> only(std::size_t node, Wanted const& wanted) {
    Answer answer;
    return ask(node, wanted, answer) ? std::optional(selection(node, answer)) : std::nullopt;
  }

  // The best that the fallback pool has, nullopt without one.
  std::optional<Selection> from_fallback() {
    if (!fallback_) {
      return std::nullopt;
    }
    for (Health const health : {Health::up, Health::unknown, Health::draining}) {
      if (auto found = only(*fallback_, {health, {}, false})) {
        return found;
      }
    }
    return only(*fallback_, {{}, {}, false});
  }

  std::optional<Selection> last_up() {
    std::int64_t latest = 0;
    for (std::size_t const node : order_.nodes) {
      for (std::size_t i = all_.node(node).first; i < all_.end_of(node); ++i) {
        latest = all_.counts(all_.at(i)) ? std::max(latest, all_.at(i).view.left_up_ms) : latest;
      }
    }
    // Nothing was ever up: every endpoint was 0, and all are as good.
    return first({{}, latest});
  }

  std::optional<Selection> by_policy(AllDown policy) {
    switch (policy) {
      case AllDown::serve_all:
        break;
      case AllDown::fallback: {
        auto found = from_fallback();
        return found ? found : only(order_.nodes.back(), {{}, {}, false});
      }
      case AllDown::keep_last:
        return last_up();
      case AllDown::empty:
        if (!asking_.never_empty && empty_for_everybody()) {
          return std::nullopt;
        }
        break;
    }
    return first({});
  }

  // An answer without rows has nowhere to say that it is one client's alone: PowerDNS caches it for everybody. So it is
  // given only while every other client would be told the same. This one's pools are down, or nobody would ask.
  [[nodiscard]] bool empty_for_everybody() const {
    if (order_.scope_bits == 0) {
      return true;
    }
    bool const own = std::all_of(order_.nodes.begin(), order_.nodes.end(), [this](std::size_t node) {
      return all_.node(node).pool->all_down == AllDown::empty;
    });
    return own && (balancer_.steering != Steering::geo ||
                   std::all_of(balancer_.region_pools.begin(), balancer_.region_pools.end(), [this](auto const& region) {
                     return std::all_of(region.second.begin(), region.second.end(),
                                        [this](PoolPtr const& pool) { return pool == nullptr || is_empty(*pool); });
                   }));
  }

  // Everything in it is down, and then it wants no answer; or it has nothing of the kind at all.
  [[nodiscard]] bool is_empty(Pool const& pool) const {
    Candidates region(balancer_, asking_, family_);
    region.add(pool);
    for (std::size_t i = 0; i < region.size(); ++i) {
      if (pool.all_down != AllDown::empty || region.at(i).view.health != Health::down) {
        return false;
      }
    }
    return true;
  }

  Selection all_down() {
    std::optional<Selection> found =
        order_.nodes.empty() ? from_fallback() : by_policy(all_.node(order_.nodes.front()).pool->all_down);
    Selection out = found ? std::move(*found) : Selection();
    if (!found) {
      out.ttl = balancer_.ttl;  // and everybody's: nobody is told more
    }
    out.healthy = false;
    return out;
  }

  LoadBalancer const& balancer_;
  Asking const& asking_;
  Family family_;
  Candidates all_;
  std::optional<std::size_t> fallback_;
  Order order_;
  // The scope of what nested pools chose so far: it may have decided whether an outer pool had enough, this one or one
  // before it.
  std::uint8_t consulted_bits_ = 0;
};

}  // namespace

Selection select(LoadBalancer const& balancer, Asking const& asking, Family family) {
  return Choice(balancer, asking, family).make();
}

}  // namespace pool
