// The first line is a client, the rest a CIDR map. A client that is read is written and read again as the same; a map
// that is taken tells every client of one scope the same.
#include "dns-backend/geo/cidr_map.hpp"

#include "base/result/result.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const text(data, data + size);
  std::size_t const end = std::min(text.find('\n'), text.size());
  auto const client = geo::parse_client(std::string_view(text).substr(0, end));
  if (client) {
    ASSERT(client->bits <= (client->ipv6 ? 128 : 32));
    ASSERT(geo::shortened(*client, client->bits) == *client);
    auto const again = geo::parse_client(geo::to_text(*client));
    ASSERT(again == client);
  }
  auto const map = geo::CidrMap::parse(std::string_view(text).substr(end), "map");
  if (!map) {
    ASSERT(!map.error().empty());
    return 0;
  }
  geo::Client const asked = client.value_or(geo::Client());
  geo::CidrMap::Match const found = (*map)->match(asked);
  ASSERT(found.scope_bits <= asked.bits);
  ASSERT(found.entry == nullptr || (found.entry->prefix.bits <= asked.bits &&
                                    geo::shortened(asked, found.entry->prefix.bits) == found.entry->prefix));
  geo::Client other = asked;
  for (unsigned bit = found.scope_bits; bit < asked.bits; ++bit) {
    other.octets[bit / 8] ^= static_cast<std::uint8_t>(0x80U >> bit % 8);
  }
  ASSERT((*map)->match(other).entry == found.entry);
  return 0;
}
