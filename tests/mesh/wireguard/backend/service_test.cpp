#include "mesh/wireguard/backend/service.hpp"

#include "mesh/wireguard/error.hpp"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <sys/stat.h>

#include <fstream>
#include <optional>

namespace wireguard {
namespace {

constexpr SystemdSigns everything{true, true, true};

TEST(Services, AreSystemdsWhereItStartedTheAgentAndHasTheUnit) {
  BackendSettings settings;
  EXPECT_TRUE(by_systemd(settings, everything));
  EXPECT_FALSE(by_systemd(settings, {false, true, true}));
  EXPECT_FALSE(by_systemd(settings, {true, false, true})) << "an agent of a lab";
  EXPECT_FALSE(by_systemd(settings, {true, true, false}));
  settings.command = {"nice", "wireguard-go"};
  EXPECT_FALSE(by_systemd(settings, everything)) << "the unit has a command of its own";
}

TEST(Services, AreWhoseTheSettingSays) {
  BackendSettings settings;
  settings.service = ServiceChoice::child;
  EXPECT_FALSE(by_systemd(settings, everything));
  settings.service = ServiceChoice::systemd;
  EXPECT_TRUE(by_systemd(settings, {}));
}

TEST(Services, HaveTheDevicesNameInTheirs) {
  EXPECT_EQ(unit_of("wg-ams-1"), R"(privateer-wireguard@wg\x2dams\x2d1.service)");
  EXPECT_EQ(unit_of("wg-ams~"), R"(privateer-wireguard@wg\x2dams\x7e.service)") << "of a next key";
  EXPECT_EQ(unit_of("wg0a:b_c.D"), "privateer-wireguard@wg0a:b_c.D.service");
  EXPECT_EQ(unit_of(".a\xff"), R"(privateer-wireguard@\x2ea\xff.service)");
}

TEST(Services, ARefusalIsNotAUnitThatFails) {
  EXPECT_TRUE(is_of_the_unit("Job for privateer-wireguard@wg-a.service failed.\nSee \"journalctl -xe\"\n"));
  EXPECT_FALSE(
      is_of_the_unit("Failed to start privateer-wireguard@wg-a.service: Interactive authentication required."));
  EXPECT_FALSE(is_of_the_unit("Failed to start privateer-wireguard@wg-a.service: Access denied"));
  EXPECT_FALSE(is_of_the_unit("Failed to connect to bus: No such file or directory"));
  EXPECT_FALSE(is_of_the_unit("Failed to start a.service: Unit privateer-wireguard@wg-a.service not found."));
}

// A systemctl that says what the test wants.
class AskedServices : public testing::Test {
 protected:
  static net::Task<void> ask(Services* services, std::optional<base::Result<void>>* out) {
    *out = co_await services->start("wg-a");
  }

  base::Result<void> start(std::string const& script) {
    auto const path = testing::TempDir() + "/systemctl-" + std::to_string(::getpid());
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    ::chmod(path.c_str(), 0755);
    Services services({path});
    boost::asio::io_context io;
    std::optional<base::Result<void>> out;
    net::spawn(io.get_executor(), "test", ask(&services, &out));
    io.run();
    ::unlink(path.c_str());
    return *out;
  }
};

TEST_F(AskedServices, AreStartedByName) {
  EXPECT_TRUE(
      start(R"(test "$*" = "--no-ask-password --quiet start privateer-wireguard@wg\x2da.service")").has_value());
}

TEST_F(AskedServices, SayWhatSystemctlSaid) {
  auto const refused = start("echo Access denied >&2; exit 4").error();
  EXPECT_EQ(refused.code, errc::no_permission);
  EXPECT_NE(refused.what().find(R"(systemctl start privateer-wireguard@wg\x2da.service: Access denied)"),
            std::string::npos)
      << refused.what();
  EXPECT_EQ(start("echo Job for it failed.; exit 1").error().code, errc::no_program);
}

TEST(AbsentSystemctl, IsARefusal) {
  Services services({"/nonexistent/systemctl"});
  boost::asio::io_context io;
  std::optional<base::Result<void>> out;
  auto const run = [](Services* it, std::optional<base::Result<void>>* result) -> net::Task<void> {
    *result = co_await it->stop("wg-a");
  };
  net::spawn(io.get_executor(), "test", run(&services, &out));
  io.run();
  EXPECT_EQ(out->error().code, errc::no_permission);
}

}  // namespace
}  // namespace wireguard
