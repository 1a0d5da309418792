// When to ask for a certificate, as pure functions: due times are fractions of the lifetime (never "30 days", which
// makes a 6-day certificate renew on every look), and failures climb a ladder.
//
// Threads: pure functions.
#pragma once

#include "acme/messages/messages.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace acme {

using crypto::Time;

// The moment of renewal: after `fraction` of the lifetime, or with 0 after 2/3 of it (1/2 when it is shorter than 10
// days), less up to 1/50 of the lifetime by `seed`. The same seed gives the same moment, so that restarts do not move
// it, and certificates issued together do not renew together.
[[nodiscard]] Time renewal_due(Time not_before, Time not_after, double fraction, std::uint64_t seed);

// What the CA said of one certificate's renewal (RFC 9773). `at` is drawn once for a window and stays while the window
// does: a moment that is drawn anew at each look would move towards the window's end.
struct Suggestion {
  protocol::RenewalWindow window;
  Time at;
  bool operator==(Suggestion const&) const = default;
};
// `known` when it is for the same window; else a moment of the window, evenly by `seed`. One that lies in the past
// means now: the CA wants the certificate replaced (a revocation is coming).
[[nodiscard]] Suggestion suggestion_of(protocol::RenewalWindow window, std::optional<Suggestion> const& known,
                                       std::uint64_t seed);

// When the CA's opinion is asked for again: at its Retry-After, held between a minute and a day; without one, and after
// a failure, in six hours, less up to an eighth by `seed`.
[[nodiscard]] Time next_question(std::string_view retry_after, Time now, std::uint64_t seed);

// The moment that counts: the CA's when it said one, but never later than a twentieth of the lifetime before the end,
// so that no CA's answer can let a certificate expire; else `own`, which is renewal_due().
[[nodiscard]] Time renewal_moment(Time own, std::optional<Suggestion> const& suggestion, Time not_before,
                                  Time not_after);

// The pause after a failure. `failures` counts those in a row, this one included; `first` is one minute in production.
//   validation, policy, account, ours: 1, 10, 100 minutes, then daily (Let's Encrypt's own advice)
//   transient: doubles from 1 minute to 1 hour, because the CA was not asked in earnest
//   deferred: 1 minute always, because the CA was not asked at all
//   not_before: the CA's own time is used by the caller; without one an hour
[[nodiscard]] std::chrono::milliseconds pause_after(protocol::FailureClass failure, unsigned failures,
                                                    std::chrono::milliseconds first);

}  // namespace acme
