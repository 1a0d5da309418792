// BIRD's printed tables, whatever the bytes: no reader may crash, and what they accept must be consistent.
#include "base/result/result.hpp"
#include "routing/bird/state.hpp"

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::istringstream stream(std::string(data, data + size));
  bird::Lines lines;
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  auto const neighbors = bird::parse_ospf_neighbors(lines);
  auto const sessions = bird::parse_bfd_sessions(lines);
  auto const protocols = bird::parse_protocols(lines);
  ASSERT(neighbors.size() <= lines.size() && sessions.size() <= lines.size() && protocols.size() <= lines.size());
  ASSERT(bird::full_without_bfd(neighbors, sessions).size() <= neighbors.size());
  for (auto const& row : protocols) {
    ASSERT(!row.name.empty() && !row.state.empty());
  }
  for (auto const& [id, router] : bird::parse_ospf_state(lines)) {
    ASSERT(!id.empty());
    for (auto const& [other, costs] : router.links) {
      ASSERT(!other.empty() && !costs.empty());
    }
  }
  return 0;
}
