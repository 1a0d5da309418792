#include "dns-backend/vantage/report.hpp"

#include <gmock/gmock.h>

namespace vantage {
namespace {

using probe::Health;

TEST(VantageReport, ComesBackAsItWent) {
  Report report;
  report.site = "ams";
  report.boot_ms = 17;
  report.sequence = 3;
  report.at_ms = 99;
  report.votes_of = 2;
  report.votes = {{"a", Health::up}, {"b", Health::down}, {"pool/c", Health::up}};
  report.hears = {"nyc", "sin"};
  report.cut_off = true;
  auto const back = parse_report(to_json(report));
  ASSERT_TRUE(back) << back.error().what();
  EXPECT_EQ(to_json(*back), to_json(report));
  EXPECT_EQ(back->votes, report.votes);
  EXPECT_TRUE(back->complete);
  report.complete = false;
  auto const heartbeat = parse_report(to_json(report));
  ASSERT_TRUE(heartbeat);
  EXPECT_FALSE(heartbeat->complete);
  EXPECT_TRUE(heartbeat->votes.empty());
}

TEST(VantageReport, CarriesReasonsFallsAndWhatEndpointsSaid) {
  Report report;
  report.site = "ams";
  report.votes = {{"b", Health::down}};
  report.whys = {{"b", {17, "not \xff text\n" + std::string(200, 'x')}}};
  report.left_up_ms = {{"b", 16}};
  report.pushed = {{"p/a", true, "fine", 250, 7, 99}, {"p/b", false, "", std::nullopt, 8, 100}};
  auto const back = parse_report(to_json(report));
  ASSERT_TRUE(back) << back.error().what();
  ASSERT_EQ(back->whys.size(), 1U);
  EXPECT_EQ(back->whys.at("b").at_ms, 17);
  EXPECT_EQ(back->whys.at("b").reason, "not ? text?" + std::string(reason_octets_max - 11, 'x'));
  EXPECT_EQ(back->left_up_ms, report.left_up_ms);
  EXPECT_EQ(back->pushed, report.pushed);
  report.complete = false;
  auto const heartbeat = parse_report(to_json(report));
  ASSERT_TRUE(heartbeat);
  EXPECT_TRUE(heartbeat->whys.empty());
  EXPECT_TRUE(heartbeat->left_up_ms.empty());
  EXPECT_EQ(heartbeat->pushed, report.pushed) << "they go with any report";
}

TEST(VantageReport, SaysWhatIsWrong) {
  auto const why = [](std::string const& text) {
    auto const report = parse_report(text);
    return report ? std::string("taken") : report.error().what();
  };
  std::string const good =
      R"({"format":1,"site":"a","boot_ms":1,"sequence":1,"at_ms":1,"votes_of":1,"hears":[],"cut_off":false)";
  EXPECT_EQ(why(good + "}"), "taken");
  EXPECT_THAT(why("{"), testing::HasSubstr("no report"));
  EXPECT_THAT(why("[]"), testing::HasSubstr("no JSON object"));
  EXPECT_THAT(
      why(R"({"format":2,"site":"a","boot_ms":1,"sequence":1,"at_ms":1,"votes_of":1,"hears":[],"cut_off":false})"),
      testing::HasSubstr("format 2"));
  EXPECT_THAT(why(good + R"(,"votes":7})"), testing::HasSubstr("votes"));
  EXPECT_THAT(why(good + R"(,"votes":{"up":["x"],"down":["x"]}})"), testing::HasSubstr("two votes"));
  EXPECT_THAT(why(good + R"(,"votes":{"up":[""],"down":[]}})"), testing::HasSubstr("no name"));
  EXPECT_THAT(why(good + R"(,"votes":{"up":[]}})"), testing::HasSubstr("'down'"));
  EXPECT_EQ(why(good + R"(,"votes":{"up":[],"down":[]},"why":{},"left_up":{},"pushed":[]})"), "taken");
  for (char const* const wrong : {R"("why":[])", R"("why":{"e":"x"})", R"("why":{"e":[1]})", R"("why":{"":[1,"x"]})"}) {
    EXPECT_THAT(why(good + "," + wrong + "}"), testing::HasSubstr("'why'")) << wrong;
  }
  for (char const* const wrong : {R"("left_up":7)", R"("left_up":{"e":-1})", R"("left_up":{"e":"x"})"}) {
    EXPECT_THAT(why(good + "," + wrong + "}"), testing::HasSubstr("'left_up'")) << wrong;
  }
  for (char const* const wrong :
       {R"("pushed":{})", R"("pushed":[7])", R"("pushed":[{"endpoint":"e"}])",
        R"("pushed":[{"endpoint":"e","success":true,"reason":"","sequence":0,"at_ms":1}])",
        R"("pushed":[{"endpoint":"e","success":true,"reason":"","sequence":1,"at_ms":1,"load":-1}])"}) {
    EXPECT_THAT(why(good + "," + wrong + "}"), testing::HasSubstr("'pushed'")) << wrong;
  }
  EXPECT_THAT(why(R"({"format":1})"), testing::HasSubstr("'boot_ms'"));
  EXPECT_THAT(why(std::string(report_octets_max + 1, ' ')), testing::HasSubstr("more than"));
}

}  // namespace
}  // namespace vantage
