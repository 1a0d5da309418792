// DNSSEC keys in the text form that PowerDNS keeps ("Private-key-format: v1.2", BIND's): read, made, and what follows
// from them: the DNSKEY (RFC 4034 2) and its DS records (RFC 4034 5).
//
// Threads: pure functions but for generate(), which draws from OpenSSL's random generator; any thread.
#pragma once

#include "base/result/result.hpp"
#include "dns-backend/dns/name.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dnssec {

enum class errc {
  bad_key = 1,    // no private key in that form
  bad_algorithm,  // unknown, or no longer to be used for new keys
  bad_size,       // the algorithm has no keys of that many bits, or needs to be told how many
};
boost::system::error_code make_error_code(errc code);

struct PublicKey {
  std::string dnskey;           // "257 3 13 <base64>"
  std::vector<std::string> ds;  // one for SHA-1, SHA-256 and SHA-384 each, as PowerDNS lists them
  unsigned algorithm = 0;       // IANA number
  unsigned bits = 0;
};

// `flags` 257 or 256. errc::bad_key with the reason.
base::Result<PublicKey> public_key(std::string_view private_key, unsigned flags, dns::Name const& zone);

// A new private key. Algorithms 8, 10 (RSA, `bits` 1024 to 4096), 13, 14, 15, 16 (bits fixed, 0 or the right number).
base::Result<std::string> generate(unsigned algorithm, unsigned bits);

// "ECDSAP256SHA256" for 13; empty for an unknown number. And back, any case, or "13"; 0 when unknown.
std::string_view algorithm_name(unsigned algorithm);
unsigned algorithm_number(std::string_view name);

}  // namespace dnssec

template <>
struct boost::system::is_error_code_enum<dnssec::errc> : std::true_type {};
