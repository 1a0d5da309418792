// Primary and replica, each with its own store, joined by the real HTTP server and client.
#include "base/http_server/http_server.hpp"
#include "dns-backend/feed/codec.hpp"
#include "dns-backend/feed/feed_server.hpp"
#include "dns-backend/feed/follower.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/test_certificate.hpp"

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>

namespace feed {
namespace {

using testing::HasSubstr;

store::PoolRow pool_row(std::string const& name) {
  store::PoolRow row;
  row.name = name;
  row.site = "ams";
  row.endpoints.push_back({"edge-" + name, "192.0.2.1", "", "192.0.2.1", true, 1});
  return row;
}

std::vector<std::string> names(std::vector<store::PoolRow> const& rows) {
  std::vector<std::string> out;
  for (store::PoolRow const& row : rows) {
    out.push_back(row.name);
  }
  return out;
}

class FeedTest : public testing::Test {
 protected:
  void SetUp() override {
    primary_ = open("primary.db");
    replica_ = open("replica.db");
    server_side_ = std::make_unique<FeedServer>(*primary_, std::set<std::string>{"site-b"}, metrics_);
    server_side_->add_routes(router_);
    settings_.primary_url = "unix:" + folder_.file("api.sock") + ":";
    settings_.retry_first = std::chrono::milliseconds(5);
    settings_.retry_limit = std::chrono::milliseconds(20);
  }
  void TearDown() override {
    follower_.reset();
    server_.reset();
    client_.reset();
    loop_.restart();
    loop_.run_for(std::chrono::seconds(5));  // what was under way unwinds while the stores are still there
  }
  std::unique_ptr<store::Store> open(std::string const& name) {
    auto opened = store::Store::open("sqlite://" + folder_.file(name), {}, health_, loop_.get_executor());
    EXPECT_TRUE(opened) << opened.error().what();
    return std::move(opened).value();
  }
  void serve() {
    server_ = std::make_unique<net::HttpServer>(loop_.get_executor(), router_, net::HttpServerSettings{});
    ASSERT_TRUE(server_->listen_unix(folder_.file("api.sock"), 0600));
  }
  void follow(net::HttpClientSettings const& client = {}) {
    client_ = std::make_unique<net::HttpClient>(loop_.get_executor(), client);
    follower_ = std::make_unique<Follower>(loop_.get_executor(), *replica_, *client_, settings_,
                                           metrics_);
  }
  template <class Condition>
  void run_until(Condition condition) {
    for (int steps = 0; steps < 100000 && !condition(); ++steps) {
      loop_.restart();
      loop_.run_one_for(std::chrono::seconds(10));
    }
    ASSERT_TRUE(condition());
  }
  void set_pools(std::vector<std::string> const& wanted) {
    std::vector<store::PoolRow> rows;
    for (std::string const& name : wanted) {
      rows.push_back(pool_row(name));
    }
    auto set = ::test::run_task(loop_, primary_->set_pools(rows));
    ASSERT_TRUE(set) << set.error().what();
  }
  void caught_up() {
    run_until([this] { return replica_->revision() == primary_->revision() && follower_->status().connected; });
    auto left = ::test::run_task(loop_, primary_->pools());
    auto right = ::test::run_task(loop_, replica_->pools());
    ASSERT_TRUE(left && right);
    EXPECT_EQ(names(*left), names(*right));
  }
  net::HttpResponse ask(std::string const& query) {
    net::HttpClient client(loop_.get_executor(), {});
    std::string const url = settings_.primary_url + "/v1/changes" + query;
    auto answer = ::test::run_task(loop_, client.send(url, {}, std::chrono::seconds(20)));
    EXPECT_TRUE(answer) << answer.error().what();
    return answer ? *answer : net::HttpResponse();
  }
  FollowerStatus follower(std::string const& name) { return server_side_->followers().at(name); }

