// HTTP checks of more than one request: redirects, retries, kept connections, bodies and certificates, against a target
// on loopback that answers by a function. No assertion looks at a clock.
#include "base/probe/http_connection.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/test_certificate.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <gmock/gmock.h>

#include <functional>

namespace probe {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
constexpr auto values = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds short_deadline{60};

void ignore(std::exception_ptr const& problem) {
  EXPECT_EQ(problem, nullptr);
}

std::string const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
std::string const close_silently;

std::string moved(std::string const& location) {
  return "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + "\r\n\r\n";
}

// Answers every request on every connection by `answer`; an empty answer closes the connection.
struct Web {
  explicit Web(asio::io_context& loop) : acceptor(loop, {asio::ip::address_v4::loopback(), 0}) {}
  [[nodiscard]] unsigned short port() const { return acceptor.local_endpoint().port(); }
  [[nodiscard]] std::string here() const { return "127.0.0.1:" + std::to_string(port()); }

  asio::ip::tcp::acceptor acceptor;
  std::function<std::string(std::string const& request)> answer = [](std::string const&) { return ok; };
  std::function<asio::ssl::context*()> tls;  // none: plain
  bool close_after_answer = false;
  int connections = 0;
  std::vector<std::string> requests;
};

template <class Stream>
asio::awaitable<void> converse(Web* web, Stream& stream) {
  std::string data;
  for (;;) {
    auto const [error, size] = co_await asio::async_read_until(stream, asio::dynamic_buffer(data), "\r\n\r\n", values);
    if (error) {
      co_return;
    }
    web->requests.push_back(data.substr(0, size));
    data.erase(0, size);
    std::string const reply = web->answer(web->requests.back());
    auto const [write_error, written] = co_await asio::async_write(stream, asio::buffer(reply), values);
    if (write_error || reply.empty() || web->close_after_answer) {
      co_return;
    }
  }
}

asio::awaitable<void> serve_one(Web* web, asio::ip::tcp::socket socket) {
  if (!web->tls) {
    co_await converse(web, socket);
    co_return;
  }
  asio::ssl::stream<asio::ip::tcp::socket> stream(std::move(socket), *web->tls());
  auto const [error] = co_await stream.async_handshake(asio::ssl::stream_base::server, values);
  if (!error) {
    co_await converse(web, stream);
  }
}

asio::awaitable<void> serve(Web* web) {
  for (;;) {
    auto [error, socket] = co_await web->acceptor.async_accept(values);
    if (error) {
      co_return;
    }
    ++web->connections;
    asio::co_spawn(web->acceptor.get_executor(), serve_one(web, std::move(socket)), &ignore);
  }
}

class HttpProbe : public testing::Test {
 protected:
  void SetUp() override {
    asio::co_spawn(loop_, serve(&web_), &ignore);
    asio::co_spawn(loop_, serve(&other_), &ignore);
  }
  Check check(Type type = Type::http) const {
    Check out;
    out.type = type;
    out.address = "127.0.0.1";
    out.port = web_.port();
    out.timeout = std::chrono::seconds(20);
    out.follow_redirects = true;
    return out;
  }
  Verdict verdict(Check const& what) { return ::test::run_task(loop_, run(what)); }
  Verdict verdict(Session& session) { return ::test::run_task(loop_, session.run()); }

