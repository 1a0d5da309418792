#include "dns-backend/connector/listener.hpp"

#include "tests/dns-backend/connector/peer.hpp"
#include "tests/dns-backend/remote/world.hpp"
#include "tests/support/temporary_folder.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <future>
#include <thread>

#include <sys/stat.h>

namespace {

using testing::HasSubstr;

char const* const hello = "{\"method\": \"initialize\", \"parameters\": {\"path\": \"x\"}}\n";

// A control loop on a thread of its own, as the daemon's.
class WithListener {
 protected:
  WithListener() { settings.path = folder.file("remote.sock"); }
  ~WithListener() {
    on_loop([this] { listener.reset(); });
    work.reset();
    thread.join();
  }
  void on_loop(std::function<void()> const& function) {
    std::promise<void> done;
    boost::asio::post(loop, [&] {
      function();
      done.set_value();
    });
    done.get_future().get();
  }
  base::Result<void> open(connector::ListenerSettings const& wanted, handover::OpenSockets sockets = {}) {
    base::Result<void> out;
    on_loop([&] {
      auto opened = connector::Listener::open(loop.get_executor(), wanted, {published, health, nullptr, {}, &surroundings}, metrics,
                                              std::move(sockets));
      if (opened) {
        listener = std::move(*opened);
      } else {
        out = opened.error();
      }
    });
    return out;
  }

  handover::OpenSockets hand_over(std::chrono::milliseconds deadline) {
    std::promise<handover::OpenSockets> sockets;
    net::spawn(loop.get_executor(), "hand-over", take(*listener, deadline, sockets));
    return sockets.get_future().get();
  }
  static net::Task<void> take(connector::Listener& from, std::chrono::milliseconds deadline,
                              std::promise<handover::OpenSockets>& out) {
    out.set_value(co_await from.hand_over(deadline));
  }

