// What becomes of a load balancer's service bindings (RFC 9460): the record, and JSON. Reading them, with every rule
// that they must keep, is reading/service_bindings.hpp.
//
// Threads: pure functions.
#pragma once

#include "dns-backend/pool/pool.hpp"
#include "dns-backend/steering/objects.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace steering {

// "HTTPS" and "SVCB" with IANA's numbers.
using BindingWords = std::vector<std::pair<std::string, std::uint16_t>>;
BindingWords const& binding_words();

// What `mandatory` may name, in the order of the keys' numbers. No hints: an answer may have to leave them out.
std::vector<std::string> const& mandatory_words();

// The record in PowerDNS's presentation form, complete up to its hints.
[[nodiscard]] pool::Binding build_binding(ServiceBinding const& binding);

// What says something; `type`, `priority` and `target` always.
[[nodiscard]] boost::json::object to_json(ServiceBinding const& binding);

}  // namespace steering
