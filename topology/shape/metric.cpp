#include "topology/shape/shape.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace shape {
namespace {

constexpr double km_per_cost = 100;  // light in fibre takes 1 ms there and back
// Half of the longest distance on earth: with it a place that nobody knows obeys the triangle inequality towards all.
constexpr std::uint32_t cost_to_unknown = 100;

}  // namespace

bool can_link(Member const& a, Member const& b) {
  bool const reach_a = a.reach4 || a.reach6;
  bool const reach_b = b.reach4 || b.reach6;
  if (!reach_a || !reach_b) {
    return reach_a != reach_b;
  }
  return (a.reach4 && b.reach4) || (a.reach6 && b.reach6);
}

std::uint32_t distance_km(std::optional<Position> const& a, std::optional<Position> const& b) {
  if (!a || !b) {
    return 0;
  }
  constexpr double earth_km = 6371;
  auto const radians = [](double degrees) { return degrees * std::numbers::pi / 180; };
  double const half_latitude = std::sin(radians(b->latitude - a->latitude) / 2);
  double const half_longitude = std::sin(radians(b->longitude - a->longitude) / 2);
  double const chord = half_latitude * half_latitude + std::cos(radians(a->latitude)) * std::cos(radians(b->latitude)) *
                                                           half_longitude * half_longitude;
  return static_cast<std::uint32_t>(2 * earth_km * std::asin(std::min(1.0, std::sqrt(chord))));
}

Costs::Costs(Wish const& wish) : wish_(wish) {
  any_position_ = std::any_of(wish.sites.begin(), wish.sites.end(), [](Site const& site) { return site.position; });
}

std::uint32_t Costs::between(std::uint32_t site_a, std::uint32_t site_b) const {
  // Rounding may take one from a sum of two, so a base of one would not keep the inequality strict.
  constexpr std::uint32_t least = 3;
  std::uint32_t const base = std::max(wish_.cost, least);
  if (site_a == site_b) {
    return std::min(wish_.cost_within_site, base);
  }
  std::uint32_t distance = 0;
  if (any_position_) {
    auto const& a = wish_.sites[site_a].position;
    auto const& b = wish_.sites[site_b].position;
    distance = a && b ? static_cast<std::uint32_t>(std::lround(distance_km(a, b) / km_per_cost)) : cost_to_unknown;
  }
  return std::min<std::uint32_t>(base + distance, 65535);
}

}  // namespace shape
