#include "topology/shape/shape.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

namespace shape {
namespace {

// 64 bits of FNV-1a over the parts with a stroke between: the same on every machine.
std::uint64_t fnv64(std::string_view one, std::string_view other) {
  std::uint64_t hash = 14695981039346656037U;
  for (auto const part : {one, std::string_view("/"), other}) {
    for (char const c : part) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    }
  }
  return hash;
}

// The same, mixed: names that differ in their last digit alone would otherwise stay neighbours in a cycle.
std::uint64_t hash64(std::string_view one, std::string_view other) {
  std::uint64_t hash = fnv64(one, other);
  hash = (hash ^ (hash >> 30U)) * 0xbf58476d1ce4e5b9U;
  hash = (hash ^ (hash >> 27U)) * 0x94d049bb133111ebU;
  return hash ^ (hash >> 31U);
}

class Builder {
 public:
  explicit Builder(Wish const& wish) : wish_(wish), costs_(wish), sites_(wish.sites.size()) {
    near_km_.resize(sites_ * sites_, unknown);
  }

  void full() {
    std::vector<std::uint32_t> all;
    for (std::uint32_t i = 0; i < wish_.members.size(); ++i) {
      all.push_back(i);
    }
    add_all_pairs(all);
  }

  void hub() {
    auto const centrals = of_rank(Rank::central);
    auto const regionals = of_rank(Rank::regional);
    add_all_pairs(centrals);
    for (auto const node : regionals) {
      add_home(node, centrals);
    }
    for (auto const node : of_rank(Rank::edge)) {
      auto const home = add_home(node, regionals.size() >= 2 ? regionals : centrals);
      if (wish_.form == Form::tiers && home && regionals.size() >= 2) {
        add(home->first, home->second);
        out_.homes.push_back(*home);
      }
    }
  }

  void cycles();

  Result take() {
    auto const& names = wish_.members;
    out_.lines.reserve(lines_.size());
    for (auto const& [ends, cost] : lines_) {
      out_.lines.push_back({ends.first, ends.second, cost});
    }
    std::sort(out_.lines.begin(), out_.lines.end(), [&](Line const& x, Line const& y) {
      return std::tie(names[x.a].name, names[x.b].name) < std::tie(names[y.a].name, names[y.b].name);
    });
    std::sort(out_.homes.begin(), out_.homes.end(),
              [&](Home const& x, Home const& y) { return names[x.edge].name < names[y.edge].name; });
    return std::move(out_);
  }

 private:
  static constexpr std::uint32_t unknown = 0xffffffffU;

  [[nodiscard]] Member const& member(std::uint32_t i) const { return wish_.members[i]; }

  void add(std::uint32_t one, std::uint32_t other) {
    if (one == other || !can_link(member(one), member(other))) {
      return;
    }
    auto const ends = member(one).name < member(other).name ? std::pair(one, other) : std::pair(other, one);
    lines_.emplace(ends, cost(member(one).site, member(other).site));
  }

  [[nodiscard]] std::uint32_t cost(std::uint32_t site_a, std::uint32_t site_b) const {
    if (wish_.form == Form::tiers || wish_.form == Form::cycles) {
      return costs_.between(site_a, site_b);
    }
    return site_a == site_b ? wish_.cost_within_site : wish_.cost;
  }

