#include "acme/gate/caa.hpp"

#include <gmock/gmock.h>

#include <map>

namespace acme {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class CaaTest : public testing::Test {
 protected:
  std::string ask(std::string const& name) const {
    return caa_refusal(name, question, [this](std::string const& at) {
      auto const found = records.find(at);
      return found == records.end() ? std::vector<std::string>() : found->second;
    });
  }
  CaaQuestion question{{"ca.example", "other-name.example"}, "https://ca.example/acct/1", "dns-01"};
  std::map<std::string, std::vector<std::string>> records;
};

TEST_F(CaaTest, NoRecordAnywherePermits) {
  EXPECT_THAT(ask("a.stream.example"), IsEmpty());
}

TEST_F(CaaTest, TheNearestRRsetDecides) {
  records["example"] = {R"(0 issue "nobody.example")"};
  records["stream.example"] = {R"(0 issue "CA.example")"};
  EXPECT_THAT(ask("a.stream.example"), IsEmpty());
  EXPECT_THAT(ask("*.stream.example"), IsEmpty());
  EXPECT_THAT(ask("b.example"), HasSubstr("at 'example'"));
  records["a.stream.example"] = {R"(0 issue ";")"};
  EXPECT_THAT(ask("a.stream.example"), HasSubstr("at 'a.stream.example'"));
}

TEST_F(CaaTest, WildcardsHaveAPropertyOfTheirOwn) {
  records["stream.example"] = {R"(0 issue "nobody.example")", R"(0 issuewild "other-name.example")"};
  EXPECT_THAT(ask("*.stream.example"), IsEmpty());
  EXPECT_THAT(ask("stream.example"), HasSubstr("(issue)"));
  records["stream.example"] = {R"(0 issue "ca.example")", R"(0 issuewild ";")"};
  EXPECT_THAT(ask("*.stream.example"), HasSubstr("(issuewild)"));
  EXPECT_THAT(ask("stream.example"), IsEmpty());
}

TEST_F(CaaTest, ConditionsMustHoldForThisAccountAndMethod) {
  auto const with = [this](std::string const& value) {
    records["stream.example"] = {"0 issue \"" + value + "\""};
    return ask("stream.example");
  };
  EXPECT_THAT(with("ca.example; accounturi=https://ca.example/acct/1; validationmethods=dns-01"), IsEmpty());
  EXPECT_THAT(with("ca.example;validationmethods=http-01,dns-01"), IsEmpty());
  EXPECT_THAT(with("ca.example; accounturi=https://ca.example/acct/2"), HasSubstr("permits other"));
  EXPECT_THAT(with("ca.example; validationmethods=http-01"), HasSubstr("permits other"));
  EXPECT_THAT(with("ca.example; policy=ev"), IsEmpty()) << "parameters of the CA's own are its to read";
}

TEST_F(CaaTest, WhatIsCriticalAndUnknownForbidsAndWhatOnlyInformsPermits) {
  records["stream.example"] = {R"(0 iodef "mailto:ops@example.org")"};
  EXPECT_THAT(ask("stream.example"), IsEmpty());
  records["stream.example"] = {R"(128 tbs "unknown")", R"(0 issue "ca.example")"};
  EXPECT_THAT(ask("stream.example"), HasSubstr("'tbs'"));
  records["stream.example"] = {"rubbish"};
  EXPECT_THAT(ask("stream.example"), HasSubstr("rubbish"));
}

TEST_F(CaaTest, AnAuthorityThatDoesNotSayItsNamesIsAsked) {
  records["stream.example"] = {R"(0 issue "nobody.example")"};
  question.identities.clear();
  EXPECT_THAT(ask("stream.example"), IsEmpty());
}

TEST(Caa, IsReadAsTheStoreKeepsIt) {
  EXPECT_EQ(parse_caa(R"(128 Issue "ca.example; a=b")"), (CaaRecord{true, "issue", "ca.example; a=b"}));
  for (char const* bad : {"", "0", "0 issue", "0 issue ca", "x issue \"ca\"", "999 issue \"ca\"", "0 issue \""}) {
    EXPECT_FALSE(parse_caa(bad)) << bad;
  }
}

}  // namespace
}  // namespace acme
