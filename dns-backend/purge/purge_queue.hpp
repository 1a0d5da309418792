// What is still to be purged from one PowerDNS, as a value: `now` comes in, commands come out.
//
// Every name is purged twice: at once, and again `echo` later, because a lookup that began before the snapshot was
// switched may be cached after the first purge. Equal names merge. What does not fit (words_max), or failed three times
// in a row, becomes one "PURGE" of everything: too much is purged rather than too little.
//
// Threads: a plain value.
#pragma once

#include "dns-backend/store/store.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace purge {

// "www.example.org." or, for a subtree, "example.org.$". A wildcard's answers are cached under the names that matched
// it, so a wildcard is always the subtree of its parent.
[[nodiscard]] std::string purge_word(store::Touched const& touched);

struct PurgeBatch {
  bool everything = false;
  std::set<std::string> words;  // empty when everything goes

  // "PURGE a. b. c.$\n": one connection of PowerDNS's control socket takes one command, of as many words as one likes.
  [[nodiscard]] std::string command() const;
};

class PurgeQueue {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t words_max = 4096;      // waiting, of either kind
  static constexpr std::size_t batch_octets = 16384;  // of one command
  static constexpr unsigned failures_max = 3;

  explicit PurgeQueue(std::chrono::milliseconds echo) : echo_(echo) {}

  void add(std::vector<store::Touched> const& names, Time now);
  // One purge of everything, without an echo.
  void add_everything() { merge(PurgeBatch{true, {}}); }
  // The next command to send; nothing when none is due.
  [[nodiscard]] std::optional<PurgeBatch> take(Time now);
  // Puts back what could not be delivered.
  void failed(PurgeBatch batch);
  void succeeded() { failures_ = 0; }

  // When take() will have something without another add(); nothing when the queue is empty.
  [[nodiscard]] std::optional<Time> next_due(Time now) const;
  [[nodiscard]] std::size_t waiting() const;  // words now due or to be repeated; a purge of everything counts as one

 private:
  struct Echo {
    Time due;
    PurgeBatch batch;
  };
  void merge(PurgeBatch batch);
  void release(Time now);

  std::chrono::milliseconds echo_;
  PurgeBatch due_;
  std::deque<Echo> echoes_;
  std::size_t echo_words_ = 0;
  unsigned failures_ = 0;
};

}  // namespace purge
