// The Location header of a redirect: any text is refused or names a target that can be asked, and asking it again with
// its own URL leads to itself.
#include "base/probe/http/redirect.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const location(data, data + size);
  probe::Target const from{{false, "www.example.org", 8080}, "/a/b?x=1"};
  auto const next = probe::redirected(from, location);
  if (next.has_error()) {
    return 0;
  }
  if (next->origin.port == 0 || next->origin.host.empty() || next->path.empty() || next->path.front() != '/' ||
      next->path.find_first_of("\r\n ") != std::string::npos) {
    std::abort();
  }
  auto const again = probe::redirected(from, probe::url_of(*next));
  if (again.has_value() && !(*again == *next)) {
    std::abort();
  }
  return 0;
}
