#include "acme/messages/messages.hpp"

#include <gmock/gmock.h>

namespace protocol {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char const* good_order = R"({"status":"pending","expires":"2026-08-29T10:00:00Z",
  "identifiers":[{"type":"dns","value":"*.A.example"},{"type":"dns","value":"a.example"}],
  "authorizations":["https://ca/authz/1","https://ca/authz/2"],"finalize":"https://ca/finalize/1","extra":[1,2]})";

TEST(Directory, ReadsPlacesAndWhetherAnExternalAccountIsDemanded) {
  auto const directory = parse_directory(R"({"newNonce":"https://ca/nonce-plz","newAccount":"https://ca/sign-me-up",
    "newOrder":"https://ca/order-plz","renewalInfo":"https://ca/ari","meta":{"externalAccountRequired":true}})");
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->new_account, "https://ca/sign-me-up");
  EXPECT_EQ(directory->renewal_info, "https://ca/ari");
  EXPECT_TRUE(directory->external_account_required);
}

TEST(Directory, ReadsWhatACaOffersBeyondThePlaces) {
  auto const directory = parse_directory(R"({"newNonce":"https://ca/n","newAccount":"https://ca/a","newOrder":"https://ca/o",
    "keyChange":"https://ca/k","renewalInfo":"https://ca/ari","meta":{"termsOfService":"https://ca/tos",
    "profiles":{"classic":"as ever","shortlived":"six days","odd":7},"caaIdentities":["CA.example",3]}})");
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->key_change, "https://ca/k");
  EXPECT_EQ(directory->renewal_info, "https://ca/ari");
  EXPECT_EQ(directory->terms_of_service, "https://ca/tos");
  EXPECT_EQ(directory->profiles.at("shortlived"), "six days");
  EXPECT_EQ(directory->profiles.size(), 3U);
  EXPECT_THAT(directory->caa_identities, ElementsAre("ca.example"));
}

TEST(RenewalInfo, ReadsTheWindowAndRefusesOneThatIsNone) {
  auto const read = parse_renewal_info(R"({"suggestedWindow":{"start":"2026-01-03T00:00:00Z","end":"2026-01-07T00:00:00Z"},
    "explanationURL":"https://ca/why"})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->end - read->start, std::chrono::hours(96));
  EXPECT_EQ(read->explanation_url, "https://ca/why");
  for (char const* bad : {"[]", "{}", R"({"suggestedWindow":7})", R"({"suggestedWindow":{"start":"2026-01-03T00:00:00Z"}})",
                          R"({"suggestedWindow":{"start":"2026-01-03T00:00:00Z","end":"2026-01-03T00:00:00Z"}})",
                          R"({"suggestedWindow":{"start":"2026-01-07T00:00:00Z","end":"2026-01-03T00:00:00Z"}})"}) {
    EXPECT_EQ(parse_renewal_info(bad).error().code, errc::bad_message) << bad;
  }
}

TEST(Links, AreFoundByTheirRelation) {
  EXPECT_THAT(links(R"(<https://ca/1>;rel="alternate")", "alternate"), ElementsAre("https://ca/1"));
  EXPECT_THAT(links(R"(<https://ca/i>; rel="index", <https://ca/2>;title="a, b";REL=alternate)", "alternate"),
              ElementsAre("https://ca/2"));
  EXPECT_THAT(links(R"(<ftp://ca/1>;rel="alternate", <https://ca/ü>;rel="alternate")", "alternate"), IsEmpty());
  for (char const* broken : {"", "<", "<https://ca/1", "<https://ca/1>;rel=\"", "<https://ca/1>;rel=\"alternate\\", ">;rel=x<"}) {
    EXPECT_LE(links(broken, "alternate").size(), 1U);  // ends, whatever comes
  }
}

