// Draws without chance: hashes that every replica computes alike, and the order they put weighted things into.
//
// Threads: pure.
#pragma once

#include "dns-backend/geo/geo.hpp"

#include <cstdint>
#include <string_view>

namespace pool {

// A hash of everything that was mixed in, in order. Of the process and of the machine it depends on nothing.
class Draw {
 public:
  // `purpose` keeps draws of different kinds for one balancer apart.
  Draw(std::string_view balancer, char purpose);
  [[nodiscard]] Draw with(std::string_view text) const;
  [[nodiscard]] Draw with(std::int64_t number) const;
  [[nodiscard]] Draw with(geo::Client const& prefix) const;

  // The smallest score wins, with a chance in proportion to its weight (weighted rendezvous hashing: a thing that comes
  // or goes moves only what it wins or won). Weight 0 loses against every other.
  [[nodiscard]] double score(std::uint32_t weight) const;

 private:
  void mix(void const* octets, std::size_t size);
  std::uint64_t state_;
};

// The prefix that hashing goes by: /24 and /56, or what is known if that is less.
[[nodiscard]] geo::Client hashed_prefix(geo::Client const& client);

// The step of time within which random draws stay as they are.
[[nodiscard]] std::int64_t time_step(std::int64_t now_s, std::uint32_t ttl);

}  // namespace pool
