#include "dns-backend/tokens/rate.hpp"

#include <algorithm>
#include <cmath>

namespace tokens {

// Those that would be full again are as good as new ones.
void Rate::forget_full(Time now) {
  std::erase_if(buckets_, [this, now](auto const& item) {
    std::chrono::duration<double> const since = now - item.second.at;
    return item.second.permits + since.count() * settings_.per_second >= settings_.burst;
  });
}

int Rate::take(std::string const& key, Time now) {
  auto found = buckets_.find(key);
  if (found == buckets_.end()) {
    // A walk over all of them is not to be had for each request.
    if (buckets_.size() >= keys_max_ && now - swept_ >= std::chrono::seconds(1)) {
      swept_ = now;
      forget_full(now);
    }
    if (buckets_.size() >= keys_max_) {
      return 1;  // more askers at once than can be told apart
    }
    found = buckets_.emplace(key, Bucket{settings_.burst, now}).first;
  }
  Bucket& bucket = found->second;
  std::chrono::duration<double> const since = now - bucket.at;
  bucket.permits = std::min(settings_.burst, bucket.permits + since.count() * settings_.per_second);
  bucket.at = now;
  if (bucket.permits >= 1) {
    bucket.permits -= 1;
    return 0;
  }
  return std::max(1, static_cast<int>(std::ceil((1 - bucket.permits) / settings_.per_second)));
}

}  // namespace tokens
