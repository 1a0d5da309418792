// Whether a node announces one address of an anycast service, decided purely from its checks, and what BIRD has to be
// told for it.
//
// Nothing is announced before the first check succeeded. A verdict of "up" announces, "down" withdraws, "unknown"
// (no check yet) leaves an announcement that another run of the agent made: a restarted agent must not withdraw a
// working service, and its first check decides a moment later.
//
// Threads: plain values.
#pragma once

#include "base/probe/health_state.hpp"
#include "routing/bird/config.hpp"
#include "routing/bird/status.hpp"
#include "topology/topology.hpp"

#include <optional>
#include <string>
#include <vector>

namespace anycast {

class Announcement {
 public:
  Announcement(std::string protocol, probe::Thresholds thresholds)
      : protocol_(std::move(protocol)), state_(thresholds) {}

  // Counts one check of the service's own address. The transition when it changed the verdict.
  std::optional<probe::Transition> observe(bool success, probe::Time now) { return state_.observe(success, now); }

  [[nodiscard]] std::string const& protocol() const { return protocol_; }
  [[nodiscard]] probe::Health health() const { return state_.health(); }

 private:
  std::string protocol_;  // BIRD's name of the static protocol
  probe::HealthState state_;
};

enum class Observed { absent, disabled, enabled };  // absent: BIRD's configuration has no such protocol
[[nodiscard]] char const* name(Observed observed);

// What `show protocols` says of one protocol.
[[nodiscard]] Observed observed(std::string const& protocol, std::vector<bird::ProtocolRow> const& rows);

enum class Action { none, enable, disable };

// The difference of wanted (the verdict) and observed. An absent protocol cannot be acted upon: none.
[[nodiscard]] Action difference(probe::Health wanted, Observed observed);

// The service's own thresholds.
[[nodiscard]] probe::Thresholds thresholds(topology::Service const& service);

}  // namespace anycast
