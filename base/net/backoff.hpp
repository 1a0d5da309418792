// Exponential backoff with jitter as a pure value: the caller brings the randomness and does the waiting.
//
// Threads: a plain value, owned by one loop.
#pragma once

#include <chrono>
#include <cstdint>

namespace net {

class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds limit) : first_(first), limit_(limit) {}

  // The wait before the next try: first * 2^failures up to the limit, less up to a quarter by `random`.
  [[nodiscard]] std::chrono::milliseconds next(std::uint32_t random);
  void succeeded() { failures_ = 0; }
  [[nodiscard]] unsigned failures() const { return failures_; }

 private:
  std::chrono::milliseconds first_;
  std::chrono::milliseconds limit_;
  unsigned failures_ = 0;
};

}  // namespace net
