#include "dns-backend/handover/sockets.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <thread>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace {

using namespace std::chrono_literals;
using handover::SocketKind;

TEST(StoredSockets, ReachTheServiceManagerUnderTheirNames) {
  test::TemporaryFolder const folder;
  std::string const path = folder.file("notify");
  process::Descriptor const manager(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  ASSERT_EQ(::bind(manager.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  std::vector<std::string> heard;
  std::thread listening([&] {
    while (heard.size() < 3) {
      pollfd waiting{manager.get(), POLLIN, 0};
      if (::poll(&waiting, 1, 10000) != 1) {
        return;
      }
      auto packet = process::receive_packet(manager.get(), 4096);  // its descriptor closes: the barrier's answer
      heard.push_back(packet && *packet ? (*packet)->text : "nothing");
    }
  });
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  handover::OpenSockets sockets;
  sockets.push_back({SocketKind::unix_connection, process::Descriptor(ends[0])});
  sockets.push_back({SocketKind::unix_listener, process::Descriptor(ends[1])});
  auto const stored = handover::store_sockets(sockets, 10s);
  listening.join();
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_TRUE(stored);
  EXPECT_THAT(heard, testing::ElementsAre("FDSTORE=1\nFDNAME=navigator-unix-listener",
                                          "FDSTORE=1\nFDNAME=navigator-unix-connection", "BARRIER=1"));
}

}  // namespace
