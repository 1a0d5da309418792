// PEM chains as a CA sends them.
#include "acme/crypto/certificate.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  (void)crypto::read_chain({reinterpret_cast<char const*>(data), size});
  return 0;
}
