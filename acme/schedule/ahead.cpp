#include "acme/schedule/ahead.hpp"

#include <algorithm>

namespace acme {
void Ahead::add(std::int64_t id, Time end) {
  if (ends_.emplace(end, id).second) {
    ++steps_[step_of(end)];
  }
}

void Ahead::remove(std::int64_t id, Time end) {
  if (ends_.erase({end, id}) == 0) {
    return;
  }
  auto const found = steps_.find(step_of(end));
  if (--found->second == 0) {
    steps_.erase(found);
  }
}

std::optional<Time> Ahead::begin(std::size_t before, std::chrono::milliseconds interval) const {
  std::optional<Time> first;
  auto count = static_cast<std::int64_t>(before);
  for (auto const& [number, here] : steps_) {
    count += here;
    Time const at = Time(step_ * (number + 1)) - interval * count;
    first = std::min(first.value_or(at), at);
  }
  return first;
}

std::optional<std::int64_t> Ahead::first() const {
  return ends_.empty() ? std::nullopt : std::optional(ends_.begin()->second);
}

std::optional<std::int64_t> Ahead::first(std::function<bool(std::int64_t)> const& fits) const {
  int left = 1000;
  for (auto const& [end, id] : ends_) {
    if (fits(id)) {
      return id;
    }
    if (--left == 0) {
      break;
    }
  }
  return std::nullopt;
}

}  // namespace acme
