// Any bytes as a topology file: a topology or problems, never both, never neither, and every problem names the file.
#include "base/result/result.hpp"
#include "topology/allocation.hpp"
#include "topology/load.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(uint8_t const* data, size_t size) {
  std::string const text(data, data + size);
  auto const loaded = topology::load_topology(text, "fuzz.yaml");
  if (!loaded) {
    ASSERT(!loaded.error().empty());
    for (auto const& problem : loaded.error()) {
      ASSERT(problem.place.source == "fuzz.yaml" && !problem.message.empty());
    }
    return 0;
  }
  ASSERT(!loaded->nodes.empty());
  auto const allocation = topology::allocate(*loaded, {}, 1);
  if (allocation) {
    for (auto const& link : loaded->links) {
      ASSERT(topology::link_local(*allocation, link, link.a) != topology::link_local(*allocation, link, link.b));
      ASSERT(topology::interface_name(link, link.a).size() <= 15);
    }
  }
  return 0;
}
