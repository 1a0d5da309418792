// How often somebody may ask: a bucket of permits for each key, filled at a steady rate.
//
// Threads: belongs to one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

namespace tokens {

struct RateSettings {
  double per_second = 10;
  double burst = 50;
};

class Rate {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit Rate(RateSettings settings, std::size_t keys_max = 10000) : settings_(settings), keys_max_(keys_max) {}

  // 0: go on. Else the seconds to wait, at least 1.
  int take(std::string const& key, Time now);
  [[nodiscard]] std::size_t size() const { return buckets_.size(); }

 private:
  struct Bucket {
    double permits = 0;
    Time at;
  };
  void forget_full(Time now);

  RateSettings settings_;
  std::size_t keys_max_;
  std::map<std::string, Bucket> buckets_;
  Time swept_{};  // when it was full last and looked through
};

}  // namespace tokens
