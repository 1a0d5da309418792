// Where this machine's settings say that its agent keeps what it knows.
//
// Threads: a pure function.
#pragma once

#include "mesh/looking/looking.hpp"
#include "mesh/settings/settings.hpp"

namespace privateer {

looking::Place place_of(Settings const& settings);

}  // namespace privateer
