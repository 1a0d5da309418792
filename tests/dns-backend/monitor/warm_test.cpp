#include "dns-backend/monitor/warm.hpp"

#include "base/process/log.hpp"
#include "base/process/service.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace monitor {
namespace {

using probe::Health;
constexpr std::int64_t now_ms = 1'700'000'000'000;

class WarmFile : public testing::Test {
 protected:
  void SetUp() override { process::log::set_level(process::log::Level::error); }
  void TearDown() override { process::log::set_level(process::log::Level::info); }
  void write(std::string const& text) { ASSERT_TRUE(process::write_file_atomically(path_, text, 0600).has_value()); }

  ::test::TemporaryFolder folder_;
  std::string path_ = folder_.path() + "/health.json";
  std::vector<Warm> const some_{{"a", Health::up, 1234, "ok", 0},
                                {"b \"quoted\"", Health::down, 5678, std::string("not \xff text\n"), ~0ULL, Health::up,
                                 99}};
};

TEST_F(WarmFile, GivesBackWhatWasSaved) {
  ASSERT_TRUE(save_warm(path_, some_, now_ms).has_value());
  EXPECT_EQ(load_warm(path_, now_ms + 1), some_);
}

TEST_F(WarmFile, KeepsWhatTheSitesDecidedThoughTheChecksHereSayNothing) {
  std::vector<Warm> const judged{{"a", Health::unknown, 0, "", 0, Health::down, 1'600'000'000'000}};
  ASSERT_TRUE(save_warm(path_, judged, now_ms).has_value());
  EXPECT_EQ(load_warm(path_, now_ms), judged);
}

TEST_F(WarmFile, OfAnEarlierProgramSaysNothingOfFallsAndDecisions) {
  write(
      R"({"version":1,"saved_ms":1700000000000,"endpoints":[{"endpoint":"a","health":"up","since_ms":1,)"
      R"("reason":"ok","sequence":3}]})");
  std::vector<Warm> const wanted{{"a", Health::up, 1, "ok", 3, Health::unknown, 0}};
  EXPECT_EQ(load_warm(path_, now_ms), wanted);
}

TEST_F(WarmFile, DoesNotCountWhenItIsOldOrOfTheFuture) {
  ASSERT_TRUE(save_warm(path_, some_, now_ms).has_value());
  EXPECT_EQ(load_warm(path_, now_ms + 300'000).size(), 2U);
  EXPECT_TRUE(load_warm(path_, now_ms + 300'001).empty());
  EXPECT_EQ(load_warm(path_, now_ms - 60'000).size(), 2U);
  EXPECT_TRUE(load_warm(path_, now_ms - 60'001).empty());
}

TEST_F(WarmFile, IsNothingWithoutAFile) {
  EXPECT_TRUE(load_warm(path_, now_ms).empty());
  EXPECT_TRUE(load_warm(folder_.path(), now_ms).empty()) << "nor for a folder";
  EXPECT_FALSE(save_warm(folder_.path() + "/missing/health.json", some_, now_ms).has_value());
}

TEST_F(WarmFile, IsNothingWhenCorrupt) {
  ASSERT_TRUE(save_warm(path_, some_, now_ms).has_value());
  std::string const whole = process::read_file(path_).value();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write(whole.substr(0, size));
    ASSERT_TRUE(load_warm(path_, now_ms).empty()) << size;
  }
  for (char const* const wrong :
       {"[]", "null", R"({"version":2,"saved_ms":1700000000000,"endpoints":[]})",
        R"({"version":1,"saved_ms":"x","endpoints":[]})", R"({"version":1,"saved_ms":1700000000000,"endpoints":{}})",
        R"({"version":1,"saved_ms":1700000000000,"endpoints":[{}]})",
        R"({"version":1,"saved_ms":1700000000000,"endpoints":[{"endpoint":"a","health":"draining","since_ms":1,)"
        R"("reason":"","sequence":0}]})",
        R"({"version":1,"saved_ms":1700000000000,"endpoints":[{"endpoint":"","health":"up","since_ms":1,)"
        R"("reason":"","sequence":0}]})",
        R"({"version":1,"saved_ms":1700000000000,"endpoints":[{"endpoint":"a","health":"unknown","since_ms":1,)"
        R"("reason":"","sequence":1}]})",
        R"({"version":1,"saved_ms":1700000000000,"endpoints":[{"endpoint":"a","health":"up","since_ms":1,)"
        R"("reason":"","sequence":1,"decided":"draining"}]})",
        R"({"version":1,"saved_ms":1700000000000,"endpoints":[{"endpoint":"a","health":"up","since_ms":1,)"
        R"("reason":"","sequence":1,"left_up_ms":-1}]})",
        R"({"version":1,"saved_ms":1700000000000,"endpoints":[{"endpoint":"a","health":"up","since_ms":1,)"
        R"("reason":"","sequence":-1}]})"}) {
    write(wrong);
    EXPECT_TRUE(load_warm(path_, now_ms).empty()) << wrong;
  }
}

}  // namespace
}  // namespace monitor
