// A report of verdicts from whoever holds a peer's certificate: what is taken must be writable and readable again.
#include "dns-backend/vantage/report.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const report = vantage::parse_report({reinterpret_cast<char const*>(data), size});
  if (!report) {
    return 0;
  }
  auto const again = vantage::parse_report(vantage::to_json(*report));
  if (!again || again->votes != report->votes || again->hears != report->hears) {
    std::abort();
  }
  return 0;
}
