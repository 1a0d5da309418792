// The order machine against scripted answers: no socket, no clock.
#include "acme/protocol/order_machine.hpp"

#include "acme/crypto/csr.hpp"
#include "acme/crypto/encoding.hpp"
#include "acme/crypto/jws.hpp"
#include "tests/support/test_ca.hpp"

#include <gmock/gmock.h>

namespace protocol {
namespace {

using crypto::Key;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr char const* order_url = "https://ca/order/1";

std::string order_json(std::string const& status, std::string const& more = "") {
  return R"({"status":")" + status +
         R"(","identifiers":[{"type":"dns","value":"a.example"},{"type":"dns","value":"*.a.example"}],
    "authorizations":["https://ca/authz/1","https://ca/authz/2"],"finalize":"https://ca/finalize/1")" +
         more + "}";
}

std::string authorization_json(int number, std::string const& status, std::string const& challenge_status,
                               std::string const& error = "") {
  std::string const digit = std::to_string(number);
  return R"({"status":")" + status + R"(","identifier":{"type":"dns","value":"a.example"},"wildcard":)" +
         (number == 2 ? "true" : "false") + R"(,"challenges":[{"type":"dns-01","url":"https://ca/chall/)" + digit +
         R"(","token":"token)" + digit + R"(","status":")" + challenge_status + "\"" + error + "}]}";
}

std::string problem_json(std::string const& type, std::string const& detail = "because") {
  return R"({"type":"urn:ietf:params:acme:error:)" + type + R"(","detail":")" + detail + R"("})";
}

class OrderMachineTest : public testing::Test {
 protected:
  OrderMachineTest() { start(""); }

  void start(std::string stored_order) {
    OrderPlan plan{
        names, key, crypto::make_csr(key, names).value(), "thumb", "https://ca/new-order", std::move(stored_order)};
    plan.profile = profile;
    plan.replaces = replaces;
    plan.preferred_issuer = preferred_issuer;
    machine.emplace(std::move(plan), limits);
    action = machine->resume(Begin{}, now);
  }

  // The last action must be this POST; answers it.
  void answer(std::string const& url, std::optional<std::string> const& payload, int status, std::string body,
              std::string location = "", std::string retry_after = "") {
    auto const* const post = std::get_if<Post>(&action);
    ASSERT_NE(post, nullptr) << "action " << action.index() << " instead of a POST to " << url;
    ASSERT_EQ(post->url, url);
    ASSERT_EQ(post->payload, payload);
    action = machine->resume(Answer{status, std::move(location), std::move(retry_after), std::move(body)}, now);
  }
  void lose() {
    ASSERT_TRUE(std::holds_alternative<Post>(action));
    action = machine->resume(Lost{"connection reset"}, now);
  }
  void done() { action = machine->resume(Done{}, now); }
  // The last action must be a wait of this length; time passes.
  void wait(milliseconds expected) {
    auto const* const waiting = std::get_if<WaitUntil>(&action);
    ASSERT_NE(waiting, nullptr) << "action " << action.index() << " instead of a wait";
    EXPECT_EQ(waiting->until - now, expected);
    now = waiting->until;
    done();
  }
  Outcome finish() {
    auto const* const finished = std::get_if<Finish>(&action);
    EXPECT_NE(finished, nullptr) << "action " << action.index() << " instead of the end";
    return finished == nullptr ? Outcome{} : finished->outcome;
  }

