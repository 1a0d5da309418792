// A page of records from the API. What is understood can be written, and read again it is the same.
#include "dns-backend/cloudflare/record.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const body(reinterpret_cast<char const*>(data), size);
  (void)cloudflare::parse_done(400, body);
  auto const page = cloudflare::parse_page(200, body);
  if (!page) {
    return 0;
  }
  for (cloudflare::Record const& record : page->records) {
    if (record.type.value == 0 || !dns::normalize_content(record.type, record.content)) {
      continue;
    }
    auto const again =
        cloudflare::parse_page(200, "{\"success\":true,\"result\":[" + cloudflare::to_json(record) + "]}");
    if (!again || again->records.size() != 1 ||
        cloudflare::comparable(again->records[0]) != cloudflare::comparable(record)) {
      std::abort();
    }
  }
  return 0;
}
