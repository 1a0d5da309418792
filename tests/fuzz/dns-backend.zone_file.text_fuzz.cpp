// A zone file is refused with problems, or writing and reading it gives the same zone. Signatures are written with the
// TTL of what they cover, whatever TTL they were read with (RFC 4034 section 3), so theirs are compared from then on.
#include "dns-backend/zone_file/zone_file.hpp"

#include <cstdint>

// ldns 1.8.3 forgets what it allocated for an IPSECKEY that it refuses.
extern "C" char const* __lsan_default_suppressions() {
  return "leak:ldns_str2rdf_ipseckey\n";
}

namespace {

std::vector<dns::OwnedRRset> without_ttl_of_signatures(std::vector<dns::OwnedRRset> zone) {
  for (auto& owned : zone) {
    if (owned.rrset.type == dns::type_rrsig) {
      owned.rrset.ttl = 0;
    }
  }
  return zone;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const text(data, data + size);
  auto const apex = dns::Name::parse("example.org").value();
  auto const zone = dns::parse_zone_file(text, "fuzz", apex);
  if (zone.has_error()) {
    ASSERT(!zone.error().empty());
    return 0;
  }
  auto const again = dns::parse_zone_file(dns::to_zone_file(apex, *zone), "again", apex);
  ASSERT(again.has_value() && without_ttl_of_signatures(*again) == without_ttl_of_signatures(*zone));
  auto const third = dns::parse_zone_file(dns::to_zone_file(apex, *again), "third", apex);
  ASSERT(third.has_value() && *third == *again);
  return 0;
}