  void add_all_pairs(std::vector<std::uint32_t> const& nodes) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      for (std::size_t j = i + 1; j < nodes.size(); ++j) {
        add(nodes[i], nodes[j]);
      }
    }
  }

  [[nodiscard]] std::vector<std::uint32_t> of_rank(Rank rank) const {
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = 0; i < wish_.members.size(); ++i) {
      if (member(i).rank == rank) {
        out.push_back(i);
      }
    }
    return out;
  }

  std::uint32_t distance(std::uint32_t a, std::uint32_t b) {
    auto& km = near_km_[member(a).site * sites_ + member(b).site];
    if (km == unknown) {
      km = distance_km(wish_.sites[member(a).site].position, wish_.sites[member(b).site].position);
    }
    return km;
  }

  // Two hubs that one failure does not take together, where there are such. In tiers all that share a first hub share
  // the second one too, as far as they can reach it: that keeps the links between hubs few.
  std::optional<Home> add_home(std::uint32_t node, std::vector<std::uint32_t> const& hubs) {
    auto const& name = member(node).name;
    auto const near = [&](std::uint32_t hub) {
      return std::tuple(member(hub).site != member(node).site, distance(node, hub), fnv64(name, member(hub).name));
    };
    auto const first = nearest(node, hubs, near);
    if (!first) {
      return std::nullopt;
    }
    add(node, *first);
    auto const provider = [&](std::uint32_t i) -> std::string const& { return wish_.sites[member(i).site].provider; };
    bool const by_first = wish_.form == Form::tiers && member(node).rank == Rank::edge;
    auto const& spread = by_first ? member(*first).name : name;
    auto const second = nearest(node, hubs, [&](std::uint32_t hub) {
      return std::tuple(hub == *first, member(hub).site == member(*first).site, provider(hub) == provider(*first),
                        by_first && !can_link(member(hub), member(*first)), member(hub).site != member(node).site,
                        distance(node, hub), fnv64(spread, member(hub).name));
    });
    if (*second == *first) {
      return std::nullopt;
    }
    add(node, *second);
    return Home{node, *first, *second};
  }

  template <class Rate>
  std::optional<std::uint32_t> nearest(std::uint32_t node, std::vector<std::uint32_t> const& hubs, Rate const& rate) {
    std::optional<std::uint32_t> best;
    std::optional<decltype(rate(0))> least;
    for (auto const hub : hubs) {
      if (hub == node || !can_link(member(node), member(hub))) {
        continue;
      }
      if (auto rated = rate(hub); !least || rated < *least) {
        least = rated;
        best = hub;
      }
    }
    return best;
  }

  Wish const& wish_;
  Costs costs_;
  std::size_t sites_;
  std::vector<std::uint32_t> near_km_;  // by site and site; filled when asked for
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> lines_;
  Result out_;
};

// Members behind NAT cannot link to one another, so they stand outside of the cycles: each is linked to the two of the
// first cycle between which it would stand.
void Builder::cycles() {
  auto const reachable = [&](std::uint32_t i) { return member(i).reach4 || member(i).reach6; };
  auto const everybody = cycle(wish_, 1);
  std::vector<std::uint32_t> ring;
  std::copy_if(everybody.begin(), everybody.end(), std::back_inserter(ring), reachable);
  auto const n = ring.size();
  if (n == 0) {
    return;
  }
  std::vector<std::uint32_t> next(wish_.members.size());  // in the first cycle
  for (std::size_t i = 0; i < n; ++i) {
    next[ring[i]] = ring[(i + 1) % n];
    add(ring[i], next[ring[i]]);
  }
  std::uint32_t before = ring.back();
  for (auto const node : everybody) {
    if (reachable(node)) {
      before = node;
      continue;
    }
    add(node, before);
    add(node, next[before]);
  }
  for (std::uint32_t order = 2; order <= wish_.cycles; ++order) {
    auto further = cycle(wish_, order);
    std::erase_if(further, [&](std::uint32_t i) { return !reachable(i); });
    for (std::size_t i = 0; i < n; ++i) {
      auto const from = further[i];
      auto const to = further[(i + 1) % n];
      auto const beside = next[to];
      add(from, to);
      // The chord that makes a triangle of this link, the first cycle's next one, and itself.
      add(from == beside ? to : from, from == beside ? next[beside] : beside);
    }
  }
}

}  // namespace

std::vector<std::uint32_t> cycle(Wish const& wish, std::uint32_t order) {
  std::vector<std::uint32_t> rank_of_site(wish.sites.size(), 0);
  if (order == 1) {
    auto const tour = tour_of_sites(wish);
    for (std::uint32_t i = 0; i < tour.size(); ++i) {
      rank_of_site[tour[i]] = i;
    }
  }
  std::string const seed = order == 1 ? std::string() : wish.seed + "/" + std::to_string(order);
  std::vector<std::tuple<std::uint32_t, std::uint64_t, std::string_view, std::uint32_t>> keys;
  for (std::uint32_t i = 0; i < wish.members.size(); ++i) {
    auto const& member = wish.members[i];
    keys.emplace_back(rank_of_site[member.site], hash64(seed, member.name), member.name, i);
  }
  std::sort(keys.begin(), keys.end());
  std::vector<std::uint32_t> out;
  for (auto const& key : keys) {
    out.push_back(std::get<3>(key));
  }
  return out;
}

Result build(Wish const& wish) {
  Builder builder(wish);
  switch (wish.form) {
    case Form::full:
      builder.full();
      break;
    case Form::hub:
    case Form::tiers:
      builder.hub();
      break;
    case Form::cycles:
      builder.cycles();
      break;
  }
  return builder.take();
}

}  // namespace shape
