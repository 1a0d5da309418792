#include "dns-backend/handover/handover.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <future>
#include <thread>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using handover::OpenSockets;
using handover::Predecessor;
using handover::SocketKind;

std::pair<process::Descriptor, process::Descriptor> connected_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw std::runtime_error("socketpair");
  }
  return {process::Descriptor(ends[0]), process::Descriptor(ends[1])};
}

// The running process: its steps write down what they were asked for.
class HandingOver : public testing::Test {
 protected:
  ~HandingOver() override {
    offer.reset();
    work.reset();
    loop.stop();
    if (thread.joinable()) {
      thread.join();
    }
  }
  void offer_with(handover::OfferLimits limits = {}) {
    handover::OfferSteps steps;
    steps.release = [this] { return release(*this); };
    steps.give = [this] { return give(*this); };
    steps.gone = [this] { ending.set_value("gone"); };
    steps.stay = [this](OpenSockets back) { ending.set_value("stays with " + std::to_string(back.size())); };
    offer = handover::Offer::open(loop.get_executor(), path, std::move(steps), limits).value();
    thread = std::thread([this] { loop.run(); });
  }
  static net::Task<void> release(HandingOver& test) {
    test.released = true;
    co_return;
  }
  static net::Task<OpenSockets> give(HandingOver& test) {
    OpenSockets sockets;
    sockets.push_back({SocketKind::unix_listener, test.kept.second.duplicate().value()});
    sockets.push_back({SocketKind::unix_connection, test.kept.second.duplicate().value()});
    co_return sockets;
  }
  std::string ended() {
    auto future = ending.get_future();
    return future.wait_for(10s) == std::future_status::ready ? future.get() : "never";
  }

  test::TemporaryFolder folder;
  std::string path = folder.file("handover");
  std::pair<process::Descriptor, process::Descriptor> kept = connected_pair();
  boost::asio::io_context loop{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{loop.get_executor()};
  std::unique_ptr<handover::Offer> offer;
  std::promise<std::string> ending;
  std::atomic<bool> released{false};
  std::thread thread;
};

TEST_F(HandingOver, TheSuccessorGetsEverySocketAndTheOldOneGoes) {
  offer_with();
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  auto predecessor = Predecessor::ask(path, 10s).value();
  ASSERT_TRUE(predecessor);
  EXPECT_TRUE(released);
  OpenSockets const sockets = predecessor->take(10s).value();
  ASSERT_EQ(sockets.size(), 2U);
  EXPECT_EQ(sockets[0].kind, SocketKind::unix_listener);
  EXPECT_EQ(sockets[1].kind, SocketKind::unix_connection);
  EXPECT_EQ(ended(), "gone");
  EXPECT_NE(::stat(path.c_str(), &status), 0) << "the successor makes its own";
  ASSERT_EQ(::write(sockets[1].descriptor.get(), "x", 1), 1);
  char got = 0;
  EXPECT_EQ(::read(kept.first.get(), &got, 1), 1);
  EXPECT_EQ(got, 'x');
}

TEST_F(HandingOver, ASuccessorThatDiesWhileItLoadsChangesNothing) {
  offer_with();
  {
    auto const predecessor = Predecessor::ask(path, 10s).value();
    ASSERT_TRUE(predecessor);
  }
  EXPECT_EQ(ended(), "stays with 0");
}

TEST_F(HandingOver, ASuccessorThatDiesBeforeItConfirmsChangesNothing) {
  offer_with();
  process::Descriptor peer(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  ASSERT_EQ(::connect(peer.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address), 0);
  ASSERT_TRUE(process::send_packet(peer.get(), "navigator 1 release"));
  ASSERT_TRUE(process::send_packet(peer.get(), "give"));
  peer = process::Descriptor();
  EXPECT_THAT(ended(), testing::StartsWith("stays with "));
}

TEST_F(HandingOver, ASuccessorThatIsTooSlowIsNotWaitedFor) {
  offer_with({50ms, 5000ms});
  auto predecessor = Predecessor::ask(path, 10s).value();
  ASSERT_TRUE(predecessor);
  EXPECT_EQ(ended(), "stays with 0");
  EXPECT_FALSE(predecessor->take(10s)) << "and must not serve";
}

TEST_F(HandingOver, WithoutAPredecessorThereIsNone) {
  EXPECT_FALSE(Predecessor::ask(path, 1s).value());
  EXPECT_FALSE(Predecessor::ask(std::string(200, 'x'), 1s));
}

TEST(SocketKinds, TravelByName) {
  for (auto const kind : {SocketKind::unix_listener, SocketKind::unix_connection, SocketKind::http_listener,
                          SocketKind::http_connection}) {
    EXPECT_EQ(handover::parse_kind(handover::to_text(kind)), kind);
  }
  EXPECT_FALSE(handover::parse_kind("unknown"));
}

TEST(StoredSockets, WithoutAServiceManagerAreRefusedWithAReason) {
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_TRUE(handover::passed_sockets().empty());
  OpenSockets sockets;
  sockets.push_back({SocketKind::unix_connection, connected_pair().first});
  auto const stored = handover::store_sockets(sockets, 100ms);
  ASSERT_FALSE(stored);
  EXPECT_THAT(stored.error().what(), testing::HasSubstr("service manager"));
}

}  // namespace
