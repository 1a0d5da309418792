#include "acme/challenge/challenge.hpp"

#include <gmock/gmock.h>

#include <set>

namespace protocol {
namespace {

using std::chrono::hours;

TEST(Challenge, HasTheNameOfItsDraft) {
  for (auto const kind : {ChallengeKind::dns01, ChallengeKind::dns_account01, ChallengeKind::dns_persist01}) {
    EXPECT_EQ(kind_of(name(kind)), kind);
  }
  EXPECT_FALSE(kind_of("http-01"));
  EXPECT_TRUE(is_standing(ChallengeKind::dns_persist01));
  EXPECT_FALSE(is_standing(ChallengeKind::dns_account01));
}

TEST(Challenge, StandsAtALabelOfItsKind) {
  EXPECT_EQ(challenge_label(ChallengeKind::dns01, ""), "_acme-challenge");
  EXPECT_EQ(challenge_label(ChallengeKind::dns_persist01, ""), "_validation-persist");
  // The example of draft-ietf-acme-dns-account-label.
  EXPECT_EQ(challenge_label(ChallengeKind::dns_account01, "https://example.com/acme/acct/ExampleAccount"),
            "_ujmmovf2vn55tgye._acme-challenge");
  EXPECT_EQ(challenge_label(ChallengeKind::dns_account01, ""), "") << "the account has no URL yet";
}

TEST(Challenge, AStandingProofNamesIssuerAndAccount) {
  StandingProof proof{"ca.example", "https://ca.example/acct/1", false, {}};
  EXPECT_EQ(standing_value(proof), "ca.example; accounturi=https://ca.example/acct/1");
  proof.wildcard = true;
  proof.until = crypto::from_ms(1893456000999);
  EXPECT_EQ(standing_value(proof),
            "ca.example; accounturi=https://ca.example/acct/1; policy=wildcard; persistUntil=1893456000");
}

TEST(Challenge, TheEndOfAStandingProofMovesEveryHalfOfItsLife) {
  crypto::Time const begin = crypto::from_ms(1'800'000'000'000);
  EXPECT_FALSE(standing_until(begin, hours(0)));
  std::set<crypto::Time> ends;
  for (hours at{0}; at < hours(1000); at += hours(1)) {
    auto const until = *standing_until(begin + at, hours(100));
    EXPECT_GT(until - (begin + at), hours(50) - std::chrono::seconds(1));
    EXPECT_LE(until - (begin + at), hours(100));
    ends.insert(until);
  }
  EXPECT_THAT(ends.size(), testing::AllOf(testing::Ge(20U), testing::Le(21U)));
}

}  // namespace
}  // namespace protocol
