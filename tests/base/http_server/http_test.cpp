// Client and server together over unix sockets, TCP and TLS, and each against a peer that misbehaves.
#include "base/http_client/http_client.hpp"
#include "base/http_server/http_server.hpp"
#include "base/process/service.hpp"

#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/test_certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <sys/stat.h>

#include <list>
#include <optional>
#include <utility>

namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using net::HttpClient;
using net::HttpClientSettings;
using net::HttpRequest;
using net::HttpResponse;
using net::HttpServer;
using net::Task;
using testing::HasSubstr;

// What the handlers of a test share.
struct World {
  int started = 0;
  int alive = 0;
  std::unique_ptr<net::Signal> begun;
  std::unique_ptr<net::Signal> ended;
};

struct Alive {
  explicit Alive(World& owner) : world(owner) { ++world.alive; }
  Alive(Alive const&) = delete;
  Alive& operator=(Alive const&) = delete;
  ~Alive() {
    --world.alive;
    world.ended->notify();
  }
  World& world;
};

Task<HttpResponse> echo(HttpRequest request) {
  co_return HttpResponse::text(200, request.method + " " + request.target + " " + request.body);
}
Task<HttpResponse> who(HttpRequest request) {
  co_return HttpResponse::text(200,
                               std::string(request.peer.is_unix ? "unix " : "net ") + request.peer.certificate_name);
}
Task<HttpResponse> large(HttpRequest) {
  co_return HttpResponse::text(200, std::string(3'000'000, 'x'));
}
Task<HttpResponse> no_content(HttpRequest) {
  co_return HttpResponse{204, {}, ""};
}
Task<HttpResponse> hang(World& world) {
  Alive const alive(world);
  ++world.started;
  world.begun->notify();
  for (;;) {
    co_await net::wait_for(1h);
  }
  co_return HttpResponse();
}

class HttpTest : public testing::Test {
 protected:
  HttpTest() : ca_(folder_.path()) {
    world_.begun = std::make_unique<net::Signal>(loop_.get_executor());
    world_.ended = std::make_unique<net::Signal>(loop_.get_executor());
    router_.add("GET", "/echo", echo);
    router_.add("POST", "/echo", echo);
    router_.add("GET", "/who", who);
    router_.add("GET", "/large", large);
    router_.add("DELETE", "/thing", no_content);
    router_.add("GET", "/hang", [this](HttpRequest) { return hang(world_); });
    ca_.issue("server", "DNS:localhost,IP:127.0.0.1");
    ca_.issue("client", "DNS:ams1,DNS:ams1.internal");
    server_.emplace(loop_.get_executor(), router_, settings_);
  }

  net::Identity identity(std::string const& name) const { return {ca_.file(name + ".pem"), ca_.file(name + ".key")}; }

  void listen_tls(bool ask, bool require) {
    net::TlsServerSettings tls;
    tls.identity = identity("server");
    tls.client_ca_file = ask ? ca_.file("ca.pem") : "";
    tls.require_client_certificate = require;
    auto const done = server_->listen_tls("127.0.0.1:0", tls);
    ASSERT_TRUE(done) << done.error().what();
  }
  std::string base(std::string const& scheme) const {
    return scheme + "://127.0.0.1:" + std::to_string(server_->local_port());
  }
  HttpClientSettings trusting() const {
    HttpClientSettings settings;
    settings.tls.ca_file = ca_.file("ca.pem");
    return settings;
  }

  base::Result<HttpResponse> send(HttpClient& client, std::string const& url, std::string const& method = "GET",
                                  std::string const& body = "", std::chrono::milliseconds deadline = 20s) {
    HttpRequest request;
    request.method = method;
    request.body = body;
    return test::run_task(loop_, client.send(url, std::move(request), deadline));
  }
  base::Result<HttpResponse> send(HttpClientSettings const& settings, std::string const& url) {
    HttpClient client(loop_.get_executor(), settings);
    return send(client, url);
  }

