#include "base/process/descriptors.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

using process::Descriptor;

std::pair<Descriptor, Descriptor> packets() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    throw std::runtime_error("socketpair");
  }
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

bool is_open(int number) {
  return ::fcntl(number, F_GETFD) >= 0;
}

TEST(Descriptor, ClosesWhatItOwns) {
  auto [one, other] = packets();
  int const number = one.get();
  {
    Descriptor const moved = std::move(one);
    EXPECT_FALSE(one.open());  // NOLINT: what a moved-from one is, is the question
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
  auto const copy = other.duplicate();
  ASSERT_TRUE(copy);
  EXPECT_NE(copy->get(), other.get());
  EXPECT_EQ(::fcntl(copy->get(), F_GETFD), FD_CLOEXEC);
  EXPECT_FALSE(Descriptor().duplicate());
}

TEST(Packets, CarryTextAndADescriptor) {
  auto const [one, other] = packets();
  auto const [passed, peer] = packets();
  ASSERT_TRUE(process::send_packet(one.get(), "words"));
  ASSERT_TRUE(process::send_packet(one.get(), "socket", passed.get()));
  auto const first = process::receive_packet(other.get(), 100).value();
  EXPECT_EQ(first->text, "words");
  EXPECT_FALSE(first->descriptor.open());
  auto const second = process::receive_packet(other.get(), 100).value();
  EXPECT_EQ(second->text, "socket");
  ASSERT_TRUE(process::send_packet(second->descriptor.get(), "through"));
  EXPECT_EQ(process::receive_packet(peer.get(), 100).value()->text, "through");
}

TEST(Packets, TellTheEndFromNothingYetAndFromTooMuch) {
  auto [one, other] = packets();
  EXPECT_EQ(process::receive_packet(other.get(), 100).error().code,
            boost::system::errc::resource_unavailable_try_again);
  ASSERT_TRUE(process::send_packet(one.get(), "more than fits"));
  EXPECT_EQ(process::receive_packet(other.get(), 4).error().code, boost::system::errc::message_size);
  one = Descriptor();
  EXPECT_FALSE(process::receive_packet(other.get(), 100).value());
  EXPECT_FALSE(process::send_packet(other.get(), "nobody"));
}

TEST(ListenerPid, IsTheProcessThatListens) {
  test::TemporaryFolder const folder;
  std::string const path = folder.file("socket");
  EXPECT_EQ(process::listener_pid(path).value(), std::nullopt);
  {
    Descriptor const listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), address.sun_path);
    ASSERT_EQ(::bind(listening.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address), 0);
    EXPECT_EQ(process::listener_pid(path).value(), std::nullopt) << "bound, but nobody listens";
    ASSERT_EQ(::listen(listening.get(), 1), 0);
    EXPECT_EQ(process::listener_pid(path).value(), ::getpid());
  }
  EXPECT_EQ(process::listener_pid(path).value(), std::nullopt) << "the file alone is stale";
  EXPECT_FALSE(process::listener_pid(std::string(200, 'x')));
}

TEST(PassedDescriptors, AreForThisProcessOnly) {
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_PID", "1", 1);
  EXPECT_TRUE(process::take_passed_descriptors().empty());
  EXPECT_EQ(::getenv("LISTEN_FDS"), nullptr) << "children must not take them for theirs";
}

}  // namespace
