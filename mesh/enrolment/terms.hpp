// A token's terms as operators write and read them: JSON of the controller's unix socket.
//
// Threads: pure functions.
#pragma once

#include "mesh/enrolment/registry.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>

namespace enrolment {

// What is wrong with the terms, "" when nothing is. Terms that no machine can meet are refused now, not at the join.
// Members: lifetime_s (3600, at most 30 days), uses (1), purpose, node, role, segment, address.
std::string read_terms(boost::json::object const& body, Places const& places, std::int64_t now_s, TokenTerms& terms);

boost::json::object to_json(TokenRow const& row);

// Whether a failure of a join is about the token or who shows it, and not about this machine.
bool is_refusal(base::Failure const& failure);

// A certificate's request that is no good is refused like a token that is none.
base::Failure no_certificate(base::Failure const& failure);

// "198.51.100.7:41234" and "[2001:db8::7]:41234" without the port, as an address's term wants it.
std::string host_of(std::string const& peer);

}  // namespace enrolment