  test::TemporaryFolder folder_;
  boost::asio::io_context loop_{1};
  World world_;
  net::Router router_;
  test::TestAuthority ca_;
  net::HttpServerSettings settings_;
  std::optional<HttpServer> server_;
};

TEST_F(HttpTest, SpeaksOverAUnixSocketWithTheGivenModeAndRemovesItAtStop) {
  auto const path = folder_.file("api.sock");
  ASSERT_TRUE(server_->listen_unix(path, 0660));
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0660U);
  HttpClient client(loop_.get_executor(), {});
  EXPECT_EQ(send(client, "unix:" + path + ":/who")->body, "unix ");
  EXPECT_EQ(send(client, "unix:" + path + ":/echo?a=b", "POST", "body")->body, "POST /echo?a=b body");
  server_->stop();
  EXPECT_NE(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(send(client, "unix:" + path + ":/who").error().code, net::errc::refused);
}

TEST_F(HttpTest, ReplacesAStaleSocketFileButNotALiveOneNorAnotherFile) {
  auto const path = folder_.file("api.sock");
  { boost::asio::local::stream_protocol::acceptor killed(loop_, path); }
  ASSERT_TRUE(server_->listen_unix(path, 0600));
  HttpServer second(loop_.get_executor(), router_, {});
  EXPECT_EQ(second.listen_unix(path, 0600).error().code, net::errc::in_use);
  second.stop();
  HttpClient client(loop_.get_executor(), {});
  EXPECT_TRUE(send(client, "unix:" + path + ":/who")) << "the loser has not unlinked the winner's socket";
  ASSERT_TRUE(process::write_file_atomically(folder_.file("file"), "x", 0600));
  EXPECT_EQ(server_->listen_unix(folder_.file("file"), 0600).error().code, net::errc::in_use);
}

TEST_F(HttpTest, SpeaksOverTcpAndKeepsTheConnection) {
  ASSERT_TRUE(server_->listen_tcp("127.0.0.1:0"));
  HttpClient client(loop_.get_executor(), {});
  for (int i = 0; i < 3; ++i) {
    auto const response = send(client, base("http") + "/echo");
    ASSERT_TRUE(response) << response.error().what();
    EXPECT_EQ(response->body, "GET /echo ");
    EXPECT_EQ(response->headers.get("content-type"), "text/plain; charset=utf-8");
    EXPECT_THAT(std::string(response->headers.get("date")), testing::EndsWith(" GMT"));
  }
  EXPECT_EQ(send(client, base("http") + "/nothing")->status, 404);
  EXPECT_EQ(send(client, base("http") + "/large")->body.size(), 3'000'000U);
  auto const head = send(client, base("http") + "/large", "HEAD");
  EXPECT_EQ(head->body, "");
  EXPECT_EQ(head->headers.get("Content-Length"), "3000000");
  EXPECT_EQ(send(client, base("http") + "/thing", "DELETE")->status, 204);
  EXPECT_EQ(send(client, base("http") + "/echo")->body, "GET /echo ") << "still in step after HEAD and 204";
}

TEST_F(HttpTest, ReportsATakenPortAndABadAddress) {
  ASSERT_TRUE(server_->listen_tcp("127.0.0.1:0"));
  HttpServer second(loop_.get_executor(), router_, {});
  auto const taken = second.listen_tcp("127.0.0.1:" + std::to_string(server_->local_port()));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, net::errc::in_use);
  for (auto const* address : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80", "[127.0.0.1]:80", "a:80",
                              "127.0.0.1:-1", "[::1]"}) {
    EXPECT_EQ(second.listen_tcp(address).error().code, net::errc::bad_message) << address;
  }
}

TEST_F(HttpTest, VerifiesTheServersChainAndName) {
  listen_tls(false, false);
  auto const good = send(trusting(), base("https") + "/who");
  ASSERT_TRUE(good) << good.error().what();
  EXPECT_EQ(good->body, "net ");
  auto const untrusted = send(HttpClientSettings(), base("https") + "/who");
  EXPECT_EQ(untrusted.error().code, net::errc::certificate) << untrusted.error().what();
  auto other = trusting();
  other.tls.server_name = "other.internal";
  EXPECT_EQ(send(other, base("https") + "/who").error().code, net::errc::certificate);
  other.tls.server_name = "localhost";
  EXPECT_TRUE(send(other, base("https") + "/who"));
  other.tls.verify = false;
  other.tls.ca_file.clear();
  other.tls.server_name.clear();
  EXPECT_TRUE(send(other, base("https") + "/who"));
}

