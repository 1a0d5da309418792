// Random secrets and what is kept of them.
//
// Threads: any; OpenSSL's generator is one of each thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tokens {

// Lower-case base32 (RFC 4648, without padding) of `octets` random octets: good as a DNS label up to 39 octets. Ends
// the process when there is no randomness.
std::string random_text(std::size_t octets);
// A UUID of version 4 (RFC 9562).
std::string random_uuid();
// SHA-256 in lower-case hex. Secrets here have at least 240 random bits, so that nothing slower is needed.
std::string digest(std::string_view secret);
// Takes the same time wherever the texts differ.
bool same(std::string_view a, std::string_view b);

}  // namespace tokens
