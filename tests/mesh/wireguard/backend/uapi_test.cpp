#include "mesh/wireguard/backend/uapi.hpp"

#include "../samples.hpp"

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

Configuration configuration_of(std::vector<Change> const& changes) {
  Configuration out;
  for (auto const& change : changes) {
    out.device = change.device;
    merge(out, change);
  }
  return out;
}

TEST(Uapi, ANewDeviceIsOneRequest) {
  auto const text = uapi::encode_set(configuration_of(diff({samples::device()}, {}, Owner{"wg-", "a"}, 0)));
  EXPECT_EQ(text,
            "set=1\nprivate_key=" + samples::private_key(9).hex() +
                "\nlisten_port=51820\npublic_key=" + samples::key(2).hex() +
                "\nendpoint=192.0.2.2:51821\nreplace_allowed_ips=true\nallowed_ip=0.0.0.0/0\nallowed_ip=::/0\n\n");
}

TEST(Uapi, AChangedPeerIsOnlyUpdatedAndAGoneOneRemoved) {
  auto observed = samples::applied(samples::device());
  observed.peers[0].peer.keepalive_s = 25;
  observed.peers.push_back(ObservedPeer{Peer{samples::key(3), {}, {}, 0}, 0, 0, 0});
  auto const text = uapi::encode_set(configuration_of(diff({samples::device()}, {observed}, Owner{"wg-", "a"}, 0)));
  EXPECT_EQ(text, "set=1\npublic_key=" + samples::key(2).hex() +
                      "\nupdate_only=true\npersistent_keepalive_interval=0\npublic_key=" + samples::key(3).hex() +
                      "\nremove=true\n\n");
}

std::string const answer = "private_key=" + samples::private_key(9).hex() +
                           "\nlisten_port=51820\nfwmark=1\npublic_key=" + samples::key(2).hex() +
                           "\npreshared_key=" + std::string(64, '0') +
                           "\nprotocol_version=1\nendpoint=[2001:db8::2]:51821\nlast_handshake_time_sec=1700000000\n"
                           "last_handshake_time_nsec=5\ntx_bytes=148\nrx_bytes=92\npersistent_keepalive_interval=25\n"
                           "allowed_ip=0.0.0.0/0\nallowed_ip=::/0\npublic_key=" +
                           samples::key(3).hex() + "\nerrno=0\n\n";

TEST(Uapi, AnAnswerBecomesADevice) {
  ObservedDevice device;
  ASSERT_TRUE(uapi::decode_get(answer, device).has_value());
  EXPECT_TRUE(device.private_key == samples::private_key(9));
  EXPECT_EQ(device.listen_port, 51820);
  ASSERT_EQ(device.peers.size(), 2U);
  auto const& first = device.peers[0];
  EXPECT_EQ(first.peer.public_key, samples::key(2));
  EXPECT_EQ(first.peer.endpoint->text(), "[2001:db8::2]:51821");
  EXPECT_EQ(first.peer.allowed_ips.size(), 2U);
  EXPECT_EQ(first.peer.keepalive_s, 25);
  EXPECT_EQ(first.last_handshake_s, 1700000000);
  EXPECT_EQ(first.rx_bytes, 92U);
  EXPECT_EQ(first.tx_bytes, 148U);
  EXPECT_FALSE(device.peers[1].peer.endpoint.has_value());
}

TEST(Uapi, ReadingTwiceDoesNotAddUp) {
  ObservedDevice device;
  ASSERT_TRUE(uapi::decode_get(answer, device).has_value());
  ASSERT_TRUE(uapi::decode_get("errno=0\n\n", device).has_value());
  EXPECT_TRUE(device.peers.empty());
  EXPECT_FALSE(device.private_key.is_set());
}

TEST(Uapi, MalformedAnswersAreRefused) {
  for (std::string const& bad :
       {std::string(), std::string("listen_port=1\n\n"), std::string("nonsense\nerrno=0\n\n"),
        std::string("listen_port=x\nerrno=0\n\n"), std::string("listen_port=70000\nerrno=0\n\n"),
        std::string("errno=\n\n"), "public_key=" + samples::key(2).hex() + "\nallowed_ip=1.2.3.4/40\nerrno=0\n\n",
        "public_key=" + samples::key(2).hex() + "\nendpoint=host:1\nerrno=0\n\n"}) {
    ObservedDevice device;
    auto const read = uapi::decode_get(bad, device);
    ASSERT_FALSE(read.has_value()) << bad;
    EXPECT_EQ(read.error().code, errc::bad_message) << bad << read.error().what();
  }
}

TEST(Uapi, AMalformedKeyIsABadKey) {
  for (char const* name : {"public_key", "private_key"}) {
    ObservedDevice device;
    EXPECT_EQ(uapi::decode_get(std::string(name) + "=12\nerrno=0\n\n", device).error().code, errc::bad_key);
  }
}

TEST(Uapi, AFailureDoesNotRepeatTheValue) {
  ObservedDevice device;
  auto const read = uapi::decode_get("listen_port=secret\nerrno=0\n\n", device);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().detail.find("secret"), std::string::npos);
}

TEST(Uapi, ErrnoBecomesAFailure) {
  EXPECT_TRUE(uapi::decode_set("errno=0\n\n").has_value());
  EXPECT_EQ(uapi::decode_set("errno=-98\n\n").error().code, errc::port_in_use);
  EXPECT_EQ(uapi::decode_set("errno=-22\n\n").error().code, errc::rejected);
  EXPECT_EQ(uapi::decode_set("").error().code, errc::bad_message);
}

class UapiSocket : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "uapiXXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  static net::Task<void> ask(std::string path, ObservedDevice* device, std::optional<base::Result<void>>* out) {
    *out = co_await uapi::get(path, device, 200ms);
  }

  base::Result<void> get(std::string const& path) {
    std::optional<base::Result<void>> out;
    net::spawn(io.get_executor(), "test", ask(path, &device, &out));
    io.restart();
    io.run();
    return *out;
  }

  boost::asio::io_context io;
  std::filesystem::path folder;
  ObservedDevice device;
};

TEST_F(UapiSocket, NoSocketAndAStaleOneAreUnreachable) {
  auto const path = (folder / "wg-b.sock").string();
  EXPECT_EQ(get(path).error().code, errc::unreachable);
  { boost::asio::local::stream_protocol::acceptor const acceptor(io, path); }  // closed, the file stays
  ASSERT_TRUE(std::filesystem::exists(path));
  EXPECT_EQ(get(path).error().code, errc::unreachable);
}

TEST_F(UapiSocket, AProcessThatHangsEndsAtTheDeadline) {
  auto const path = (folder / "wg-b.sock").string();
  boost::asio::local::stream_protocol::acceptor const acceptor(io, path);
  EXPECT_EQ(get(path).error().code, net::errc::timed_out);
}

TEST_F(UapiSocket, APathThatNoSocketCanHaveIsUnreachable) {
  EXPECT_EQ(get("/" + std::string(200, 'x')).error().code, errc::unreachable);
}

}  // namespace
}  // namespace wireguard
