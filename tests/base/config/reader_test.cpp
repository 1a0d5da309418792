#include "base/config/reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using config::Document;
using config::Reader;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Fixture {
  explicit Fixture(std::string_view text) : document(*Document::parse(text, "f.yaml")), reader(document, problems) {}
  [[nodiscard]] std::string report() const { return base::text(problems); }

  base::Problems problems;
  Document document;
  Reader reader;
};

TEST(Reader, ReadsScalarsOfEveryType) {
  Fixture f(
      "name: alpha\nquoted: \"5\"\non: true\ncount: -3\nport: 443\nshare: 0.25\nwait: 2s\npause: 250\nkind: two\n");
  EXPECT_EQ(f.reader.text("name"), "alpha");
  EXPECT_EQ(f.reader.text("quoted"), "5");
  EXPECT_TRUE(f.reader.boolean("on"));
  EXPECT_EQ(f.reader.integer<int>("count", {-5, 5}), -3);
  EXPECT_EQ(f.reader.port("port"), 443);
  EXPECT_DOUBLE_EQ(f.reader.number("share", {0, 1}, 0), 0.25);
  EXPECT_EQ(f.reader.duration("wait", {milliseconds(1), milliseconds(5000)}), milliseconds(2000));
  EXPECT_EQ(f.reader.duration("pause", {milliseconds(1), milliseconds(5000)}), milliseconds(250));
  EXPECT_EQ(f.reader.choice<int>("kind", {{"one", 1}, {"two", 2}}, 1), 2);
  f.reader.finish();
  EXPECT_THAT(f.problems, IsEmpty()) << f.report();
}

TEST(Reader, FallsBackWhenOptionalKeysAreAbsent) {
  Fixture f("");
  EXPECT_EQ(f.reader.text("a", "x"), "x");
  EXPECT_EQ(f.reader.optional_text("b"), std::nullopt);
  EXPECT_TRUE(f.reader.boolean("c", true));
  EXPECT_EQ(f.reader.integer<unsigned>("d", {1, 9}, 4), 4U);
  EXPECT_EQ(f.reader.duration("e", {milliseconds(1), milliseconds(9)}, milliseconds(5)), milliseconds(5));
  EXPECT_THAT(f.reader.texts("f"), IsEmpty());
  EXPECT_THAT(f.reader.sections("g"), IsEmpty());
  EXPECT_EQ(f.reader.section("h").text("i", "j"), "j");
  EXPECT_FALSE(f.reader.optional_section("k"));
  EXPECT_FALSE(f.reader.has("l"));
  f.reader.finish();
  EXPECT_THAT(f.problems, IsEmpty()) << f.report();
}