TEST(Directory, RefusesWhatCannotBeUsed) {
  for (char const* const bad :
       {"", "[]", "{}", "<html>", R"({"newNonce":"https://ca/n","newAccount":"https://ca/a"})",
        R"({"newNonce":"https://ca/n","newAccount":"https://ca/a","newOrder":"ftp://ca/o"})",
        R"({"newNonce":"https://ca/n","newAccount":"https://ca/a","newOrder":"https://ca/o x"})",
        R"({"newNonce":1,"newAccount":"https://ca/a","newOrder":"https://ca/o"})"}) {
    EXPECT_EQ(parse_directory(bad).error().code, errc::bad_message) << bad;
  }
}

TEST(Order, ReadsNamesInLowerCaseAndSorted) {
  auto const order = parse_order(good_order);
  ASSERT_TRUE(order) << order.error().what();
  EXPECT_EQ(order->status, Status::pending);
  EXPECT_THAT(order->names, ElementsAre("*.a.example", "a.example"));
  EXPECT_EQ(order->authorizations.size(), 2U);
  EXPECT_EQ(order->expires, crypto::parse_rfc3339("2026-08-29T10:00:00Z"));
}

TEST(Order, RefusesEveryMissingOrMisshapenMember) {
  std::string const good(good_order);
  auto const changed = [&good](std::string const& from, std::string const& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (std::string const& bad :
       {changed("pending", "sleeping"), changed("\"status\"", "\"state\""), changed("\"dns\"", "\"ip\""),
        changed("[{\"type\"", "[7,{\"type\""), changed("\"https://ca/authz/1\"", "null"),
        changed("finalize\":", "final\":"), changed("https://ca/authz/1", "//ca/authz"),
        changed("\"identifiers\":[", "\"identifiers\":7,\"x\":["), changed("pending", "valid"),
        changed("{\"status\"", "[{\"status\""), std::string(300U << 10U, ' ')}) {
    EXPECT_EQ(parse_order(bad).error().code, errc::bad_message) << bad.substr(0, 200);
  }
  std::string deep;
  for (int i = 0; i < 100; ++i) {
    deep += R"({"a":)";
  }
  EXPECT_FALSE(parse_order(deep));
}

TEST(Order, NamesAreBounded) {
  std::string many;
  for (int i = 0; i < 101; ++i) {
    many += std::string(i == 0 ? "" : ",") + R"({"type":"dns","value":"a)" + std::to_string(i) + R"(.example"})";
  }
  EXPECT_FALSE(parse_order(R"({"status":"pending","identifiers":[)" + many +
                           R"(],"authorizations":["https://ca/1"],"finalize":"https://ca/f"})"));
}

TEST(Authorization, ReadsTheWildcardFlagAndToleratesForeignChallenges) {
  auto const authorization = parse_authorization(R"({"status":"pending","identifier":{"type":"dns","value":"a.example"},
    "wildcard":true,"challenges":[{"type":"future-99","oddity":{}},
    {"type":"dns-01","url":"https://ca/chall/1","token":"abc-_9","status":"pending"}]})");
  ASSERT_TRUE(authorization) << authorization.error().what();
  EXPECT_TRUE(authorization->wildcard);
  EXPECT_EQ(authorization->challenges.size(), 2U);
  EXPECT_EQ(authorization->challenges[1].token, "abc-_9");
}

TEST(Authorization, RefusesATokenThatWouldNotBeOne) {
  for (char const* const token : {"", "a b", "a.b", "a\\\"b", "a/b"}) {
    std::string const body = R"({"status":"pending","identifier":{"type":"dns","value":"a.example"},"challenges":[)"
                             R"({"type":"dns-01","url":"https://ca/c","status":"pending","token":")" +
                             std::string(token) + R"("}]})";
    EXPECT_FALSE(parse_authorization(body)) << token;
  }
}

TEST(Problem, ReadsTypeTextAndSubproblems) {
  Problem const problem = parse_problem(R"({"type":"urn:ietf:params:acme:error:rejectedIdentifier","detail":"no",
    "subproblems":[{"type":"urn:ietf:params:acme:error:caa","detail":"caa says no",
    "identifier":{"type":"dns","value":"b.example"}}]})",
                                        403);
  EXPECT_EQ(problem.type, "rejectedIdentifier");
  EXPECT_THAT(problem.text(), HasSubstr("b.example: caa: caa says no"));
  EXPECT_EQ(classify(problem), FailureClass::policy);
}

TEST(Problem, AnythingElseIsStillAnAnswer) {
  EXPECT_EQ(parse_problem("<html>502</html>", 502).text(), "HTTP status 502");
  EXPECT_EQ(classify(parse_problem("<html>", 502)), FailureClass::transient);
  EXPECT_EQ(classify(parse_problem("", 429)), FailureClass::not_before);
  EXPECT_EQ(classify(parse_problem("{}", 400)), FailureClass::ours);
  EXPECT_LE(parse_problem(R"({"detail":")" + std::string(8000, 'x') + "\"}", 400).detail.size(), 1000U);
}

TEST(Problem, EveryTypeHasItsClass) {
  std::vector<std::pair<char const*, FailureClass>> const table{{"badNonce", FailureClass::transient},
                                                                {"serverInternal", FailureClass::transient},
                                                                {"orderNotReady", FailureClass::transient},
                                                                {"rateLimited", FailureClass::not_before},
                                                                {"unauthorized", FailureClass::validation},
                                                                {"dns", FailureClass::validation},
                                                                {"incorrectResponse", FailureClass::validation},
                                                                {"caa", FailureClass::policy},
                                                                {"rejectedIdentifier", FailureClass::policy},
                                                                {"userActionRequired", FailureClass::account},
                                                                {"accountDoesNotExist", FailureClass::account},
                                                                {"malformed", FailureClass::ours},
                                                                {"badCSR", FailureClass::ours},
                                                                {"neverHeardOfIt", FailureClass::ours}};
  for (auto const& [type, expected] : table) {
    Problem problem;
    problem.type = type;
    problem.status = 400;
    EXPECT_EQ(classify(problem), expected) << type;
  }
}

}  // namespace
}  // namespace protocol
