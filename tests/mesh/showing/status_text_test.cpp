#include "mesh/showing/status_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace showing {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(StatusText, TellsWhatAnOperatorAsksFirst) {
  auto const text = status_text(R"({"node":"ams-1","verdict":"ok","revision":7,"source":"controller",
    "controller":{"url":"https://c:1","connected":true},"backend":"wireguard-go",
    "devices":[{"name":"wg-nyc-1","up":true,"mtu":1420,"listen_port":51820,
      "peers":[{"endpoint":"192.0.2.3:51820","handshake_age_s":5,"rx_bytes":1,"tx_bytes":20000}]}],
    "waiting":["ams-1--fra-1"],
    "bird":{"running":true,"full":2,"neighbors":[
      {"interface":"wg-nyc-1","protocol":"ospf4","router_id":"10.200.0.3","state":"Full","bfd":true}]},
    "anycast":[{"service":"dns","address":"198.51.100.53","announced":true,"reason":"ok"}],
    "edge":{"bundles":[{"tenant":"acme","acknowledged":true}],"last_error":""},"failing":[],"warnings":["w"]})");
  for (auto const* part : {"ams-1 (ok)", "revision 7 from controller", "https://c:1 answers", "wg-nyc-1", "5 s ago",
                           "20 KB", "waiting for the other end of ams-1--fra-1", "2 neighbours full", "bfd up",
                           "dns 198.51.100.53 announced (ok)", "certificate acme served", "warning     w"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(StatusText, TellsWhatWasTakenBackAndWhatWaits) {
  auto const text = status_text(R"({"revision": 3, "waiting_revision": 6,
      "taken_back": {"revision": 4, "missing": "10.200.0.3", "tries": 2, "next_try_s": 60}})");
  EXPECT_NE(text.find("waiting     revision 6"), std::string::npos) << text;
  EXPECT_NE(text.find("taken back  revision 4, because it cost 10.200.0.3; tried 2 times, again within 0 s"),
            std::string::npos)
      << text;
  auto const calm = status_text(R"({"revision": 3, "waiting_revision": -1, "taken_back": null})");
  EXPECT_EQ(calm.find("taken back"), std::string::npos) << calm;
}

TEST(StatusText, TellsEachLinkInALine) {
  auto const text = status_text(R"({"node":"ams-1","verdict":"ok","bird":{"running":true,"full":3},"links":[
    {"link":"ams-1--nyc-1","node":"nyc-1","device":"wg-nyc-1","up":true,"cost":171,"cost_measured":true,
     "rtt_us":52340,"loss_percent":2,"handshake_age_s":17,"rx_bytes":1,"tx_bytes":20000,
     "ospf4":"Full","ospf6":"Init","bfd4":"Up","bfd6":"Up"},
    {"link":"ams-1--sin-1","node":"sin-1","device":"wg-sin-1","up":false,"cost":10,"cost_measured":false,
     "rtt_us":null,"loss_percent":null,"handshake_age_s":null,"ospf4":null,"ospf6":null,"bfd4":null,"bfd6":null}]})");
  EXPECT_THAT(text,
              testing::ContainsRegex("nyc-1 +wg-nyc-1 +up +171\\* +52.3 ms +2 % +17 s +1 B +20 KB +Full/Init +Up\n"));
  EXPECT_THAT(text, testing::ContainsRegex("sin-1 +wg-sin-1 +down +10 +- +- +never +0 B +0 B +- +-\n"));
}

TEST(StatusText, TellsWhyNothingIsMeasured) {
  EXPECT_THAT(status_text(R"({"node":"a","round_trips":{"failure":"no CAP_NET_RAW"}})"),
              HasSubstr("round trips are not measured: no CAP_NET_RAW\n"));
  EXPECT_THAT(status_text(R"({"node":"a","round_trips":{"failure":""}})"), Not(HasSubstr("round trips")));
}

TEST(StatusText, TellsWhyACertificateWasNotRenewed) {
  EXPECT_THAT(status_text(R"({"node":"a","controller":{"url":"https://c:1","renewal_failure":"not a member"}})"),
              HasSubstr("certificate not renewed: not a member\n"));
  EXPECT_THAT(status_text(R"({"node":"a","controller":{"url":"https://c:1","revocations_failure":"disk full"}})"),
              HasSubstr("revoked certificates here is not the controller's: disk full\n"));
  EXPECT_THAT(status_text(R"({"node":"a","controller":{"url":"https://c:1","renewal_failure":""}})"),
              Not(HasSubstr("renewed")));
}

TEST(StatusText, SurvivesAnythingADaemonMaySend) {
  for (char const* body :
       {"", "[]", "{}", "nonsense", R"({"devices":5,"bird":[],"anycast":[1,{"service":7}],"edge":1})",
        R"({"devices":[{"peers":[{"handshake_age_s":null}]}],"waiting":[1]})"}) {
    EXPECT_THAT(status_text(body), HasSubstr("node"));
    EXPECT_THAT(tokens_text(body, 0), HasSubstr("ID"));
    EXPECT_THAT(nodes_text(body), HasSubstr("NODE"));
  }
}

TEST(NodesText, SaysWhyAKeyWasNotChanged) {
  auto const text = nodes_text(R"({"nodes":[{"name":"n","public_key":"k","rotation":"none","rotation_failed":"no"}]})");
  EXPECT_THAT(text, HasSubstr("joined, keeps its key: no\n"));
}

TEST(TokensText, SaysWhyATokenIsWorthless) {
  auto const text = tokens_text(R"({"tokens":[
    {"id":"a","node":"n","uses":1,"used":0,"expires_at":150,"revoked":false},
    {"id":"b","node":"","uses":1,"used":1,"expires_at":150,"revoked":false},
    {"id":"c","node":"","uses":1,"used":0,"expires_at":100,"revoked":false},
    {"id":"d","node":"","uses":1,"used":0,"expires_at":150,"revoked":true}]})",
                                100);
  for (auto const* part : {"valid for 50 s", "used up", "expired", "revoked", "any"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(ProblemText, IsTheSentenceOfTheProblem) {
  EXPECT_EQ(problem_text(R"({"title":"taken","detail":"it joined"})"), "taken: it joined");
  EXPECT_EQ(problem_text("plain"), "plain");
}

}  // namespace
}  // namespace showing
