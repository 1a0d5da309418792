#include "mesh/members/turns.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace members {

std::set<std::string> rotating(std::vector<NodeRow> const& rows, topology::Topology const& topology) {
  std::vector<NodeRow> asked;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(asked),
               [](NodeRow const& row) { return row.removed_at_s == 0 && row.rotate_since_s != 0; });
  std::sort(asked.begin(), asked.end(), [](auto const& a, auto const& b) {
    return std::tuple(a.next_key.empty(), a.rotate_since_s, a.name) <
           std::tuple(b.next_key.empty(), b.rotate_since_s, b.name);
  });
  std::set<std::string> out;
  for (auto const& row : asked) {
    auto const links = topology.links_of(row.name);
    bool const free = std::none_of(links.begin(), links.end(), [&](topology::Link const& link) {
      return out.contains(link.a == row.name ? link.b : link.a);
    });
    if (free) {
      out.insert(row.name);
    }
  }
  return out;
}

std::vector<std::string> overdue(std::vector<NodeRow> const& rows, std::int64_t after_s, std::int64_t now_s) {
  std::vector<std::string> out;
  for (auto const& row : rows) {
    if (after_s > 0 && row.removed_at_s == 0 && row.rotate_since_s == 0 && now_s - row.key_since_s >= after_s) {
      out.push_back(row.name);
    }
  }
  return out;
}

}  // namespace members
