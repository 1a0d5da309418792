// Three sites in one process, joined by the real HTTP server and client over mutual TLS.
#include "dns-backend/vantage/exchange.hpp"

#include "base/http_server/http_server.hpp"
#include "dns-backend/vantage/report.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/test_certificate.hpp"

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>

namespace vantage {
namespace {

using namespace std::chrono_literals;
using probe::Health;

std::vector<std::string> const names = {"ams", "nyc", "sin"};

struct Site {
  explicit Site(boost::asio::io_context& loop)
      : server(std::make_unique<net::HttpServer>(loop.get_executor(), router, net::HttpServerSettings{})) {}
  std::string name;
  process::Metrics metrics;
  net::Router router;
  std::unique_ptr<net::HttpServer> server;
  std::map<std::string, Health> decided;
  std::map<std::string, std::int64_t> left_up_ms;  // what this site knows
  std::vector<std::string> heard;                  // what it was told of falls and reports
  std::unique_ptr<Exchange> exchange;
};

class ExchangeTest : public testing::Test {
 protected:
  ExchangeTest() : authority(folder.path()) {
    authority.issue("server", "IP:127.0.0.1");
    for (std::string const& name : names) {
      authority.issue("node-" + name, "DNS:node-" + name);
      auto site = std::make_unique<Site>(loop);
      site->name = name;
      net::TlsServerSettings tls;
      tls.identity = {authority.file("server.pem"), authority.file("server.key")};
      tls.client_ca_file = authority.file("ca.pem");
      tls.require_client_certificate = true;
      if (!site->server->listen_tls("127.0.0.1:0", tls)) {
        throw std::runtime_error("listen");
      }
      sites.push_back(std::move(site));
    }
  }
  void TearDown() override {
    for (auto const& site : sites) {
      site->exchange.reset();
      site->server.reset();
    }
    loop.restart();
    loop.run_for(3s);
  }
  net::HttpClientSettings client_of(std::string const& node) {
    net::HttpClientSettings client;
    client.tls.ca_file = authority.file("ca.pem");
    client.tls.identity = net::Identity{authority.file(node + ".pem"), authority.file(node + ".key")};
    return client;
  }
  void begin(Site& site) {
    ExchangeSettings settings;
    settings.site = site.name;
    settings.heartbeat = 50ms;
    settings.fresh = 500ms;
    for (auto const& other : sites) {
      if (other->name != site.name) {
        settings.peers.push_back({other->name, "node-" + other->name,
                                  "https://127.0.0.1:" + std::to_string(other->server->local_port()),
                                  client_of("node-" + site.name)});
      }
    }
    auto const decided = [&site](std::string const& endpoint, Ballot const& ballot) {
      site.decided[endpoint] = ballot.decided;
    };
    site.exchange = std::make_unique<Exchange>(loop.get_executor(), settings, site.metrics, decided);
    Hooks hooks;
    hooks.left_up = [&site](std::string const& endpoint) { return site.left_up_ms[endpoint]; };
    hooks.was_up = [&site](std::string const& endpoint, std::int64_t at_ms) {
      site.heard.push_back(endpoint + " was up at " + std::to_string(at_ms));
    };
    hooks.pushed = [&site](Push const& push, std::string const& from) {
      site.heard.push_back(from + ": " + push.endpoint + " " + std::to_string(push.sequence));
    };
    hooks.checks = [&site](std::string const& endpoint) {
      return endpoint == "e" ? R"({"checks":[],"of":")" + site.name + "\"}" : std::string();
    };
    site.exchange->connect(hooks);
    site.router = net::Router();
    site.exchange->add_routes(site.router);
    site.exchange->watch({{"e", "nyc", 0}, {"f", "ams", 0}}, [](std::string const&) { return Health::unknown; });
  }
  template <class Condition>
  void run_until(Condition condition) {
    auto const end = std::chrono::steady_clock::now() + 20s;
    while (!condition() && std::chrono::steady_clock::now() < end) {
      loop.restart();
      loop.run_one_for(1s);
    }
    ASSERT_TRUE(condition());
  }
  bool all_hear_all() {
    return std::all_of(sites.begin(), sites.end(), [](auto const& site) {
      auto const status = site->exchange->status();
      return std::all_of(status.peers.begin(), status.peers.end(), [](auto const& peer) { return peer.hears_us; });
    });
  }
  bool all_decided(Health health) {
    return std::all_of(sites.begin(), sites.end(), [health](auto const& site) {
      auto const found = site->decided.find("e");
      return found != site->decided.end() && found->second == health;
    });
  }

