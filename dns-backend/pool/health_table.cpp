#include "dns-backend/pool/health_table.hpp"

#include "base/result/result.hpp"

#include <algorithm>

namespace pool {
namespace {

constexpr unsigned health_bits = 2;
constexpr unsigned fall_bits = 30;
constexpr std::uint64_t health_mask = (1U << health_bits) - 1;
constexpr std::uint64_t fall_mask = (1U << fall_bits) - 1;
constexpr std::uint32_t half_mask = 0xffff;
constexpr unsigned half_bits = 16;

}  // namespace

HealthTable::HealthTable()
    : states_(std::make_unique<std::atomic<std::uint64_t>[]>(slots_max)),
      outlooks_(std::make_unique<std::atomic<std::uint32_t>[]>(slots_max)) {
  for (std::uint32_t slot = 0; slot < slots_max; ++slot) {
    outlooks_[slot].store((load_unknown << half_bits) | stable_unknown, std::memory_order_relaxed);
  }
}

std::uint32_t HealthTable::slot(std::string const& endpoint) {
  auto const [found, made] = slots_.emplace(endpoint, static_cast<std::uint32_t>(slots_.size()));
  ASSERT(found->second < slots_max);
  return found->second;
}

HealthTable::View HealthTable::view(std::uint32_t slot) const {
  std::uint64_t const state = states_[slot].load(std::memory_order_acquire);
  return {static_cast<probe::Health>(state & health_mask),
          static_cast<std::uint32_t>((state >> health_bits) & fall_mask),
          static_cast<std::uint32_t>(state >> (health_bits + fall_bits))};
}

void HealthTable::set(std::uint32_t slot, probe::Health health, std::uint32_t now_s) {
  ASSERT(slot < slots_max);
  View const before = view(slot);
  std::uint64_t fell = before.left_up;
  if (before.health == probe::Health::up && health != probe::Health::up) {
    // One fall a second would fill 30 bits in 34 years; a counter that began anew would only misorder keep_last.
    falls_ = (falls_ + 1) & static_cast<std::uint32_t>(fall_mask);
    fell = falls_;
  }
  std::uint64_t since = 0;
  if (health == probe::Health::up) {
    since = before.health == probe::Health::up ? before.up_since_s : now_s;
  }
  states_[slot].store((since << (health_bits + fall_bits)) | (fell << health_bits) | static_cast<std::uint64_t>(health),
                      std::memory_order_release);
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
