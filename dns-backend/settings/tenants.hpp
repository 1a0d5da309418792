// The section `tenants` of navigator.yaml.
//
// Threads: pure.
#pragma once

#include "base/config/reader.hpp"
#include "dns-backend/settings/settings.hpp"

namespace navigator {

// After the API, the sites, the witnesses and the topology, which it is held against.
void read_tenants(config::Reader& root, Settings& settings);

}  // namespace navigator