TEST_F(HttpTest, APinDecidesAloneWhichServerIsTrusted) {
  listen_tls(false, false);
  HttpClientSettings settings;
  settings.tls.pinned_sha256 = net::certificate_sha256(process::read_file(ca_.file("server.pem")).value()).value();
  EXPECT_EQ(settings.tls.pinned_sha256.size(), 64U);
  auto const pinned = send(settings, base("https") + "/who");
  ASSERT_TRUE(pinned) << pinned.error().what();
  settings.tls.pinned_sha256 = net::certificate_sha256(process::read_file(ca_.file("ca.pem")).value()).value();
  EXPECT_EQ(send(settings, base("https") + "/who").error().code, net::errc::certificate)
      << "the issuer's fingerprint is not the leaf's";
  settings.tls.ca_file = ca_.file("ca.pem");
  EXPECT_FALSE(send(settings, base("https") + "/who")) << "a trusted chain does not replace the pin";
}

TEST_F(HttpTest, NamesTheClientByItsVerifiedCertificate) {
  listen_tls(true, false);
  auto settings = trusting();
  EXPECT_EQ(send(settings, base("https") + "/who")->body, "net ") << "a client without certificate may come";
  settings.tls.identity = identity("client");
  HttpClient client(loop_.get_executor(), settings);
  for (int i = 0; i < 3; ++i) {
    auto const response = send(client, base("https") + "/who");
    ASSERT_TRUE(response) << response.error().what();
    EXPECT_EQ(response->body, "net ams1");
  }
  EXPECT_EQ(send(client, base("https") + "/large")->body.size(), 3'000'000U);
}

TEST_F(HttpTest, RefusesAClientWhoseCertificateIsFromAnotherAuthorityOrMissing) {
  listen_tls(true, true);
  auto settings = trusting();
  auto const without = send(settings, base("https") + "/who");
  EXPECT_EQ(without.error().code, net::errc::certificate) << without.error().what();
  test::TemporaryFolder const elsewhere;
  test::TestAuthority other(elsewhere.path());
  other.issue("client", "DNS:ams1");
  settings.tls.identity = net::Identity{other.file("client.pem"), other.file("client.key")};
  auto const foreign = send(settings, base("https") + "/who");
  EXPECT_EQ(foreign.error().code, net::errc::certificate) << foreign.error().what();
  settings.tls.identity = identity("client");
  EXPECT_TRUE(send(settings, base("https") + "/who"));
}

TEST_F(HttpTest, ReportsUnusableCertificateFilesByName) {
  net::TlsServerSettings tls;
  tls.identity = {ca_.file("server.pem"), ca_.file("client.key")};
  auto const mismatch = server_->listen_tls("127.0.0.1:0", tls);
  EXPECT_EQ(mismatch.error().code, net::errc::certificate);
  EXPECT_THAT(mismatch.error().what(), HasSubstr("client.key"));
  tls.identity.certificate_file = "/no/such.pem";
  EXPECT_THAT(server_->listen_tls("127.0.0.1:0", tls).error().what(), HasSubstr("/no/such.pem"));
  auto settings = trusting();
  settings.tls.ca_file = "/no/such/ca.pem";
  listen_tls(false, false);
  EXPECT_THAT(send(settings, base("https") + "/who").error().what(), HasSubstr("/no/such/ca.pem"));
  EXPECT_FALSE(net::certificate_sha256("nonsense"));
}

