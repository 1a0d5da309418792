// What the parts that know of other sites are told, out of Navigator's settings.
//
// Threads: pure functions.
#pragma once

#include "dns-backend/mesh_costs/mesh_costs.hpp"
#include "dns-backend/settings/settings.hpp"
#include "dns-backend/vantage/exchange.hpp"

namespace navigator {

// This site and the others with a URL; no site when there is nobody to talk to.
vantage::ExchangeSettings exchange_settings(Settings const& settings);

// This site, and the others with a loopback. Their addresses were checked when they were read.
mesh_costs::MeshCostsSettings mesh_costs_settings(Settings const& settings);

}  // namespace navigator
