#include "routing/bird/state.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>

namespace bird {
namespace {

std::optional<std::uint32_t> number(std::string const& text) {
  std::uint32_t value = 0;
  auto const* const last = text.data() + text.size();
  auto const [end, error] = std::from_chars(text.data(), last, value);
  return error == std::errc() && end == last ? std::optional(value) : std::nullopt;
}

}  // namespace

//	router 10.200.0.1                       who speaks
//		distance 0                          or "unreachable"
//		router 10.200.0.2 metric 10         what it says
//		stubnet 10.200.0.1/32 metric 0
OspfState parse_ospf_state(Lines const& lines) {
  OspfState out;
  RouterState* speaker = nullptr;
  for (auto const& line : lines) {
    std::istringstream words(line);
    std::string kind;
    std::string id;
    std::string metric;
    std::string value;
    words >> kind >> id >> metric >> value;
    if (kind == "router" && metric.empty() && !id.empty()) {
      speaker = &out[id];
    } else if (kind == "router" && metric == "metric" && speaker != nullptr) {
      if (auto const cost = number(value)) {
        speaker->links[id].push_back(*cost);
      }
    } else if (kind == "unreachable" && speaker != nullptr) {
      speaker->reachable = false;
    } else if (kind == "area" || (kind == "network" && metric.empty())) {
      speaker = nullptr;
    }
  }
  for (auto& [id, router] : out) {
    for (auto& [other, costs] : router.links) {
      std::sort(costs.begin(), costs.end());
    }
  }
  return out;
}

}  // namespace bird
