// The first cycle's way through the sites: nearest neighbour, then 2-opt. Distances are whole numbers, so that every
// machine finds the same tour.
#include "topology/shape/shape.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace shape {
namespace {

// Places as points in space, a millionth of the earth's radius a unit: the length of a chord orders distances as well
// as an arc's, and takes no trigonometry for each pair.
class Points {
 public:
  explicit Points(std::vector<Site> const& sites) {
    for (auto const& site : sites) {
      if (!site.position) {
        at_.push_back({0, 0, 0});  // a place that nobody knows is equally far from all: in the middle of the earth
        continue;
      }
      double const latitude = site.position->latitude * std::numbers::pi / 180;
      double const longitude = site.position->longitude * std::numbers::pi / 180;
      at_.push_back({whole(std::cos(latitude) * std::cos(longitude)), whole(std::cos(latitude) * std::sin(longitude)),
                     whole(std::sin(latitude))});
    }
  }

  [[nodiscard]] std::int64_t distance(std::uint32_t a, std::uint32_t b) const {
    std::int64_t square = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      auto const d = at_[a][i] - at_[b][i];
      square += d * d;
    }
    return static_cast<std::int64_t>(std::sqrt(static_cast<double>(square)));
  }

 private:
  static std::int64_t whole(double value) { return std::llround(value * 1e6); }
  std::vector<std::array<std::int64_t, 3>> at_;
};

std::vector<std::uint32_t> nearest_neighbour(std::vector<std::uint32_t> left, Points const& points) {
  std::vector<std::uint32_t> tour;
  while (!left.empty()) {
    auto next = left.begin();
    if (!tour.empty()) {
      auto const last = tour.back();
      std::int64_t least = std::numeric_limits<std::int64_t>::max();
      for (auto it = left.begin(); it != left.end(); ++it) {
        if (auto const far = points.distance(last, *it); far < least) {
          least = far;
          next = it;
        }
      }
    }
    tour.push_back(*next);
    left.erase(next);
  }
  return tour;
}

// Turns a stretch of the tour around while that shortens it. `budget` bounds the pairs that are looked at.
void two_opt(std::vector<std::uint32_t>& tour, Points const& points, std::uint64_t budget) {
  auto const n = tour.size();
  for (bool better = true; better;) {
    better = false;
    for (std::size_t i = 0; i + 2 < n; ++i) {
      for (std::size_t j = i + 2; j < n && !(i == 0 && j + 1 == n); ++j) {
        if (budget-- == 0) {
          return;
        }
        auto const [a, b, c, d] = std::array{tour[i], tour[i + 1], tour[j], tour[(j + 1) % n]};
        if (points.distance(a, c) + points.distance(b, d) < points.distance(a, b) + points.distance(c, d)) {
          std::reverse(tour.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                       tour.begin() + static_cast<std::ptrdiff_t>(j) + 1);
          better = true;
        }
      }
    }
  }
}

void insert_where_short(std::vector<std::uint32_t>& tour, std::uint32_t site, Points const& points) {
  std::size_t best = tour.size();
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < tour.size(); ++i) {
    auto const next = tour[(i + 1) % tour.size()];
    auto const longer = points.distance(tour[i], site) + points.distance(site, next) - points.distance(tour[i], next);
    if (longer < least) {
      least = longer;
      best = i + 1;
    }
  }
  tour.insert(tour.begin() + static_cast<std::ptrdiff_t>(best), site);
}

}  // namespace

std::vector<std::uint32_t> tour_of_sites(Wish const& wish) {
  std::vector<bool> used(wish.sites.size(), false);
  for (auto const& member : wish.members) {
    used[member.site] = true;
  }
  std::vector<std::uint32_t> tour;
  for (auto const site : wish.tour) {
    if (used[site]) {
      tour.push_back(site);
      used[site] = false;
    }
  }
  std::vector<std::uint32_t> others;
  for (std::uint32_t i = 0; i < used.size(); ++i) {
    if (used[i]) {
      others.push_back(i);
    }
  }
  std::sort(others.begin(), others.end(),
            [&](std::uint32_t a, std::uint32_t b) { return wish.sites[a].name < wish.sites[b].name; });
  Points const points(wish.sites);
  if (tour.empty()) {
    constexpr std::uint64_t most_pairs = 20'000'000;
    tour = nearest_neighbour(std::move(others), points);
    two_opt(tour, points, most_pairs);
    return tour;
  }
  for (auto const site : others) {
    insert_where_short(tour, site, points);
  }
  return tour;
}

}  // namespace shape
