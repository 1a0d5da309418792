// The client against servers that are spoken by hand and misbehave.
#include "base/http_client/http_client.hpp"

#include "tests/support/run_task.hpp"

#include <gmock/gmock.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using net::HttpClient;
using net::HttpRequest;
using net::HttpResponse;
using net::Task;

// Accepts connections one after the other; on each reads requests and gives the scripted answers, then closes.
struct Script {
  std::vector<std::vector<std::string>> connections;
  std::vector<std::string> seen;
};

Task<void> play(tcp::acceptor& acceptor, Script& script) {
  for (auto const& answers : script.connections) {
    auto socket = co_await acceptor.async_accept(boost::asio::use_awaitable);
    std::string buffer;
    for (auto const& answer : answers) {
      auto const size = co_await boost::asio::async_read_until(socket, boost::asio::dynamic_buffer(buffer), "\r\n\r\n",
                                                               boost::asio::use_awaitable);
      script.seen.push_back(buffer.substr(0, buffer.find("\r\n")));
      buffer.erase(0, size);
      co_await boost::asio::async_write(socket, boost::asio::buffer(answer), boost::asio::use_awaitable);
    }
  }
}

class ClientTest : public testing::Test {
 protected:
  void serve(std::vector<std::vector<std::string>> connections) {
    script_.connections = std::move(connections);
    net::spawn(loop_.get_executor(), "script", play(acceptor_, script_));
  }
  base::Result<HttpResponse> send(std::string const& method = "GET") {
    HttpRequest request;
    request.method = method;
    auto const url = "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/x";
    return test::run_task(loop_, client_.send(url, request, 20s));
  }
  static constexpr auto ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

  boost::asio::io_context loop_{1};
  tcp::acceptor acceptor_{loop_, tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0)};
  Script script_;
  HttpClient client_{loop_.get_executor(), {}};
};

TEST_F(ClientTest, ReplacesAKeptConnectionThatTheServerClosed) {
  serve({{ok}, {ok, ok}});
  EXPECT_EQ(send()->body, "ok");
  EXPECT_EQ(send("POST")->body, "ok");
  EXPECT_EQ(send()->body, "ok");
  EXPECT_THAT(script_.seen, testing::ElementsAre("GET /x HTTP/1.1", "POST /x HTTP/1.1", "GET /x HTTP/1.1"));
}

TEST_F(ClientTest, ReplacesAConnectionThatClosesUponTheSecondRequestButOnlyOnce) {
  serve({{ok, ""}, {ok}});
  EXPECT_EQ(send()->body, "ok");
  EXPECT_EQ(send()->body, "ok");
  EXPECT_EQ(script_.seen.size(), 3U);
}

// The server did what it was asked and died before its answer: what changes something is not asked twice.
TEST_F(ClientTest, SaysThatAnAnswerIsLostWhereTheRequestMayHaveBeenDone) {
  for (char const* const method : {"POST", "PUT", "PATCH", "DELETE"}) {
    script_ = {};
    acceptor_ = tcp::acceptor(loop_, tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0));
    serve({{ok, ""}, {ok}});
    EXPECT_EQ(send()->body, "ok");
    auto const lost = send(method);
    ASSERT_FALSE(lost) << method;
    EXPECT_EQ(lost.error().code, net::errc::closed);
    EXPECT_EQ(script_.seen.size(), 2U) << method;
    EXPECT_EQ(send(method)->body, "ok") << "whoever asks decides";
  }
}

TEST_F(ClientTest, NeverSendsTwiceOnAFreshConnection) {
  serve({{""}, {ok}});
  EXPECT_EQ(send().error().code, net::errc::closed);
  EXPECT_EQ(script_.seen.size(), 1U);
}

TEST_F(ClientTest, DoesNotRepeatARequestThatWasPartlyAnswered) {
  serve({{ok, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"}, {ok}});
  EXPECT_EQ(send()->body, "ok");
  EXPECT_EQ(send().error().code, net::errc::closed);
  EXPECT_EQ(script_.seen.size(), 2U);
}

TEST_F(ClientTest, ReadsChunksInterimAnswersAndABodyThatEndsWithTheConnection) {
  serve(
      {{"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
        "2\r\nde\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nLink: 1\r\nLink: 2\r\n\r\nuntil the end"}});
  EXPECT_EQ(send()->body, "abcde");
  auto const last = send();
  ASSERT_TRUE(last) << last.error().what();
  EXPECT_EQ(last->body, "until the end");
  EXPECT_EQ(last->headers.items.size(), 2U);
}

TEST_F(ClientTest, DoesNotReuseAConnectionWithUnaskedBytes) {
  serve({{std::string(ok) + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"}, {ok}});
  EXPECT_EQ(send()->body, "ok");
  EXPECT_EQ(send()->body, "ok");
}

TEST_F(ClientTest, ReportsWhatIsNotHttpAndAHeaderWithoutEnd) {
  serve({{"220 smtp.example ESMTP\r\n\r\n"}, {"HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x')}});
  EXPECT_EQ(send().error().code, net::errc::bad_message);
  EXPECT_EQ(send().error().code, net::errc::too_large);
}

}  // namespace
