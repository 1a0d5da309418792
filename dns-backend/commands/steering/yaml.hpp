// JSON as YAML for people: what is printed can be given back to `put` and `apply`.
//
// Threads: pure function.
#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace commands {

// Members that are empty (texts, lists, objects) are left out: they are the defaults.
std::string yaml(boost::json::value const& value);

}  // namespace commands
