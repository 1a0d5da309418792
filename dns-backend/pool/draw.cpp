#include "dns-backend/pool/draw.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pool {
namespace {

constexpr std::uint64_t fnv_offset = 14695981039346656037ULL;
constexpr std::uint64_t fnv_prime = 1099511628211ULL;

// Spreads what FNV leaves in the low bits (the finalizer of splitmix64).
std::uint64_t spread(std::uint64_t value) {
  value ^= value >> 30U;
  value *= 0xbf58476d1ce4e5b9ULL;
  value ^= value >> 27U;
  value *= 0x94d049bb133111ebULL;
  return value ^ value >> 31U;
}

}  // namespace

void Draw::mix(void const* octets, std::size_t size) {
  auto const* const at = static_cast<unsigned char const*>(octets);
  for (std::size_t i = 0; i < size; ++i) {
    state_ = (state_ ^ at[i]) * fnv_prime;
  }
  // Ends the part, so that "ab" and "c" are not "a" and "bc".
  state_ = spread(state_ + size + 1);
}

Draw::Draw(std::string_view balancer, char purpose) : state_(fnv_offset) {
  mix(balancer.data(), balancer.size());
  mix(&purpose, 1);
}

Draw Draw::with(std::string_view text) const {
  Draw next = *this;
  next.mix(text.data(), text.size());
  return next;
}

Draw Draw::with(std::int64_t number) const {
  Draw next = *this;
  next.state_ = spread(next.state_ ^ static_cast<std::uint64_t>(number));
  return next;
}

Draw Draw::with(geo::Client const& prefix) const {
  Draw next = *this;
  next.mix(prefix.octets.data(), prefix.octets.size());
  return next.with(static_cast<std::int64_t>(prefix.bits) * 2 + (prefix.ipv6 ? 1 : 0));
}

double Draw::score(std::uint32_t weight) const {
  if (weight == 0) {
    return std::numeric_limits<double>::infinity();
  }
  constexpr unsigned mantissa_bits = 53;
  constexpr unsigned dropped = 64 - mantissa_bits;
  double const uniform = (static_cast<double>(state_ >> dropped) + 0.5) * std::exp2(-static_cast<int>(mantissa_bits));
  return -std::log(uniform) / weight;
}

geo::Client hashed_prefix(geo::Client const& client) {
  constexpr std::uint8_t ipv4_bits = 24;
  constexpr std::uint8_t ipv6_bits = 56;
  return geo::shortened(client, client.ipv6 ? ipv6_bits : ipv4_bits);
}

std::int64_t time_step(std::int64_t now_s, std::uint32_t ttl) {
  return now_s / std::max<std::int64_t>(ttl, 1);
}

}  // namespace pool
