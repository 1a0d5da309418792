// What the body of a write sees, and what it answers. The writes themselves are called through dns-backend/store.
//
// Threads: the store thread; errc and failures are values.
#pragma once

#include "dns-backend/tables/build.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace store {

enum class errc {
  not_found = 1,
  exists,
  refused,    // against a rule; the detail says which
  read_only,  // this is a replica
  changed,    // not as the caller last saw it (If-Match)
  too_many,   // of a day's
  quota,      // more than the tenant's plan has
};
boost::system::error_code make_error_code(errc code);

// What a write body sees: the transaction, and the tables as they were before it.
struct Write {
  database::Transaction& transaction;
  Model const& model;
  Snapshot const& snapshot;

  // One statement whose row count does not matter.
  base::Result<void> run(std::string_view sql, std::vector<database::Value> const& parameters) const;
  // One statement that must hit a row: `missing` when it hits none.
  base::Result<void> run_on_row(std::string_view sql, std::vector<database::Value> const& parameters,
                                base::Failure missing) const;
  base::Result<ZoneRow> zone(dns::Name const& apex) const;
  // The serial becomes `wanted` when that is ahead of it, else one more. A "slave" zone takes `wanted` as it is and
  // otherwise keeps its serial.
  base::Result<void> raise_serial(ZoneRow const& zone, std::optional<std::uint32_t> wanted = {}) const;
};

using Body = std::function<base::Result<void>(Write const&)>;

// Against a rule of the tables; the detail says which.
inline base::Failure refused(std::string why) {
  return base::fail(errc::refused, std::move(why));
}

// The plan has no more; the detail says how many of what.
inline base::Failure over_quota(std::string why) {
  return base::fail(errc::quota, std::move(why));
}

}  // namespace store

template <>
struct boost::system::is_error_code_enum<store::errc> : std::true_type {};
