#include "dns-backend/pool/health_table.hpp"

#include <gtest/gtest.h>

namespace pool {
namespace {

using probe::Health;

TEST(HealthTable, BeginsUnknownAndKeepsWhatWasSet) {
  HealthTable table;
  EXPECT_EQ(table.get(0), Health::unknown);
  EXPECT_EQ(table.get(HealthTable::slots_max - 1), Health::unknown);
  table.set(7, Health::down);
  table.set(8, Health::up);
  EXPECT_EQ(table.get(7), Health::down);
  EXPECT_EQ(table.get(8), Health::up);
  EXPECT_EQ(table.get(6), Health::unknown);
}

TEST(HealthTable, GivesOneSlotToOneName) {
  HealthTable table;
  std::uint32_t const first = table.slot("a");
  EXPECT_NE(table.slot("b"), first);
  EXPECT_EQ(table.slot("a"), first);
}

TEST(HealthTable, ASlotThatIsGivenBackIsTheNextNamesAndKnowsNothing) {
  HealthTable table;
  table.slot("a");
  std::uint32_t const slot = table.slot("b");
  table.set(slot, Health::up, 1000);
  table.set_load(slot, 5);
  table.set_stable(slot, 5);
  table.give_back("b");
  EXPECT_EQ(table.slot("c"), slot);
  EXPECT_EQ(table.get(slot), Health::unknown);
  EXPECT_EQ(table.left_up_ms(slot), 0);
  EXPECT_EQ(table.load_permille(slot), HealthTable::load_unknown);
  EXPECT_EQ(table.stable_s(slot), HealthTable::stable_unknown);
  EXPECT_EQ(table.slot("b"), slot + 1) << "it is a new name again";
  EXPECT_EQ(table.slot("a"), slot - 1);
}

TEST(HealthTable, EndsTheProcessWhenItIsFull) {
  HealthTable table;
  for (std::uint32_t i = 0; i < HealthTable::slots_max; ++i) {
    ASSERT_EQ(table.slot(std::to_string(i)), i);
  }
  EXPECT_EQ(table.slot("5"), 5U);
  EXPECT_DEATH(table.slot("one more"), "invariant broken");
}

TEST(HealthTable, RemembersWhenEndpointsLeftUp) {
  HealthTable table;
  table.set(1, Health::down, 1000);
  EXPECT_EQ(table.left_up_ms(1), 0) << "it never was up";
  table.set(1, Health::up, 2000);
  table.set(2, Health::up, 2000);
  EXPECT_EQ(table.left_up_ms(1), 0) << "it is up";
  table.set(2, Health::draining, 3000);
  table.set(2, Health::down, 4000);
  EXPECT_EQ(table.left_up_ms(2), 3000);
  table.set(1, Health::down, 3000);
  EXPECT_EQ(table.left_up_ms(1), 3001) << "of the same moment the later is the later one";
  table.set(3, Health::up, 3000);
  table.set(3, Health::down, 10);
  EXPECT_EQ(table.left_up_ms(3), 3002) << "though the clock was set back";
}

TEST(HealthTable, TakesWhatOthersSawOfAFall) {
  HealthTable table;
  EXPECT_TRUE(table.left_up(1, 5000)) << "it is unknown here";
  table.set(1, Health::down, 6000);
  EXPECT_EQ(table.left_up_ms(1), 5000);
  EXPECT_FALSE(table.left_up(1, 4000)) << "somebody saw it later";
  EXPECT_TRUE(table.left_up(1, 7000));
  EXPECT_EQ(table.get(1), Health::down);
  EXPECT_EQ(table.left_up_ms(1), 7000);
  table.set(2, Health::up, 6000);
  EXPECT_FALSE(table.left_up(2, 9000));
  EXPECT_EQ(table.view(2).up_since_s, 6U);
  table.set(2, Health::down, 8000);
  EXPECT_EQ(table.left_up_ms(2), 9001) << "later than whatever is known";
}

TEST(HealthTable, KnowsSinceWhenAnEndpointIsUp) {
  HealthTable table;
  table.set(1, Health::up, 1'000'000);
  table.set(1, Health::up, 2'000'000);
  EXPECT_EQ(table.view(1).up_since_s, 1000U);
  table.set(1, Health::draining, 3'000'000);
  EXPECT_EQ(table.view(1).up_since_s, 0U);
  EXPECT_EQ(table.get(1), Health::draining);
  EXPECT_EQ(table.left_up_ms(1), 3'000'000);
  table.set(1, Health::up, 4'000'000'000'000);
  EXPECT_EQ(table.view(1).up_since_s, 4'000'000'000);
}

TEST(HealthTable, KeepsTheOutlookBesideTheLoad) {
  HealthTable table;
  EXPECT_EQ(table.stable_s(3), HealthTable::stable_unknown);
  EXPECT_EQ(table.load_permille(3), HealthTable::load_unknown);
  table.set_stable(3, 7);
  EXPECT_EQ(table.load_permille(3), HealthTable::load_unknown);
  table.set_load(3, 250);
  table.set_stable(3, 0);
  EXPECT_EQ(table.stable_s(3), 0U);
  EXPECT_EQ(table.load_permille(3), 250U);
  table.set(3, Health::up);
  EXPECT_EQ(table.load_permille(3), 250U) << "a flip leaves it alone";
}

}  // namespace
}  // namespace pool
