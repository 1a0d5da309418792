// RR types, RRsets and their content, checked by ldns on the way in.
//
// Content is presentation form as PowerDNS wants it: absolute names in full, MX and SRV priorities inside, TXT quoted.
// RFC 3597 unknown types (`TYPE65280`, `\# 4 0A000001`) are accepted.
//
// An RRset's contents are sorted; so equality of two sets is equality of their values.
//
// Threads: plain values and pure functions.
#pragma once

#include "base/result/problem.hpp"
#include "base/result/result.hpp"
#include "dns-backend/dns/name.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace dns {

struct RRType {
  std::uint16_t value = 0;  // IANA number; 0 is "no type" (an empty non-terminal)
  auto operator<=>(RRType const&) const = default;
};
inline constexpr RRType type_a{1}, type_ns{2}, type_cname{5}, type_soa{6}, type_ptr{12}, type_mx{15}, type_txt{16},
    type_aaaa{28}, type_srv{33}, type_dname{39}, type_ds{43}, type_rrsig{46}, type_nsec{47}, type_any{255},
    type_caa{257};
// PowerDNS's own types; they exist in its backends only, never on the wire.
inline constexpr RRType type_alias{65401}, type_lua{65402};

base::Result<RRType> parse_type(std::string_view mnemonic);  // any case; "TYPE123" too
// The mnemonic where PowerDNS has one, else "TYPE123": what it does not know it would take for no type at all.
std::string to_text(RRType type);
// False for what no zone can hold: OPT, TSIG, ANY and the other query and meta types (RFC 6895 3.1).
bool is_storable(RRType type);

struct RRset {
  RRType type;
  std::uint32_t ttl = 3600;
  std::vector<std::string> contents;  // normalised, sorted, without duplicates
  bool operator==(RRset const&) const = default;
};

// Validates and normalises one rdata: absolute names (in lower case where RFC 4034 6.2 says so), numbers in range, TXT
// quoted with \DDD for what is not ASCII and cut into strings of 255 octets, types unknown to PowerDNS as RFC 3597 has
// them. Names are read as absolute, with or without the final dot, unless an `origin`
// is given; then those without it are relative, as in a master file. bad_rdata with the reason; bad_type for a type
// that no zone can hold.
base::Result<std::string> normalize_content(RRType type, std::string_view content, Name const& origin = {});

struct OwnedRRset {
  Name owner;
  RRset rrset;
  bool operator==(OwnedRRset const&) const = default;
};

// One rule broken; `type` 0 when the whole name is meant.
struct Conflict {
  Name owner;
  RRType type;
  std::string message;
  std::string hint;
};
// What is wrong at one name: owner outside the zone, CNAME beside other data (RFC 2181 10.1), more than one CNAME or
// DNAME, an SOA below the apex, a type that no zone can hold. `rrsets` is everything at that name.
std::vector<Conflict> check_node(Name const& apex, Name const& owner, std::vector<RRset> const& rrsets);
// check_node for every name, and what a zone needs: exactly one SOA and at least one NS at its apex.
std::vector<Conflict> check_zone(Name const& apex, std::vector<OwnedRRset> const& rrsets);

// The serial and the refresh interval (seconds) inside normalised SOA content, and the same content with another
// serial.
std::uint32_t soa_serial(std::string_view content);
std::uint32_t soa_refresh(std::string_view content);
std::string with_soa_serial(std::string_view content, std::uint32_t serial);
// Serial number arithmetic (RFC 1982): `a` is ahead of `b`.
bool serial_after(std::uint32_t a, std::uint32_t b);

// NSEC3 (RFC 5155) hash of a name, lower-case base32hex. `salt` is raw octets.
std::string nsec3_hash(Name const& name, std::string_view salt, unsigned iterations);

}  // namespace dns
