// The status code pattern of a monitor: any text is either valid or matches nothing.
#include "base/probe/probe.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const pattern(data, data + size);
  bool const valid = probe::valid_codes(pattern);
  for (int status = 0; status < 700; status += 7) {
    if (probe::code_matches(pattern, status) && (!valid || status < 100 || status > 599)) {
      std::abort();
    }
  }
  return 0;
}