  asio::io_context loop_;
  Web web_{loop_};
  Web other_{loop_};
};

// --- redirects ---

TEST_F(HttpProbe, FollowsARedirectToAnotherHostAndPortOverTheSameAddress) {
  web_.answer = [&](std::string const&) {
    return moved("http://www.other.example:" + std::to_string(other_.port()) + "/there?x=1");
  };
  Check what = check();
  what.header = {{"Authorization", "secret"}, {"X-Probe", "yes"}};
  EXPECT_TRUE(verdict(what).success);
  ASSERT_EQ(other_.requests.size(), 1U);
  EXPECT_THAT(web_.requests.at(0), HasSubstr("Authorization: secret\r\n"));
  EXPECT_THAT(other_.requests[0], HasSubstr("GET /there?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(other_.requests[0], HasSubstr("Host: www.other.example:" + std::to_string(other_.port()) + "\r\n"));
  EXPECT_THAT(other_.requests[0], HasSubstr("X-Probe: yes\r\n"));
  EXPECT_THAT(other_.requests[0], Not(HasSubstr("Authorization"))) << "another host learns no secret";
}

TEST_F(HttpProbe, TakesARedirectForTheAnswerUnlessToldToFollow) {
  web_.answer = [&](std::string const&) { return moved("/elsewhere"); };
  Check what = check();
  what.follow_redirects = false;
  EXPECT_EQ(verdict(what).reason, "status 302, expected 2xx");
  what.expected_codes = "302";
  EXPECT_TRUE(verdict(what).success);
}

TEST_F(HttpProbe, EndsALoopOfRedirects) {
  web_.answer = [&](std::string const& request) { return moved(request.starts_with("GET /a ") ? "/b" : "/a"); };
  Check what = check();
  what.path = "/a";
  EXPECT_EQ(verdict(what).reason, "redirected in a loop, again to http://" + web_.here() + "/a");
  EXPECT_EQ(web_.requests.size(), 2U);
}

TEST_F(HttpProbe, EndsRedirectsWithoutEnd) {
  int count = 0;
  web_.answer = [&](std::string const&) { return moved("/" + std::to_string(++count)); };
  EXPECT_EQ(verdict(check()).reason, "redirected more than 5 times, at last to http://" + web_.here() + "/6");
  EXPECT_EQ(count, 6);
  count = 0;
  web_.answer = [&](std::string const&) { return ++count > 5 ? ok : moved("/" + std::to_string(count)); };
  EXPECT_TRUE(verdict(check()).success) << "five are fine";
}

TEST_F(HttpProbe, NamesARedirectThatLeadsNowhere) {
  web_.answer = [](std::string const&) { return moved("ftp://example.org/"); };
  EXPECT_EQ(verdict(check()).reason, "redirected to 'ftp://example.org/', which is neither http nor https");
  unsigned short const closed = other_.port();
  other_.acceptor.close();
  web_.answer = [&](std::string const&) { return moved("http://x:" + std::to_string(closed) + "/"); };
  EXPECT_EQ(verdict(check()).reason, "connection refused");
}

TEST_F(HttpProbe, HasOneDeadlineForAllRedirects) {
  web_.answer = [&](std::string const&) { return moved("http://" + other_.here() + "/"); };
  other_.answer = [](std::string const&) { return std::string("HTTP/1.1 200 OK\r\nX-Half: "); };
  Check what = check();
  what.timeout = short_deadline;
  EXPECT_EQ(verdict(what).reason, "connected, but no answer within 60 ms");
}

// --- bodies ---

TEST_F(HttpProbe, HoldsThePatternAgainstTheWholeBody) {
  std::string body = "status: green, 12 of 12";
  web_.answer = [&](std::string const&) { return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body; };
  web_.close_after_answer = true;
  Check what = check();
  what.expected_body_pattern = "^status: (green|yellow), ([0-9]+) of [0-9]+$";
  EXPECT_TRUE(verdict(what).success);
  body += "\nmore";
  EXPECT_EQ(verdict(what).reason, "the expected pattern is not in the first 28 octets of the body");
  what.expected_body_pattern = "green";
  what.expected_body = "12 of 13";
  EXPECT_THAT(verdict(what).reason, HasSubstr("the expected text is not")) << "both must be there";
}

TEST_F(HttpProbe, IsNotTrappedByAPatternOrABodyMadeForIt) {
  web_.answer = [](std::string const&) {
    return "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + std::string(200000, 'a');
  };
  Check what = check();
  what.expected_body_pattern = "(a*)*(a*)*b";
  EXPECT_EQ(verdict(what).reason, "the expected pattern is not in the first 65536 octets of the body");
}

TEST_F(HttpProbe, NamesAPatternThatIsNone) {
  Check what = check();
  what.expected_body_pattern = "(a";
  EXPECT_EQ(verdict(what).reason, "the expected_body_pattern is none: missing ): (a");
  EXPECT_EQ(web_.connections, 0);
}

// --- retries ---

TEST_F(HttpProbe, TriesAgainAtOnceAsOftenAsToldTo) {
  int asked = 0;
  web_.answer = [&](std::string const&) { return ++asked < 3 ? close_silently : ok; };
  Check what = check();
  what.retries = 2;
  EXPECT_TRUE(verdict(what).success);
  asked = 0;
  what.retries = 1;
  EXPECT_EQ(verdict(what).reason, "closed without an answer (2 attempts)");
  asked = -100;
  what.retries = 1000;
  EXPECT_EQ(verdict(what).reason, "closed without an answer (6 attempts)") << "a bound on repeats";
}

TEST_F(HttpProbe, GivesEachAttemptItsOwnDeadline) {
  int asked = 0;
  web_.answer = [&](std::string const&) { return ++asked < 3 ? std::string("HTTP/1.1 200 OK\r\nX: ") : ok; };
  Check what = check();
  what.timeout = std::chrono::milliseconds(300);
  what.retries = 2;
  EXPECT_TRUE(verdict(what).success) << "two attempts ended at their deadlines";
  EXPECT_EQ(asked, 3);
}

// --- kept connections ---

TEST_F(HttpProbe, KeepsTheConnectionForTheNextCheckOfItsSession) {
  Session session(check(), true);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(verdict(session).success);
  }
  EXPECT_EQ(web_.connections, 1);
  EXPECT_THAT(web_.requests.at(0), Not(HasSubstr("Connection: close")));
  Session plain(check());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(verdict(plain).success);
  }
  EXPECT_EQ(web_.connections, 4);
  EXPECT_THAT(web_.requests.at(3), HasSubstr("Connection: close"));
}

TEST_F(HttpProbe, ConnectsAnewWhenTheKeptConnectionIsClosed) {
  Session session(check(), true);
  web_.close_after_answer = true;  // without a word about it
  for (int i = 0; i < 3; ++i) {
    Verdict const seen = verdict(session);
    EXPECT_TRUE(seen.success) << seen.reason;
  }
  EXPECT_EQ(web_.connections, 3);
}

TEST_F(HttpProbe, AsksAgainWhenTheKeptConnectionClosesUnderTheRequest) {
  Session session(check(), true);
  int asked = 0;
  web_.answer = [&](std::string const&) { return ++asked == 2 ? close_silently : ok; };
  EXPECT_TRUE(verdict(session).success);
  Verdict const seen = verdict(session);
  EXPECT_TRUE(seen.success) << seen.reason;
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(web_.connections, 2);
  web_.answer = [&](std::string const&) { return close_silently; };
  EXPECT_EQ(verdict(session).reason, "closed without an answer") << "on a fresh one it counts";
}

TEST_F(HttpProbe, KeepsNothingAfterAnAnswerThatGoesOn) {
  Check what = check();
  what.timeout = short_deadline;
  web_.answer = [](std::string const&) { return std::string("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nhalf"); };
  Session session(what, true);
  EXPECT_TRUE(verdict(session).success) << "the status decided";
  EXPECT_TRUE(verdict(session).success);
  EXPECT_EQ(web_.connections, 2);
  EXPECT_THAT(web_.requests.at(1), HasSubstr("Connection: close")) << "not tried again";
}

TEST_F(HttpProbe, KeepsNothingThatTheTargetWantsClosedOrThatSpeaksUnasked) {
  Session session(check(), true);
  web_.answer = [](std::string const&) { return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"; };
  EXPECT_TRUE(verdict(session).success);
  web_.answer = [](std::string const&) { return ok + ok; };
  EXPECT_TRUE(verdict(session).success);
  web_.answer = [](std::string const&) { return "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"; };
  EXPECT_EQ(verdict(session).reason, "status 503, expected 2xx") << "the second answer of before is nobody's";
  EXPECT_EQ(web_.connections, 3);
}

TEST_F(HttpProbe, AsksWithPostOverFreshConnectionsOnly) {
  Check what = check();
  what.method = "POST";
  Session session(what, true);
  EXPECT_TRUE(verdict(session).success);
  EXPECT_TRUE(verdict(session).success);
  EXPECT_EQ(web_.connections, 2);
}

TEST_F(HttpProbe, MayLoseItsSessionWhileItRuns) {
  auto session = std::make_unique<Session>(check(), true);
  auto running = session->run();
  session.reset();
  EXPECT_TRUE(::test::run_task(loop_, std::move(running)).success);
  EXPECT_THAT(web_.requests.at(0), HasSubstr("Connection: close"));
}

// --- certificates ---

class HttpsProbe : public HttpProbe {
 protected:
  void present(::test::TestAuthority& authority, std::string const& name, long ends_in_s) {
    authority.issue(name, "DNS:www.example.org", ends_in_s);
    context_ = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
    context_->use_certificate_chain_file(authority.file(name + ".pem"));
    context_->use_private_key_file(authority.file(name + ".key"), asio::ssl::context::pem);
    web_.tls = [this] { return context_.get(); };
  }
  Check strict() const {
    Check what = check(Type::https);
    what.allow_insecure = false;
    what.ca_file = authority_.file("ca.pem");
    what.host = "www.example.org";
    return what;
  }
  static constexpr long day_s = ::test::TestAuthority::day_s;

  ::test::TemporaryFolder folder_;
  ::test::TestAuthority authority_{folder_.path()};
  std::unique_ptr<asio::ssl::context> context_;
};

TEST_F(HttpsProbe, WarnsOfACertificateThatEndsSoon) {
  present(authority_, "long", 30 * day_s);
  EXPECT_EQ(verdict(strict()).warning, "");
  present(authority_, "short", 3 * day_s + 3600);
  Verdict const seen = verdict(strict());
  EXPECT_TRUE(seen.success) << seen.reason;
  EXPECT_EQ(seen.warning, "the certificate expires in 3 days");
}

TEST_F(HttpsProbe, WarnsOfAnExpiredCertificateOnlyWhereAnyIsAccepted) {
  present(authority_, "old", -3600);
  EXPECT_EQ(verdict(strict()).reason, "the certificate was not accepted: certificate has expired");
  Verdict const seen = verdict(check(Type::https));
  EXPECT_TRUE(seen.success) << seen.reason;
  EXPECT_EQ(seen.warning, "the certificate expired 0 days ago");
}

TEST_F(HttpsProbe, NoticesATargetThatChangesItsCertificate) {
  present(authority_, "web", 30 * day_s);
  Session session(strict());
  EXPECT_TRUE(verdict(session).success);
  ::test::TemporaryFolder const elsewhere;
  ::test::TestAuthority foreign(elsewhere.path());
  present(foreign, "web", 30 * day_s);
  EXPECT_THAT(verdict(session).reason, HasSubstr("the certificate was not accepted"));
}

TEST_F(HttpsProbe, KeepsAnEncryptedConnection) {
  present(authority_, "web", 2 * day_s + 3600);
  Session session(strict(), true);
  for (int i = 0; i < 3; ++i) {
    Verdict const seen = verdict(session);
    EXPECT_TRUE(seen.success) << seen.reason;
    EXPECT_EQ(seen.warning, "the certificate expires in 2 days");
  }
  EXPECT_EQ(web_.connections, 1);
}

TEST_F(HttpsProbe, FollowsFromHttpToHttpsAndJudgesTheCertificateForTheNewHost) {
  present(authority_, "web", 30 * day_s);
  std::string host = "www.example.org";
  other_.answer = [&](std::string const&) {
    return moved("https://" + host + ":" + std::to_string(web_.port()) + "/");
  };
  Check what = strict();
  what.type = Type::http;
  what.port = other_.port();
  Verdict const seen = verdict(what);
  EXPECT_TRUE(seen.success) << seen.reason;
  host = "www.other.example";
  EXPECT_THAT(verdict(what).reason, HasSubstr("the certificate was not accepted"));
}

TEST(CertificateWarning, BeginsFourteenDaysBeforeTheEnd) {
  constexpr std::int64_t day_s = 24 * 3600;
  constexpr std::int64_t now_s = 1'700'000'000;
  EXPECT_EQ(certificate_warning(0, now_s), "") << "no certificate";
  EXPECT_EQ(certificate_warning(now_s + 14 * day_s, now_s), "");
  EXPECT_EQ(certificate_warning(now_s + 14 * day_s - 1, now_s), "the certificate expires in 13 days");
  EXPECT_EQ(certificate_warning(now_s + day_s, now_s), "the certificate expires in 1 day");
  EXPECT_EQ(certificate_warning(now_s, now_s), "the certificate expired 0 days ago");
  EXPECT_EQ(certificate_warning(now_s - 2 * day_s, now_s), "the certificate expired 2 days ago");
}

TEST_F(HttpsProbe, UsesNoKeptConnectionWhoseCertificateHasEnded) {
  Context context(strict(), true);
  auto const keep_one = [&] {
    asio::ip::tcp::socket socket(loop_);
    socket.connect(web_.acceptor.local_endpoint());
    context.kept = std::make_unique<Connection>(std::move(socket));
    context.kept->origin = {false, "a", 80};
    context.kept->opened = std::chrono::steady_clock::now();
    context.kept->certificate_ends_s = 1000;
  };
  keep_one();
  EXPECT_EQ(take_kept(context, {false, "a", 80}, 1000), nullptr);
  EXPECT_EQ(context.kept, nullptr) << "and it is closed";
  keep_one();
  EXPECT_EQ(take_kept(context, {false, "b", 80}, 999), nullptr) << "another host";
  keep_one();
  context.kept->opened -= std::chrono::minutes(6);
  EXPECT_EQ(take_kept(context, {false, "a", 80}, 999), nullptr) << "too old";
  keep_one();
  EXPECT_NE(take_kept(context, {false, "a", 80}, 999), nullptr);
}

TEST(Target, TakesTheHostOfTheMonitorOrElseItsAddress) {
  Check check;
  check.type = Type::https;
  check.address = "2001:db8::1";
  check.port = 443;
  EXPECT_EQ(url_of(first_target(check)), "https://[2001:db8::1]/");
  check.host = "www.example.org";
  check.port = 80;
  check.path = "/x";
  EXPECT_EQ(url_of(first_target(check)), "https://www.example.org:80/x");
}

}  // namespace
}  // namespace probe
