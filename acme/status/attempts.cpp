#include "acme/status/attempts.hpp"

namespace acme {

vault::Attempt const* last_attempt(Attempts const& attempts, std::int64_t subject_id) {
  vault::Attempt const* last = nullptr;
  for (auto it = attempts.lower_bound({subject_id, {}}); it != attempts.end() && it->first.first == subject_id; ++it) {
    last = last == nullptr || it->second.not_before > last->not_before ? &it->second : last;
  }
  return last;
}

void forget_attempts(Attempts& attempts, std::int64_t subject_id) {
  auto const first = attempts.lower_bound({subject_id, {}});
  attempts.erase(first, attempts.lower_bound({subject_id + 1, {}}));
}

}  // namespace acme