TEST_F(HttpTest, TakesARenewedCertificateAtReload) {
  listen_tls(false, false);
  HttpClient client(loop_.get_executor(), trusting());
  ASSERT_TRUE(send(client, base("https") + "/who"));
  ca_.issue("server", "DNS:renewed.internal");
  ASSERT_TRUE(server_->reload_tls());
  ASSERT_TRUE(send(client, base("https") + "/who")) << "the open connection goes on";
  ASSERT_TRUE(client.reload());
  EXPECT_EQ(send(client, base("https") + "/who").error().code, net::errc::certificate) << "a new connection sees it";
  ASSERT_TRUE(process::write_file_atomically(ca_.file("server.pem"), "broken", 0600));
  EXPECT_FALSE(server_->reload_tls());
  auto renamed = trusting();
  renamed.tls.server_name = "renewed.internal";
  EXPECT_TRUE(send(renamed, base("https") + "/who")) << "a failed reload keeps what was";
}

TEST_F(HttpTest, RefusesABodyAboveTheLimitWith413) {
  ASSERT_TRUE(server_->listen_tcp("127.0.0.1:0"));
  HttpClient client(loop_.get_executor(), {});
  auto const over = send(client, base("http") + "/echo", "POST", std::string((1U << 20U) + 1, 'x'));
  ASSERT_TRUE(over) << over.error().what();
  EXPECT_EQ(over->status, 413);
  auto const exact = send(client, base("http") + "/echo", "POST", std::string(1U << 20U, 'x'));
  ASSERT_TRUE(exact) << exact.error().what();
  EXPECT_EQ(exact->status, 200);
}

TEST_F(HttpTest, ARouteMayTakeMoreFromPeersThatAreKnown) {
  router_.add("PUT", "/zone", echo, {3U << 20U, 0ms});
  ASSERT_TRUE(server_->listen_tcp("127.0.0.1:0"));
  std::string const path = folder_.path() + "/api.sock";
  ASSERT_TRUE(server_->listen_unix(path, 0600));
  HttpClient client(loop_.get_executor(), {});
  std::string const large(2U << 20U, 'x');
  EXPECT_EQ(send(client, "unix:" + path + ":/zone", "PUT", large)->status, 200);
  EXPECT_EQ(send(client, "unix:" + path + ":/zone", "PUT", large + large)->status, 413) << "its limit, not none";
  EXPECT_EQ(send(client, "unix:" + path + ":/echo", "POST", large)->status, 413) << "another route";
  EXPECT_EQ(send(client, base("http") + "/zone", "PUT", large)->status, 413) << "a stranger";
  EXPECT_EQ(send(client, base("http") + "/zone", "PUT", "small")->status, 200);
}

TEST_F(HttpTest, TheClientRefusesAnAnswerAboveItsLimit) {
  ASSERT_TRUE(server_->listen_tcp("127.0.0.1:0"));
  HttpClientSettings settings;
  settings.response_limit = 1'000'000;
  EXPECT_EQ(send(settings, base("http") + "/large").error().code, net::errc::too_large);
}

TEST_F(HttpTest, TheDeadlineEndsTheCallAndTheServersHandler) {
  ASSERT_TRUE(server_->listen_tcp("127.0.0.1:0"));
  HttpClient client(loop_.get_executor(), {});
  auto const late = send(client, base("http") + "/hang", "GET", "", 100ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, net::errc::timed_out);
  EXPECT_THAT(late.error().what(), HasSubstr(base("http")));
  EXPECT_EQ(world_.started, 1);
  if (world_.alive > 0) {
    EXPECT_TRUE(test::run_task(loop_, world_.ended->wait(20s))) << "the client left, so the handler ends";
  }
  EXPECT_EQ(world_.alive, 0);
  EXPECT_TRUE(send(client, base("http") + "/echo")) << "the client goes on";
}

TEST_F(HttpTest, AHandlerThatTakesTooLongIsAnsweredFor) {
  settings_.handler_timeout = 50ms;
  server_.emplace(loop_.get_executor(), router_, settings_);
  ASSERT_TRUE(server_->listen_tcp("127.0.0.1:0"));
  HttpClient client(loop_.get_executor(), {});
  EXPECT_EQ(send(client, base("http") + "/hang")->status, 503);
  EXPECT_EQ(world_.alive, 0);
}

