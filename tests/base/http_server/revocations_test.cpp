// Who was let in by a certificate is looked at with each request; and bodies that many answers share.
#include "base/http_server/revocations.hpp"

#include "base/http_client/http_client.hpp"
#include "base/http_server/http_server.hpp"
#include "base/process/service.hpp"

#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/test_certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <optional>
#include <utility>

namespace {

using namespace std::chrono_literals;
using net::HttpClient;
using net::HttpClientSettings;
using net::HttpRequest;
using net::HttpResponse;
using net::Task;
using testing::HasSubstr;

Task<HttpResponse> who(HttpRequest request) {
  co_return HttpResponse::text(200, "net " + request.peer.certificate_name);
}

class RevocationsTest : public testing::Test {
 protected:
  RevocationsTest() : ca_(folder_.path()), server_(loop_.get_executor(), router_, {}) {
    router_.add("GET", "/who", who);
    ca_.issue("server", "DNS:localhost,IP:127.0.0.1");
    ca_.issue("client", "DNS:ams1,DNS:ams1.internal");
  }

  net::Identity identity(std::string const& name) const { return {ca_.file(name + ".pem"), ca_.file(name + ".key")}; }
  void listen_tls() {
    net::TlsServerSettings tls;
    tls.identity = identity("server");
    tls.client_ca_file = ca_.file("ca.pem");
    tls.client_crl_file = ca_.file("ca.crl");
    tls.require_client_certificate = true;
    auto const done = server_.listen_tls("127.0.0.1:0", tls);
    ASSERT_TRUE(done) << done.error().what();
  }
  std::string base(std::string const& scheme) const {
    return scheme + "://127.0.0.1:" + std::to_string(server_.local_port());
  }
  HttpClientSettings settings_of(std::string const& name) const {
    HttpClientSettings settings;
    settings.tls.ca_file = ca_.file("ca.pem");
    settings.tls.identity = identity(name);
    return settings;
  }
  base::Result<HttpResponse> send(HttpClient& client, std::string const& url, std::string const& method = "GET") {
    HttpRequest request;
    request.method = method;
    return test::run_task(loop_, client.send(url, std::move(request), 20s));
  }
  base::Result<HttpResponse> send(HttpClientSettings const& settings, std::string const& url) {
    HttpClient client(loop_.get_executor(), settings);
    return send(client, url);
  }

  test::TemporaryFolder folder_;
  boost::asio::io_context loop_{1};
  net::Router router_;
  test::TestAuthority ca_;
  net::HttpServer server_;
};

TEST_F(RevocationsTest, ARevokedCertificateIsRefusedOnAnOpenConnectionToo) {
  ca_.issue("other", "DNS:ams2");
  listen_tls();
  EXPECT_THAT(server_.revocations_failure(), HasSubstr("ca.crl: No such file"));
  auto settings = settings_of("client");
  HttpClient client(loop_.get_executor(), settings);
  ASSERT_EQ(send(client, base("https") + "/who")->body, "net ams1");
  ca_.revoke("ca.crl", {});
  ASSERT_EQ(send(client, base("https") + "/who")->body, "net ams1");
  EXPECT_EQ(server_.revocations_failure(), "");
  ca_.revoke("ca.crl", {"client"});
  auto const refused = send(client, base("https") + "/who");
  ASSERT_TRUE(refused) << refused.error().what();
  EXPECT_EQ(refused->status, 403);
  EXPECT_EQ(refused->headers.get("Connection"), "close");
  EXPECT_THAT(refused->body, HasSubstr("revoked"));
  EXPECT_EQ(send(settings, base("https") + "/who")->status, 403) << "and on a new one";
  settings.tls.identity = identity("other");
  EXPECT_EQ(send(settings, base("https") + "/who")->body, "net ams2");
}

TEST_F(RevocationsTest, AnAnswerThatWasWaitedForIsNotGivenToWhoWasRevokedMeanwhile) {
  router_.add("GET", "/poll", [this](HttpRequest request) -> Task<HttpResponse> {
    ca_.revoke("ca.crl", {"client"});
    co_return HttpResponse::text(200, "a secret for " + request.peer.certificate_name);
  });
  listen_tls();
  auto settings = settings_of("client");
  auto const answer = send(settings, base("https") + "/poll");
  ASSERT_TRUE(answer) << answer.error().what();
  EXPECT_EQ(answer->status, 403);
  EXPECT_THAT(answer->body, testing::Not(HasSubstr("secret")));
}

TEST_F(RevocationsTest, AListThatIsBrokenOrGoneLeavesWhatWasKnown) {
  ca_.revoke("ca.crl", {"client"});
  listen_tls();
  auto settings = settings_of("client");
  ASSERT_EQ(send(settings, base("https") + "/who")->status, 403);
  ASSERT_TRUE(process::write_file_atomically(ca_.file("ca.crl"), "broken", 0644));
  EXPECT_EQ(send(settings, base("https") + "/who")->status, 403);
  EXPECT_THAT(server_.revocations_failure(), HasSubstr("CRL"));
  ASSERT_EQ(::unlink(ca_.file("ca.crl").c_str()), 0);
  EXPECT_EQ(send(settings, base("https") + "/who")->status, 403);
  ca_.revoke("ca.crl", {});
  EXPECT_EQ(send(settings, base("https") + "/who")->status, 200);
}

TEST_F(RevocationsTest, AConnectionEndsWithTheCertificateThatItBeganWith) {
  ca_.issue("short", "DNS:ams3", 2);
  listen_tls();
  auto settings = settings_of("short");
  HttpClient client(loop_.get_executor(), settings);
  ASSERT_EQ(send(client, base("https") + "/who")->body, "net ams3");
  std::optional<HttpResponse> last;
  auto const until = std::chrono::steady_clock::now() + 20s;
  do {
    auto const answer = send(client, base("https") + "/who");
    ASSERT_TRUE(answer) << answer.error().what();
    last = *answer;
    test::run_task(loop_, net::wait_for(20ms));
  } while (last->status == 200 && std::chrono::steady_clock::now() < until);
  EXPECT_EQ(last->status, 403);
  EXPECT_EQ(last->headers.get("Connection"), "close");
  EXPECT_EQ(send(client, base("https") + "/who").error().code, net::errc::certificate);
}

TEST_F(RevocationsTest, ASharedBodyIsSentAsItIsAndLetGoAfterwards) {
  auto const body = std::make_shared<std::string const>(3'000'000, 'y');
  router_.add("GET", "/shared", [body](HttpRequest const&) -> Task<HttpResponse> {
    auto response = HttpResponse::json(200, "");
    response.shared_body = body;
    co_return response;
  });
  ASSERT_TRUE(server_.listen_tcp("127.0.0.1:0"));
  HttpClient client(loop_.get_executor(), {});
  long const held = body.use_count();
  for (int i = 0; i < 2; ++i) {
    auto const answer = send(client, base("http") + "/shared");
    ASSERT_TRUE(answer) << answer.error().what();
    EXPECT_EQ(answer->body, *body);
  }
  auto const head = send(client, base("http") + "/shared", "HEAD");
  ASSERT_TRUE(head) << head.error().what();
  EXPECT_EQ(head->headers.get("Content-Length"), "3000000");
  EXPECT_EQ(head->body, "");
  EXPECT_EQ(body.use_count(), held);
}

}  // namespace
