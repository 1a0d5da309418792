// The content of a service binding's record: its own words with the addresses of this very answer as hints.
//
// Threads: pure.
#pragma once

#include "dns-backend/pool/pool.hpp"

#include <boost/container/small_vector.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pool {

// Addresses of one family in a record. Hints only spare a client its first lookups, and a record must fit its message.
inline constexpr std::size_t hints_max = 16;

// Room for hints of both families and what people write before them, without memory from the heap.
inline constexpr std::size_t content_in_place = 1536;
using Content = boost::container::small_vector<char, content_in_place>;

// Replaces `out` with the rdata in presentation form. Hints are the first addresses of what the same question's
// selections answer, each once, in their order; nullptr or nothing selected: the hint is left out and the record stays.
// `four` and `six` are looked at only when the binding has hints.
void fill_content(Content& out, Binding const& binding, Selection const* four, Selection const* six);

// The types of service bindings by IANA's numbers: SVCB, HTTPS.
inline constexpr std::array<std::uint16_t, 2> binding_types{64, 65};

// Whether the balancer has a binding of this type (IANA's number), whatever the health: a type of the name.
[[nodiscard]] bool binds(LoadBalancer const& balancer, std::uint16_t type);

// Whether any binding of this type has hints. All records of a type live and are cached as one, so then each has the
// TTL and the scope of the selections.
[[nodiscard]] bool hints(LoadBalancer const& balancer, std::uint16_t type);

}  // namespace pool
