// What operators ordered of endpoints: up, down or draining, above whatever the checks say, until a time or until it is
// taken back. Kept in the store and replicated, so that every site and every restart obeys.
//
// Threads: coroutines for the control loop; the work runs on the store thread.
#pragma once

#include "base/net/task.hpp"
#include "base/store_thread/store_thread.hpp"
#include "dns-backend/monitor/endpoint_state.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace overrides {

enum class errc {
  not_found = 1,  // there is no order for this endpoint
  refused,        // the order makes no sense
};
boost::system::error_code make_error_code(errc code);

using Orders = std::map<std::string, monitor::Override>;  // by endpoint

database::Schema schema();

// "up", "down", "draining"; nullopt for any other word.
[[nodiscard]] std::optional<monitor::Forced> parse_forced(std::string const& text);

class Overrides {
 public:
  // `thread` must outlive it.
  explicit Overrides(database::StoreThread& thread) : thread_(thread) {}

  // Those that count at `now_ms` (Unix time). Failures: database::errc.
  net::Task<base::Result<Orders>> orders(std::int64_t now_ms);
  // Replaces what was ordered before; orders that ended go. Failures: errc::refused, database::errc.
  net::Task<base::Result<database::Revision>> set(std::string endpoint, monitor::Override order, std::int64_t now_ms);
  // Failures: errc::not_found (an order that ended is none any more), database::errc.
  net::Task<base::Result<database::Revision>> clear(std::string endpoint, std::int64_t now_ms);

  static constexpr std::size_t reason_octets_max = 256;
  static constexpr std::size_t endpoint_octets_max = 512;

 private:
  database::StoreThread& thread_;
};

}  // namespace overrides

template <>
struct boost::system::is_error_code_enum<overrides::errc> : std::true_type {};
