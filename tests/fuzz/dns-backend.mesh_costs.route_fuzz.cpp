// What BIRD prints of a route, whatever the bytes: a cost is a number that stands in the text, and a text that names
// neither OSPF nor the address has none.
#include "base/result/result.hpp"
#include "dns-backend/mesh_costs/mesh_costs.hpp"

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const text(data, data + size);
  std::istringstream stream(text);
  bird::Lines lines;
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  for (char const* const address : {"10.200.0.2", "fd00::2"}) {
    auto const cost = mesh_costs::cost_of(lines, net::asio::ip::make_address(address));
    if (cost) {
      ASSERT(text.find(std::to_string(*cost)) != std::string::npos);
      ASSERT(text.find("OSPF") != std::string::npos);
    }
  }
  return 0;
}
