// Checks against targets on loopback that behave and misbehave. Deadlines are short where a target never answers; no
// assertion looks at a clock.
#include "base/probe/probe.hpp"

#include "base/probe/attempt.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/test_certificate.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <gmock/gmock.h>

namespace probe {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;
using Octets = std::vector<std::uint8_t>;
constexpr auto values = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds short_deadline{60};

struct Script {
  std::string answer;            // sent after the request arrived
  bool answer_for_ever = false;  // the last part again and again
  bool close = true;             // afterwards; otherwise the connection stays open
  std::string* heard = nullptr;  // what the client sent first
};

template <class Stream>
asio::awaitable<void> play(Stream& stream, Script script) {
  std::string request(4096, '\0');
  auto const [read_error, size] = co_await stream.async_read_some(asio::buffer(request), values);
  if (script.heard != nullptr) {
    *script.heard = request.substr(0, size);
  }
  bool open = !read_error;
  do {
    auto const [write_error, written] = co_await asio::async_write(stream, asio::buffer(script.answer), values);
    open = open && !write_error;
  } while (open && script.answer_for_ever);
  if (!script.close) {
    co_await asio::async_read(stream, asio::buffer(request), values);
  }
}

asio::awaitable<void> serve(asio::ip::tcp::acceptor* acceptor, Script script) {
  auto [error, socket] = co_await acceptor->async_accept(values);
  if (!error) {
    co_await play(socket, std::move(script));
  }
}

asio::awaitable<void> serve_tls(asio::ip::tcp::acceptor* acceptor, asio::ssl::context* context, Script script) {
  auto [error, socket] = co_await acceptor->async_accept(values);
  asio::ssl::stream<asio::ip::tcp::socket> stream(std::move(socket), *context);
  auto const [handshake_error] = co_await stream.async_handshake(asio::ssl::stream_base::server, values);
  if (!error && !handshake_error) {
    co_await play(stream, std::move(script));
  }
}

class Probe : public testing::Test {
 protected:
  Check check(Type type) {
    Check out;
    out.type = type;
    out.address = "127.0.0.1";
    out.port = acceptor_.local_endpoint().port();
    out.timeout = std::chrono::seconds(20);
    return out;
  }
  void target(Script script) { asio::co_spawn(loop_, serve(&acceptor_, std::move(script)), ignore_); }
  Verdict verdict(Check const& what) { return ::test::run_task(loop_, run(what)); }
  Verdict http(std::string answer, bool close = true) {
    target({std::move(answer), false, close});
    return verdict(check(Type::http));
  }

  static void ignore(std::exception_ptr const& problem) { EXPECT_EQ(problem, nullptr); }
  void (*ignore_)(std::exception_ptr const&) = &ignore;

