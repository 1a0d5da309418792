// What PowerDNS writes through the backend: metadata, DNSSEC keys, TSIG keys, what was notified and checked, secondary
// zones an autoprimary announced, and zone content inside transactions.
//
// Only what the store acknowledged (on disk, published) is answered with true. A refusal is {"result":false} with the
// reason in PowerDNS's log. A commit that fails is a Failure instead, because PowerDNS does not look at
// commitTransaction's answer and would report success: the session closes the connection, which PowerDNS does notice.
// On a replica every write is refused.
//
// Threads: one Writer belongs to one session; store calls run on the store thread and resume on the session's loop.
#pragma once

#include "base/net/task.hpp"
#include "dns-backend/protocol/request.hpp"
#include "dns-backend/remote/answer.hpp"
#include "dns-backend/remote/transaction.hpp"
#include "dns-backend/store/store.hpp"

#include <memory>
#include <optional>
#include <string>

namespace remote {

class Writer {
 public:
  // `store` may be nullptr: every write is refused.
  explicit Writer(store::Store* store);
  Writer(Writer const&) = delete;  // overlay() points here
  Writer& operator=(Writer const&) = delete;

  // The reply to a request for which is_write() holds. `snapshot` is the present one, `now_s` Unix time.
  net::Task<base::Result<std::string>> handle(Request request, std::shared_ptr<store::Snapshot const> snapshot,
                                              std::int64_t now_s);

  // What lookups must put over the snapshot; nullptr outside a transaction.
  [[nodiscard]] Overlay const* overlay() const { return transaction_ ? &overlay_ : nullptr; }

 private:
  net::Task<base::Result<std::string>> on_zone(Request request);
  net::Task<base::Result<std::string>> on_key(Method method, KeyOf request);
  net::Task<base::Result<std::string>> create_secondary(CreateSecondary request,
                                                        std::shared_ptr<store::Snapshot const> snapshot);
  net::Task<base::Result<std::string>> commit();
  base::Result<std::string> in_transaction(Request const& request, store::Snapshot const& snapshot);

  store::Store* store_;
  std::optional<Transaction> transaction_;
  Overlay overlay_;
};

}  // namespace remote
