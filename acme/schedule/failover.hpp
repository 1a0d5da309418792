// Which of several CAs an order goes to, as pure functions: the first in the operator's order that is not parked for
// this name and whose breaker is closed.
//
//   closed --3 failures in a row that are the CA's, one outage of several orders at once counts once--> open for 1, 2,
//   4 ... 30 minutes --> one order may try --> closed
//
// A refusal that another CA may not share (a limit, CAA, an identifier it will not take, a lost account) parks the name
// at that CA alone; one that every CA would share (no proof seen, a site of ours behind) parks the name everywhere. Of
// a CA that saw no proof several times in a row the Planner makes one that is parked alone.
//
// Threads: plain values and pure functions.
#pragma once

#include "acme/messages/messages.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace acme {

using crypto::Time;

// One CA's health, from the outcomes of everybody's orders.
struct Breaker {
  unsigned failures = 0;  // in a row; of the CA itself (transient)
  std::optional<Time> open_until;
  bool trying = false;            // one order is under way after the pause
  std::optional<Time> failed_at;  // the last failure that was counted
};
// Of an order that began at `began`. Orders that were under way together when the CA went away fail together: those
// that began before a failure was counted add nothing to it, nor do they end the try that follows.
[[nodiscard]] Breaker after_outcome(Breaker breaker, protocol::FailureClass failure, Time began, Time now);
// No order before this moment; nothing: orders may go there now. `now` past the pause lets one order through.
[[nodiscard]] std::optional<Time> closed_from(Breaker const& breaker, Time now);

// Whether the pause after a failure holds for this CA alone.
[[nodiscard]] bool concerns_one_authority(protocol::FailureClass failure);

struct Choice {
  std::optional<std::size_t> authority;  // to be asked now
  std::optional<Time> wake;              // else: the first moment at which one may be
};
// `parked[i]`: no order of this name at authority i before then; `everywhere` holds for all of them.
[[nodiscard]] Choice choose_authority(std::vector<Breaker> const& breakers,
                                      std::vector<std::optional<Time>> const& parked, std::optional<Time> everywhere,
                                      Time now);

}  // namespace acme
