#include "mesh/showing/world_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace showing {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char const* document =
    R"({\"revision\":12,\"mesh\":\"m1\",\"issued_at_s\":1700000000,\"topology\":\"name: t\\ndomain: d\\n\",)"
    R"(\"allocation\":\"node ann 1\\n\",\"nodes\":{\"ann\":\"KEYA\",\"bob\":\"KEYB\"},\"draining\":[\"bob\"],)"
    R"(\"next_keys\":{\"bob\":\"KEYC\"},\"removed\":[\"KEYZ\"],\"costs\":{\"ann--bob\":15}})";

TEST(WorldText, TellsWhatTheWorldIsAndWhoIsInIt) {
  auto const text = world_text(std::string("{\"signed\":\"") + document + "\",\"signature\":\"00ff\"}");
  for (auto const* part : {"revision    12, signed\n", "mesh        m1\n", "issued      2023-11-14 22:13:20 UTC\n",
                           "topology    2 lines, 18 bytes\n", "allocation  1 lines\n", "costs       1 links",
                           "removed     1 keys", "KEYA", "member\n", "draining, changes its key\n"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(WorldText, TakesABareDocumentAndNonsense) {
  EXPECT_THAT(world_text(R"({"revision":3,"nodes":{}})"), HasSubstr("revision    3, not signed\n"));
  EXPECT_THAT(world_text("nonsense"), Not(HasSubstr("KEYA")));
}

}  // namespace
}  // namespace showing
