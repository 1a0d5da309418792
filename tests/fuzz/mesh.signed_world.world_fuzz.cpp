// Any bytes as a signed world: nothing that was not signed is opened, and what is read has one text form.
#include "mesh/signed_world/removals.hpp"
#include "mesh/signed_world/signed_world.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static auto const key = signed_world::SigningKey::generate();
  std::string_view const bytes(static_cast<char const*>(static_cast<void const*>(data)), size);
  if (auto const read = signed_world::parse_signed_world(bytes)) {
    signed_world::Pin const pin{key.verify_key(), "mesh", 0};
    ASSERT(!signed_world::open_world(*read, pin, 1'800'000'000));
    if (!read->signature.empty()) {
      ASSERT(signed_world::parse_signed_world(signed_world::to_json(*read)).value() == *read);
    }
  }
  if (auto const pin = signed_world::parse_pin(bytes)) {
    ASSERT(signed_world::parse_pin(signed_world::to_text(*pin)).value() == *pin);
  }
  auto const removals = signed_world::Removals::parse(bytes);
  ASSERT(signed_world::Removals::parse(removals.text()) == removals);
  return 0;
}
