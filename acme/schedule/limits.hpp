// A CA's limits as token buckets, so that it is not asked for what it will refuse; pure, `now` is a parameter.
//
//   scope        what is counted                                    who is not counted
//   orders       new orders of the account                          renewals
//   domain       certificates of a registered domain                renewals
//   set          certificates of exactly these names                orders that say what they replace (RFC 9773)
//   failures     failed validations of these names
//
// The CA's answer is the truth: its Retry-After drains a bucket until then, also one that was thought to be full or
// that has no limit here. Which one is read off the answers, not off their text: the first refusal closes the set of
// names, one of other names meanwhile their domain, one of another domain the whole account (for an hour at most).
//
// A bucket of `count` in `per` holds `count` orders at once and gains one each per/count. It is kept as the one moment
// at which it will be full again; a bucket that is full needs no memory. Only what the CA was heard to place is taken
// out of it; what may be placed any moment is reserved, which nobody remembers longer than the order runs.
//
// Threads: plain values.
#pragma once

#include "acme/crypto/time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace acme {

using crypto::Time;

struct Allowance {
  std::uint32_t count = 0;  // 0: no limit is known
  std::chrono::milliseconds per{0};
  bool operator==(Allowance const&) const = default;
};

struct LimitSettings {
  Allowance orders;
  Allowance domain;
  Allowance set;
  Allowance failures;
};
// What Let's Encrypt grants without an override.
[[nodiscard]] LimitSettings lets_encrypt_limits();

// What an order counts against.
struct Asking {
  std::string domain;     // registered domain
  std::string set;        // all names, sorted, joined by blanks
  bool renewal = false;   // the CA's account had a certificate of exactly these names
  bool replaces = false;  // the order says which certificate it replaces
};

enum class Scope { orders, domain, set, failures };
[[nodiscard]] char const* name(Scope scope);
[[nodiscard]] std::optional<Scope> scope_of(std::string_view name);

struct Level {  // of one bucket, for storing
  Scope scope = Scope::orders;
  std::string key;  // domain or set; empty for orders
  Time full_at;
};

// Limits of one CA.
class Limits {
 public:
  explicit Limits(LimitSettings settings) : settings_(settings) {}

  // What holds this order back longest, and until when; nothing: it may be placed now.
  struct Hold {
    Scope scope = Scope::orders;
    Time until;
  };
  [[nodiscard]] std::optional<Hold> hold(Asking const& asking, Time now) const;
  // The same of the account alone, for any order that is no renewal.
  [[nodiscard]] std::optional<Time> account_hold(Time now) const;
  // How long until the domain has the place after the next one: what several orders of one domain wait one after the
  // other.
  [[nodiscard]] std::chrono::milliseconds step(Scope scope) const;

  // An order is about to be asked for: others find its place taken until release(), which every reserve() needs once.
  void reserve(Asking const& asking);
  void release(Asking const& asking);
  // The CA placed an order.
  void spend(Asking const& asking, Time now);
  void validation_failed(Asking const& asking, Time now);
  // The CA said rateLimited, and when to come again.
  void refused(Asking const& asking, Time until, Time now);

  // What changed since the last call.
  [[nodiscard]] std::vector<Level> take_changes();
  void restore(Level const& level);

 private:
  using Key = std::pair<Scope, std::string>;
  struct Refusal {
    std::string domain, set;
    Time until;
  };
  [[nodiscard]] Allowance allowance(Scope scope) const;
  [[nodiscard]] std::vector<Key> counted(Asking const& asking) const;
  [[nodiscard]] Time open_at(Key const& key, Time now) const;
  void take(Key const& key, Time now);
  void drain(Key const& key, Time until);
  void forget_full(Time now);

  LimitSettings settings_;
  std::map<Key, Time> full_at_;
  std::map<Key, std::uint32_t> reserved_;
  std::set<Key> changed_;
  Time closed_until_{};  // everything, by the CA's word
  std::optional<Refusal> refusal_;
  std::size_t forget_above_ = 1024;
};

}  // namespace acme
