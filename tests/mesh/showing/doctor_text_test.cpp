#include "mesh/showing/doctor_text.hpp"

#include <gtest/gtest.h>

namespace showing {
namespace {

TEST(DoctorText, IsATableOfNodesAndThenEachFindingWithItsFix) {
  auto const* const report = R"({"healthy":false,"nodes":[
    {"node":"ann","answered":true,"healthy":true,"findings":[]},
    {"node":"bob","answered":true,"healthy":false,"findings":[
      {"code":"bird-down","severity":"error","what":"BIRD does not run","fix":"start it"},
      {"code":"sysctl","severity":"warning","what":"x\u001b[2J","fix":"y"}]},
    {"node":"cat","answered":false,"healthy":false,"findings":[
      {"code":"node-unreachable","severity":"error","what":"it does not answer","fix":"look"}]}]})";
  EXPECT_EQ(examinations_text(report, false),
            "NODE                     STATE\n"
            "ann                      nothing found\n"
            "bob                      1 error, 1 warning\n"
            "cat                      does not answer\n"
            "\n"
            "bob: error: BIRD does not run [bird-down]\n    fix: start it\n"
            "bob: warning: x [2J [sysctl]\n    fix: y\n"
            "cat: error: it does not answer [node-unreachable]\n    fix: look\n");
  EXPECT_FALSE(all_healthy(report));
}

TEST(DoctorText, SurvivesAnything) {
  for (auto const* body : {"", "[]", "{}", R"({"nodes":7,"healthy":1})", R"({"nodes":[1,{"findings":[2]}]})"}) {
    EXPECT_TRUE(examinations_text(body, true).starts_with("NODE")) << body;
    EXPECT_FALSE(all_healthy(body)) << body;
  }
}

}  // namespace
}  // namespace showing
