// What moved in the store since the last look: which tenants' rows, and whether pools did. By the store's own log of
// changes, so that a look costs what changed. Everything of a tenant's own moves the tenant's row (tenants::touch).
//
// Threads: belongs to the control loop. What fails is the store.
#pragma once

#include "base/net/task.hpp"
#include "dns-backend/store/store.hpp"

#include <cstdint>
#include <set>
#include <string>

namespace acme {

struct Moved {
  bool anew = false;               // anything may have moved: the first look, or the log does not reach back
  bool pools = false;              // the topology's pools or their endpoints
  std::set<std::int64_t> tenants;  // gone ones too; nothing with `anew`
};

class Movements {
 public:
  explicit Movements(store::Store& store) : store_(store) {}

  net::Task<base::Result<Moved>> follow();
  // What follow() told was used: the next look begins after it. Else it is told again.
  void taken();
  void forget() { history_.clear(); }  // the next look is the first again
  // Nothing was written since the last look that was taken.
  [[nodiscard]] bool is_current() const { return !history_.empty() && store_.revision() == seen_; }

 private:
  net::Task<base::Result<Moved>> everything();

  store::Store& store_;
  store::Revision seen_ = 0, next_ = 0;
  std::string history_, next_history_;  // that seen_ belongs to; empty: nothing was seen
};

}  // namespace acme
