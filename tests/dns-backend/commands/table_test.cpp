#include "dns-backend/commands/table.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace {

TEST(Table, AlignsColumnsAndMarksWhatIsMissing) {
  auto const rows = boost::json::parse(R"([{"name":"ams","sites":["a","b"],"up":2},{"name":"nyc-long","up":null}])");
  EXPECT_EQ(commands::table(rows.as_array(), {{"name", "NAME"}, {"sites", "SITES"}, {"up", "UP"}}),
            "NAME      SITES  UP\n"
            "ams       a,b    2\n"
            "nyc-long  -      -\n");
}

TEST(Table, IsItsHeaderWhenThereIsNothing) {
  EXPECT_EQ(commands::table({}, {{"name", "NAME"}}), "NAME\n");
}

}  // namespace