  test::TemporaryFolder folder;
  test::TestAuthority authority;
  boost::asio::io_context loop;
  std::vector<std::unique_ptr<Site>> sites;
};

TEST_F(ExchangeTest, MostSitesDecideAndAllOfThemAlike) {
  for (auto const& site : sites) {
    begin(*site);
    site->exchange->vote("e", Health::up);
    site->exchange->vote("f", Health::up);
  }
  run_until([this] { return all_hear_all() && all_decided(Health::up); });
  sites[0]->exchange->vote("e", Health::down);
  run_until([this] { return sites[1]->exchange->ballot("e")->down.size() == 1; });
  EXPECT_TRUE(all_decided(Health::up)) << "one site of three";
  sites[2]->exchange->vote("e", Health::down);
  run_until([this] { return all_decided(Health::down); });
  sites[0]->exchange->vote("e", Health::up);
  sites[2]->exchange->vote("e", Health::up);
  run_until([this] { return all_decided(Health::up); });
}

TEST_F(ExchangeTest, ASiteThatIsGoneIsNotWaitedForAndOneThatComesBackIsHeardAgain) {
  for (auto const& site : sites) {
    begin(*site);
    site->exchange->vote("e", Health::up);
    site->exchange->vote("f", Health::up);
  }
  run_until([this] { return all_hear_all(); });
  sites[1]->exchange.reset();
  run_until([this] {
    return !sites[0]->exchange->status().standing.heard.contains("nyc") &&
           !sites[2]->exchange->status().standing.heard.contains("nyc");
  });
  sites[0]->exchange->vote("e", Health::down);
  sites[2]->exchange->vote("e", Health::down);
  run_until([this] { return sites[0]->decided["e"] == Health::down && sites[2]->decided["e"] == Health::down; });
  begin(*sites[1]);  // a new process: it is asked for, and sends, all votes
  sites[1]->exchange->vote("e", Health::up);
  sites[1]->exchange->vote("f", Health::up);
  run_until([this] { return all_hear_all() && sites[1]->decided["e"] == Health::down; });
}

TEST_F(ExchangeTest, ACutOffSiteKeepsWhatItHas) {
  begin(*sites[0]);
  sites[0]->exchange->vote("e", Health::up);
  EXPECT_EQ(sites[0]->decided["e"], Health::up);
  sites[0]->exchange->vote("e", Health::down);
  EXPECT_TRUE(sites[0]->exchange->status().standing.cut_off);
  EXPECT_EQ(sites[0]->decided["e"], Health::up);
  EXPECT_TRUE(sites[0]->exchange->ballot("e")->kept);
  sites[0]->exchange->witness(true);
  EXPECT_EQ(sites[0]->decided["e"], Health::down) << "the uplink works after all";
}

TEST_F(ExchangeTest, TellsWhyAndWhenThingsWereUpLast) {
  for (auto const& site : sites) {
    begin(*site);
    site->exchange->vote("e", Health::down, {17, "refused at " + site->name});
    site->exchange->vote("f", Health::up);
  }
  sites[1]->left_up_ms["e"] = 1'700'000'000'000;
  run_until([this] { return all_hear_all() && all_decided(Health::down); });
  sites[1]->exchange->health_changed();
  std::string const told = "e was up at 1700000000000";
  run_until([&] {
    return testing::Matches(testing::Contains(told))(sites[0]->heard) &&
           testing::Matches(testing::Contains(told))(sites[2]->heard);
  });
  std::map<std::string, std::string> reasons;
  for (Word const& word : sites[0]->exchange->words("e")) {
    EXPECT_EQ(word.health, Health::down);
    reasons[word.site] = word.why ? word.why->reason : "";
  }
  EXPECT_EQ(reasons, (std::map<std::string, std::string>{
                         {"ams", "refused at ams"}, {"nyc", "refused at nyc"}, {"sin", "refused at sin"}}));
}

TEST_F(ExchangeTest, WhatAnEndpointSaidToOneSiteReachesTheOthersOnce) {
  for (auto const& site : sites) {
    begin(*site);
  }
  run_until([this] { return all_hear_all(); });
  auto const at_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  sites[2]->exchange.reset();
  sites[0]->exchange->push({"e", true, "", 400, 7, at_ms});
  sites[0]->exchange->push({"e", true, "", 500, 8, at_ms});
  sites[0]->exchange->push({"f", true, "", std::nullopt, 1, at_ms - 120'000});
  run_until([this] { return !sites[1]->heard.empty(); });
  begin(*sites[2]);
  run_until([this] { return !sites[2]->heard.empty(); });
  EXPECT_THAT(sites[2]->heard, testing::ElementsAre("ams: e 8")) << "the last one waited for it, the old one did not";
  EXPECT_THAT(sites[1]->heard, testing::Contains("ams: e 8"));
  EXPECT_THAT(sites[1]->heard, testing::Not(testing::Contains("ams: f 1")));
  EXPECT_TRUE(sites[0]->heard.empty());
}

net::Task<void> keep(net::Task<std::vector<Elsewhere>> task, std::vector<Elsewhere>* out) {
  *out = co_await std::move(task);
}

TEST_F(ExchangeTest, AsksThePeersForTheirChecks) {
  for (auto const& site : sites) {
    begin(*site);
  }
  run_until([this] { return all_hear_all(); });
  sites[2]->exchange.reset();
  run_until([this] { return !sites[0]->exchange->status().standing.heard.contains("sin"); });
  std::vector<Elsewhere> answers;
  net::spawn(loop.get_executor(), "ask", keep(sites[0]->exchange->ask("e"), &answers));
  run_until([&] { return answers.size() == 2; });
  EXPECT_EQ(answers[0].site, "nyc");
  EXPECT_THAT(answers[0].json, testing::HasSubstr(R"("of":"nyc")"));
  EXPECT_EQ(answers[1].site, "sin");
  EXPECT_EQ(answers[1].error, "it is not heard");
  answers.clear();
  net::spawn(loop.get_executor(), "ask", keep(sites[0]->exchange->ask("nobody"), &answers));
  run_until([&] { return answers.size() == 2; });
  EXPECT_THAT(answers[0].error, testing::HasSubstr("404"));
}

TEST_F(ExchangeTest, OnlyPeersMayReport) {
  begin(*sites[0]);
  authority.issue("stranger", "DNS:stranger");
  std::string const url = "https://127.0.0.1:" + std::to_string(sites[0]->server->local_port()) + "/v1/verdicts";
  auto const post = [&](std::string const& node, Report const& report) {
    net::HttpClient client(loop.get_executor(), client_of(node));
    net::HttpRequest request;
    request.method = "POST";
    request.body = to_json(report);
    auto const answer = test::run_task(loop, client.send(url, request, 10s));
    return answer ? answer->status : 0;
  };
  Report report;
  report.site = "nyc";
  report.sequence = 1;
  report.votes_of = 1;
  report.at_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  EXPECT_EQ(post("stranger", report), 403);
  EXPECT_EQ(post("node-sin", report), 403) << "another site's name";
  EXPECT_EQ(post("node-nyc", report), 204);
  EXPECT_EQ(post("node-nyc", report), 400) << "a replay";
  report.sequence = 2;
  report.complete = false;
  report.votes_of = 9;
  EXPECT_EQ(post("node-nyc", report), 409);
  auto const get = [&](std::string const& node) {
    net::HttpClient client(loop.get_executor(), client_of(node));
    net::HttpRequest request;
    request.method = "GET";
    auto const answer = test::run_task(loop, client.send(url + "?endpoint=e", request, 10s));
    return answer ? answer->status : 0;
  };
  EXPECT_EQ(get("stranger"), 403);
  EXPECT_EQ(get("node-nyc"), 200);
  EXPECT_THAT(sites[0]->metrics.text(), testing::HasSubstr("navigator_vantage_refused_total"));
}

}  // namespace
}  // namespace vantage