TEST_F(HttpTest, StopEndsConnectionsAndTheirHandlers) {
  ASSERT_TRUE(server_->listen_tcp("127.0.0.1:0"));
  HttpClient client(loop_.get_executor(), {});
  std::optional<base::Result<HttpResponse>> answer;
  auto const keep = [&](std::exception_ptr, base::Result<HttpResponse> result) { answer = std::move(result); };
  boost::asio::co_spawn(loop_, client.send(base("http") + "/hang", {}, 1min), keep);
  ASSERT_TRUE(test::run_task(loop_, world_.begun->wait(20s)));
  EXPECT_EQ(world_.alive, 1);
  server_->stop();
  loop_.restart();
  loop_.run();
  EXPECT_EQ(world_.alive, 0);
  ASSERT_TRUE(answer) << "the loop ran dry, so nothing of the server is left on it";
  EXPECT_EQ(answer->error().code, net::errc::closed);
  server_->stop();
}

TEST_F(HttpTest, StopMayMeetConnectionsThatEndByThemselves) {
  for (int round = 0; round < 10; ++round) {
    server_.emplace(loop_.get_executor(), router_, settings_);
    ASSERT_TRUE(server_->listen_tcp("127.0.0.1:0"));
    {
      HttpClient client(loop_.get_executor(), {});
      EXPECT_FALSE(send(client, base("http") + "/hang", "GET", "", 1ms));
      EXPECT_TRUE(send(client, base("http") + "/echo"));
    }
    for (int turns = 0; turns < round; ++turns) {
      loop_.poll_one();
    }
    server_->stop();
    server_.reset();
    loop_.restart();
    loop_.run();
    EXPECT_EQ(world_.alive, 0);
  }
}

TEST_F(HttpTest, ManyCallsAtOnceShareAtMostSixteenConnections) {
  settings_.connections_max = 16;
  server_.emplace(loop_.get_executor(), router_, settings_);
  ASSERT_TRUE(server_->listen_tcp("127.0.0.1:0"));
  HttpClient client(loop_.get_executor(), {});
  int good = 0;
  auto const count = [&good, this](std::exception_ptr, base::Result<HttpResponse> result) {
    good += result && result->status == 200 ? 1 : 0;
    if (good == 100) {
      loop_.stop();
    }
  };
  for (int i = 0; i < 100; ++i) {
    boost::asio::co_spawn(loop_, client.send(base("http") + "/echo", {}, 20s), count);
  }
  loop_.run();
  EXPECT_EQ(good, 100);
}

TEST_F(HttpTest, StrangersWhoHoldConnectionsOpenKeepNobodyKnownOut) {
  settings_.connections_max = 3;
  settings_.strangers_max = 1;
  settings_.strangers_time = 500ms;
  server_.emplace(loop_.get_executor(), router_, settings_);
  listen_tls(true, false);
  auto settings = trusting();
  settings.tls.identity = identity("client");
  HttpClient present(loop_.get_executor(), settings);
  ASSERT_EQ(send(present, base("https") + "/who")->body, "net ams1");
  tcp::endpoint const place(boost::asio::ip::make_address("127.0.0.1"), server_->local_port());
  std::list<tcp::socket> idle;
  for (int i = 0; i < 2; ++i) {
    idle.emplace_back(loop_).connect(place);
  }
  HttpClient other(loop_.get_executor(), settings);
  auto const answer = send(other, base("https") + "/who", "GET", "", 8s);
  ASSERT_TRUE(answer) << answer.error().what() << ": a handshake that does not come has 10 s";
  EXPECT_EQ(answer->body, "net ams1");
  EXPECT_EQ(send(present, base("https") + "/who")->body, "net ams1");
  idle.front().non_blocking(true);
  boost::system::error_code closed;
  char byte = 0;
  idle.front().read_some(boost::asio::buffer(&byte, 1), closed);
  EXPECT_NE(closed, boost::asio::error::would_block) << "the one that was there longest has gone";
}

