// Monitors, pools and load balancers in the tables: what a change of them must pass and which rows it makes.
//
// Threads: the store thread; SteeringOutcome is a value.
#pragma once

#include "dns-backend/steering/check.hpp"
#include "dns-backend/writes/write.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace store {

struct SteeringOutcome {
  database::Revision revision = 0;
  base::Problems problems = {};  // not empty: nothing was written
  steering::Difference difference = {};
};

struct SteeringWish {
  steering::Objects objects;  // all of them, as they are to be
  bool dry_run = false;
  // One object changed: what was wrong with others before is not its fault.
  bool only_new_problems = false;
};

// Fills `outcome` but for the revision. Origins must be known to the model.
base::Result<void> set_steering(Write const& write, SteeringWish const& wish, SteeringOutcome& outcome);
base::Result<void> remove_steering(Write const& write, steering::Kind kind, std::string const& name);

// The row of one object, unlooked at.
base::Result<void> put_object(Write const& write, steering::Object const& object);
base::Result<void> delete_object(Write const& write, steering::Kind kind, std::string const& name);

// For a change of the topology's pools: refused when a pool is missing from `wanted` that the operator's objects name,
// or is there that has the name of one of theirs.
base::Result<void> check_steering_without(Write const& write, std::map<std::string, PoolRow const*> const& wanted);
// Apexes of the zones with load balancers that reach one of these pools.
std::set<std::string> zones_answering_from(Write const& write, std::set<std::string> const& pools);

}  // namespace store
