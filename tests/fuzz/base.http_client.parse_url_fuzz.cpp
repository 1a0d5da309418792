#include "base/http_client/http_client.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// What parses must be safe to put into a request line, and its origin must parse to the same origin.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const url = net::parse_url(text);
  if (!url) {
    return 0;
  }
  if (url->target.empty() || url->target.front() != '/' || url->host.empty()) {
    std::abort();
  }
  for (char const c : url->target + url->host) {
    if (c <= ' ' || c == '\x7f') {
      std::abort();
    }
  }
  if (url->scheme != "unix") {
    auto const again = net::parse_url(url->origin() + url->target);
    if (again && again->origin() != url->origin()) {
      std::abort();
    }
  }
  return 0;
}
