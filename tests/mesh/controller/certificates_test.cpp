// What a controller certifies and by what, and how nodes renew.
#include "tests/mesh/controller/controller_fixture.hpp"

namespace controller_tests {
namespace {

// The certificate was renewed, or what issues certificates was replaced: the key stays, and is what a token pins.
TEST_F(ControllerTest, ATokenOutlivesTheControllersCertificate) {
  auto const before = token();
  auto const certificate = process::read_file(folder_.file("controller/controller.crt")).value();
  restart_without("controller.crt");
  EXPECT_NE(process::read_file(folder_.file("controller/controller.crt")).value(), certificate);
  auto const joined = join("ams-1", before);
  EXPECT_TRUE(joined) << joined.error().what();
}

TEST_F(ControllerTest, TheRootMayBeElsewhere) {
  ASSERT_TRUE(join("ams-1", token()));
  auto const waiting = token(R"({"node":"ams-2"})");
  controller_->stop();
  controller_.reset();
  std::string const directory = folder_.file("controller");
  ASSERT_TRUE(internal_ca::request_issuing(directory));
  auto const now_s = std::time(nullptr);
  auto const signed_pem =
      internal_ca::sign_issuing(directory, internal_ca::request_issuing(directory).value(), 86400, now_s).value();
  ASSERT_TRUE(internal_ca::install_issuing(directory, signed_pem, now_s));
  std::filesystem::remove(directory + "/ca.key");
  start("topology.yaml", true);
  EXPECT_EQ(world(*client_of("ams-1")).nodes.size(), 1U) << "joined by the root itself, it need not do anything";
  auto const joined = join("ams-2", waiting);
  ASSERT_TRUE(joined) << joined.error().what();
  EXPECT_EQ(world(*client_of("ams-2")).nodes.size(), 2U);
  ASSERT_TRUE(test::run_task(loop_, enrolment::renew(node("ams-1"))));
  EXPECT_EQ(world(*client_of("ams-1")).nodes.size(), 2U);
  auto const shown = json::parse(admin("GET", "/v1/status").body).at("authority");
  EXPECT_EQ(shown.at("root_key_here"), false);
  EXPECT_EQ(shown.at("alarm"), "");
}

// The machine that has the name runs on, and the token is good for when certificates are issued again.
TEST_F(ControllerTest, AJoinThatCannotBeCertifiedChangesNothing) {
  ASSERT_TRUE(join("ams-1", token()));
  auto const waiting = token(R"({"node":"ams-1"})");
  std::string const directory = folder_.file("controller");
  auto const now_s = std::time(nullptr);
  auto const issue_with = [&](std::int64_t from_s, std::int64_t lifetime_s) {
    controller_->stop();
    controller_.reset();
    auto const request = internal_ca::request_issuing(directory).value();
    auto const signed_pem = internal_ca::sign_issuing(directory, request, lifetime_s, from_s).value();
    ASSERT_TRUE(internal_ca::install_issuing(directory, signed_pem, from_s));
    start();
  };
  issue_with(now_s - 60, 30);
  auto settings = node("ams-1");
  settings.state_directory = folder_.file("reinstalled");
  std::filesystem::create_directories(settings.state_directory);
  EXPECT_FALSE(test::run_task(loop_, enrolment::join(settings, waiting)));
  EXPECT_EQ(admin("POST", "/v1/nodes/ams-1/drain").status, 204) << "another change tells the world anew";
  EXPECT_EQ(world(*client_of("ams-1")).removed.size(), 0U);
  auto const listed = json::parse(admin("GET", "/v1/tokens").body);
  for (auto const& row : listed.at("tokens").as_array()) {
    EXPECT_TRUE(row.at("id").as_string() != waiting.id || row.at("used").to_number<int>() == 0) << row;
  }
  issue_with(now_s, 86400);
  settings.controller_url = url();
  auto const joined = test::run_task(loop_, enrolment::join(settings, waiting));
  ASSERT_TRUE(joined) << joined.error().what();
  EXPECT_EQ(world(*client_of("reinstalled")).removed.size(), 1U);
}

// What a node can show when its certificate has ended: both keys that it joined with, and that it was not removed.
TEST_F(ControllerTest, ANodeWhoseCertificateHasEndedShowsItsKeys) {
  ASSERT_TRUE(join("ams-1", token()));
  ASSERT_TRUE(join("ams-2", token()));
  enrolment::NodeFiles const files(folder_.file("ams-1"));
  enrolment::NodeFiles const others(folder_.file("ams-2"));
  auto const ask_again = [&] { return test::run_task(loop_, enrolment::renew(node("ams-1"), enrolment::Shown::keys)); };
  std::filesystem::remove(files.certificate);
  auto const renewed = ask_again();
  ASSERT_TRUE(renewed) << renewed.error().what();
  EXPECT_EQ(world(*client_of("ams-1")).nodes.size(), 2U);
  for (auto const& [own, other] :
       {std::pair(files.wireguard_key, others.wireguard_key), std::pair(files.tls_key, others.tls_key)}) {
    auto const kept = process::read_file(own).value();
    ASSERT_TRUE(process::write_file_atomically(own, process::read_file(other).value(), 0600));
    EXPECT_EQ(ask_again().error().code, enrolment::errc::refused) << own;
    ASSERT_TRUE(process::write_file_atomically(own, kept, 0600));
  }
  EXPECT_TRUE(ask_again());
  EXPECT_EQ(admin("DELETE", "/v1/nodes/ams-1").status, 204);
  EXPECT_EQ(ask_again().error().code, enrolment::errc::refused) << "removed is removed";
}

TEST_F(ControllerTest, ARenewalThatShowsAnotherRootIsRefused) {
  ASSERT_TRUE(join("ams-1", token()));
  enrolment::NodeFiles const files(folder_.file("ams-1"));
  auto const root = process::read_file(files.ca).value();
  auto const stranger = internal_ca::make_root(internal_ca::make_key_pem().value(), std::time(nullptr)).value();
  // The connection is believed by either of them, the answer by the first alone: that is the one it joined by.
  ASSERT_TRUE(process::write_file_atomically(files.ca, stranger + root, 0644));
  auto const renewed = test::run_task(loop_, enrolment::renew(node("ams-1")));
  EXPECT_EQ(renewed.error().code, enrolment::errc::refused);
  EXPECT_THAT(renewed.error().what(), HasSubstr("another root"));
}

TEST_F(ControllerTest, NoNodeGetsTheControllersName) {
  controller_->stop();
  controller_.reset();
  ASSERT_TRUE(process::write_file_atomically(
      folder_.file("topology.yaml"), topology("  - {name: controller, site: ams, role: edge, underlay: [192.0.2.3]}\n"),
      0644));
  start();
  EXPECT_EQ(join("controller", token()).error().code, enrolment::errc::refused);
}

TEST_F(ControllerTest, ACertificateIsRenewedForTheSameNameOnly) {
  ASSERT_TRUE(join("ams-1", token()));
  enrolment::NodeFiles const files(folder_.file("ams-1"));
  auto const first = process::read_file(files.certificate).value();
  auto const renewed = test::run_task(loop_, enrolment::renew(node("ams-1")));
  ASSERT_TRUE(renewed) << renewed.error().what();
  EXPECT_NE(process::read_file(files.certificate).value(), first);
  auto const client = client_of("ams-1");
  EXPECT_EQ(world(*client).nodes.size(), 1U);
  auto const csr = internal_ca::make_csr_pem(internal_ca::make_key_pem().value(), "ams-2").value();
  EXPECT_EQ(ask(*client, "/v1/renew", "POST", json::serialize(json::object{{"csr_pem", csr}})).status, 422);
}

TEST_F(ControllerTest, ACertificateIsRenewedForTheKeyThatItIsForAlone) {
  ASSERT_TRUE(join("ams-1", token()));
  auto const client = client_of("ams-1");
  auto const csr = internal_ca::make_csr_pem(internal_ca::make_key_pem().value(), "ams-1").value();
  EXPECT_EQ(ask(*client, "/v1/renew", "POST", json::serialize(json::object{{"csr_pem", csr}})).status, 422);
}

}  // namespace
}  // namespace controller_tests
