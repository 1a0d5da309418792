#include "dns-backend/monitor/saving.hpp"

#include <gtest/gtest.h>

namespace {

using monitor::Saving;
using namespace std::chrono_literals;

constexpr probe::Time start{1000s};

base::Result<void> failure(int code) {
  return base::fail_errno(code, "write the file");
}

TEST(Saving, IsDueEachMinuteWithoutAnyChange) {
  Saving saving(start);
  EXPECT_EQ(saving.due(), start + 60s);
  saving.began(start + 60s);
  EXPECT_FALSE(saving.ended({}));
  EXPECT_EQ(saving.due(), start + 120s);
}

TEST(Saving, FollowsAChangeButNeverMoreOftenThanOnceAPause) {
  Saving saving(start);
  saving.began(start + 60s);
  saving.ended({});
  saving.changed();
  EXPECT_EQ(saving.due(), start + 63s) << "in the past already when the change comes later: at once";
  saving.changed();
  EXPECT_EQ(saving.due(), start + 63s) << "many changes are one";
  saving.began(start + 63s);
  saving.ended({});
  EXPECT_EQ(saving.due(), start + 123s) << "the change is saved";
}

TEST(Saving, LosesNoChangeThatComesWhileTheFileIsWritten) {
  Saving saving(start);
  saving.changed();
  saving.began(start + 3s);
  saving.changed();
  EXPECT_FALSE(saving.ended({}));
  EXPECT_EQ(saving.due(), start + 6s);
}

TEST(Saving, TriesAgainAfterAFailureAndWarnsOncePerCause) {
  Saving saving(start);
  saving.began(start + 60s);
  EXPECT_TRUE(saving.ended(failure(ENOSPC)));
  EXPECT_EQ(saving.due(), start + 63s);
  saving.began(start + 63s);
  EXPECT_FALSE(saving.ended(failure(ENOSPC))) << "said already";
  saving.began(start + 66s);
  auto const other = saving.ended(failure(EROFS));
  ASSERT_TRUE(other);
  EXPECT_NE(other->find("write the file"), std::string::npos) << *other;
  saving.began(start + 69s);
  EXPECT_FALSE(saving.ended({}));
  saving.began(start + 72s);
  EXPECT_TRUE(saving.ended(failure(EROFS))) << "it worked in between: this is news";
}

}  // namespace
