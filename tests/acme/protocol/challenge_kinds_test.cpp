// Which challenge of several the order machine takes, without socket or clock.
#include "acme/protocol/order_machine.hpp"

#include "acme/crypto/csr.hpp"
#include "acme/crypto/jws.hpp"

#include <gmock/gmock.h>

namespace protocol {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ChallengeKindsTest : public testing::Test {
 protected:
  // Up to the answer with the first of `count` authorizations; each offers what `offers` says.
  void start(std::vector<std::string> names, ChallengeKind kind, std::string const& offers,
             std::chrono::seconds life = std::chrono::seconds(0)) {
    OrderPlan plan{names, key, crypto::make_csr(key, names).value(), "thumb", "https://ca/new", {}};
    plan.challenge = kind;
    plan.account_url = "https://ca/acct/1";
    plan.standing_life = life;
    machine.emplace(std::move(plan), OrderLimits());
    machine->resume(Begin{}, now);
    std::string identifiers;
    std::string urls;
    for (std::string const& name : names) {
      identifiers += (identifiers.empty() ? "" : ",") + (R"({"type":"dns","value":")" + name + "\"}");
      urls += (urls.empty() ? "" : ",") + ("\"https://ca/authz/" + name + "\"");
    }
    machine->resume(Answer{201, "https://ca/order", "",
                           R"({"status":"pending","identifiers":[)" + identifiers + R"(],"authorizations":[)" + urls +
                               R"(],"finalize":"https://ca/finalize"})"},
                    now);
    action = machine->resume(Done{}, now);
    for (std::string const& name : names) {
      bool const wildcard = name.starts_with("*.");
      action = machine->resume(
          Answer{200, "", "",
                 R"({"status":"pending","identifier":{"type":"dns","value":")" + (wildcard ? name.substr(2) : name) +
                     R"("},"wildcard":)" + (wildcard ? "true" : "false") + R"(,"challenges":[)" + offers + "]}"},
          now);
    }
  }

  static constexpr char const* dns01 = R"({"type":"dns-01","url":"https://ca/c/1","token":"t","status":"pending"})";
  static constexpr char const* account =
      R"({"type":"dns-account-01","url":"https://ca/c/2","token":"t","status":"pending"})";
  static constexpr char const* persist =
      R"({"type":"dns-persist-01","url":"https://ca/c/3","issuer-domain-names":["ca.example"],"status":"pending"})";
  std::string const all = std::string(dns01) + "," + account + "," + persist;

  crypto::Time now = crypto::from_ms(1'800'000'000'000);
  crypto::Key const key = crypto::Key::generate().value();
  std::optional<OrderMachine> machine;
  Action action;
};

TEST_F(ChallengeKindsTest, TheWantedOneIsTakenOfSeveral) {
  start({"a.example"}, ChallengeKind::dns_account01, all);
  Publish const proof = std::get<Publish>(action);
  EXPECT_FALSE(proof.standing);
  EXPECT_THAT(proof.values,
              ElementsAre(TxtValue{challenge_label(ChallengeKind::dns_account01, "https://ca/acct/1") + ".a.example",
                                   crypto::dns01_value("t", "thumb")}));
  EXPECT_EQ(std::get<Post>(machine->resume(Done{}, now)).url, "https://ca/c/2");
}

TEST_F(ChallengeKindsTest, OneStandingProofIsForNameAndWildcard) {
  start({"*.a.example", "a.example"}, ChallengeKind::dns_persist01, all);
  Publish const proof = std::get<Publish>(action);
  EXPECT_TRUE(proof.standing);
  EXPECT_THAT(proof.values, ElementsAre(TxtValue{"_validation-persist.a.example",
                                                 "ca.example; accounturi=https://ca/acct/1; policy=wildcard"}));
}

TEST_F(ChallengeKindsTest, WithoutAWildcardTheProofIsForTheNameAloneAndMayEnd) {
  start({"a.example"}, ChallengeKind::dns_persist01, all, std::chrono::hours(24 * 200));
  std::string const value = std::get<Publish>(action).values.at(0).value;
  EXPECT_EQ(value, "ca.example; accounturi=https://ca/acct/1; persistUntil=" +
                       std::to_string(crypto::to_ms(*standing_until(now, std::chrono::hours(24 * 200))) / 1000));
}

TEST_F(ChallengeKindsTest, AStandingProofIsNotTakenAwayByTheOrder) {
  start({"a.example"}, ChallengeKind::dns_persist01, all);
  action = machine->resume(Refused{"ams is behind"}, now);
  ASSERT_TRUE(std::holds_alternative<Finish>(action)) << "action " << action.index();
  EXPECT_EQ(std::get<Finish>(action).outcome.failure, FailureClass::deferred);
}

TEST_F(ChallengeKindsTest, WhatIsNotOfferedEndsTheOrderWithWhatIs) {
  start({"a.example"}, ChallengeKind::dns_persist01, std::string(dns01) + "," + account);
  EXPECT_EQ(std::get<Post>(action), (Post{"https://ca/authz/a.example", R"({"status":"deactivated"})"}));
  action = machine->resume(Answer{200, "", "", "{}"}, now);
  Outcome const outcome = std::get<Finish>(action).outcome;
  EXPECT_EQ(outcome.failure, FailureClass::policy);
  EXPECT_FALSE(outcome.keep_order);
  EXPECT_THAT(outcome.detail, HasSubstr("offers no dns-persist-01 challenge for 'a.example', only: dns-01, dns-acc"));
}

}  // namespace
}  // namespace protocol
