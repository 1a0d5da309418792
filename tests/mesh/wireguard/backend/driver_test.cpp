#include "mesh/wireguard/backend/driver.hpp"

#include <gtest/gtest.h>

#include <unistd.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <cstdlib>
#include <filesystem>
#include <optional>

namespace wireguard {
namespace {

using namespace std::chrono_literals;
namespace local = boost::asio::local;

class Driver : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "driverXXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
    BackendSettings settings;
    settings.socket_directory = folder;
    settings.read_deadline = 100ms;
    driver.emplace(Links::open().value(), settings, std::nullopt);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  static net::Task<void> ask(UserspaceDriver* driver, ObservedDevice* device, std::optional<base::Result<void>>* out) {
    *out = co_await driver->read(device);
  }

  base::Result<void> read(std::string const& name) {
    device = {};
    device.name = name;
    device.kind = "tun";
    std::optional<base::Result<void>> out;
    net::spawn(io.get_executor(), "test", ask(&*driver, &device, &out));
    io.restart();
    io.run();
    return *out;
  }

  // How many connections wait at the socket of a process that takes none.
  std::size_t callers(local::stream_protocol::acceptor& acceptor) {
    acceptor.non_blocking(true);
    std::size_t out = 0;
    boost::system::error_code error;
    for (;; ++out) {
      local::stream_protocol::socket taken(io);
      acceptor.accept(taken, error);
      if (error) {
        return out;
      }
    }
  }

  boost::asio::io_context io;
  std::string folder;
  std::optional<UserspaceDriver> driver;
  ObservedDevice device;
};

TEST_F(Driver, AProcessThatHangsIsNotAskedAgainAtOnce) {
  local::stream_protocol::acceptor acceptor(io, folder + "/wg-b.sock");
  EXPECT_EQ(read("wg-b").error().code, net::errc::timed_out);
  EXPECT_EQ(read("wg-b").error().code, net::errc::timed_out);
  EXPECT_EQ(callers(acceptor), 1U);
  EXPECT_TRUE(read("wg-c").has_value()) << "another device's is";
}

TEST_F(Driver, ATunThatNobodyListensForIsSomebodyElses) {
  EXPECT_TRUE(read("wg-b").has_value());
  EXPECT_FALSE(device.wireguard);
}

TEST_F(Driver, ASocketThatMayNotBeOpenedIsNotNobodys) {
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root may open everything";
  }
  local::stream_protocol::acceptor const acceptor(io, folder + "/wg-b.sock");
  std::filesystem::permissions(folder + "/wg-b.sock", std::filesystem::perms::none);
  EXPECT_EQ(read("wg-b").error().code, errc::no_permission);
}

}  // namespace
}  // namespace wireguard
