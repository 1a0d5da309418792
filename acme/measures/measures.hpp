// Metrics of certificates and their orders; docs/certificates.md lists them.
//
// Threads: LifeLeft is a plain value; Measures belongs to the control loop.
#pragma once

#include "acme/crypto/time.hpp"
#include "base/process/metrics.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace acme {

// How many certificates have at most so much of their life left, in shares of it and in days; cumulative, as the
// buckets of a Prometheus histogram are. One that is over counts in all of them.
class LifeLeft {
 public:
  static constexpr std::array<char const*, 8> share_bounds{"0", "0.05", "0.1", "0.2", "0.35", "0.5", "0.75", "1"};
  static constexpr std::array<int, 9> day_bounds{0, 1, 3, 7, 14, 30, 45, 60, 90};

  void count(crypto::Time not_before, crypto::Time not_after, crypto::Time now);
  [[nodiscard]] std::array<std::size_t, share_bounds.size()> const& by_share() const { return by_share_; }
  [[nodiscard]] std::array<std::size_t, day_bounds.size()> const& by_days() const { return by_days_; }

 private:
  std::array<std::size_t, share_bounds.size()> by_share_{};
  std::array<std::size_t, day_bounds.size()> by_days_{};
};

class Measures {
 public:
  // `metrics` must outlive it.
  explicit Measures(process::Metrics& metrics) : metrics_(metrics) {}

  struct Counts {
    std::size_t subjects = 0, certificates = 0, in_flight = 0, waiting = 0, alarms = 0, missing = 0;
    std::optional<crypto::Time> earliest_expiry;
  };
  void show(Counts const& counts) const;

  // Whether a minute passed since the last show_life(): looking at all certificates is not for every round.
  [[nodiscard]] bool life_is_due(crypto::Time now) const { return now >= life_due_; }
  void show_life(LifeLeft const& life, crypto::Time now);

  // An order that ended. `outcome`: "issued" or the class of its failure; `problem`: the CA's own type, may be empty.
  void ended(std::string const& directory_url, std::string const& outcome, std::string const& problem) const;

 private:
  process::Metrics& metrics_;
  crypto::Time life_due_{};
};

}  // namespace acme
