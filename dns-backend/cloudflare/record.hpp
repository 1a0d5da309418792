// A DNS record as Cloudflare keeps it, in this project's words, and its JSON both ways.
//
// Content is DNS presentation form as dns::normalize_content makes it (absolute names, MX and SRV priorities inside,
// TXT quoted), whatever shape the API gives a type. Exported are A, AAAA, CNAME, MX, NS, PTR, SRV, TXT and CAA.
//
// Threads: plain values and pure functions.
#pragma once

#include "dns-backend/dns/rrset.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cloudflare {

enum class errc {
  unauthorized = 1,  // 401, 403, or code 10000: the token may not do this
  rate_limited,      // 429; Client::pause says how long
  rejected,          // the envelope has success false; the detail has Cloudflare's codes and messages
  unavailable,       // 5xx
  bad_message,       // not the API's envelope
};
boost::system::error_code make_error_code(errc code);

struct Record {
  std::string id;  // 32 hex digits; empty when wanted and not yet there
  dns::Name name;
  dns::RRType type;  // 0: a type this project does not export
  std::string content;
  std::uint32_t ttl = 300;  // 1: automatic
  bool proxied = false;
  std::string comment;
  bool operator==(Record const&) const = default;
};

[[nodiscard]] bool is_exported(dns::RRType type);

// What two records must share to be the same: TXT compares by its joined text, because strings may be cut elsewhere.
[[nodiscard]] std::string comparable(Record const& record);

// One page of GET dns_records.
struct Page {
  std::vector<Record> records;
  std::int64_t total_pages = 1;
};
// Strict about the envelope, lenient about records of foreign types: those come with type 0 and their raw content.
base::Result<Page> parse_page(int status, std::string_view body);
// Any other answer: nothing, or why not.
base::Result<void> parse_done(int status, std::string_view body);

// The object of a POST: name, type, content or data, ttl, comment, and never `proxied`.
std::string to_json(Record const& record);

}  // namespace cloudflare

template <>
struct boost::system::is_error_code_enum<cloudflare::errc> : std::true_type {};
