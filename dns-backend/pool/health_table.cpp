#include "dns-backend/pool/health_table.hpp"

#include "base/result/result.hpp"

namespace pool {

HealthTable::HealthTable() : words_(std::make_unique<std::atomic<std::uint32_t>[]>(slots_max)) {}

std::uint32_t HealthTable::slot(std::string const& endpoint) {
  auto const [found, made] = slots_.emplace(endpoint, static_cast<std::uint32_t>(slots_.size()));
  ASSERT(found->second < slots_max);
  return found->second;
}

void HealthTable::set(std::uint32_t slot, probe::Health health) {
  ASSERT(slot < slots_max);
  std::uint32_t fell = left_up(slot);
  if (get(slot) == probe::Health::up && health != probe::Health::up) {
    // One fall a second would fill 30 bits in 34 years; a counter that began anew would only misorder keep_last.
    falls_ = (falls_ + 1) & (~std::uint32_t{0} >> health_bits);
    fell = falls_;
  }
  words_[slot].store((fell << health_bits) | static_cast<std::uint32_t>(health), std::memory_order_release);
}

}  // namespace pool
