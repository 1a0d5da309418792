// Bundle lists and bundles as an edge receives them.
#include "acme/edge/client/bundle.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  if (auto const list = edge::parse_list(text)) {
    for (edge::BundleItem const& item : list->bundles) {
      // What was accepted survives the way to the disk and back, and is harmless as a path.
      auto const again = edge::parse_item(edge::to_json(item));
      if (!again || *again != item || item.id.find('/') != std::string::npos || edge::probe_name(item).empty()) {
        std::abort();
      }
    }
  }
  if (auto const bundle = edge::parse_bundle(text)) {
    (void)edge::verify(*bundle);
  }
  return 0;
}
