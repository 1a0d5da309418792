// Orders that are not gone on with, whose CAs are still to be told: each pending authorization of theirs is deactivated
// (RFC 8555 section 7.5.2). One that the CA does not know (any more), or says no to, is over.
//
// Threads: belongs to the control loop; it outlives the coroutines that use it.
#pragma once

#include "acme/authority/authority.hpp"
#include "acme/vault/vault.hpp"
#include "base/net/task.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace acme {

class DroppedOrders {
 public:
  // `authority_of`: the CA of this directory, if it is in the settings.
  DroppedOrders(vault::Vault& vault, std::function<Authority*(std::string const& directory_url)> authority_of,
                std::chrono::milliseconds first_retry);
  DroppedOrders(DroppedOrders const&) = delete;
  DroppedOrders& operator=(DroppedOrders const&) = delete;

  // There may be more of them than are known.
  void look() { stale_ = true; }
  // When tell() has something to do; nothing: nothing is known to be, or it is at it.
  [[nodiscard]] std::optional<Time> next(Time now) const;
  // Tells the CAs what is due, one after the other. A second call while one is under way does nothing.
  net::Task<void> tell();

 private:
  struct Pending {
    vault::DroppedOrder order;
    unsigned failures = 0;
    Time not_before{};
  };
  // Failures: protocol::errc::refused when it is of this order alone, else the CA as a whole is left alone.
  net::Task<base::Result<void>> deactivate(vault::DroppedOrder order);

  vault::Vault& vault_;
  std::function<Authority*(std::string const&)> authority_of_;
  std::chrono::milliseconds first_retry_;
  std::map<std::pair<std::string, std::string>, Pending> pending_;  // by directory and order
  bool stale_ = true;
  Time read_again_{};  // after a failed read of the vault
  bool telling_ = false;
};

}  // namespace acme
