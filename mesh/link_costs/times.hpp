// The round trips that both ends of each link reported, as nodes and operators are shown them. Pure.
//
// Threads: any.
#pragma once

#include <boost/json/value.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace link_costs {

// {"links":[{"link":"ann--bob","rtt_us":{"ann":1234}}]} of the last minute's reports, which are objects with
// "reported_at_s". What a node says of a link that is not its own, or whose other end is no member, is passed over.
std::string times_json(std::map<std::string, boost::json::value> const& reports, std::set<std::string> const& members,
                       std::int64_t now_s);

}  // namespace link_costs
