// The TTL of one record, where it is not that of its RRset.
//
// Threads: pure.
#pragma once

#include "dns-backend/dns/rrset.hpp"

#include <cstdint>
#include <string_view>

namespace dns {

// RFC 4034 3: a signature's TTL is that of the RRset it covers, which is its fourth field; so the signatures at one
// name differ, though they are kept under one TTL. Of any other record the RRset's. `content` is one of `rrset`'s.
std::uint32_t ttl_of(RRset const& rrset, std::string_view content);

}  // namespace dns
