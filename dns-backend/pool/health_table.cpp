#include "dns-backend/pool/health_table.hpp"

#include "base/result/result.hpp"

#include <algorithm>
#include <functional>

namespace pool {
namespace {

constexpr unsigned health_bits = 2;
constexpr std::uint64_t health_mask = (1U << health_bits) - 1;
constexpr std::uint32_t half_mask = 0xffff;
constexpr unsigned half_bits = 16;

std::uint64_t state_of(probe::Health health, std::int64_t moment_ms) {
  return (static_cast<std::uint64_t>(moment_ms) << health_bits) | static_cast<std::uint64_t>(health);
}

}  // namespace

HealthTable::HealthTable()
    : states_(std::make_unique<std::atomic<std::uint64_t>[]>(slots_max)),
      outlooks_(std::make_unique<std::atomic<std::uint32_t>[]>(slots_max)) {
  for (std::uint32_t slot = 0; slot < slots_max; ++slot) {
    outlooks_[slot].store((load_unknown << half_bits) | stable_unknown, std::memory_order_relaxed);
  }
}

std::uint32_t HealthTable::slot(std::string const& endpoint) {
  auto const [found, made] = slots_.emplace(endpoint, next_);
  if (made && !free_.empty()) {
    found->second = free_.back();
    free_.pop_back();
  } else if (made) {
    ASSERT(next_ < slots_max);
    ++next_;
  }
  return found->second;
}

void HealthTable::give_back(std::string const& endpoint) {
  auto const found = slots_.find(endpoint);
  ASSERT(found != slots_.end());
  std::uint32_t const slot = found->second;
  states_[slot].store(state_of(probe::Health::unknown, 0), std::memory_order_release);
  outlooks_[slot].store((load_unknown << half_bits) | stable_unknown, std::memory_order_release);
  free_.insert(std::ranges::upper_bound(free_, slot, std::greater<>()), slot);  // the lowest is taken next
  slots_.erase(found);
}

HealthTable::View HealthTable::view(std::uint32_t slot) const {
  std::uint64_t const state = states_[slot].load(std::memory_order_acquire);
  auto const health = static_cast<probe::Health>(state & health_mask);
  auto const moment_ms = static_cast<std::int64_t>(state >> health_bits);
  bool const up = health == probe::Health::up;
  return {health, up ? 0 : moment_ms, up ? static_cast<std::uint32_t>(moment_ms / 1000) : 0};
}

void HealthTable::set(std::uint32_t slot, probe::Health health, std::int64_t now_ms) {
  ASSERT(slot < slots_max && now_ms >= 0);
  std::uint64_t const state = states_[slot].load(std::memory_order_relaxed);
  bool const was_up = static_cast<probe::Health>(state & health_mask) == probe::Health::up;
  bool const is_up = health == probe::Health::up;
  auto moment_ms = static_cast<std::int64_t>(state >> health_bits);
  if (was_up && !is_up) {
    last_fall_ms_ = std::max(now_ms, last_fall_ms_ + 1);
    moment_ms = last_fall_ms_;
  } else if (!was_up && is_up) {
    moment_ms = now_ms;
  }
  states_[slot].store(state_of(health, moment_ms), std::memory_order_release);
}

bool HealthTable::left_up(std::uint32_t slot, std::int64_t at_ms) {
  ASSERT(slot < slots_max);
  View const present = view(slot);
  last_fall_ms_ = std::max(last_fall_ms_, at_ms);
  if (present.health == probe::Health::up || at_ms <= present.left_up_ms) {
    return false;
  }
  states_[slot].store(state_of(present.health, at_ms), std::memory_order_release);
  return true;
}

std::uint32_t HealthTable::stable_s(std::uint32_t slot) const {
  return outlooks_[slot].load(std::memory_order_acquire) & half_mask;
}

std::uint32_t HealthTable::load_permille(std::uint32_t slot) const {
  return outlooks_[slot].load(std::memory_order_acquire) >> half_bits;
}

// One writer, the control loop: reading and writing back cannot lose another's store.
void HealthTable::set_stable(std::uint32_t slot, std::uint32_t seconds) {
  ASSERT(slot < slots_max);
  outlooks_[slot].store((load_permille(slot) << half_bits) | std::min(seconds, stable_unknown),
                        std::memory_order_release);
}

void HealthTable::set_load(std::uint32_t slot, std::uint32_t permille) {
  ASSERT(slot < slots_max);
  outlooks_[slot].store((std::min(permille, load_unknown) << half_bits) | stable_s(slot), std::memory_order_release);
}

}  // namespace pool
