// When a node asks for its next certificate, and how: at half of the life of the present one by that certificate; after
// its end by showing again the keys it joined with. What fails is tried again after a minute, then ever more seldom, up
// to a quarter of an hour; once the certificate has ended a minute is the longest, because nothing else works then. One
// that ends with what issued it is not renewed more often than each minute either.
//
// Threads: a plain value, owned by one loop. The clock is the caller's.
#pragma once

#include "base/net/backoff.hpp"
#include "mesh/internal_ca/credentials.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace agent {

class Renewal {
 public:
  enum class Step { none, by_certificate, by_keys };

  // `present`: of the certificate on disk. `pinned`: a node that joined before there were pins gets its pin with the
  // next certificate, at once. `now_s`: wall clock, which may go back.
  [[nodiscard]] Step due(internal_ca::Validity const& present, bool pinned, std::int64_t now_s) const;

  // What came of a step, and at what time. `random` spreads the nodes of a mesh whose controller was away.
  void succeeded(std::int64_t now_s);
  void failed(std::string what, std::int64_t now_s, std::uint32_t random);

  // Of the last step; empty: it succeeded, or there was none.
  [[nodiscard]] std::string const& failure() const { return failure_; }

 private:
  net::Backoff backoff_{std::chrono::minutes(1), std::chrono::minutes(15)};
  std::int64_t tried_s_ = 0;
  std::int64_t pause_s_ = 0;
  std::string failure_;
};

}  // namespace agent
