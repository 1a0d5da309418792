// The tables of this module. None is replicated: accounts, orders and keys stay on the primary that issues.
//
// Threads: pure.
#pragma once

#include "base/database/database.hpp"

namespace vault {

[[nodiscard]] database::Schema schema();

}  // namespace vault
