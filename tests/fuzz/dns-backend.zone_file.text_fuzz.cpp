// A zone file is refused with problems, or writing and reading it gives the same zone.
#include "dns-backend/zone_file/zone_file.hpp"

#include <cstdint>

// ldns 1.8.3 forgets what it allocated for an IPSECKEY that it refuses.
extern "C" char const* __lsan_default_suppressions() {
  return "leak:ldns_str2rdf_ipseckey\n";
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const text(data, data + size);
  auto const apex = dns::Name::parse("example.org").value();
  auto const zone = dns::parse_zone_file(text, "fuzz", apex);
  if (zone.has_error()) {
    ASSERT(!zone.error().empty());
    return 0;
  }
  auto const again = dns::parse_zone_file(dns::to_zone_file(apex, *zone), "again", apex);
  ASSERT(again.has_value() && *again == *zone);
  return 0;
}
