// Any bytes as an allocation file: what is accepted is written back as the same value.
#include "topology/allocation.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(uint8_t const* data, size_t size) {
  std::string const text(data, data + size);
  auto const parsed = topology::parse_allocation(text);
  if (!parsed) {
    ASSERT(parsed.error().code == topology::errc::bad_file && !parsed.error().detail.empty());
    return 0;
  }
  auto const written = topology::to_text(*parsed);
  auto const again = topology::parse_allocation(written);
  ASSERT(again && topology::to_text(*again) == written);
  return 0;
}
