// Whatever arrives on a connection: a request lies within what was read, and takes a part of it.
#include "dns-backend/conversation/framing.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const bytes(data, data + size);
  for (auto const framing : {connector::Framing::line, connector::Framing::http}) {
    std::string body;
    auto const cut = connector::cut_request(framing, bytes, body);
    if (!cut) {
      ASSERT(!cut.error().detail.empty());
    } else if (*cut) {
      ASSERT((*cut)->octets > 0 && (*cut)->octets <= bytes.size());
    }
  }
  return 0;
}
