// The edge agent against a scripted Navigator and a TLS server that, like nginx, reads its files only when it is told.
#include "acme/edge/handshake.hpp"
#include "tests/acme/edge/agent_fixture.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace edge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_P(AgentTest, InstallsReloadsProvesAndAcknowledges) {
  bundles = {make(1)};
  start();
  ASSERT_TRUE(until([this] { return !acknowledged.empty(); }));
  EXPECT_THAT(acknowledged, ElementsAre(bundles[0].item.fingerprint));
  EXPECT_EQ(read(settings.directory + "/tenant-7/live/fullchain.pem"), bundles[0].chain_pem);
  EXPECT_THAT(read(settings.nginx_file), HasSubstr("server_name *.acme-tv.example acme-tv.example;"));
  ASSERT_TRUE(until([this] { return agent->status().bundles.size() == 1 && agent->status().bundles[0].acknowledged; }));
  EXPECT_THAT(agent->status().last_error, IsEmpty());
  EXPECT_EQ(read(folder.file("reloads")), "x\n");
}

TEST_P(AgentTest, ARenewedCertificateReplacesTheFormerOne) {
  bundles = {make(1)};
  start();
  ASSERT_TRUE(until([this] { return acknowledged.size() == 1; }));
  bundles = {make(2)};
  sequence = 2;
  ASSERT_TRUE(until([this] { return acknowledged.size() == 2; }));
  EXPECT_EQ(acknowledged.back(), bundles[0].item.fingerprint);
  // The former version is gone from the disk.
  EXPECT_TRUE(until([this] {
    return std::distance(std::filesystem::directory_iterator(settings.directory + "/tenant-7"), {}) == 2;
  }));
}

TEST_P(AgentTest, AFailedReloadPutsTheFormerFilesBackAndIsTriedAgain) {
  bundles = {make(1)};
  start();
  ASSERT_TRUE(until([this] { return acknowledged.size() == 1; }));
  std::string const former = bundles[0].item.fingerprint;
  std::string const nginx = read(settings.nginx_file);
  stop();
  settings.reload = {
      "/bin/sh", "-c",
      "echo broken configuration; test -e " + folder.file("repaired") + " && echo y >> " + folder.file("reloads")};
  Bundle second = make(2);
  second.item.names.push_back("extra.example");
  {
    test::TestCa const ca;
    test::KeyHandle const key = test::make_key();
    second.chain_pem = ca.chain(key.get(), {second.item.names});
    second.key_pem = test::key_pem(key.get());
    second.item.fingerprint = net::certificate_sha256(second.chain_pem).value();
  }
  bundles = {second};
  sequence = 2;
  start();
  ASSERT_TRUE(until([this] { return agent->status().last_error.find("reload") != std::string::npos; }));
  EXPECT_THAT(agent->status().last_error, HasSubstr("broken configuration"));
  EXPECT_EQ(Installation(settings.directory).live("tenant-7"), former);
  EXPECT_EQ(read(settings.nginx_file), nginx);
  std::ofstream(folder.file("repaired")) << "yes";
  ASSERT_TRUE(until([&] { return !acknowledged.empty() && acknowledged.back() == second.item.fingerprint; }));
}

TEST_P(AgentTest, OneBundleThatTheWebServerRefusesIsKeptOutAndNobodyElse) {
  bundles = {make(1), make(2, "tenant-8", "other")};
  settings.reload = {"/bin/sh", "-c",
                     "if grep -q tenant-8 " + settings.nginx_file + " && ! test -e " + folder.file("repaired") +
                         "; then echo no such thing; exit 1; fi; echo x >> " + folder.file("reloads")};
  settings.proof_deadline = std::chrono::milliseconds(300);
  start();
  ASSERT_TRUE(until([this] { return acknowledged.size() == 1; }));
  EXPECT_EQ(acknowledged[0], bundles[0].item.fingerprint);
  ASSERT_TRUE(until([this] { return agent->status().last_error.starts_with("tenant-8 is kept out"); }));
  EXPECT_THAT(agent->status().last_error, HasSubstr("no such thing"));
  EXPECT_THAT(read(settings.nginx_file), Not(HasSubstr("tenant-8")));
  EXPECT_FALSE(std::filesystem::exists(settings.directory + "/tenant-8/live"));
  // It is left alone until there is another one of it.
  std::ofstream(folder.file("repaired")) << "yes";
  std::string const reloads = read(folder.file("reloads"));
  int const before = lists;
  ASSERT_TRUE(until([&] { return lists > before + 3; }));
  EXPECT_EQ(read(folder.file("reloads")), reloads);
  bundles[1].item.sequence = 3;
  sequence = 2;
  ASSERT_TRUE(until([this] { return read(settings.nginx_file).find("tenant-8") != std::string::npos; }));
  ASSERT_TRUE(until([this] { return agent->status().last_error.find("kept out") == std::string::npos; }));
}

