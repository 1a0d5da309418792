// Challenge objects of the further kinds: what of them can be used.
#include "acme/messages/messages.hpp"

#include <gmock/gmock.h>

namespace protocol {
namespace {

Challenge first_of(std::string const& members) {
  auto const parsed = parse_authorization(
      R"({"status":"pending","identifier":{"type":"dns","value":"a.example"},"challenges":[{"status":"pending",)"
      R"("url":"https://ca/chall/1",)" +
      members + "}]}");
  EXPECT_TRUE(parsed) << parsed.error().what();
  return parsed ? parsed->challenges.at(0) : Challenge();
}

TEST(ChallengeKinds, AStandingOneNamesItsIssuers) {
  Challenge const good = first_of(R"("type":"dns-persist-01","issuer-domain-names":["ca.example","other.example"])");
  EXPECT_EQ(good.url, "https://ca/chall/1");
  EXPECT_THAT(good.issuers, testing::ElementsAre("ca.example", "other.example"));
}

TEST(ChallengeKinds, OneThatIsMisshapenCannotBeUsedAndHarmsNoOther) {
  for (char const* const members :
       {R"("type":"dns-persist-01")", R"("type":"dns-persist-01","issuer-domain-names":[])",
        R"("type":"dns-persist-01","issuer-domain-names":["ca.example; policy=wildcard"])",
        R"("type":"dns-persist-01","issuer-domain-names":[7])",
        R"("type":"dns-persist-01","issuer-domain-names":["a","a","a","a","a","a","a","a","a","a","a"])",
        R"("type":"dns-account-01")", R"("type":"dns-account-01","token":"a b")"}) {
    EXPECT_EQ(first_of(members).url, "") << members;
  }
  EXPECT_EQ(first_of(R"("type":"dns-account-01","token":"t")").url, "https://ca/chall/1");
}

}  // namespace
}  // namespace protocol