  asio::io_context loop_;
  asio::ip::tcp::acceptor acceptor_{loop_, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
};

TEST_F(Probe, TcpSucceedsWhenSomebodyListens) {
  Verdict const seen = verdict(check(Type::tcp));
  EXPECT_TRUE(seen.success);
  EXPECT_EQ(seen.reason, "ok");
}

TEST_F(Probe, HasNothingToAskWhoPushes) {
  EXPECT_THAT(verdict(check(Type::push)).reason, HasSubstr("reports by itself"));
}

TEST_F(Probe, TcpNamesTheRefusal) {
  Check const what = check(Type::tcp);
  acceptor_.close();
  Verdict const seen = verdict(what);
  EXPECT_FALSE(seen.success);
  EXPECT_EQ(seen.reason, "connection refused");
}

TEST_F(Probe, RefusesATargetThatIsNoAddress) {
  for (Type const type : {Type::tcp, Type::http, Type::https, Type::dns, Type::icmp}) {
    Check what = check(type);
    what.address = "localhost";
    EXPECT_EQ(verdict(what).reason, "'localhost' is no IP address");
  }
}

TEST_F(Probe, HttpAcceptsAnExpectedStatus) {
  EXPECT_TRUE(http("HTTP/1.1 204 No Content\r\n\r\n").success);
  EXPECT_EQ(http("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n").reason, "status 503, expected 2xx");
}

TEST_F(Probe, HttpSendsWhatTheMonitorSays) {
  std::string heard;
  target({"HTTP/1.1 200 OK\r\n\r\n", false, true, &heard});
  Check what = check(Type::http);
  what.host = "www.example.org";
  what.path = "/healthz?deep=1";
  what.method = "HEAD";
  what.header = {{"X-Probe", "yes"}};
  EXPECT_TRUE(verdict(what).success);
  EXPECT_THAT(heard, HasSubstr("HEAD /healthz?deep=1 HTTP/1.1\r\n"));
  EXPECT_THAT(heard, HasSubstr("Host: www.example.org:" + std::to_string(what.port) + "\r\n"));
  EXPECT_THAT(heard, HasSubstr("X-Probe: yes\r\n"));
}

TEST_F(Probe, HttpSendsNoSecondRequestSmuggledIntoASetting) {
  Check what = check(Type::http);
  what.header = {{"X", "a\r\nY: b"}};
  EXPECT_THAT(verdict(what).reason, HasSubstr("is no HTTP"));
  what = check(Type::http);
  what.path = "/ HTTP/1.1\r\n\r\nGET /";
  EXPECT_THAT(verdict(what).reason, HasSubstr("is no HTTP"));
}

TEST_F(Probe, HttpFindsTheExpectedTextInTheBody) {
  Check what = check(Type::http);
  what.expected_body = "all good";
  target({"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nis all good!"});
  EXPECT_TRUE(verdict(what).success);
  target({"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsick"});
  EXPECT_THAT(verdict(what).reason, HasSubstr("not in the first 4 octets"));
  target({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nxxx all\r\n5\r\n good\r\n0\r\n\r\n"});
  EXPECT_TRUE(verdict(what).success) << "also across chunks";
  target({"HTTP/1.1 200 OK\r\n\r\nno length, all good"});
  EXPECT_TRUE(verdict(what).success);
  target({"HTTP/1.1 200 OK\r\n\r\nno length, no luck"});
  EXPECT_FALSE(verdict(what).success);
}

TEST_F(Probe, HttpStopsReadingAnEndlessBody) {
  Check what = check(Type::http);
  what.expected_body = "never there";
  target({"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + std::string(1000, 'x'), true});
  EXPECT_THAT(verdict(what).reason, HasSubstr("not in the first"));
}

TEST_F(Probe, HttpStopsReadingEndlessHeaders) {
  target({"HTTP/1.1 200 OK\r\nX: " + std::string(1000, 'x') + "\r\nX: y\r\nX: ", true});
  EXPECT_EQ(verdict(check(Type::http)).reason, "header larger than 16 KiB");
}

TEST_F(Probe, HttpNamesWhatIsNoAnswer) {
  EXPECT_THAT(http("SSH-2.0-OpenSSH_9.2\r\n\r\n").reason, HasSubstr("is no HTTP"));
  EXPECT_EQ(http("").reason, "closed without an answer");
  EXPECT_EQ(http("HTTP/1.1 200 OK\r\nX-Half: ").reason, "closed in the middle of the answer");
}

TEST_F(Probe, ATargetThatNeverAnswersFailsAtTheDeadlineWithItsStage) {
  Check what = check(Type::http);
  what.timeout = short_deadline;
  target({"", false, false});
  EXPECT_EQ(verdict(what).reason, "connected, but no answer within 60 ms");
  what.expected_body = "x";
  target({"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, false});
  EXPECT_EQ(verdict(what).reason, "the expected body did not come within 60 ms");
  what = check(Type::https);
  what.timeout = short_deadline;
  target({"", false, false});
  EXPECT_EQ(verdict(what).reason, "no TLS handshake within 60 ms");
}

TEST_F(Probe, RefusesAPatternOfCodesThatIsNone) {
  Check what = check(Type::http);
  what.expected_codes = "2xxx";
  EXPECT_EQ(verdict(what).reason, "'2xxx' is no pattern of status codes");
}

class TlsProbe : public Probe {
 protected:
  void SetUp() override {
    authority_.issue("web", "DNS:www.example.org");
    context_.use_certificate_chain_file(authority_.file("web.pem"));
    context_.use_private_key_file(authority_.file("web.key"), asio::ssl::context::pem);
  }
  Verdict judged(Check const& what) {
    asio::co_spawn(loop_, serve_tls(&acceptor_, &context_, {"HTTP/1.1 200 OK\r\n\r\n"}), ignore_);
    return verdict(what);
  }
  Check strict(std::string host) {
    Check what = check(Type::https);
    what.allow_insecure = false;
    what.ca_file = authority_.file("ca.pem");
    what.host = std::move(host);
    return what;
  }

  ::test::TemporaryFolder folder_;
  ::test::TestAuthority authority_{folder_.path()};
  asio::ssl::context context_{asio::ssl::context::tls_server};
};

TEST_F(TlsProbe, JudgesTheCertificateOnlyWhenToldTo) {
  Check lenient = check(Type::https);
  lenient.host = "other.example.org";
  EXPECT_TRUE(judged(lenient).success);
  Verdict const matching = judged(strict("www.example.org"));
  EXPECT_TRUE(matching.success) << matching.reason;
  EXPECT_THAT(judged(strict("other.example.org")).reason, HasSubstr("the certificate was not accepted"));
}

TEST_F(TlsProbe, DoesNotTrustAForeignAuthority) {
  ::test::TemporaryFolder const elsewhere;
  ::test::TestAuthority const foreign(elsewhere.path());
  Check what = strict("www.example.org");
  what.ca_file = foreign.file("ca.pem");
  EXPECT_THAT(judged(what).reason, HasSubstr("the certificate was not accepted"));
  what.ca_file = foreign.file("missing.pem");
  EXPECT_THAT(judged(what).reason, HasSubstr("missing.pem"));
}

TEST_F(TlsProbe, SendsTheHostAsServerName) {
  std::string seen;
  // What the OpenSSL macros for a server name callback expand to, without their old-style casts.
  int (*const note)(SSL*, int*, void*) = [](SSL* session, int*, void* into) {
    char const* const name = ::SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
    *static_cast<std::string*>(into) = name == nullptr ? "" : name;
    return SSL_TLSEXT_ERR_OK;
  };
  SSL_CTX* const context = context_.native_handle();
  ::SSL_CTX_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG, 0, &seen);
  ::SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, reinterpret_cast<void (*)()>(note));
  Check what = check(Type::https);
  what.host = "www.example.org";
  EXPECT_TRUE(judged(what).success);
  EXPECT_EQ(seen, "www.example.org");
  what.host.clear();
  EXPECT_TRUE(judged(what).success);
  EXPECT_EQ(seen, "") << "an address is no server name";
}

TEST_F(TlsProbe, NamesAPeerThatSpeaksNoTls) {
  target({"220 mail.example.org ESMTP\r\n"});
  EXPECT_THAT(verdict(check(Type::https)).reason, HasSubstr("TLS failed"));
}

// --- dns ---

Octets soa_answer(Octets const& question, bool truncated) {
  Octets out = question;
  out[2] = truncated ? 0x86 : 0x84;
  out[11] = 0;
  out.resize(12 + 9 + 4);  // "example." with type and class
  if (!truncated) {
    out[7] = 1;
    Octets const record{0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 60, 0, 24, 1, 'n', 0, 0};
    out.insert(out.end(), record.begin(), record.end());
    out.resize(out.size() + 20);
    out[out.size() - 21] = 0;
  }
  return out;
}

asio::awaitable<void> serve_udp(asio::ip::udp::socket* socket, bool truncated, bool noise_first) {
  Octets question(512);
  asio::ip::udp::endpoint peer;
  auto const [error, size] = co_await socket->async_receive_from(asio::buffer(question), peer, values);
  question.resize(size);
  if (noise_first) {
    for (Octets const& noise : {Octets{}, Octets{1, 2, 3}, question}) {
      auto const [noise_error, sent] = co_await socket->async_send_to(asio::buffer(noise), peer, values);
      EXPECT_FALSE(noise_error);
    }
  }
  Octets const answer = soa_answer(question, truncated);
  auto const [send_error, sent] = co_await socket->async_send_to(asio::buffer(answer), peer, values);
  EXPECT_FALSE(error || send_error);
}

// Answers with no record at all.
asio::awaitable<void> serve_nothing(asio::ip::udp::socket* socket, std::uint8_t rcode) {
  Octets answer(512);
  asio::ip::udp::endpoint peer;
  auto const [error, size] = co_await socket->async_receive_from(asio::buffer(answer), peer, values);
  answer.resize(12 + 9 + 4);
  answer[2] = 0x84;
  answer[3] = rcode;
  answer[11] = 0;  // nor EDNS
  auto const [send_error, sent] = co_await socket->async_send_to(asio::buffer(answer), peer, values);
  EXPECT_FALSE(error || send_error);
}

asio::awaitable<void> serve_dns_tcp(asio::ip::tcp::acceptor* acceptor, bool half) {
  auto [error, socket] = co_await acceptor->async_accept(values);
  Octets length(2);
  auto const [length_error, two] = co_await asio::async_read(socket, asio::buffer(length), values);
  Octets question(length[0] * 256U + length[1]);
  auto const [read_error, size] = co_await asio::async_read(socket, asio::buffer(question), values);
  EXPECT_FALSE(error || length_error || read_error);
  Octets answer = soa_answer(question, false);
  answer.insert(answer.begin(), {0, static_cast<std::uint8_t>(answer.size())});
  if (half) {
    answer.resize(answer.size() / 2);
  }
  auto const [write_error, written] = co_await asio::async_write(socket, asio::buffer(answer), values);
  EXPECT_FALSE(write_error);
}

class DnsProbe : public Probe {
 protected:
  Check soa(bool tcp = false) {
    Check what = check(Type::dns);
    what.qname = "example.";
    what.tcp = tcp;
    return what;
  }
  void udp_target(bool truncated, bool noise_first) {
    asio::co_spawn(loop_, serve_udp(&socket_, truncated, noise_first), ignore_);
  }
  void tcp_target(bool half) { asio::co_spawn(loop_, serve_dns_tcp(&acceptor_, half), ignore_); }

  asio::ip::udp::socket socket_{
      loop_, asio::ip::udp::endpoint(asio::ip::address_v4::loopback(), acceptor_.local_endpoint().port())};
};

TEST_F(DnsProbe, AsksOverUdpAndPassesOverNoise) {
  udp_target(false, true);
  Verdict const seen = verdict(soa());
  EXPECT_TRUE(seen.success) << seen.reason;
}

TEST_F(DnsProbe, AsksOverTcp) {
  tcp_target(false);
  EXPECT_TRUE(verdict(soa(true)).success);
  tcp_target(true);
  EXPECT_EQ(verdict(soa(true)).reason, "closed in the middle of the answer");
}

TEST_F(DnsProbe, AsksAgainOverTcpWhenTheAnswerWasCut) {
  udp_target(true, false);
  tcp_target(false);
  EXPECT_TRUE(verdict(soa()).success);
}

TEST_F(DnsProbe, NamesANameThatResolvesToNothing) {
  asio::co_spawn(loop_, serve_nothing(&socket_, 0), ignore_);
  EXPECT_EQ(verdict(soa()).reason, "no SOA for example.");
  asio::co_spawn(loop_, serve_nothing(&socket_, 3), ignore_);
  EXPECT_EQ(verdict(soa()).reason, "NXDOMAIN for example.");
}

TEST_F(DnsProbe, NamesAServerThatIsNotThereOrIsSilent) {
  Check silent = soa();
  silent.timeout = short_deadline;
  EXPECT_EQ(verdict(silent).reason, "no answer within 60 ms");
  socket_.close();
  EXPECT_EQ(verdict(soa()).reason, "connection refused");
  Check nonsense = soa();
  nonsense.qtype = "NONSENSE";
  EXPECT_EQ(verdict(nonsense).reason, "'example. NONSENSE' is no DNS question");
}

}  // namespace
}  // namespace probe