TEST_P(AgentTest, ACertificateThatNavigatorWantsNoWordOfIsNoFailure) {
  expired = true;
  bundles = {make(1)};
  start();
  ASSERT_TRUE(until([this] { return acknowledged.size() == 1; }));
  int const before = lists;
  ASSERT_TRUE(until([&] { return lists > before + 3; }));
  EXPECT_EQ(acknowledged.size(), 1U) << "once is enough";
  EXPECT_THAT(agent->status().last_error, IsEmpty());
  EXPECT_FALSE(agent->status().bundles.at(0).acknowledged);
  expired = false;
  bundles = {make(2)};
  sequence = 2;
  ASSERT_TRUE(until([this] { return agent->status().bundles.at(0).acknowledged; }));
}

TEST_P(AgentTest, NothingIsAcknowledgedThatIsNotServed) {
  bundles = {make(1)};
  settings.reload = {"/bin/true"};  // says yes and does nothing
  settings.proof_deadline = std::chrono::milliseconds(100);
  start();
  ASSERT_TRUE(until([this] { return !agent->status().last_error.empty(); }));
  EXPECT_THAT(agent->status().last_error, HasSubstr("not served"));
  EXPECT_THAT(acknowledged, IsEmpty());
}

// Retries are a minute apart: what comes in time does not wait for one.
TEST_P(AgentTest, ABundleThatNavigatorCannotGiveHoldsUpNobodyElse) {
  settings.retry_first = settings.retry_limit = std::chrono::minutes(1);
  bundles = {make(1), make(1, "tenant-8", "other")};
  unavailable = "tenant-8";
  start();
  ASSERT_TRUE(until([this] { return acknowledged.size() == 1; }));
  ASSERT_TRUE(until([this] { return agent->status().last_error.starts_with("tenant-8 is tried again"); }));
  EXPECT_THAT(agent->status().last_error, HasSubstr("503"));
  bundles[0] = make(2);
  sequence = 2;
  ASSERT_TRUE(until([this] { return acknowledged.size() == 2; }));
  EXPECT_EQ(acknowledged.back(), bundles[0].item.fingerprint);
  ASSERT_TRUE(until([this] { return !GetParam() || applied == "2"; })) << "what left the list is served no longer";
  // Another sequence is another chance.
  unavailable.clear();
  bundles[1].item.sequence = 3;
  sequence = 3;
  ASSERT_TRUE(until([this] { return std::filesystem::exists(settings.directory + "/tenant-8/live/privkey.pem"); }));
}

TEST_P(AgentTest, ABundleThatCouldNotBeHadIsAskedForAgain) {
  settings.long_poll = std::chrono::seconds(10);
  bundles = {make(1)};
  unavailable = "tenant-7";
  start();
  ASSERT_TRUE(until([this] { return agent->status().last_error.starts_with("tenant-7 is tried again"); }));
  unavailable.clear();
  ASSERT_TRUE(until([this] { return acknowledged.size() == 1; }));
  ASSERT_TRUE(until([this] { return agent->status().last_error.empty(); }));
}

