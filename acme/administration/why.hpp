// Why a name's certificate is as it is: everything is looked at that a CA would look at, and what is wrong is named
// (acme/explain).
//
// Threads: the control loop.
#pragma once

#include "acme/administration/administration.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace acme {

// Also of a tenant that is suspended and of a domain that is not verified. vault::errc::not_found: nobody has the name.
net::Task<base::Result<boost::json::object>> why_of(Administration const& of, std::string asked);

// The names that the CA passes through from `name` to the records it reads, as far as they are in our own zones;
// at most 8, and the last one again when they run in a circle. Pure.
[[nodiscard]] std::vector<std::string> cname_chain(store::Snapshot const& snapshot, std::string const& name);

}  // namespace acme