  ::test::TemporaryFolder folder_;
  boost::asio::io_context loop_;
  pool::HealthTable health_;
  std::unique_ptr<store::Store> primary_;
  std::unique_ptr<store::Store> replica_;
  net::Router router_;
  std::unique_ptr<FeedServer> server_side_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<net::HttpClient> client_;
  FollowerSettings settings_;
  process::Metrics metrics_;
  std::unique_ptr<Follower> follower_;
};

TEST_F(FeedTest, AReplicaFollowsEveryChange) {
  set_pools({"a"});
  serve();
  follow();
  caught_up();
  EXPECT_GE(follower_->status().batches, 1U);
  set_pools({"a", "b"});
  caught_up();
  set_pools({"c"});
  caught_up();
  FollowStatus const status = follower_->status();
  EXPECT_EQ(status.revision, primary_->revision());
  EXPECT_EQ(status.lag, 0);
  EXPECT_EQ(status.last_error, "");
  EXPECT_GT(status.last_contact_ms, 0);
}

TEST_F(FeedTest, AReplicaGoesOnWithoutItsPrimaryAndCatchesUpLater) {
  set_pools({"a"});
  serve();
  follow();
  caught_up();
  server_.reset();
  run_until([this] { return !follower_->status().connected; });
  EXPECT_NE(follower_->status().last_error, "");
  EXPECT_THAT(metrics_.text(), HasSubstr("navigator_replica_connected 0"));
  EXPECT_THAT(metrics_.text(), HasSubstr("navigator_replica_revision " + std::to_string(replica_->revision())));
  set_pools({"a", "b"});
  auto kept = ::test::run_task(loop_, replica_->pools());
  EXPECT_EQ(names(*kept), std::vector<std::string>{"a"}) << "what it has, it serves";
  serve();
  caught_up();
  EXPECT_EQ(follower_->status().last_error, "");
  EXPECT_THAT(metrics_.text(), HasSubstr("navigator_replica_connected 1"));
}

TEST_F(FeedTest, ThePrimaryKnowsWhatItsFollowersHaveAcknowledged) {
  int heard = 0;
  EXPECT_THAT(metrics_.text(), HasSubstr("navigator_follower_connected{follower=\"site-b\"} 0")) << "never heard of";
  server_side_->on_acknowledgment([&heard] { ++heard; });
  set_pools({"a"});
  serve();
  follow();
  run_until([this] {
    return server_side_->followers().contains("unix") && follower("unix").acknowledged == primary_->revision();
  });
  EXPECT_GT(heard, 0);
  EXPECT_TRUE(follower("unix").polling);
  EXPECT_THAT(metrics_.text(), HasSubstr("navigator_follower_connected{follower=\"unix\"} 1"));
  EXPECT_THAT(metrics_.text(), HasSubstr("navigator_follower_acknowledged_revision{follower=\"unix\"} 1"));
  set_pools({"a", "b"});
  run_until([this] { return follower("unix").acknowledged == primary_->revision(); });
  server_.reset();
  run_until([this] { return !follower("unix").polling; });
}

TEST_F(FeedTest, AnotherHistoryAcknowledgesNothingAndGetsACompleteCopyAtOnce) {
  set_pools({"a"});
  set_pools({"a", "b"});
  serve();
  auto const position = ::test::run_task(loop_, primary_->position());
  for (std::string const& query :
       {std::string("?since=1&wait_ms=60000"), std::string("?since=2&history=other&wait_ms=60000"),
        "?since=99&history=" + position->history + "&wait_ms=60000"}) {
    auto const changes = parse_changes(ask(query).body);
    ASSERT_TRUE(changes) << query;
    EXPECT_TRUE(changes->complete) << query;
    EXPECT_EQ(changes->to, primary_->revision());
    EXPECT_EQ(follower("unix").acknowledged, 0) << query;
  }
  net::HttpResponse const answer = ask("?since=1&history=" + position->history);
  EXPECT_EQ(answer.headers.get("Sovereign-Revision"), std::to_string(primary_->revision()));
  EXPECT_FALSE(parse_changes(answer.body)->complete);
  EXPECT_EQ(follower("unix").acknowledged, 1);
  EXPECT_FALSE(follower("unix").polling);
}

TEST_F(FeedTest, AReplicaThatWasAPrimaryGivesItsOwnRowsUp) {
  auto own = ::test::run_task(loop_, replica_->set_pools({pool_row("mine"), pool_row("a")}));
  ASSERT_TRUE(own);
  set_pools({"a"});
  serve();
  follow();
  caught_up();
}

TEST_F(FeedTest, RefusesAPositionThatIsNone) {
  serve();
  EXPECT_EQ(ask("?since=x").status, 400);
  EXPECT_EQ(ask("?since=-1").status, 400);
  EXPECT_EQ(ask("?since=1&wait_ms=soon").status, 400);
  EXPECT_EQ(ask("?since=99999999999999999999").status, 400);
  EXPECT_EQ(ask("").status, 200);
}

TEST_F(FeedTest, AFollowerThatIsGoneIsNoLongerWaiting) {
  set_pools({"a"});
  serve();
  settings_.wait = std::chrono::seconds(50);
  follow();
  run_until([this] { return server_side_->followers().contains("unix") && follower("unix").polling; });
  follower_.reset();
  client_.reset();
  // A client of its own that gives up in the middle of the poll.
  auto const position = ::test::run_task(loop_, primary_->position());
  net::HttpClient client(loop_.get_executor(), {});
  std::string const url = settings_.primary_url + "/v1/changes?wait_ms=50000&history=" + position->history +
                          "&since=" + std::to_string(position->revision);
  auto given_up = ::test::run_task(loop_, client.send(url, {}, std::chrono::milliseconds(50)));
  ASSERT_TRUE(given_up.has_error());
  server_.reset();
  run_until([this] { return !follower("unix").polling; });
}

TEST_F(FeedTest, OnlyCertificatesOfFollowersMayFollow) {
  ::test::TestAuthority authority(folder_.path());
  authority.issue("primary", "IP:127.0.0.1");
  authority.issue("site-b", "DNS:site-b");
  authority.issue("edge-1", "DNS:edge-1");
  net::TlsServerSettings tls;
  tls.identity = {authority.file("primary.pem"), authority.file("primary.key")};
  tls.client_ca_file = authority.file("ca.pem");
  tls.require_client_certificate = true;
  server_ = std::make_unique<net::HttpServer>(loop_.get_executor(), router_, net::HttpServerSettings{});
  ASSERT_TRUE(server_->listen_tls("127.0.0.1:0", tls));
  settings_.primary_url = "https://127.0.0.1:" + std::to_string(server_->local_port());
  net::HttpClientSettings client;
  client.tls.ca_file = authority.file("ca.pem");
  client.tls.identity = net::Identity{authority.file("edge-1.pem"), authority.file("edge-1.key")};
  set_pools({"a"});
  follow(client);
  run_until([this] { return !follower_->status().last_error.empty(); });
  EXPECT_THAT(follower_->status().last_error, HasSubstr("403"));
  EXPECT_TRUE(server_side_->followers().empty());
  follower_.reset();
  client.tls.identity = net::Identity{authority.file("site-b.pem"), authority.file("site-b.key")};
  follow(client);
  caught_up();
  run_until([this] { return follower("site-b").acknowledged == primary_->revision(); });
}

TEST_F(FeedTest, AnAnswerOfAnotherFormatIsRefusedWhole) {
  net::Router strange;
  auto const nonsense = [](net::HttpRequest const&) -> net::Task<net::HttpResponse> {
    co_return net::HttpResponse::json(200, "{\"format\":2}");
  };
  strange.add("GET", "/v1/changes", nonsense);
  server_ = std::make_unique<net::HttpServer>(loop_.get_executor(), strange, net::HttpServerSettings{});
  ASSERT_TRUE(server_->listen_unix(folder_.file("api.sock"), 0600));
  follow();
  run_until([this] { return !follower_->status().last_error.empty(); });
  EXPECT_THAT(follower_->status().last_error, HasSubstr("format"));
  EXPECT_EQ(replica_->revision(), 0);
  follower_.reset();
  server_.reset();
  loop_.restart();
  loop_.run_for(std::chrono::milliseconds(20));
}

}  // namespace
}  // namespace feed