// The web server has the name from elsewhere.
TEST_P(AgentTest, ABundleThatIsNotServedHoldsUpNobodyElse) {
  settings.retry_first = settings.retry_limit = std::chrono::minutes(1);
  settings.proof_deadline = std::chrono::milliseconds(300);
  bundles = {make(1), make(1, "tenant-8", "other")};
  start();
  ASSERT_TRUE(until([this] { return agent->status().last_error.starts_with("tenant-8 is tried again"); }));
  EXPECT_THAT(agent->status().last_error, HasSubstr("another certificate"));
  EXPECT_THAT(acknowledged, ElementsAre(bundles[0].item.fingerprint));
  bundles[0] = make(2);
  sequence = 2;
  ASSERT_TRUE(until([this] { return acknowledged.size() == 2; }));
  EXPECT_EQ(acknowledged.back(), bundles[0].item.fingerprint);
  ASSERT_TRUE(until([this] { return !GetParam() || applied == "2"; }));
  EXPECT_EQ(read(folder.file("reloads")), "x\nx\n") << "one for each change";
}

TEST_P(AgentTest, WhatIsNotServedIsReloadedAgainButNotForEver) {
  settings.proof_deadline = std::chrono::milliseconds(100);
  bundles = {make(1), make(1, "tenant-8", "other")};
  start();
  std::string const reloads = "x\nx\nx\nx\nx\nx\n";  // its own, and five more
  ASSERT_TRUE(until([&] { return read(folder.file("reloads")) == reloads; }));
  int const before = lists;
  ASSERT_TRUE(until([&] { return lists > before + 5; }));
  EXPECT_EQ(read(folder.file("reloads")), reloads);
  EXPECT_EQ(acknowledged.size(), 1U);
}

TEST_P(AgentTest, AReloadThatShowedNothingIsRepeated) {
  std::string const seen = folder.file("seen");
  settings.reload = {"/bin/sh", "-c",
                     "test -e " + seen + " && echo x >> " + folder.file("reloads") + "; touch " + seen};
  settings.proof_deadline = std::chrono::milliseconds(100);
  bundles = {make(1)};
  start();
  ASSERT_TRUE(until([this] { return acknowledged.size() == 1; }));
}

TEST_P(AgentTest, ABundleThatLeftTheListIsTakenOutOfTheWebServerAndOffTheDisk) {
  bundles = {make(1)};
  start();
  ASSERT_TRUE(until([this] { return acknowledged.size() == 1; }));
  bundles.clear();
  sequence = 2;
  ASSERT_TRUE(until([this] { return !std::filesystem::exists(settings.directory + "/tenant-7"); }));
  EXPECT_THAT(read(settings.nginx_file), Not(HasSubstr("server_name ")));
}

// A key that was staged, and what a removal left that was interrupted.
TEST_P(AgentTest, WhatIsLeftOfABundleThatIsNotListedGoesOffTheDisk) {
  ASSERT_TRUE(Installation(settings.directory).stage(make(1, "tenant-8")));
  std::filesystem::create_directory(settings.directory + "/tenant-9-11");
  std::filesystem::create_directory(settings.directory + "/lost+found");
  std::ofstream(settings.directory + "/tenant-9-11/privkey.pem") << "a key";
  bundles = {make(1)};
  start();
  ASSERT_TRUE(until([this] { return acknowledged.size() == 1; }));
  EXPECT_FALSE(std::filesystem::exists(settings.directory + "/tenant-8"));
  EXPECT_FALSE(std::filesystem::exists(settings.directory + "/tenant-9-11"));
  EXPECT_TRUE(std::filesystem::exists(settings.directory + "/tenant-7/live/privkey.pem"));
  EXPECT_TRUE(std::filesystem::exists(settings.directory + "/lost+found"));
}

// Without a look at the whole directory: by what the list says.
TEST_P(AgentTest, ABundleThatWasNeverMadeLiveLeavesNoKeyWhenItLeavesTheList) {
  settings.long_poll = std::chrono::milliseconds(3000);
  bundles = {make(1), make(2, "tenant-8", "other")};
  settings.reload = {"/bin/sh", "-c",
                     "grep -q tenant-8 " + settings.nginx_file + " && exit 1; echo x >> " + folder.file("reloads")};
  start();
  ASSERT_TRUE(until([this] { return agent->status().last_error.starts_with("tenant-8 is kept out"); }));
  ASSERT_TRUE(until([this] { return acknowledged.size() == 1; }));
  ASSERT_TRUE(std::filesystem::exists(settings.directory + "/tenant-8")) << "its key is staged";
  bundles.pop_back();
  sequence = 2;
  ASSERT_TRUE(until([this] { return !std::filesystem::exists(settings.directory + "/tenant-8"); }));
  EXPECT_TRUE(std::filesystem::exists(settings.directory + "/tenant-7/live/privkey.pem"));
}

