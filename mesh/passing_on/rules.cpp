#include "mesh/passing_on/rules.hpp"

#include <algorithm>

namespace passing_on {
namespace {

using wireguard::Address;

bool is_plain_local(Rule const& rule, std::uint32_t priority, std::uint8_t protocol) {
  return rule.priority == priority && rule.table == local_table && rule.protocol == protocol && rule.iif.empty() &&
         !rule.to && !rule.others;
}

Rule local_at(bool v6, std::uint32_t priority) {
  return {v6, priority, local_table, priority == 0 ? kernel_protocol : our_protocol};
}

Rule own_packets(Address const& address) {
  return {address.is_v6(), 0, local_table, our_protocol, "lo", address};
}

Rule other_packets(Address const& address) {
  return {address.is_v6(), 0, main_table, our_protocol, "", address, true};
}

bool has(std::vector<Rule> const& present, Rule const& rule) {
  return std::find(present.begin(), present.end(), rule) != present.end();
}

void family_steps(std::vector<Rule> const& present, bool v6, std::set<Address> const& wanted, std::vector<Step>& out) {
  auto const plain = [&](std::uint32_t priority, std::uint8_t protocol) {
    return std::any_of(present.begin(), present.end(),
                       [&](Rule const& rule) { return rule.v6 == v6 && is_plain_local(rule, priority, protocol); });
  };
  bool const at_its_place = plain(0, kernel_protocol);
  bool const moved = plain(1, our_protocol);
  bool any = false;
  for (auto const& address : wanted) {
    if (address.is_v6() != v6) {
      continue;
    }
    any = true;
    for (auto const& rule : {own_packets(address), other_packets(address)}) {
      if (!has(present, rule)) {
        out.push_back({true, rule});
      }
    }
  }
  if (any && at_its_place) {
    if (!moved) {
      out.push_back({true, local_at(v6, 1)});
    }
    out.push_back({false, local_at(v6, 0)});
  }
  // The one that leads away goes first, whatever the order in which they are listed.
  for (auto const table : {main_table, local_table}) {
    for (auto const& rule : present) {
      if (rule.v6 == v6 && rule.protocol == our_protocol && rule.priority == 0 && rule.table == table && rule.to &&
          !rule.others && !wanted.contains(*rule.to)) {
        out.push_back({false, rule});
      }
    }
  }
  if (!any && moved) {
    if (!at_its_place) {
      out.push_back({true, local_at(v6, 0)});
    }
    out.push_back({false, local_at(v6, 1)});
  }
}

}  // namespace

std::vector<Step> steps(std::vector<Rule> const& present, std::set<Address> const& withdrawn,
                        std::set<Address> const& unknown) {
  auto wanted = withdrawn;
  for (auto const& rule : present) {
    if (rule.protocol == our_protocol && rule.to && unknown.contains(*rule.to)) {
      wanted.insert(*rule.to);
    }
  }
  std::vector<Step> out;
  for (bool const v6 : {false, true}) {
    family_steps(present, v6, wanted, out);
  }
  return out;
}

}  // namespace passing_on
