// Pools as lists show them, with the health of their endpoints. Private to this module.
//
// Threads: the control loop.
#pragma once

#include "dns-backend/api/api.hpp"
#include "dns-backend/steering/objects.hpp"

#include <boost/json/object.hpp>

#include <map>
#include <string>

namespace api {

using Health = std::map<std::string, probe::Health>;  // by endpoint
Health health_of(Dependencies const& api);

// "managed_by" says whose it is: "topology" pools are changed there and nowhere else.
boost::json::object listed(store::PoolRow const& pool, Health const& health);
boost::json::object listed(steering::Pool const& pool, Health const& health);

}  // namespace api