TEST_P(AgentTest, AListThatCannotBeReadChangesNothing) {
  bundles = {make(1)};
  start();
  ASSERT_TRUE(until([this] { return acknowledged.size() == 1; }));
  broken = true;
  int const before = lists;
  ASSERT_TRUE(until([&] { return lists > before + 3; }));
  EXPECT_TRUE(std::filesystem::exists(settings.directory + "/tenant-7/live/privkey.pem"));
  EXPECT_THAT(agent->status().last_error, HasSubstr("bundle list"));
}

TEST_P(AgentTest, AfterARestartWhatIsServedIsAcknowledgedAgainWithoutAReload) {
  bundles = {make(1)};
  start();
  ASSERT_TRUE(until([this] { return acknowledged.size() == 1; }));
  stop();
  start();
  ASSERT_TRUE(until([this] { return acknowledged.size() == 2; }));
  EXPECT_EQ(read(folder.file("reloads")), "x\n");
}

TEST_P(AgentTest, ABundleWhoseKeyDoesNotFitIsNeverMadeLive) {
  bundles = {make(1)};
  bundles[0].key_pem = test::key_pem(test::make_key().get());
  start();
  ASSERT_TRUE(until([this] { return !agent->status().last_error.empty(); }));
  EXPECT_THAT(agent->status().last_error, HasSubstr("does not fit"));
  EXPECT_FALSE(std::filesystem::exists(settings.directory + "/tenant-7/live"));
}

TEST_P(AgentTest, TheNextNavigatorIsAskedWhenOneIsAway) {
  settings.navigators.insert(settings.navigators.begin(), "http://127.0.0.1:1");
  bundles = {make(1)};
  start();
  ASSERT_TRUE(until([this] { return acknowledged.size() == 1; }));
  EXPECT_EQ(agent->status().navigator, settings.navigators[1]);
}

TEST_P(AgentTest, AHandshakeWithNobodyIsAFailureWithWords) {
  auto const refused =
      test::run_task(loop, served_fingerprint("127.0.0.1", 1, "a.example", std::chrono::milliseconds(2000)));
  EXPECT_EQ(refused.error().code, net::errc::refused);
  auto const nonsense =
      test::run_task(loop, served_fingerprint("example.org", 1, "a.example", std::chrono::milliseconds(10)));
  EXPECT_EQ(nonsense.error().code, net::errc::unresolved);
}

INSTANTIATE_TEST_SUITE_P(Lists, AgentTest, testing::Bool(),
                         [](auto const& one) { return one.param ? "Changes" : "Whole"; });

class ChangesTest : public AgentTest {};

TEST_P(ChangesTest, WhatFailedIsTriedAgainOutOfTheListThatIsKnown) {
  bundles = {make(1)};
  settings.reload = {"/bin/sh", "-c", "test -e " + folder.file("repaired") + " && echo y >> " + folder.file("reloads")};
  start();
  ASSERT_TRUE(until([this] { return lists > 3; }));
  EXPECT_EQ(applied, "") << "nothing is said to be served";
  std::ofstream(folder.file("repaired")) << "yes";
  ASSERT_TRUE(until([this] { return acknowledged.size() == 1; }));
  ASSERT_TRUE(until([this] { return applied == "1"; }));
  EXPECT_EQ(wholes, 1);
}

TEST_P(ChangesTest, FilesThatWentMissingComeBackWithoutANewList) {
  bundles = {make(1)};
  start();
  ASSERT_TRUE(until([this] { return acknowledged.size() == 1; }));
  std::filesystem::remove_all(settings.directory + "/tenant-7");
  ASSERT_TRUE(until([this] { return std::filesystem::exists(settings.directory + "/tenant-7/live/privkey.pem"); }));
  EXPECT_EQ(wholes, 1);
}

INSTANTIATE_TEST_SUITE_P(Lists, ChangesTest, testing::Values(true));

// A port that was free a moment ago.
std::uint16_t free_port(asio::io_context& loop) {
  return asio::ip::tcp::acceptor(loop, {asio::ip::make_address("127.0.0.1"), 0}).local_endpoint().port();
}

