// The last checks of an endpoint, for whoever asks why it is down. A ring of strings that keep their memory, so that a
// check takes none from the heap unless its reason is longer than any before in its place.
//
// Threads: a plain value owned by the monitor.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace monitor {

struct CheckRecord {
  std::int64_t at_ms = 0;  // Unix time of its end
  std::chrono::microseconds elapsed{0};
  bool success = false;
  std::string reason;
  std::string warning;
};

class RecentChecks {
 public:
  static constexpr std::size_t count_max = 10;
  static constexpr std::size_t text_max = 256;  // of a reason or warning; the rest is cut

  void add(std::int64_t at_ms, std::chrono::microseconds elapsed, bool success, std::string_view reason,
           std::string_view warning);
  [[nodiscard]] CheckRecord const* last() const;  // nullptr: none yet
  [[nodiscard]] std::vector<CheckRecord> newest_first() const;

 private:
  std::array<CheckRecord, count_max> ring_;
  std::size_t made_ = 0;
};

}  // namespace monitor
