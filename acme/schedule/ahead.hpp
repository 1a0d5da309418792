// Renewals that are not due yet, and when they must begin so that they do not come as a heap: certificates that were
// issued together (a recall, a day of many sign-ups) fall due together, and the pace of renewals would leave most of
// them to the end of their lives.
//
// Each renewal has an end by which its turn should have come. With one start in each `interval`, the k-th of them in
// the order of their ends must begin k intervals before its own; the earliest of these moments is the answer. A crowd
// is so begun before it is due, and spreads over as much of its life as the pace needs.
//
// Threads: a plain object.
#pragma once

#include "acme/crypto/time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace acme {

using crypto::Time;

class Ahead {
 public:
  // `step`: how finely ends are counted.
  explicit Ahead(std::chrono::milliseconds step = std::chrono::hours(4)) : step_(step) {}

  // `end` is the same in both.
  void add(std::int64_t id, Time end);
  void remove(std::int64_t id, Time end);

  // When the first must begin, with so many others before it; nothing: there are none. Costs the number of different
  // ends, counted in steps.
  [[nodiscard]] std::optional<Time> begin(std::size_t before, std::chrono::milliseconds interval) const;
  // The one with the earliest end.
  [[nodiscard]] std::optional<std::int64_t> first() const;
  // The first that `fits`; it gives up after a thousand that do not, so that a large crowd of one costs little.
  [[nodiscard]] std::optional<std::int64_t> first(std::function<bool(std::int64_t id)> const& fits) const;

 private:
  [[nodiscard]] std::int64_t step_of(Time end) const { return end.time_since_epoch() / step_; }

  std::chrono::milliseconds step_;
  std::set<std::pair<Time, std::int64_t>> ends_;
  std::map<std::int64_t, std::int64_t> steps_;  // how many end in each
};

}  // namespace acme
