#include "base/config/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace {

using config::Document;
using config::Node;
using ::testing::HasSubstr;

std::string problems_of(std::string_view text) {
  auto const document = Document::parse(text, "file.yaml");
  return document ? std::string() : base::text(document.error());
}

TEST(Document, KeepsLineAndColumnOfEveryKeyAndValue) {
  auto const document = Document::parse("a: 1\nlist:\n  - x\n  - key: value\n", "file.yaml");
  ASSERT_TRUE(document);
  auto const& root = document->root();
  ASSERT_EQ(root.kind, Node::Kind::section);
  ASSERT_EQ(root.entries.size(), 2U);
  EXPECT_EQ(root.entries[0].key, "a");
  EXPECT_EQ(root.entries[0].line, 1);
  EXPECT_EQ(root.entries[0].column, 1);
  EXPECT_EQ(root.entries[0].value.text, "1");
  EXPECT_EQ(root.entries[0].value.column, 4);
  auto const& list = root.entries[1].value;
  ASSERT_EQ(list.kind, Node::Kind::list);
  ASSERT_EQ(list.items.size(), 2U);
  EXPECT_EQ(list.items[0].line, 3);
  EXPECT_EQ(list.items[0].column, 5);
  ASSERT_EQ(list.items[1].entries.size(), 1U);
  EXPECT_EQ(list.items[1].entries[0].value.line, 4);
  EXPECT_EQ(list.items[1].entries[0].value.column, 10);
}

TEST(Document, AnEmptyTextHasNothingAsRoot) {
  for (auto const* text : {"", "\n\n", "# only a comment\n", "---\n"}) {
    auto const document = Document::parse(text, "file.yaml");
    ASSERT_TRUE(document) << text;
    EXPECT_EQ(document->root().kind, Node::Kind::nothing) << text;
  }
}

TEST(Document, ReportsEveryKeyWrittenTwiceWithBothPlaces) {
  auto const text = problems_of("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\na: 2\n");
  EXPECT_THAT(text, HasSubstr("file.yaml:5:3: b: the key 'c' is written twice in one section (first on line 3)"));
  EXPECT_THAT(text, HasSubstr("file.yaml:6:1: the key 'a' is written twice in one section (first on line 1)"));
}

TEST(Document, TheSameKeyInTwoSectionsIsFine) {
  EXPECT_EQ(problems_of("a: {k: 1}\nb: {k: 1}\n"), "");
}

TEST(Document, RefusesAnchorsAliasesAndTags) {
  auto const text = problems_of("a: &name [1]\nb: *name\nc: !!int 5\n");
  EXPECT_THAT(text, HasSubstr("anchors"));
  EXPECT_THAT(text, HasSubstr("aliases"));
  EXPECT_THAT(text, HasSubstr("file.yaml:3:4: c: tags"));
}

TEST(Document, RefusesABillionLaughsWithoutExpandingIt) {
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 30; ++i) {
    auto const last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last + "," + last + "]\n";
  }
  EXPECT_THAT(problems_of(text), HasSubstr("aliases"));
}

TEST(Document, RefusesAKeyThatIsNotText) {
  EXPECT_THAT(problems_of("[a, b]: 1\n"), HasSubstr("a key must be text, not a list"));
  EXPECT_THAT(problems_of("? {a: 1}\n: 2\n"), HasSubstr("a key must be text, not a section"));
  EXPECT_THAT(problems_of("\"\": 1\n"), HasSubstr("a key must be text, not an empty text"));
  EXPECT_THAT(problems_of("~: 1\n"), HasSubstr("a key must be text, not nothing"));
}

TEST(Document, RefusesWhatIsNotYamlWithItsPlace) {
  EXPECT_THAT(problems_of("a: 1\nb: [1, 2\n"), HasSubstr("file.yaml:"));
  EXPECT_THAT(problems_of("a: 1\n b: 2\n"), HasSubstr("file.yaml:2:"));
  EXPECT_THAT(problems_of("a:\n\t- b\n"), HasSubstr("not YAML"));
}

TEST(Document, RefusesTwoDocuments) {
  EXPECT_THAT(problems_of("a: 1\n---\nb: 2\n"), HasSubstr("more than one"));
}

TEST(Document, RefusesZeroBytes) {
  EXPECT_THAT(problems_of(std::string_view("a: b\0c\n", 7)), HasSubstr("zero byte at offset 4"));
}

TEST(Document, AcceptsTheDeepestAndRefusesOneMore) {
  auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_EQ(problems_of(nested(config::max_depth)), "");
  EXPECT_THAT(problems_of(nested(config::max_depth + 1)), HasSubstr("nested deeper than 32 levels"));
  EXPECT_THAT(problems_of(nested(100'000)), HasSubstr("nested deeper"));
}

TEST(Document, AcceptsTheLargestAndRefusesOneByteMore) {
  std::string text = "a: 1\n#";
  text.resize(config::max_document_bytes, 'x');
  EXPECT_EQ(problems_of(text), "");
  text += 'x';
  EXPECT_THAT(problems_of(text), HasSubstr("larger than " + std::to_string(config::max_document_bytes) + " bytes"));
}

TEST(Document, LoadsAFileAndNamesItInProblems) {
  auto const path = std::filesystem::path(testing::TempDir()) / "config-document-test.yaml";
  std::ofstream(path) << "a: 1\na: 2\n";
  auto const document = Document::load(path.string());
  ASSERT_FALSE(document);
  EXPECT_THAT(base::text(document.error()), HasSubstr(path.string() + ":2:1: "));
  std::filesystem::remove(path);
}

TEST(Document, AFileThatIsNotThereIsOneProblem) {
  auto const document = Document::load("/nonexistent/file.yaml");
  ASSERT_FALSE(document);
  ASSERT_EQ(document.error().size(), 1U);
  EXPECT_EQ(document.error()[0].text(), "/nonexistent/file.yaml: cannot be read: No such file or directory");
  EXPECT_FALSE(Document::load("/"));
}

}  // namespace
