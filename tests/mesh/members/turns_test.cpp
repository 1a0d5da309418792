#include "mesh/members/turns.hpp"

#include <gtest/gtest.h>

namespace members {
namespace {

using Names = std::set<std::string>;

NodeRow row(std::string const& name, std::int64_t asked_s, std::string const& next = "") {
  NodeRow out;
  out.name = name;
  out.rotate_since_s = asked_s;
  out.next_key = next;
  return out;
}

// A line: a - b - c - d.
topology::Topology line() {
  topology::Topology out;
  out.links = {{"a", "b"}, {"b", "c"}, {"c", "d"}};
  return out;
}

TEST(Rotations, NeighboursChangeOneAfterTheOtherAndOthersSideBySide) {
  EXPECT_EQ(rotating({row("a", 1), row("b", 1), row("c", 1), row("d", 1)}, line()), (Names{"a", "c"}));
  EXPECT_EQ(rotating({row("a", 1), row("b", 1), row("d", 1)}, line()), (Names{"a", "d"}));
  EXPECT_EQ(rotating({row("a", 0), row("b", 0)}, line()), Names{});
}

TEST(Rotations, WhoHasBegunGoesFirstAndThenWhoAskedFirst) {
  EXPECT_EQ(rotating({row("a", 1), row("b", 9, "key")}, line()), Names{"b"});
  EXPECT_EQ(rotating({row("a", 5), row("b", 3)}, line()), Names{"b"});
  auto gone = row("b", 1, "key");
  gone.removed_at_s = 7;
  EXPECT_EQ(rotating({row("a", 5), gone}, line()), Names{"a"});
}

TEST(Rotations, OnlyAKeyThatIsOldEnoughIsDueAndNoneWithoutASchedule) {
  auto old = row("a", 0);
  old.key_since_s = 100;
  auto fresh = row("b", 0);
  fresh.key_since_s = 150;
  auto asked = row("c", 5);
  auto gone = row("d", 0);
  gone.removed_at_s = 1;
  std::vector const rows{old, fresh, asked, gone};
  EXPECT_EQ(overdue(rows, 100, 200), std::vector<std::string>{"a"});
  EXPECT_EQ(overdue(rows, 100, 199), std::vector<std::string>{});
  EXPECT_EQ(overdue(rows, 0, 1'000'000), std::vector<std::string>{});
}

}  // namespace
}  // namespace members
