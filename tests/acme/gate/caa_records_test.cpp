#include "acme/gate/caa_records.hpp"

#include "acme/gate/caa.hpp"

#include <gmock/gmock.h>

namespace acme {
namespace {

CaaIssuer issuer() {
  return {"https://ca.example/dir", {"ca.example", "second.example"}, "https://ca.example/acct/7", "dns-01"};
}

TEST(CaaRecords, SayWhoMayIssueForWhichAccountAndHow) {
  EXPECT_EQ(caa_value(issuer()), "ca.example; accounturi=https://ca.example/acct/7; validationmethods=dns-01");
}

TEST(CaaRecords, ArePermittedByOurOwnReading) {
  auto const lookup = [](std::string const& name) {
    std::vector<std::string> contents;
    if (name == "a.example") {
      contents = {"0 issue \"" + *caa_value(issuer()) + "\"", "0 issuewild \"" + *caa_value(issuer()) + "\""};
    }
    return contents;
  };
  CaaQuestion question{{"ca.example"}, "https://ca.example/acct/7", "dns-01"};
  EXPECT_EQ(caa_refusal("*.a.example", question, lookup), "");
  EXPECT_EQ(caa_refusal("a.example", question, lookup), "");
  question.account_url = "https://ca.example/acct/8";
  EXPECT_NE(caa_refusal("a.example", question, lookup), "");
  question = {{"ca.example"}, "https://ca.example/acct/7", "http-01"};
  EXPECT_NE(caa_refusal("*.a.example", question, lookup), "");
}

TEST(CaaRecords, ACaThatCannotBeNamedHasNone) {
  CaaIssuer nameless = issuer();
  nameless.identities.clear();
  EXPECT_EQ(caa_value(nameless), std::nullopt);
  for (std::string const url : {"", "https://ca.example/a;b", "https://ca.example/\"", "https://ca.example/a b"}) {
    CaaIssuer strange = issuer();
    strange.account_url = url;
    EXPECT_EQ(caa_value(strange), std::nullopt) << url;
  }
  CaaIssuer strange = issuer();
  strange.identities = {"ca.example; accounturi=x"};
  EXPECT_EQ(caa_value(strange), std::nullopt);
}

}  // namespace
}  // namespace acme