  void place() {
    answer("https://ca/new-order",
           R"({"identifiers":[{"type":"dns","value":"*.a.example"},{"type":"dns","value":"a.example"}]})", 201,
           order_json("pending"), order_url);
    ASSERT_EQ(std::get<SaveOrder>(action).order_url, order_url);
    done();
  }
  void authorize(std::string const& status1 = "pending", std::string const& status2 = "pending") {
    answer("https://ca/authz/1", std::nullopt, 200, authorization_json(1, status1, status1));
    answer("https://ca/authz/2", std::nullopt, 200, authorization_json(2, status2, status2));
  }
  void start_challenges() {
    answer("https://ca/chall/1", "{}", 200, "{}");
    answer("https://ca/chall/2", "{}", 200, "{}");
  }
  void to_polling() {
    place();
    authorize();
    done();  // published
    start_challenges();
  }
  std::string finalize_payload() {
    return R"({"csr":")" + crypto::base64url(crypto::make_csr(key, names).value()) + "\"}";
  }
  std::string csr_of_last_post() { return *std::get<Post>(action).payload; }
  void finish_issuing() {
    ASSERT_EQ(std::get<Post>(action).url, "https://ca/finalize/1");
    EXPECT_THAT(csr_of_last_post(), HasSubstr("\"csr\":"));
    action = machine->resume(Answer{200, "", "", order_json("processing")}, now);
    wait(limits.poll_first);
    answer(order_url, std::nullopt, 200, order_json("valid", R"(,"certificate":"https://ca/cert/1")"));
    answer("https://ca/cert/1", std::nullopt, 200, ca.chain(key.handle(), {names}));
    ASSERT_EQ(std::get<StoreCertificate>(action).certificate.names, names);
    done();
  }
  // Up to the download, whose answer offers two further chains.
  void download_with_alternates() {
    to_polling();
    wait(limits.poll_first);
    answer(order_url, std::nullopt, 200, order_json("valid", R"(,"certificate":"https://ca/cert/1")"));
    ASSERT_EQ(std::get<Post>(action).url, "https://ca/cert/1");
    action = machine->resume(
        Answer{200, "", "", ca.chain(key.handle(), {names}), {"https://ca/alt/1", "https://ca/alt/2"}}, now);
  }
  void expect_unpublish(bool good = true) {
    ASSERT_TRUE(std::holds_alternative<Unpublish>(action)) << "action " << action.index();
    action = machine->resume(good ? Event(Done{}) : Event(Refused{"store is gone"}), now);
  }
  void expect_deactivations() {
    answer("https://ca/authz/1", R"({"status":"deactivated"})", 200, "{}");
    answer("https://ca/authz/2", R"({"status":"deactivated"})", 400, "not a problem of ours");
  }

  Time now = crypto::wall_now();
  OrderLimits limits;
  std::string profile, replaces, preferred_issuer;
  std::vector<std::string> const names{"*.a.example", "a.example"};
  Key const key = Key::generate().value();
  test::TestCa const ca;
  std::optional<OrderMachine> machine;
  Action action;
};

TEST_F(OrderMachineTest, IssuesApexAndWildcardWithBothValuesPublishedAtOnce) {
  place();
  authorize();
  std::vector<TxtValue> expected{{"_acme-challenge.a.example", crypto::dns01_value("token1", "thumb")},
                                 {"_acme-challenge.a.example", crypto::dns01_value("token2", "thumb")}};
  std::ranges::sort(expected);
  ASSERT_EQ(std::get<Publish>(action).values, expected);
  done();
  start_challenges();
  wait(limits.poll_first);
  answer(order_url, std::nullopt, 200, order_json("ready"));
  finish_issuing();
  expect_unpublish();
  Outcome const outcome = finish();
  EXPECT_EQ(outcome.failure, FailureClass::none);
  EXPECT_FALSE(outcome.keep_order);
  EXPECT_TRUE(outcome.cleaned);
}

TEST_F(OrderMachineTest, AuthorizationsAreMatchedByContentNotByOrder) {
  place();
  answer("https://ca/authz/1", std::nullopt, 200, authorization_json(2, "pending", "pending"));
  answer("https://ca/authz/2", std::nullopt, 200, authorization_json(1, "pending", "pending"));
  EXPECT_EQ(std::get<Publish>(action).values.size(), 2U);
}

TEST_F(OrderMachineTest, ValidAuthorizationsAreSkipped) {
  place();
  authorize("valid", "pending");
  ASSERT_EQ(std::get<Publish>(action).values,
            (std::vector<TxtValue>{{"_acme-challenge.a.example", crypto::dns01_value("token2", "thumb")}}));
  done();
  answer("https://ca/chall/2", "{}", 200, "{}");
  EXPECT_TRUE(std::holds_alternative<WaitUntil>(action));
}

TEST_F(OrderMachineTest, NothingIsPublishedWhenEverythingIsValidAlready) {
  place();
  authorize("valid", "valid");
  wait(limits.poll_first);
  answer(order_url, std::nullopt, 200, order_json("ready"));
  finish_issuing();
  EXPECT_EQ(finish().failure, FailureClass::none);
}

TEST_F(OrderMachineTest, PollingSlowsDownAndHonoursRetryAfter) {
  to_polling();
  wait(milliseconds(10));
  answer(order_url, std::nullopt, 200, order_json("pending"));
  wait(milliseconds(20));
  answer(order_url, std::nullopt, 200, order_json("pending"), "", "3");
  wait(seconds(3));
  answer(order_url, std::nullopt, 200, order_json("pending"), "", "0");
  wait(milliseconds(40));  // "now" is no faster than without a word
  milliseconds longest{0};
  for (int i = 0; i < 30 && std::holds_alternative<WaitUntil>(action); ++i) {
    answer(order_url, std::nullopt, 200, order_json("pending"));
    if (auto const* const waiting = std::get_if<WaitUntil>(&action)) {
      longest = std::max(longest, waiting->until - now);
      wait(waiting->until - now);
    }
  }
  EXPECT_LE(longest, limits.poll_limit);
}

TEST_F(OrderMachineTest, AFailedGateDefersAndAsksNothingOfTheCa) {
  place();
  authorize();
  action = machine->resume(Refused{"ams has revision 7 of 9"}, now);
  expect_unpublish();
  Outcome const outcome = finish();
  EXPECT_EQ(outcome.failure, FailureClass::deferred);
  EXPECT_TRUE(outcome.keep_order);
  EXPECT_THAT(outcome.detail, HasSubstr("ams has revision 7 of 9"));
}

TEST_F(OrderMachineTest, AnInvalidOrderTellsWhatTheCaSaw) {
  to_polling();
  wait(limits.poll_first);
  answer(order_url, std::nullopt, 200, order_json("invalid"));
  answer("https://ca/authz/1", std::nullopt, 200, authorization_json(1, "valid", "valid"));
  answer("https://ca/authz/2", std::nullopt, 200,
         authorization_json(2, "invalid", "invalid", R"(,"error":)" + problem_json("dns", "NXDOMAIN looking up TXT")));
  expect_unpublish();
  expect_deactivations();
  Outcome const outcome = finish();
  EXPECT_EQ(outcome.failure, FailureClass::validation);
  EXPECT_THAT(outcome.detail, HasSubstr("NXDOMAIN looking up TXT"));
  EXPECT_FALSE(outcome.keep_order);
}

TEST_F(OrderMachineTest, ARateLimitParksUntilTheMomentTheCaNames) {
  answer("https://ca/new-order",
         R"({"identifiers":[{"type":"dns","value":"*.a.example"},{"type":"dns","value":"a.example"}]})", 429,
         problem_json("rateLimited"), "", "3600");
  Outcome const outcome = finish();
  EXPECT_EQ(outcome.failure, FailureClass::not_before);
  EXPECT_EQ(outcome.not_before, now + hours(1));
  EXPECT_FALSE(outcome.keep_order);
}

TEST_F(OrderMachineTest, ARateLimitWithoutHeaderReadsTheText) {
  now = *crypto::parse_rfc3339("2026-08-22T10:00:00Z");
  start("");
  action =
      machine->resume(Answer{429, "", "", problem_json("rateLimited", "retry after 2026-08-22 12:00:00 UTC")}, now);
  EXPECT_EQ(finish().not_before, now + hours(2));
}

TEST_F(OrderMachineTest, EachFailedNewOrderHasItsClass) {
  for (auto const& [type, expected] :
       std::vector<std::pair<char const*, FailureClass>>{{"rejectedIdentifier", FailureClass::policy},
                                                         {"userActionRequired", FailureClass::account},
                                                         {"malformed", FailureClass::ours},
                                                         {"unauthorized", FailureClass::account}}) {
    start("");
    action = machine->resume(Answer{403, "", "", problem_json(type)}, now);
    EXPECT_EQ(finish().failure, expected) << type;
  }
}

TEST_F(OrderMachineTest, LostAnswersAreRepeatedABoundedNumberOfTimes) {
  for (unsigned i = 0; i < limits.lost_max; ++i) {
    lose();
    wait(limits.lost_first * (1U << i));
  }
  lose();
  Outcome const outcome = finish();
  EXPECT_EQ(outcome.failure, FailureClass::transient);
  EXPECT_THAT(outcome.detail, HasSubstr("connection reset"));
  EXPECT_TRUE(outcome.keep_order) << "the CA may have it: the next run looks for it";
}

TEST_F(OrderMachineTest, AServerErrorCountsAsALostAnswerAndItsRetryAfterIsHonoured) {
  place();
  answer("https://ca/authz/1", std::nullopt, 503, "busy", "", "7");
  wait(seconds(7));
  authorize();
  EXPECT_TRUE(std::holds_alternative<Publish>(action));
}

TEST_F(OrderMachineTest, AChallengeWhoseAnswerWasLostIsNotStartedTwice) {
  place();
  authorize();
  done();
  lose();
  wait(limits.lost_first);
  answer("https://ca/authz/1", std::nullopt, 200, authorization_json(1, "pending", "processing"));
  answer("https://ca/chall/2", "{}", 200, "{}");
  EXPECT_TRUE(std::holds_alternative<WaitUntil>(action));
}

TEST_F(OrderMachineTest, AChallengeThatNeverArrivedIsStartedAfterAll) {
  place();
  authorize();
  done();
  lose();
  wait(limits.lost_first);
  answer("https://ca/authz/1", std::nullopt, 200, authorization_json(1, "pending", "pending"));
  start_challenges();
}

TEST_F(OrderMachineTest, AChallengeWhoseAnswersAlwaysGetLostEndsTheRun) {
  place();
  authorize();
  done();
  for (unsigned i = 0; i < limits.lost_max; ++i) {
    lose();
    wait(limits.lost_first * (1U << i));
    answer("https://ca/authz/1", std::nullopt, 200, authorization_json(1, "pending", "pending"));
  }
  lose();
  expect_unpublish();
  EXPECT_TRUE(finish().keep_order);
}

TEST_F(OrderMachineTest, ALostFinalizeReadsTheOrderAgain) {
  to_polling();
  wait(limits.poll_first);
  answer(order_url, std::nullopt, 200, order_json("ready"));
  lose();
  wait(limits.lost_first);
  answer(order_url, std::nullopt, 200, order_json("valid", R"(,"certificate":"https://ca/cert/1")"));
  EXPECT_EQ(std::get<Post>(action).url, "https://ca/cert/1");
}

TEST_F(OrderMachineTest, FinalizeIsRepeatedOnlyAFewTimes) {
  to_polling();
  wait(limits.poll_first);
  for (int i = 0; i < 3; ++i) {
    answer(order_url, std::nullopt, 200, order_json("ready"));
    ASSERT_EQ(std::get<Post>(action).url, "https://ca/finalize/1");
    action = machine->resume(Answer{403, "", "", problem_json("orderNotReady")}, now);
    wait(std::get<WaitUntil>(action).until - now);
  }
  answer(order_url, std::nullopt, 200, order_json("ready"));
  expect_unpublish();
  EXPECT_EQ(finish().failure, FailureClass::transient);
}

TEST_F(OrderMachineTest, AStoredOrderContinuesWhereTheCaIs) {
  start(order_url);
  answer(order_url, std::nullopt, 200, order_json("valid", R"(,"certificate":"https://ca/cert/1")"));
  answer("https://ca/cert/1", std::nullopt, 200, ca.chain(key.handle(), {names}));
  done();
  expect_unpublish();  // values of the earlier run may still be there
  EXPECT_EQ(finish().failure, FailureClass::none);
}

TEST_F(OrderMachineTest, AStoredOrderWithARunningChallengeIsPublishedButNotStartedAgain) {
  start(order_url);
  answer(order_url, std::nullopt, 200, order_json("pending"));
  answer("https://ca/authz/1", std::nullopt, 200, authorization_json(1, "pending", "processing"));
  answer("https://ca/authz/2", std::nullopt, 200, authorization_json(2, "pending", "pending"));
  ASSERT_EQ(std::get<Publish>(action).values.size(), 2U);
  done();
  answer("https://ca/chall/2", "{}", 200, "{}");
  EXPECT_TRUE(std::holds_alternative<WaitUntil>(action));
}

TEST_F(OrderMachineTest, AStoredOrderThatIsGoneIsReplacedOnce) {
  for (Answer const& gone :
       {Answer{404, "", "", problem_json("malformed", "not found")},
        Answer{403, "", "", problem_json("unauthorized", "not yours")}, Answer{200, "", "", order_json("invalid")}}) {
    start(order_url);
    action = machine->resume(gone, now);
    ASSERT_EQ(std::get<Post>(action).url, "https://ca/new-order");
    place();
    action = machine->resume(Answer{404, "", "", problem_json("malformed")}, now);
    expect_unpublish();
    EXPECT_NE(finish().failure, FailureClass::none);
  }
}

// RFC 8555 7.1.3: an order that was not finished by its end is invalid. Its end is not its successor's, which would be
// given up in the middle of its validation.
TEST_F(OrderMachineTest, ASuccessorOfAnExpiredOrderHasTimeOfItsOwn) {
  now = *crypto::parse_rfc3339("2026-08-22T10:00:00Z");
  for (char const* const status : {"invalid", "pending"}) {
    start(order_url);
    answer(order_url, std::nullopt, 200, order_json(status, R"(,"expires":"2026-08-22T09:00:00Z")"));
    answer("https://ca/new-order",
           R"({"identifiers":[{"type":"dns","value":"*.a.example"},{"type":"dns","value":"a.example"}]})", 201,
           order_json("pending", R"(,"expires":"2026-08-29T10:00:00Z")"), "https://ca/order/2");
    ASSERT_EQ(std::get<SaveOrder>(action).order_url, "https://ca/order/2") << status;
    done();
    authorize();
    ASSERT_TRUE(std::holds_alternative<Publish>(action));
    done();
    start_challenges();
    wait(limits.poll_first);
    EXPECT_TRUE(std::holds_alternative<Post>(action)) << "it is waited for";
  }
}

TEST_F(OrderMachineTest, BadlyShapedAnswersEndTheRunAndNothingIsStored) {
  for (char const* const body : {"", "null", "[]", "{}", "<html>", R"({"status":"pending"})"}) {
    start("");
    action = machine->resume(Answer{201, order_url, "", body}, now);
    EXPECT_EQ(finish().failure, FailureClass::ours) << body;
  }
  start("");
  action = machine->resume(Answer{201, "", "", order_json("pending")}, now);
  EXPECT_THAT(finish().detail, HasSubstr("Location"));
}

TEST_F(OrderMachineTest, AnOrderOrAuthorizationForOtherNamesIsRefused) {
  std::string other = order_json("pending");
  other.replace(other.find("a.example"), 9, "b.example");
  action = machine->resume(Answer{201, order_url, "", other}, now);
  EXPECT_EQ(finish().failure, FailureClass::ours);

  start("");
  place();
  std::string authorization = authorization_json(1, "pending", "pending");
  authorization.replace(authorization.find("a.example"), 9, "b.example");
  answer("https://ca/authz/1", std::nullopt, 200, authorization);
  EXPECT_THAT(finish().detail, HasSubstr("b.example"));
}

TEST_F(OrderMachineTest, ACertificateForAnotherKeyIsNotStored) {
  start(order_url);
  answer(order_url, std::nullopt, 200, order_json("valid", R"(,"certificate":"https://ca/cert/1")"));
  answer("https://ca/cert/1", std::nullopt, 200, ca.chain(Key::generate()->handle(), {names}));
  expect_unpublish();
  Outcome const outcome = finish();
  EXPECT_EQ(outcome.failure, FailureClass::ours);
  EXPECT_THAT(outcome.detail, HasSubstr("another key"));
}

TEST_F(OrderMachineTest, AStoreThatRefusesTheCertificateKeepsTheOrder) {
  start(order_url);
  answer(order_url, std::nullopt, 200, order_json("valid", R"(,"certificate":"https://ca/cert/1")"));
  answer("https://ca/cert/1", std::nullopt, 200, ca.chain(key.handle(), {names}));
  action = machine->resume(Refused{"disk full"}, now);
  expect_unpublish();
  EXPECT_TRUE(finish().keep_order);
}

TEST_F(OrderMachineTest, ValuesThatCannotBeTakenAwayAreReported) {
  place();
  authorize();
  action = machine->resume(Refused{"lagging"}, now);
  expect_unpublish(false);
  EXPECT_FALSE(finish().cleaned);
}

TEST_F(OrderMachineTest, ASlowCaIsLeftAloneAfterTheRunsPatienceAndTheOrderIsKept) {
  to_polling();
  for (int i = 0; i < 10000 && std::holds_alternative<WaitUntil>(action); ++i) {
    wait(std::get<WaitUntil>(action).until - now);
    answer(order_url, std::nullopt, 200, order_json("pending"));
  }
  expect_unpublish();
  Outcome const outcome = finish();
  EXPECT_EQ(outcome.failure, FailureClass::transient);
  EXPECT_TRUE(outcome.keep_order);
}

std::string new_order(std::string const& more) {
  return R"({"identifiers":[{"type":"dns","value":"*.a.example"},{"type":"dns","value":"a.example"}])" + more + "}";
}

TEST_F(OrderMachineTest, WhatTheCaDoesNotTakeIsLeftOutOnce) {
  profile = "shortlived";
  replaces = "aki.serial";
  start("");
  std::string const with_profile = R"(,"profile":"shortlived")";
  answer("https://ca/new-order", new_order(with_profile + R"(,"replaces":"aki.serial")"), 409,
         problem_json("alreadyReplaced"));
  answer("https://ca/new-order", new_order(with_profile), 400, problem_json("invalidProfile"));
  answer("https://ca/new-order", new_order(""), 400, problem_json("invalidProfile"));
  Outcome const outcome = finish();
  EXPECT_EQ(outcome.failure, FailureClass::policy) << "there is nothing left to leave out";
  ASSERT_EQ(outcome.notes.size(), 2U);
  EXPECT_THAT(outcome.notes[0], HasSubstr("replaces"));
  EXPECT_THAT(outcome.notes[1], HasSubstr("shortlived"));
}

TEST_F(OrderMachineTest, AMalformedOrderThatIsNotAboutReplacesIsNotPlacedAgain) {
  replaces = "aki.serial";
  start("");
  answer("https://ca/new-order", new_order(R"(,"replaces":"aki.serial")"), 400, problem_json("malformed", "bad name"));
  EXPECT_EQ(finish().failure, FailureClass::ours);
}

TEST_F(OrderMachineTest, TheChainThatEndsWithThePreferredIssuerIsStored) {
  preferred_issuer = "Second Root";
  start("");
  download_with_alternates();
  test::TestCa const second("Second Root");
  answer("https://ca/alt/1", std::nullopt, 500, "");
  answer("https://ca/alt/2", std::nullopt, 200, ca.leaf(key.handle(), {names}) + second.cross_signed(ca));
  EXPECT_EQ(std::get<StoreCertificate>(action).certificate.top_issuer, "Second Root");
}

TEST_F(OrderMachineTest, WithoutThePreferredIssuerTheFirstChainIsStoredAndSaid) {
  preferred_issuer = "Nobody";
  start("");
  download_with_alternates();
  lose();  // an alternate is not worth a second try
  answer("https://ca/alt/2", std::nullopt, 200, "rubbish");
  EXPECT_EQ(std::get<StoreCertificate>(action).certificate.top_issuer, "Test CA");
  done();
  expect_unpublish();
  EXPECT_THAT(finish().notes.at(0), HasSubstr("Nobody"));
}

}  // namespace
}  // namespace protocol
