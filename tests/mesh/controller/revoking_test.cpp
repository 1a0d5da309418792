// Who is told that a removed node's certificate, or that of a name's former machine, is good no longer.
#include "tests/mesh/controller/controller_fixture.hpp"

#include "base/http_server/revocations.hpp"
#include "mesh/internal_ca/revocations.hpp"

namespace controller_tests {
namespace {

class RevokingTest : public ControllerTest {
 protected:
  std::string serial(std::string const& node) {
    return internal_ca::certificate_serial(
               process::read_file(enrolment::NodeFiles(folder_.file(node)).certificate).value())
        .value();
  }
  std::set<std::string> listed() {
    auto const root = process::read_file(folder_.file("controller/ca.crt")).value();
    net::HttpClientSettings settings;  // nobody's certificate: the list is for everybody
    settings.tls.ca_file = folder_.file("controller/ca.crt");
    settings.tls.server_name = "controller";
    net::HttpClient client(loop_.get_executor(), settings);
    auto const answer = ask(client, "/v1/crl");
    EXPECT_EQ(answer.status, 200);
    auto const verified = internal_ca::verify_revocations(answer.body, root, std::time(nullptr));
    EXPECT_TRUE(verified) << verified.error().what();
    number_ = verified ? *verified : 0;
    EXPECT_EQ(answer.headers.get("Privateer-Revocations"), std::to_string(number_));
    return net::parse_revocations(answer.body).value();
  }
  // Another machine joins by the name.
  void join_elsewhere(std::string const& name, std::string const& folder) {
    auto settings = node(folder);
    settings.node = name;
    auto const joined = test::run_task(loop_, enrolment::join(settings, token(R"({"node":")" + name + "\"}")));
    ASSERT_TRUE(joined) << joined.error().what();
  }

  using Serials = std::set<std::string>;
  std::int64_t number_ = 0;
};

TEST_F(RevokingTest, ARemovedNodesCertificatesAreListedAtOnceAndEverybodyIsToldByThePoll) {
  ASSERT_TRUE(join("ams-1", token()));
  ASSERT_TRUE(join("ams-2", token()));
  auto const first = serial("ams-2");
  ASSERT_TRUE(test::run_task(loop_, enrolment::renew(node("ams-2"))));
  EXPECT_EQ(listed(), Serials());
  auto const before = number_;
  auto const client = client_of("ams-1");
  auto const answer = poll(*client, world(*client).revision);
  EXPECT_EQ(admin("DELETE", "/v1/nodes/ams-2").status, 204);
  until_answered(answer);
  auto const told = std::string((*answer)->headers.get("Privateer-Revocations"));
  EXPECT_EQ(listed(), (Serials{first, serial("ams-2")})) << "also the one before the renewal, which is as good";
  EXPECT_GT(number_, before);
  EXPECT_EQ(told, std::to_string(number_));
}

TEST_F(RevokingTest, TheListIsTheSameOneWhileNobodyIsRevoked) {
  ASSERT_TRUE(join("ams-1", token()));
  listed();
  auto const before = number_;
  EXPECT_EQ(admin("POST", "/v1/nodes/ams-1/drain").status, 204);
  ASSERT_TRUE(test::run_task(loop_, enrolment::renew(node("ams-1"))));
  listed();
  EXPECT_EQ(number_, before) << "else every node fetches it after every change";
}

TEST_F(RevokingTest, TheFormerMachineOfANameIsListedAndTheNewOneIsNot) {
  ASSERT_TRUE(join("ams-1", token()));
  join_elsewhere("ams-1", "reinstalled");
  EXPECT_EQ(listed(), Serials{serial("ams-1")});
  EXPECT_EQ(admin("DELETE", "/v1/nodes/ams-1").status, 204);
  EXPECT_EQ(listed(), (Serials{serial("ams-1"), serial("reinstalled")}));
}

TEST_F(RevokingTest, AnOperatorThatWasRemovedIsListed) {
  auto settings = node("ann");
  settings.as_operator = true;
  ASSERT_TRUE(test::run_task(loop_, enrolment::join(settings, token(R"({"purpose":"operator","node":"ann"})"))));
  EXPECT_EQ(listed(), Serials());
  EXPECT_EQ(admin("DELETE", "/v1/nodes/ann.operator").status, 204);
  EXPECT_EQ(listed(), Serials{serial("ann")});
}

TEST_F(RevokingTest, ARestartForgetsNobodyAndTheNumberRises) {
  ASSERT_TRUE(join("ams-1", token()));
  EXPECT_EQ(admin("DELETE", "/v1/nodes/ams-1").status, 204);
  auto const gone = serial("ams-1");
  EXPECT_EQ(listed(), Serials{gone});
  restart_without("nothing");
  auto const before = number_;
  EXPECT_EQ(listed(), Serials{gone});
  EXPECT_GE(number_, before);
}

}  // namespace
}  // namespace controller_tests
