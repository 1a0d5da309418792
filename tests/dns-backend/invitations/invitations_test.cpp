#include "dns-backend/invitations/sign_up.hpp"

#include <gmock/gmock.h>

namespace invitations {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Ended, SaysWhyAndTheFirstReasonFirst) {
  Invitation one{"id"};
  one.uses = 2;
  one.expires_at_ms = 1000;
  EXPECT_EQ(ended(one, 999), "");
  EXPECT_EQ(ended(one, 1000), "expired");
  one.used = 2;
  EXPECT_EQ(ended(one, 999), "used up");
  EXPECT_EQ(ended(one, 1000), "expired");
  one.revoked_at_ms = 5;
  EXPECT_EQ(ended(one, 999), "revoked");
  one = Invitation{"id"};
  EXPECT_EQ(ended(one, 1LL << 60), "") << "without an end it has none";
}

class Placing : public testing::Test {
 protected:
  Terms terms{Terms::Door::open, "example.org.", "basic", {"ams", "fra", "lon"}, 0};
  tenants::Policy policy{
      {{"basic", 1}, {"gold", 8}, {"local", 8, 100, 10, 20, {"lon"}}, {"far", 8, 100, 10, 20, {"nyc"}}}};
};

TEST_F(Placing, TheFirstIsThePrimaryUnlessAnotherIsAskedFor) {
  auto const first = place(terms, policy, "gold", "");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->primary, "ams");
  EXPECT_THAT(first->backups, ElementsAre("fra", "lon"));
  auto const chosen = place(terms, policy, "gold", "lon");
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->primary, "lon");
  EXPECT_THAT(chosen->backups, ElementsAre("ams", "fra"));
}

TEST_F(Placing, ThePlanSaysHowManyAndWhich) {
  EXPECT_THAT(place(terms, policy, "basic", "fra")->backups, ElementsAre("ams"));
  auto const local = place(terms, policy, "local", "");
  ASSERT_TRUE(local);
  EXPECT_EQ(local->primary, "lon");
  EXPECT_THAT(local->backups, IsEmpty());
  auto const outside = place(terms, policy, "local", "ams");
  ASSERT_FALSE(outside);
  EXPECT_EQ(outside.error().code, store::errc::refused);
  EXPECT_THAT(outside.error().detail, HasSubstr("'local': lon"));
  EXPECT_FALSE(place(terms, policy, "far", "")) << "none of its clusters is for newcomers";
  EXPECT_FALSE(place(terms, policy, "none", ""));
}

}  // namespace
}  // namespace invitations
