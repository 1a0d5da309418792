// What a tenant may write into a pool of its own: origins with addresses, one monitor, and the names it answers at.
//
//   {"origins": [{"address": "198.51.100.1", "address6"?, "port"?, "weight"?, "enabled"?}], "names"?: ["@", "www"],
//    "minimum_origins"?, "monitor"?: {"type": "tcp|http|https", "port"?, "interval_ms"?, ...}}
//
// A tenant's check reaches no further than the operator's would be trusted to: no host names, no redirects, no files,
// no methods but GET and HEAD, not more often than every five seconds.
//
// Threads: pure functions.
#pragma once

#include "base/result/problem.hpp"
#include "dns-backend/steering/objects.hpp"
#include "dns-backend/tenant_pools/addresses.hpp"
#include "dns-backend/tenants/plan.hpp"

#include <boost/system/result.hpp>

#include <string>
#include <string_view>

namespace tenant_pools {

inline constexpr std::uint32_t interval_least_ms = 5000;
inline constexpr std::uint32_t timeout_most_ms = 5000;
inline constexpr std::size_t names_max = 20;  // of one pool

// The pool's and the monitor's own names, and those of the origins, are not yet given (write.hpp).
struct Wanted {
  steering::Pool pool;
  steering::Monitor monitor;
};

// `title`: what the tenant calls it. All that is wrong at once, by field.
boost::system::result<Wanted, base::Problems> read(std::string_view body, std::string const& title,
                                                   Boundaries const& boundaries, tenants::Plan const& plan);

}  // namespace tenant_pools