// The recipes of docs/edges.md with the web servers themselves: the hook starts what does not run yet.
class RealWebServer : public AgentTest {
 protected:
  void two_certificates_one_after_the_other() {
    settings.nginx_file.clear();
    settings.proof_deadline = std::chrono::seconds(10);
    settings.probe_port = free_port(loop);
    port_known();
    for (int number = 1; number <= 2; ++number) {
      bundles = {make(number)};
      sequence = number;
      if (number == 1) {
        start();
      }
      ASSERT_TRUE(until([this, number] { return acknowledged.size() == static_cast<std::size_t>(number); }))
          << agent->status().last_error;
      EXPECT_EQ(acknowledged.back(), bundles[0].item.fingerprint);
    }
    // A tenant that leaves takes its certificate along, and an empty list is one that can be loaded.
    bundles.clear();
    sequence = 3;
    ASSERT_TRUE(until([this] { return !std::filesystem::exists(settings.directory + "/tenant-7"); }))
        << agent->status().last_error;
    stop();
  }
  // Ends what the hook started. HAProxy's master may be in the middle of a reload, where a signal is lost.
  void end_process(std::string const& pid_file) {
    auto const pid = static_cast<pid_t>(std::strtol(read(pid_file).c_str(), nullptr, 10));
    ASSERT_GT(pid, 1);
    EXPECT_TRUE(until([pid] { return kill(pid, SIGTERM) != 0; })) << "process " << pid << " does not end";
  }
  std::function<void()> port_known;  // writes the web server's configuration
  void write(std::string const& name, std::string const& text) const { std::ofstream(folder.file(name)) << text; }
};

TEST_P(RealWebServer, HaproxyServesWhatItsListNames) {
  if (access("/usr/sbin/haproxy", X_OK) != 0) {
    GTEST_SKIP() << "haproxy is not installed";
  }
  settings.haproxy_file = folder.file("tenants.list");
  std::string const pid = folder.file("haproxy.pid");
  std::string const config = folder.file("haproxy.cfg");
  settings.reload = {"/bin/sh", "-c",
                     "haproxy -c -q -f " + config + " && if test -e " + pid + "; then kill -USR2 $(cat " + pid +
                         "); else haproxy -W -D -f " + config + " -p " + pid + "; fi"};
  port_known = [&] {
    write("haproxy.cfg",
          "defaults\n  mode http\n  timeout connect 1s\n  timeout client 1s\n  timeout server 1s\n"
          "frontend tenants\n  bind 127.0.0.1:" +
              std::to_string(settings.probe_port) + " ssl strict-sni crt-list " + settings.haproxy_file +
              "\n  http-request return status 200\n");
  };
  two_certificates_one_after_the_other();
  end_process(pid);
}

TEST_P(RealWebServer, CaddyServesWhatItsImportNames) {
  if (access("/usr/bin/caddy", X_OK) != 0) {
    GTEST_SKIP() << "caddy is not installed";
  }
  settings.caddy_file = folder.file("tenants.caddy");
  std::string const admin = "127.0.0.1:" + std::to_string(free_port(loop));
  std::string const config = folder.file("Caddyfile");
  std::string const with = "XDG_DATA_HOME=" + folder.file("data") + " XDG_CONFIG_HOME=" + folder.file("config");
  settings.reload = {"/bin/sh", "-c",
                     "if test -e " + folder.file("caddy.pid") + "; then " + with + " caddy reload --config " + config +
                         " --address " + admin + "; else " + with + " caddy start --config " + config + " --pidfile " +
                         folder.file("caddy.pid") + " </dev/null >/dev/null 2>&1; fi"};
  port_known = [&] {
    write("Caddyfile", "{\n\tadmin " + admin + "\n\thttps_port " + std::to_string(settings.probe_port) +
                           "\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n(tenant) {\n\tbind 127.0.0.1\n"
                           "\trespond \"{args.0}\"\n}\nimport " +
                           settings.caddy_file + "\n");
  };
  two_certificates_one_after_the_other();
  end_process(folder.file("caddy.pid"));
}

INSTANTIATE_TEST_SUITE_P(Lists, RealWebServer, testing::Values(true));

}  // namespace
}  // namespace edge
