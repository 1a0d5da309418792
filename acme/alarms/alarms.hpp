// Which names a person must look at: a certificate of whose life a fifth or less is left (its renewal fails), and a
// name that has been wanted for too long without ever having had one.
//
// Threads: a plain object, one owner.
#pragma once

#include "acme/crypto/time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace acme {

class Alarms {
 public:
  // `first_within`: how long a name may be without its first certificate.
  explicit Alarms(std::chrono::milliseconds first_within) : first_within_(first_within) {}

  // Its certificate, in the place of what was known of it.
  void hold(std::int64_t id, crypto::Time not_before, crypto::Time not_after);
  // It has none. A name that comes back (a tenant was suspended, this process was away) has a tenth of the time before
  // it is missed, however long ago it was wanted first.
  void lack(std::int64_t id, crypto::Time since, crypto::Time now);
  void drop(std::int64_t id);
  void clear();

  // Those whose moment came since the last call.
  std::vector<std::int64_t> raise(crypto::Time now);
  [[nodiscard]] std::optional<crypto::Time> next() const;
  // What is raised, until hold(), lack() or drop().
  [[nodiscard]] bool raised(std::int64_t id) const { return expiring_.contains(id) || missing_.contains(id); }
  [[nodiscard]] bool missing(std::int64_t id) const { return missing_.contains(id); }
  [[nodiscard]] std::size_t expiring() const { return expiring_.size(); }
  [[nodiscard]] std::size_t missing() const { return missing_.size(); }

 private:
  struct Known {
    crypto::Time at;
    bool missing = false;
  };
  void set(std::int64_t id, Known known);

  std::chrono::milliseconds first_within_;
  std::map<std::int64_t, Known> known_;
  std::set<std::pair<crypto::Time, std::int64_t>> due_;
  std::set<std::int64_t> expiring_, missing_;
};

}  // namespace acme
