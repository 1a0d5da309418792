// Rendering of replies straight into text, in the very types PowerDNS reads: numbers as JSON numbers (`auth` 0 or 1,
// never a boolean), names and content as strings, no spaces. PowerDNS's unix connector parses the whole reply anew
// after each 1,500 octets, so every octet counts.
//
// Threads: pure; a buffer belongs to its session.
#pragma once

#include "dns-backend/snapshot/snapshot.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace remote {

// What stands between the quotes of a JSON string. Names hardly ever need it, so a lookup echoes what it was sent.
[[nodiscard]] std::string json_text(std::string_view text);
// Quoted and escaped. Octets above 127 pass as they are: PowerDNS's parser takes text as octets.
void append_string(std::string& out, std::string_view text);
void append_number(std::string& out, std::int64_t number);

struct Row {
  std::string_view qname;  // as json_text() makes it
  std::string_view qtype;  // empty: an empty non-terminal
  std::string_view content;
  std::uint32_t ttl = 0;
  std::int64_t zone_id = 0;
  bool auth = true;
  // Written as "scopeMask" where it is set; 0 is the promise that the answer suits every client.
  std::optional<std::uint8_t> scope_bits = std::nullopt;
};

// An array under construction: {"result":[row,row,...]} and the newline.
class RowList {
 public:
  explicit RowList(std::string& out);
  void add(Row const& row);
  // Domain information; what PowerDNS takes for granted (native, no masters, zeros) is left out, and without `complete`
  // everything but id, zone and kind.
  void add(store::Zone const& zone, bool complete);
  void finish();
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  void separate();
  std::string& out_;
  std::size_t count_ = 0;
};

// Whole replies: {"result":...} and the newline.
void reply_bool(std::string& out, bool value);
void reply_number(std::string& out, std::int64_t value);
void reply_string(std::string& out, std::string_view value);
// {"result":false,"log":["reason"]}: PowerDNS logs the reason.
void reply_refusal(std::string& out, std::string_view reason);
void reply_domain(std::string& out, store::Zone const& zone);

}  // namespace remote
