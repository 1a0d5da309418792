#include "mesh/doctor/observe.hpp"

#include "base/process/service.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Advertisements : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "observeXXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
    set("1", "1");
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void set(std::string const& accept_ra, std::string const& forwarding) {
    auto const conf = folder + "/net/ipv6/conf/eth0";
    std::filesystem::create_directories(conf);
    ASSERT_TRUE(process::write_file_atomically(conf + "/accept_ra", accept_ra + "\n", 0644));
    ASSERT_TRUE(process::write_file_atomically(conf + "/forwarding", forwarding + "\n", 0644));
  }

  std::string folder;
};

// As the kernel prints them: address, index, prefix length, scope, flags, interface.
std::string const loopback = "00000000000000000000000000000001 01 80 10 80       lo\n";
std::string const link_local = "fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n";
std::string const advertised = "20010db800770000dc8bbcfffef85ddf 04 40 00 00     eth0\n";
std::string const fixed = "20010db8000000000000000000000002 04 40 00 80     eth0\n";

TEST_F(Advertisements, AreIgnoredWhereTheNodeForwardsAndNobodySaidTwo) {
  EXPECT_THAT(doctor::deaf_to_routers(loopback + link_local + fixed + advertised + advertised, folder),
              ElementsAre("eth0"));
  set("2", "1");
  EXPECT_THAT(doctor::deaf_to_routers(advertised, folder), IsEmpty());
  set("1", "0");
  EXPECT_THAT(doctor::deaf_to_routers(advertised, folder), IsEmpty());
  set("0", "1");  // something else than the kernel takes them
  EXPECT_THAT(doctor::deaf_to_routers(advertised, folder), IsEmpty());
}

TEST_F(Advertisements, AreNotMissedWhereAddressesAreFixed) {
  EXPECT_THAT(doctor::deaf_to_routers(loopback + link_local + fixed, folder), IsEmpty());
  EXPECT_THAT(doctor::deaf_to_routers("", folder), IsEmpty());
}

}  // namespace
