// The tables of the store and which of them followers receive. For dns-backend/tables and dns-backend/store.
//
// Threads: pure function.
#pragma once

#include "base/database/database.hpp"

namespace store {

database::Schema schema();

}  // namespace store
