// The messages of a transfer from whoever answers at the primary's address: as TCP carries them, two octets of length
// before each. What is taken must be writable again.
#include "dns-backend/name_server/transfer.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  dns::Name const zone = dns::Name::parse("example.").value();
  name_server::Transfer const how;
  name_server::Assembly assembly(zone, how, nullptr);
  std::string_view rest(reinterpret_cast<char const*>(data), size);
  while (rest.size() >= 2 && !assembly.done()) {
    std::size_t const length = static_cast<std::size_t>(static_cast<unsigned char>(rest[0])) << 8U |
                               static_cast<std::size_t>(static_cast<unsigned char>(rest[1]));
    std::string const message(rest.substr(2, length));
    rest.remove_prefix(std::min(rest.size(), 2 + length));
    if (!assembly.add(message)) {
      return 0;
    }
  }
  for (dns::OwnedRRset const& owned : assembly.finish()) {
    for (std::string const& content : owned.rrset.contents) {
      if (!dns::normalize_content(owned.rrset.type, content)) {
        std::abort();
      }
    }
  }
  return 0;
}
