#include "mesh/looking/times.hpp"

#include <gtest/gtest.h>

namespace looking {
namespace {

using std::chrono::microseconds;

TEST(Times, AreReadOutOfWhatTheDaemonsSay) {
  EXPECT_EQ(own_times(R"({"links":[{"link":"a--b","rtt_us":1500},{"link":"a--c","rtt_us":null}]})"),
            (Times{{"a--b", microseconds(1500)}}));
  EXPECT_EQ(reported_times(R"({"links":[{"link":"a--b","rtt_us":{"a":1200,"b":1900}},{"link":"b--c","rtt_us":{}}]})"),
            (Times{{"a--b", microseconds(1900)}}));
}

TEST(Times, AreNotReadOutOfAnythingElse) {
  for (auto const* text :
       {"", "[]", "x", R"({"links":{}})", R"({"links":[1,{"link":2,"rtt_us":3},{"link":"a"}]})",
        R"({"links":[{"link":"a--b","rtt_us":-5}]})", R"({"links":[{"link":"a--b","rtt_us":"x"}]})"}) {
    EXPECT_TRUE(own_times(text).empty()) << text;
    EXPECT_TRUE(reported_times(text).empty()) << text;
  }
}

}  // namespace
}  // namespace looking
