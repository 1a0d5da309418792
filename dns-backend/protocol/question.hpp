// The two requests that come thousands of times a second, read in place.
//
// PowerDNS writes {"method": "lookup", "parameters": {"local": ..., "qname": ..., "qtype": ..., ..., "zone-id": N}}
// with flat values, and once more for each zone it meets {"method": "getAllDomainMetadata", "parameters": {"name":
// ...}}, at every query where its metadata cache is off. These forms, in any order and spacing, are read here without
// memory from the heap; whatever is not quite that (another method, a name outside ASCII, a number as text) is left to
// parse_request, which is thorough.
//
// Threads: pure; a QuestionReader belongs to one call.
#pragma once

#include "dns-backend/dns/name.hpp"
#include "dns-backend/dns/rrset.hpp"
#include "dns-backend/geo/geo.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace remote {

// What a lookup asks. The views are the caller's.
struct Question {
  std::string_view qname;   // as between the quotes of JSON: echoed as it is
  std::string_view key;     // Name::key()
  dns::RRType type;         // type_any for ANY
  std::int64_t zone_id;     // any_zone: the longest match
  geo::Client client = {};  // who asks; bits 0: nobody in particular
};

// The client's prefix out of `real-remote`, or else the resolver's address out of `remote`. PowerDNS puts zeros there
// when it asks for itself (whether a zone exists must not depend on a client): that is nobody.
[[nodiscard]] geo::Client client_of(std::string_view real_remote, std::string_view remote);

class QuestionReader {
 public:
  // The question in `line`, whose views point into `line` and into this reader; nullopt: not of the plain form.
  std::optional<Question> read(std::string_view line);
  // Name::key() of the zone that a getAllDomainMetadata in `line` asks about, valid as long as this reader and until
  // its next read; nullopt: not of the plain form.
  std::optional<std::string_view> read_metadata(std::string_view line);

 private:
  bool take_name(std::string_view escaped);

  dns::KeyBuffer key_;
  std::array<char, 1024> unescaped_;  // NOLINT(cppcoreguidelines-pro-type-member-init): only what was written is read
};

}  // namespace remote
