// The tables of the store and which of them followers receive. Private to dns-backend/store.
//
// Threads: pure function.
#pragma once

#include "base/database/database.hpp"

namespace store {

database::Schema schema();

}  // namespace store
