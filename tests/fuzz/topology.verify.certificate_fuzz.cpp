// Any bytes as a certificate: verified or refused with a place, never both, and what is verified holds: without each
// single node the rest hangs together, found out by a flood.
#include "topology/verify/certificate.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

std::size_t reached_without(verify::Certificate const& certificate, std::uint32_t gone) {
  auto const n = certificate.nodes.size();
  std::vector<std::vector<std::uint32_t>> next(n);
  for (auto const& [a, b] : certificate.links) {
    next[a].push_back(b);
    next[b].push_back(a);
  }
  std::vector<bool> seen(n, false);
  seen[gone] = true;
  std::uint32_t const start = gone == 0 ? 1 : 0;
  std::vector<std::uint32_t> queue{start};
  seen[start] = true;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    for (auto const to : next[queue[i]]) {
      if (!seen[to]) {
        seen[to] = true;
        queue.push_back(to);
      }
    }
  }
  return queue.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(uint8_t const* data, size_t size) {
  std::string const text(data, data + size);
  auto const checked = verify::check(text);
  if (!checked) {
    ASSERT(!checked.error().detail.empty());
    return 0;
  }
  auto const certificate = verify::read_certificate(text);
  ASSERT(certificate && certificate->nodes.size() == checked->nodes);
  constexpr std::size_t most = 64;
  for (std::uint32_t gone = 0; certificate->nodes.size() >= 3 && gone < std::min(most, certificate->nodes.size());
       ++gone) {
    ASSERT(reached_without(*certificate, gone) + 1 == certificate->nodes.size());
  }
  return 0;
}
