// What is wrong with a node, and what mends it: the traps of WireGuard with OSPF and BFD, each recognised from facts.
//
//   auto const findings = doctor::examine(facts);   // empty: healthy
//
// A finding stands for a cause. What only follows from another finding of the same link (no adjacency, because the
// device is missing) is not reported beside it.
//
// Threads: pure functions.
#pragma once

#include "mesh/doctor/facts.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace doctor {

enum class Severity { warning, error };
[[nodiscard]] char const* name(Severity severity);

struct Finding {
  std::string code;  // stable, for programs: "mtu-black-hole"
  Severity severity = Severity::error;
  std::string subject;  // a device, an address, a setting; empty: the node
  std::string what;     // one sentence
  std::string fix;      // one sentence or command
  bool operator==(Finding const&) const = default;
};

// Errors first, then by code and subject.
[[nodiscard]] std::vector<Finding> examine(Facts const& facts);

// {"node":"ams-1","healthy":true,"findings":[{"code","severity","subject","what","fix"}],"blind":[...]}
[[nodiscard]] std::string to_json(std::string const& node, std::vector<Finding> const& findings,
                                  std::vector<std::string> const& blind = {});
// For people: a finding is a line and an indented "fix:" below it; "ams-1: nothing found".
[[nodiscard]] std::string to_text(std::string const& node, std::vector<Finding> const& findings, bool coloured);

// Bounds.
inline constexpr std::int64_t clock_tolerance_s = 30;        // certificates and signed revisions are dated
inline constexpr std::int64_t credential_warning_s = 43200;  // of a lifetime of 72 h renewed at half of it
inline constexpr std::int64_t snapshot_old_s = 7 * 86400;
inline constexpr std::int64_t controller_patience_s = 300;
inline constexpr std::uint64_t state_free_least_bytes = 16U << 20U;

}  // namespace doctor