TEST_F(HttpTest, ReportsWhyAServerCannotBeReached) {
  HttpClient client(loop_.get_executor(), {});
  tcp::acceptor taken(loop_, tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0));
  auto const port = std::to_string(taken.local_endpoint().port());
  EXPECT_EQ(send(client, "http://127.0.0.1:" + port + "/", "GET", "", 100ms).error().code, net::errc::timed_out);
  EXPECT_EQ(send(client, "https://127.0.0.1:" + port + "/", "GET", "", 100ms).error().code, net::errc::timed_out);
  taken.close();
  EXPECT_EQ(send(client, "http://127.0.0.1:" + port + "/").error().code, net::errc::refused);
  EXPECT_EQ(send(client, "nonsense").error().code, net::errc::bad_message);
  HttpRequest request;
  request.headers.set("X", "a\r\nY: b");
  EXPECT_EQ(test::run_task(loop_, client.send("http://127.0.0.1:" + port + "/", request, 1s)).error().code,
            net::errc::bad_message);
}

TEST_F(HttpTest, PlainHttpToATlsPortIsNoCertificateError) {
  listen_tls(false, false);
  HttpClient client(loop_.get_executor(), {});
  EXPECT_FALSE(send(client, base("http") + "/who"));
}

Task<std::string> raw(boost::asio::io_context& loop, unsigned short port, std::string bytes) {
  tcp::socket socket(loop);
  co_await socket.async_connect(tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), port),
                                boost::asio::use_awaitable);
  co_await boost::asio::async_write(socket, boost::asio::buffer(bytes), boost::asio::use_awaitable);
  std::string out;
  for (std::string piece(4096, '\0');;) {
    auto const [error, size] =
        co_await socket.async_read_some(boost::asio::buffer(piece), boost::asio::as_tuple(boost::asio::use_awaitable));
    out.append(piece, 0, size);
    if (error) {
      co_return out;
    }
  }
}

TEST_F(HttpTest, AnswersPipelinedRequestsInOrderAndClosesWhenAsked) {
  ASSERT_TRUE(server_->listen_tcp("127.0.0.1:0"));
  auto const out = test::run_task(
      loop_, raw(loop_, server_->local_port(),
                 "GET /echo?1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /echo?2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                 "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /echo?3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(out, testing::ContainsRegex("GET /echo\\?1 HTTP/1.1 200(.|\n|\r)*POST /echo\\?2 abcHTTP/1.1 200"));
  EXPECT_THAT(out, testing::EndsWith("GET /echo?3 "));
}

TEST_F(HttpTest, ContinuesAClientThatWaitsForIt) {
  ASSERT_TRUE(server_->listen_tcp("127.0.0.1:0"));
  auto const out = test::run_task(loop_, raw(loop_, server_->local_port(),
                                             "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: "
                                             "close\r\nContent-Length: 3\r\n\r\n"
                                             "abc"));
  EXPECT_THAT(out, testing::EndsWith("POST /echo abc"));
}

TEST_F(HttpTest, RefusesSmuggledAndMalformedRequestsWith400) {
  ASSERT_TRUE(server_->listen_tcp("127.0.0.1:0"));
  for (std::string const bytes :
       {"nonsense\r\n\r\n", "GET /echo HTTP/9.9\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"}) {
    auto const out = test::run_task(loop_, raw(loop_, server_->local_port(), bytes));
    EXPECT_THAT(out, testing::StartsWith("HTTP/1.1 400 ")) << bytes;
  }
  auto const header =
      test::run_task(loop_, raw(loop_, server_->local_port(), "GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x')));
  EXPECT_THAT(header, testing::StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpTest, ClosesAConnectionThatSendsNothing) {
  settings_.idle_timeout = 50ms;
  server_.emplace(loop_.get_executor(), router_, settings_);
  ASSERT_TRUE(server_->listen_tcp("127.0.0.1:0"));
  EXPECT_EQ(test::run_task(loop_, raw(loop_, server_->local_port(), "GET /ec")), "");
}

}  // namespace
