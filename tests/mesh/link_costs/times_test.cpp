#include "mesh/link_costs/times.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace link_costs {
namespace {

TEST(Times, AreShownOfTheEndsOfALinkAlone) {
  std::map<std::string, boost::json::value> reports;
  reports["ann"] = boost::json::parse(R"({"reported_at_s":1000,"rtt_us":{"ann--bob":5,"bob--cat":6,"ann--eve":7}})");
  reports["bob"] = boost::json::parse(R"({"reported_at_s":1000,"rtt_us":{"ann--bob":8,"x":"y"}})");
  reports["cat"] = boost::json::parse(R"({"reported_at_s":900,"rtt_us":{"bob--cat":9}})");
  EXPECT_EQ(times_json(reports, {"ann", "bob", "cat"}, 1000),
            R"({"links":[{"link":"ann--bob","rtt_us":{"ann":5,"bob":8}}]})")
      << "nobody speaks for others, eve is no member, and cat's report is old";
}

}  // namespace
}  // namespace link_costs