TEST(Reader, ReportsAllMistakesWithPlacePathAndHint) {
  Fixture f("api:\n  port: 70000\n  wait: 5x\n  on: yes\nlist: one\n");
  auto api = f.reader.section("api");
  api.port("port", 80);
  api.duration("wait", {milliseconds(1), milliseconds(60'000)}, milliseconds(1));
  EXPECT_FALSE(api.boolean("on", false));
  api.text("name");
  f.reader.texts("list");
  f.reader.section("other").text("key");
  EXPECT_EQ(f.report(),
            "f.yaml:2:9: api.port: '70000' is outside 1 to 65535\n"
            "f.yaml:3:9: api.wait: '5x' is not a duration (milliseconds, or a number with ms, s, m, h or d)\n"
            "f.yaml:4:7: api.on: 'yes' is neither true nor false\n"
            "f.yaml:2:3: api: the key 'name' is missing\n"
            "f.yaml:5:7: list: is text, not a list (write [one, two])\n"
            "f.yaml:1:1: other: the key 'key' is missing\n");
}

TEST(Reader, NumbersMustBeWholeAndInRange) {
  for (auto const* wrong : {"5.5", "0x10", "1e3", "5 ", "+5", "99999999999999999999", "five", "''"}) {
    Fixture f(std::string("n: \"") + wrong + "\"\n");
    EXPECT_EQ(f.reader.integer<int>("n", {0, 10}, 7), 7) << wrong;
    EXPECT_EQ(f.problems.size(), 1U) << wrong;
  }
  Fixture bounds("a: 0\nb: 10\nc: -1\nd: 11\n");
  EXPECT_EQ(bounds.reader.integer<int>("a", {0, 10}), 0);
  EXPECT_EQ(bounds.reader.integer<int>("b", {0, 10}), 10);
  EXPECT_THAT(bounds.problems, IsEmpty());
  bounds.reader.integer<int>("c", {0, 10});
  bounds.reader.integer<int>("d", {0, 10});
  EXPECT_EQ(bounds.problems.size(), 2U);
}

TEST(Reader, FloatingNumbersRefuseInfinityAndNan) {
  for (auto const* wrong : {"inf", "nan", "91", "x"}) {
    Fixture f(std::string("n: ") + wrong + "\n");
    EXPECT_EQ(f.reader.optional_number("n", {-90, 90}), std::nullopt) << wrong;
    EXPECT_EQ(f.problems.size(), 1U) << wrong;
  }
}

TEST(Reader, DurationsHaveUnitsAndDoNotOverflow) {
  Fixture f("a: 3m\nb: 1h\nc: 2d\nd: 40ms\ne: 99999999999999999d\ng: -1s\n");
  config::Range<milliseconds> const any{milliseconds(0), milliseconds(std::numeric_limits<std::int64_t>::max())};
  EXPECT_EQ(f.reader.duration("a", any), milliseconds(180'000));
  EXPECT_EQ(f.reader.duration("b", any), milliseconds(3'600'000));
  EXPECT_EQ(f.reader.duration("c", any), milliseconds(172'800'000));
  EXPECT_EQ(f.reader.duration("d", any), milliseconds(40));
  EXPECT_THAT(f.problems, IsEmpty());
  f.reader.duration("e", any);
  f.reader.duration("g", any);
  EXPECT_EQ(f.problems.size(), 2U);
}

TEST(Reader, ADurationOutOfRangeNamesTheRangeInUnits) {
  Fixture f("a: 2h\n");
  f.reader.duration("a", {milliseconds(500), milliseconds(3'600'000)}, milliseconds(1000));
  EXPECT_EQ(f.report(), "f.yaml:1:4: a: '2h' is outside 500ms to 1h\n");
}

TEST(Reader, RefusesUnknownKeysEverywhereAndNamesTheNearest) {
  Fixture f("listn: a\nsub:\n  colour: red\nitems:\n  - nmae: x\n    name: y\n");
  f.reader.text("listen", "");
  f.reader.section("sub").text("color", "");
  for (auto& item : f.reader.sections("items")) {
    item.text("name");
  }
  f.reader.finish();
  EXPECT_EQ(f.report(),
            "f.yaml:1:1: the key 'listn' is unknown (did you mean 'listen'?)\n"
            "f.yaml:3:3: sub: the key 'colour' is unknown (did you mean 'color'?)\n"
            "f.yaml:5:5: items[0]: the key 'nmae' is unknown (did you mean 'name'?)\n");
}

TEST(Reader, FinishingTwiceReportsOnce) {
  Fixture f("x: 1\n");
  f.reader.finish();
  f.reader.finish();
  EXPECT_EQ(f.problems.size(), 1U);
}

TEST(Reader, AskingTwiceReportsTheMistakeOnce) {
  Fixture f("x: [1]\n");
  f.reader.text("x");
  f.reader.text("x");
  f.reader.text("y");
  f.reader.text("y");
  EXPECT_EQ(f.problems.size(), 2U) << f.report();
}

TEST(Reader, ChoicesListTheWordsAndTheNearest) {
  Fixture f("kind: htps\n");
  EXPECT_EQ(f.reader.choice<int>("kind", {{"http", 1}, {"https", 2}}, 9), 9);
  EXPECT_EQ(f.report(), "f.yaml:1:7: kind: 'htps' is none of http, https (did you mean 'https'?)\n");
}

TEST(Reader, ListsReportTheirItemsByIndex) {
  Fixture f("names: [a, [b], '', d]\n");
  EXPECT_THAT(f.reader.texts("names"), ElementsAre("a", "", "", "d"));
  f.reader.fail_item("names", 3, "is not known");
  EXPECT_EQ(f.report(),
            "f.yaml:1:12: names[1]: is a list, not a single value\n"
            "f.yaml:1:17: names[2]: is an empty text, not a single value\n"
            "f.yaml:1:21: names[3]: is not known\n");
}

TEST(Reader, ParsersOfTheCallerReportWhatTheyExpected) {
  Fixture f("one: 12\ntwo: x\nmany: [1, y, 3]\n");
  auto const parse = [](std::string const& text) {
    return text.size() == 1 && text[0] >= '0' && text[0] <= '9' ? std::optional<int>(text[0] - '0') : std::nullopt;
  };
  EXPECT_EQ(f.reader.parsed("one", parse, "a digit"), std::nullopt);
  EXPECT_EQ(f.reader.parsed("three", parse, "a digit"), std::nullopt);
  EXPECT_THAT(f.reader.parsed_list("many", parse, "a digit"), ElementsAre(1, 3));
  EXPECT_EQ(f.report(), "f.yaml:1:6: one: '12' is not a digit\nf.yaml:3:11: many[1]: 'y' is not a digit\n");
}

TEST(Reader, NothingBehindAKeyIsAnEmptySectionOrListButNoScalar) {
  Fixture f("section:\nlist:\nscalar:\n");
  EXPECT_EQ(f.reader.section("section").text("a", "b"), "b");
  EXPECT_THAT(f.reader.texts("list"), IsEmpty());
  EXPECT_EQ(f.reader.text("scalar", "x"), "x");
  EXPECT_EQ(f.report(), "f.yaml:3:1: scalar: has no value (leave the key out for the default)\n");
}

TEST(Reader, MapsKeepTheOrderOfTheFileAndAcceptAnyName) {
  Fixture f("peers:\n  zulu: {port: 1}\n  alpha: {port: 2}\n  none:\nlabels:\n  b: x\n  a: y\n");
  std::vector<std::string> names;
  for (auto& [name, peer] : f.reader.section_map("peers")) {
    names.push_back(name + std::to_string(peer.port("port", 9)));
  }
  EXPECT_THAT(names, ElementsAre("zulu1", "alpha2", "none9"));
  EXPECT_THAT(f.reader.text_map("labels"), ElementsAre(std::pair("b", "x"), std::pair("a", "y")));
  f.reader.finish();
  EXPECT_THAT(f.problems, IsEmpty()) << f.report();
}

TEST(Reader, UnknownKeysInsideASectionOfAMapAreReported) {
  Fixture f("peers:\n  alpha: {prot: 2}\n");
  for (auto& [name, peer] : f.reader.section_map("peers")) {
    peer.port("port", 1);
  }
  f.reader.finish();
  EXPECT_EQ(f.report(), "f.yaml:2:11: peers.alpha: the key 'prot' is unknown (did you mean 'port'?)\n");
}

TEST(Reader, ARootThatIsNoSectionIsAProblem) {
  Fixture f("- a\n- b\n");
  f.reader.text("x", "");
  f.reader.finish();
  EXPECT_EQ(f.report(), "f.yaml:1:1: is a list, not a section (write key: value)\n");
}

TEST(Reader, HandlesKeptForASecondPassFailAtTheirKeys) {
  Fixture f("nodes:\n  - site: amz\n");
  auto nodes = f.reader.sections("nodes");
  nodes[0].text("site");
  f.reader.finish();
  nodes[0].fail("site", "no site is named 'amz'", "did you mean 'ams'?");
  nodes[0].fail("role", "a central node is needed");
  EXPECT_EQ(f.report(),
            "f.yaml:2:11: nodes[0].site: no site is named 'amz' (did you mean 'ams'?)\n"
            "f.yaml:2:5: nodes[0].role: a central node is needed\n");
}

TEST(Reader, ALargeListOfSectionsIsReadInLinearTime) {
  std::string text = "items:\n";
  for (int i = 0; i < 50'000; ++i) {
    text += "- {a: 1}\n";
  }
  Fixture f(text);
  std::size_t sum = 0;
  for (auto& item : f.reader.sections("items")) {
    sum += item.integer<unsigned>("a", {0, 1});
  }
  f.reader.finish();
  EXPECT_EQ(sum, 50'000U);
  EXPECT_THAT(f.problems, IsEmpty());
}

TEST(Nearest, CountsEditsAndSwaps) {
  EXPECT_EQ(config::edit_distance("", "abc"), 3U);
  EXPECT_EQ(config::edit_distance("name", "name"), 0U);
  EXPECT_EQ(config::edit_distance("nmae", "name"), 1U);
  EXPECT_EQ(config::edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(config::edit_distance("flaw", "lawn"), 2U);
}

TEST(Nearest, NamesOnlyWhatIsNear) {
  EXPECT_EQ(config::nearest("edge-ams-3", {"edge-nyc-1", "edge-ams-1"}), "edge-ams-1");
  EXPECT_EQ(config::nearest("amz", {"nyc", "ams", "sin"}), "ams");
  EXPECT_EQ(config::nearest("x", {"y"}), "");
  EXPECT_EQ(config::nearest("listen", {"database"}), "");
  EXPECT_EQ(config::nearest(std::string(1000, 'a'), {std::string(1000, 'b')}), "");
  EXPECT_EQ(config::nearest_hint("zzz", {"ams", "nyc"}), "known: 'ams', 'nyc'");
  EXPECT_EQ(config::nearest_hint("zzz", {}), "");
}

TEST(Nearest, QuotesSafelyForATerminal) {
  EXPECT_EQ(config::quoted("a\x1b[31m\n"), "'a\\x1b[31m\\x0a'");
  EXPECT_THAT(config::quoted(std::string(200, 'a')), testing::EndsWith("...'"));
  // 79 letters and then a two-byte character: it is left out whole.
  EXPECT_EQ(config::quoted(std::string(79, 'a') + "\xc3\xa9"), "'" + std::string(79, 'a') + "...'");
}

}  // namespace
