// The last replies of one connection, by the very text of their requests.
//
// For one query PowerDNS with its caches off asks the same several times over: the apex, the zone's metadata, the name
// once for its delegation and once for its data; and the apex and the metadata again at the next query. What is kept is
// of one generation of the snapshot, and only what nothing else decides (remote::AtOnce::settled).
//
// At most `slots` replies of `reply_max` octets; memory grows with use and is kept.
//
// Threads: belongs to its connection.
#pragma once

#include "dns-backend/protocol/request.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace connector {

class ReplyMemo {
 public:
  static constexpr std::size_t slots = 8;
  static constexpr std::size_t request_max = 512;
  static constexpr std::size_t reply_max = 2048;

  struct Kept {
    std::uint64_t generation = 0;  // 0: nothing is kept
    remote::Method method{};
    std::string request, reply;
  };

  // nullptr: none of this generation.
  [[nodiscard]] Kept const* find(std::string_view request, std::uint64_t generation) const;
  // What is longer than the limits is not kept.
  void keep(std::string_view request, std::uint64_t generation, remote::Method method, std::string_view reply);

 private:
  static std::size_t slot_of(std::string_view request);

  std::array<Kept, slots> kept_;
};

}  // namespace connector
