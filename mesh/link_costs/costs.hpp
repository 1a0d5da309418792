// From the round trips that nodes report to the costs in the world: which links follow measurements, what both of their
// ends say, and the changes that are due (routing/cost); and where decided costs are kept.
//
// A cost is made of the worse of both ends, in one place, so that both announce the same.
//
// Threads: CostBook is a value with time as a parameter; the functions over a Database on the thread that owns it.
#pragma once

#include "base/database/database.hpp"
#include "routing/cost/ladder.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace link_costs {

struct MeasuredLink {
  std::string a;
  std::string b;
  std::uint32_t cost = 0;  // as decided last, else as declared
};
using MeasuredLinks = std::map<std::string, MeasuredLink>;  // by topology::Link::name()

class CostBook {
 public:
  explicit CostBook(cost::Settings const& settings) : costs_(settings) {}

  // The links whose costs follow measurements; those that are not here are forgotten.
  void follow(MeasuredLinks const& links);
  // A node's report: "rtt_us" ({"ann--bob": 1234}) and "neighbors_full". What is not of this form is passed over; what
  // a node says of links that are not its own, too.
  void report(std::string const& node, boost::json::object const& body, cost::Time now);
  // What is due, and counts as made from now on.
  [[nodiscard]] std::vector<cost::Change> decide(cost::Time now) { return costs_.decide(now); }
  // They could not be made: as if nothing had ever been measured of these links.
  void forget(std::vector<cost::Change> const& changes);

 private:
  cost::Costs costs_;
  std::map<std::string, std::int64_t> full_;  // node -> adjacencies in its last report
};

// The table of decided costs; its rows raise the revision.
database::Schema schema();
base::Result<std::map<std::string, std::uint32_t>> read_costs(database::Database& database);
// Within another write: those of links of which `remembered` says no name are deleted.
base::Result<void> keep_costs(database::Transaction& transaction, std::set<std::string> const& remembered);
base::Result<database::Revision> write_costs(database::Database& database, std::vector<cost::Change> const& changes);

}  // namespace link_costs
