// A change feed message: whatever is accepted comes out the same after writing and reading it again.
#include "dns-backend/feed/codec.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const changes = feed::parse_changes(std::string_view(reinterpret_cast<char const*>(data), size));
  if (!changes) {
    return 0;
  }
  std::string const written = feed::to_json(*changes);
  auto const again = feed::parse_changes(written);
  if (!again || feed::to_json(*again) != written) {
    std::abort();
  }
  return 0;
}
