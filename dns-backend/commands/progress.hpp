// A word on stderr for work that takes longer than two seconds, and nothing for work that does not.
//
// Threads: one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace commands {

class Progress {
 public:
  explicit Progress(std::string doing) : doing_(std::move(doing)) {}
  // "navigator: reading example.org.zone: 350000 records", at most every two seconds. `all` 0: not known.
  void tell(std::size_t done, std::size_t all, char const* what);

 private:
  std::string doing_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace commands
