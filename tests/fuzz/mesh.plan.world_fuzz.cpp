// Any bytes as a world document: what is accepted has one text form, and building it never crashes.
#include "mesh/plan/world.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const read = plan::parse_world_document({static_cast<char const*>(static_cast<void const*>(data)), size});
  if (read) {
    auto const again = plan::parse_world_document(plan::to_json(*read));
    ASSERT(again.has_value());
    ASSERT(*again == *read);
    static_cast<void>(plan::build_world(*read));
  }
  return 0;
}
