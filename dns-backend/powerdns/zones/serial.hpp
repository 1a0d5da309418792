// Serials as PowerDNS's metadata ask for them: SOA-EDIT-API on each change through the API, SOA-EDIT on the wire.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace powerdns {

// What the serial becomes with a change, by the metadata SOA-EDIT-API: DEFAULT (today's YYYYMMDD01, then plus one),
// INCREASE, EPOCH, SOA-EDIT and SOA-EDIT-INCREASE (as `soa_edit`, the latter at least plus one); any other word: `old`.
// The store raises a serial by one itself when this is not ahead of it.
std::uint32_t next_serial(std::string_view soa_edit_api, std::string_view soa_edit, std::uint32_t old,
                          std::int64_t now_s);

// The serial that PowerDNS signs with, by the metadata SOA-EDIT: INCEPTION-INCREMENT, INCEPTION-EPOCH, INCREMENT-WEEKS,
// EPOCH; any other word: `serial` itself. Days are those of the local time zone, as in PowerDNS.
std::uint32_t edited_serial(std::string_view soa_edit, std::uint32_t serial, std::int64_t now_s);

}  // namespace powerdns
