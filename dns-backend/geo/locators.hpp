// The locator of a daemon: the operator's CIDR map first, then the MaxMind database.
//
// Threads: the result is immutable; making it blocks.
#pragma once

#include "base/result/problem.hpp"
#include "dns-backend/geo/geo.hpp"

#include <boost/system/result.hpp>

namespace geo {

struct Files {
  std::string cidr_map;  // empty: none
  std::string mmdb;      // empty: none
};

// nullptr when no file is named; the problems of both files at once.
boost::system::result<std::shared_ptr<Locator const>, base::Problems> load_locator(Files const& files);

}  // namespace geo