  test::TemporaryFolder folder;
  connector::ListenerSettings settings;
  store::Published<store::Snapshot> published{test::snapshot({test::example()})};
  store::Published<geo::Surroundings> surroundings{std::make_shared<geo::Surroundings const>()};
  pool::HealthTable health;
  process::Metrics metrics;
  boost::asio::io_context loop{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{loop.get_executor()};
  std::unique_ptr<connector::Listener> listener;
  std::thread thread{[this] { loop.run(); }};
};

// Every one of them holds for connections on threads of their own, and for those above that number, on loops.
class Listening : public WithListener, public testing::TestWithParam<std::size_t> {
 protected:
  Listening() { settings.threads_max = GetParam(); }
};

class Threads : public WithListener, public testing::Test {};

TEST_P(Listening, AnswersEveryConnectionInTurn) {
  ASSERT_TRUE(open(settings));
  test::Peer first(settings.path);
  test::Peer second(settings.path);
  test::Peer third(settings.path);
  for (test::Peer* const peer : {&first, &second, &third}) {
    EXPECT_EQ(peer->ask(hello), "{\"result\":true}\n");
  }
  for (int i = 0; i < 100; ++i) {
    for (test::Peer* const peer : {&first, &second, &third}) {
      EXPECT_THAT(peer->ask(test::lookup("ns1.example.org.")), HasSubstr("192.0.2.1"));
    }
  }
  EXPECT_EQ(listener->connections(), 3U);
  EXPECT_THAT(metrics.text(), HasSubstr("navigator_remote_requests_total{method=\"lookup\"} 300"));
}

TEST_P(Listening, TheSocketIsForItsGroupOnly) {
  ASSERT_TRUE(open(settings));
  struct stat status {};
  ASSERT_EQ(::stat(settings.path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0660U);
}

TEST_P(Listening, AMissingFolderIsMadeAndAnUnknownGroupIsRefused) {
  settings.path = folder.file("made/remote.sock");
  settings.mode = 0600;
  ASSERT_TRUE(open(settings));
  struct stat status {};
  ASSERT_EQ(::stat(settings.path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  on_loop([this] { listener.reset(); });
  settings.group = "no-such-group";
  auto const refused = open(settings);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what(), HasSubstr("there is no group 'no-such-group'"));
  EXPECT_NE(::stat(settings.path.c_str(), &status), 0) << "the socket is gone";
}

TEST_P(Listening, ANewSnapshotIsAnsweredAtOnce) {
  ASSERT_TRUE(open(settings));
  test::Peer peer(settings.path);
  EXPECT_EQ(peer.ask(test::lookup("new.example.org.")), "{\"result\":[]}\n");
  auto draft = test::example();
  draft.record("new.example.org.", "A", {"192.0.2.99"});
  published.publish(test::snapshot({draft}));
  EXPECT_THAT(peer.ask(test::lookup("new.example.org.")), HasSubstr("192.0.2.99"));
}

TEST_P(Listening, NewCostsOfSitesCountAtOnce) {
  auto balancer = std::make_shared<pool::LoadBalancer>();
  balancer->steering = pool::Steering::mesh;
  for (auto const& [site, address] : {std::pair("ams", "192.0.2.50"), std::pair("syd", "192.0.2.51")}) {
    auto pool = std::make_shared<pool::Pool>();
    pool->site = site;
    pool->endpoints.push_back({site, address, "", "", health.slot(site)});
    balancer->pools.push_back(pool);
  }
  auto draft = test::example();
  draft.at("shop.example.org.").balancer = balancer;
  draft.at("shop.example.org.").balancer_has4 = true;
  published.publish(test::snapshot({draft}));
  ASSERT_TRUE(open(settings));
  test::Peer peer(settings.path);
  EXPECT_THAT(peer.ask(test::lookup("shop.example.org.")), HasSubstr("192.0.2.50")) << "no mesh";
  geo::SiteCosts const costs = {{"syd", 0}, {"ams", 7}};
  surroundings.publish(std::make_shared<geo::Surroundings const>(
      geo::Surroundings{nullptr, std::make_shared<geo::SiteCosts const>(costs)}));
  EXPECT_THAT(peer.ask(test::lookup("shop.example.org.")), HasSubstr("192.0.2.51"));
}

TEST_P(Listening, ARequestMayComeInPieces) {
  ASSERT_TRUE(open(settings));
  test::Peer peer(settings.path);
  std::string const whole = test::lookup("ns1.example.org.");
  for (char const c : whole) {
    peer.send(std::string(1, c));
  }
  EXPECT_THAT(peer.line(), HasSubstr("192.0.2.1"));
}

TEST_P(Listening, ALongReplyArrivesWhole) {
  auto draft = test::example();
  for (int i = 0; i < 20000; ++i) {
    draft.record("host-" + std::to_string(i) + ".example.org.", "A", {"192.0.2.7"});
  }
  published.publish(test::snapshot({draft}));
  ASSERT_TRUE(open(settings));
  test::Peer peer(settings.path);
  auto const reply = peer.ask("{\"method\":\"list\",\"parameters\":{\"zonename\":\"example.org.\",\"domain_id\":1}}\n");
  EXPECT_EQ(test::rows(reply).size(), 20013U);
  EXPECT_EQ(peer.ask(hello), "{\"result\":true}\n");
}

TEST_P(Listening, WhatIsNoRequestEndsTheConnectionWithoutAnAnswer) {
  ASSERT_TRUE(open(settings));
  test::Peer peer(settings.path);
  EXPECT_EQ(peer.ask("this is no JSON\n"), "");
  test::Peer next(settings.path);
  EXPECT_EQ(next.ask(hello), "{\"result\":true}\n");
  EXPECT_THAT(metrics.text(), HasSubstr("navigator_remote_failures_total{reason=\"bad_request\"} 1"));
}

TEST_P(Listening, ALineWithoutEndEndsTheConnection) {
  ASSERT_TRUE(open(settings));
  test::Peer peer(settings.path);
  peer.send(std::string(remote::request_limit, 'x'));
  EXPECT_EQ(peer.line(), "");
}

TEST_P(Listening, AnEmptyReplicaClosesTheConnectionOnGetAllDomains) {
  settings.refuse_while_empty = true;
  published.publish(std::make_shared<store::Snapshot>());
  ASSERT_TRUE(open(settings));
  test::Peer peer(settings.path);
  EXPECT_EQ(peer.ask(hello), "{\"result\":true}\n");
  EXPECT_EQ(peer.ask("{\"method\":\"getAllDomains\",\"parameters\":{\"include_disabled\":true}}\n"), "");
  published.publish(test::snapshot({test::example()}));
  test::Peer again(settings.path);
  EXPECT_THAT(again.ask("{\"method\":\"getAllDomains\",\"parameters\":{\"include_disabled\":true}}\n"), HasSubstr("example.org."));
}

TEST_P(Listening, ConnectionsAboveTheLimitAreClosedAndCounted) {
  settings.connections_max = 1;
  ASSERT_TRUE(open(settings));
  test::Peer first(settings.path);
  EXPECT_EQ(first.ask(hello), "{\"result\":true}\n");
  test::Peer second(settings.path);
  EXPECT_EQ(second.line(), "");
  EXPECT_EQ(first.ask(hello), "{\"result\":true}\n");
  EXPECT_THAT(metrics.text(), HasSubstr("navigator_remote_refused_connections_total 1"));
}

TEST_P(Listening, WithoutAStoreWritesAreRefusedWithAReason) {
  ASSERT_TRUE(open(settings));
  test::Peer peer(settings.path);
  EXPECT_THAT(peer.ask("{\"method\":\"setNotified\",\"parameters\":{\"id\":1,\"serial\":5}}\n"),
              HasSubstr("{\"result\":false,\"log\":["));
}

TEST_P(Listening, ASecondListenerOnTheSameSocketIsRefused) {
  ASSERT_TRUE(open(settings));
  process::Metrics other_metrics;
  base::Result<void> second;
  on_loop([&] {
    auto opened = connector::Listener::open(loop.get_executor(), settings, {published, health, nullptr, {}}, other_metrics);
    if (!opened) {
      second = opened.error();
    }
  });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, net::errc::in_use);
  test::Peer peer(settings.path);
  EXPECT_EQ(peer.ask(hello), "{\"result\":true}\n") << "the first one goes on";
}

TEST_P(Listening, AStaleSocketIsReplacedAndAFileIsNot) {
  int const dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, settings.path.c_str(), settings.path.size() + 1);
  ASSERT_EQ(::bind(dead, reinterpret_cast<sockaddr const*>(&address), sizeof address), 0);
  ::close(dead);
  EXPECT_TRUE(open(settings));
  auto other = settings;
  other.path = folder.file("file");
  std::FILE* const file = std::fopen(other.path.c_str(), "w");
  std::fclose(file);
  base::Result<void> opened;
  on_loop([&] {
    auto result = connector::Listener::open(loop.get_executor(), other, {published, health, nullptr, {}}, metrics);
    if (!result) {
      opened = result.error();
    }
  });
  EXPECT_FALSE(opened);
}

std::string post(std::string const& body, std::string const& more = "") {
  return "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/javascript; charset=utf-8\r\n" + more +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Status line, headers and body of one reply with a newline at its end.
std::string reply_of(test::Peer& peer) {
  std::string head;
  for (std::string line = peer.line(); !line.empty() && line != "\r\n"; line = peer.line()) {
    head += line;
  }
  return head.empty() ? head : head + peer.line();
}

TEST_P(Listening, HttpCarriesTheSameWordsAndKeepsTheConnection) {
  settings.http = "127.0.0.1:" + std::to_string(test::free_tcp_port());
  ASSERT_TRUE(open(settings));
  test::Peer peer(test::loopback_socket(settings.http));
  for (int i = 0; i < 3; ++i) {
    peer.send(post(test::lookup("ns1.example.org.")));
    std::string const reply = reply_of(peer);
    EXPECT_THAT(reply, testing::StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(reply, HasSubstr("192.0.2.1"));
  }
  EXPECT_EQ(listener->connections(), 1U);
  peer.send(post("this is no JSON"));
  EXPECT_EQ(peer.line(), "") << "an internal failure is no answer";
  test::Peer browser(test::loopback_socket(settings.http));
  browser.send(post(test::lookup("ns1.example.org."), "Origin: http://evil.example\r\n"));
  EXPECT_EQ(browser.line(), "");
}

TEST_P(Listening, HttpListensOnLoopbackOnly) {
  settings.http = "0.0.0.0:18053";
  EXPECT_FALSE(open(settings));
  settings.http = "192.0.2.1:18053";
  EXPECT_FALSE(open(settings));
}

TEST_P(Listening, ASuccessorGoesOnWithEveryConnection) {
  settings.http = "127.0.0.1:" + std::to_string(test::free_tcp_port());
  ASSERT_TRUE(open(settings));
  test::Peer line(settings.path);
  test::Peer http(test::loopback_socket(settings.http));
  EXPECT_EQ(line.ask(hello), "{\"result\":true}\n");
  http.send(post(test::lookup("ns1.example.org.")));
  EXPECT_THAT(reply_of(http), HasSubstr("192.0.2.1"));
  handover::OpenSockets sockets = hand_over(std::chrono::seconds(5));
  EXPECT_EQ(sockets.size(), 4U);
  // What is asked in between waits.
  line.send(test::lookup("ns1.example.org."));
  http.send(post(test::lookup("ns1.example.org.")));
  test::Peer early(settings.path);
  early.send(hello);
  on_loop([this] { listener.reset(); });
  ASSERT_TRUE(open(settings, std::move(sockets)));
  EXPECT_THAT(line.line(), HasSubstr("192.0.2.1"));
  EXPECT_THAT(reply_of(http), HasSubstr("192.0.2.1"));
  EXPECT_EQ(early.line(), "{\"result\":true}\n");
  EXPECT_EQ(line.ask(hello), "{\"result\":true}\n");
}

TEST_P(Listening, ARequestHalfSentIsWaitedForAndOneNeverEndedIsGivenUp) {
  ASSERT_TRUE(open(settings));
  test::Peer slow(settings.path);
  test::Peer dead(settings.path);
  for (test::Peer* const peer : {&slow, &dead}) {
    EXPECT_EQ(peer->ask(hello), "{\"result\":true}\n");
  }
  std::string const whole = test::lookup("ns1.example.org.");
  slow.send(whole.substr(0, 10));
  dead.send(whole.substr(0, 10));
  slow.wait_until_read();  // else the half goes to the successor, unread
  dead.wait_until_read();
  std::promise<handover::OpenSockets> handed;
  net::spawn(loop.get_executor(), "hand-over", take(*listener, std::chrono::milliseconds(300), handed));
  slow.send(whole.substr(10));
  EXPECT_THAT(slow.line(), HasSubstr("192.0.2.1"));
  EXPECT_EQ(handed.get_future().get().size(), 2U) << "the listener and one connection";
  EXPECT_EQ(dead.line(), "");
}

TEST_P(Listening, WithoutASuccessorItGoesOn) {
  ASSERT_TRUE(open(settings));
  test::Peer peer(settings.path);
  EXPECT_EQ(peer.ask(hello), "{\"result\":true}\n");
  auto sockets = std::make_shared<handover::OpenSockets>(hand_over(std::chrono::seconds(5)));
  on_loop([&] { listener->go_on(std::move(*sockets)); });
  EXPECT_THAT(peer.ask(test::lookup("ns1.example.org.")), HasSubstr("192.0.2.1"));
  test::Peer next(settings.path);
  EXPECT_EQ(next.ask(hello), "{\"result\":true}\n");
}

// Whatever a session does when it is called (waits, reads, writes), no octet and no reply is lost.
TEST_P(Listening, ManySuccessionsUnderTrafficLoseNothing) {
  ASSERT_TRUE(open(settings));
  std::atomic<bool> enough{false};
  std::atomic<int> wrong{0};
  std::array<test::Peer, 3> peers{test::Peer(settings.path), test::Peer(settings.path), test::Peer(settings.path)};
  std::vector<std::thread> askers;
  for (test::Peer& peer : peers) {
    askers.emplace_back([&] {
      while (!enough.load()) {
        wrong += peer.ask(test::lookup("ns1.example.org.")).find("192.0.2.1") == std::string::npos ? 1 : 0;
      }
    });
  }
  for (int i = 0; i < 30; ++i) {
    auto sockets = std::make_shared<handover::OpenSockets>(hand_over(std::chrono::seconds(5)));
    if (i % 2 == 0) {
      on_loop([this] { listener.reset(); });
      ASSERT_TRUE(open(settings, std::move(*sockets)));
    } else {
      on_loop([&] { listener->go_on(std::move(*sockets)); });
    }
  }
  enough.store(true);
  for (std::thread& asker : askers) {
    asker.join();
  }
  EXPECT_EQ(wrong.load(), 0);
  on_loop([this] { EXPECT_EQ(listener->connections(), 3U); });
}

TEST_P(Listening, RequestsThatComeTogetherAreAnsweredInTurn) {
  ASSERT_TRUE(open(settings));
  test::Peer peer(settings.path);
  std::string const lookup = test::lookup("ns1.example.org.");
  peer.send(hello + lookup + hello + lookup.substr(0, 20));
  EXPECT_EQ(peer.line(), "{\"result\":true}\n");
  EXPECT_THAT(peer.line(), HasSubstr("192.0.2.1"));
  EXPECT_EQ(peer.line(), "{\"result\":true}\n");
  peer.send(lookup.substr(20));
  EXPECT_THAT(peer.line(), HasSubstr("192.0.2.1"));
}

TEST_P(Listening, StoppingClosesConnectionsAndRemovesTheSocket) {
  ASSERT_TRUE(open(settings));
  test::Peer peer(settings.path);
  EXPECT_EQ(peer.ask(hello), "{\"result\":true}\n");
  on_loop([this] { listener->stop(); });
  EXPECT_EQ(peer.line(), "");
  struct stat status {};
  EXPECT_NE(::stat(settings.path.c_str(), &status), 0);
  EXPECT_EQ(listener->connections(), 0U);
}

// A zone that was replaced must not stay in memory for an idle connection's sake.
TEST_F(Threads, AnIdleConnectionHoldsNoSnapshot) {
  ASSERT_TRUE(open(settings));
  test::Peer peer(settings.path);
  EXPECT_THAT(peer.ask(test::lookup("ns1.example.org.")), HasSubstr("192.0.2.1"));
  std::weak_ptr<store::Snapshot const> const old = published.copy();
  published.publish(test::snapshot({}));
  for (int attempt = 0; attempt < 2000 && !old.expired(); ++attempt) {
    ::poll(nullptr, 0, 5);
  }
  EXPECT_TRUE(old.expired());
  EXPECT_EQ(peer.ask(test::lookup("ns1.example.org.")), "{\"result\":[]}\n");
}

// Beyond the number of threads the loops serve, and all are handed over.
TEST_F(Threads, ConnectionsBeyondTheirNumberAreTheLoops) {
  settings.threads_max = 1;
  ASSERT_TRUE(open(settings));
  test::Peer first(settings.path);
  test::Peer second(settings.path);
  test::Peer third(settings.path);
  for (test::Peer* const peer : {&first, &second, &third}) {
    EXPECT_THAT(peer->ask(test::lookup("ns1.example.org.")), HasSubstr("192.0.2.1"));
  }
  EXPECT_EQ(hand_over(std::chrono::seconds(5)).size(), 4U);
}

INSTANTIATE_TEST_SUITE_P(ThreadsAndLoops, Listening, testing::Values(32U, 0U), [](auto const& given) {
  return given.param == 0 ? std::string("Loops") : std::string("Threads");
});

}  // namespace
