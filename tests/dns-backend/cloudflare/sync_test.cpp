#include "dns-backend/cloudflare/sync.hpp"

#include "tests/dns-backend/cloudflare/fake_cloudflare.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>

namespace cloudflare {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::string const zone_id(32, 'a');

Record record(std::string const& owner, dns::RRType type, std::string const& content) {
  Record out;
  out.name = dns::Name::parse(owner).value();
  out.type = type;
  out.content = dns::normalize_content(type, content).value();
  return out;
}

class CloudflareTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.listen_unix(folder_.file("cf.sock"), 0600));
    settings_.base_url = "unix:" + folder_.file("cf.sock") + ":/client/v4";
    settings_.token = fake_.token;
    sync_settings_.mark = "navigator:test";
    sync_settings_.coalesce = std::chrono::milliseconds(1);
    sync_settings_.look_again = std::chrono::hours(1);
    sync_settings_.retry_first = std::chrono::milliseconds(2);
    sync_settings_.retry_limit = std::chrono::milliseconds(4);
    wanted_ = {{zone_id, dns::Name::parse("example").value(), {}, {}}};
  }
  void start() {
    client_.emplace(http_, settings_);
    auto const provider = [this] { return wanted_; };
    sync_ = std::make_unique<Sync>(loop_.get_executor(), *client_, provider, sync_settings_);
  }
  // Until one more run has ended.
  void run() {
    if (sync_ == nullptr) {
      start();
    } else {
      sync_->poke();
    }
    std::uint64_t const before = sync_->runs();
    for (int steps = 0; steps < 100000 && sync_->runs() == before; ++steps) {
      loop_.restart();
      loop_.run_one_for(std::chrono::seconds(10));
    }
    ASSERT_GT(sync_->runs(), before);
  }
  void TearDown() override {
    sync_.reset();
    server_.stop();
    loop_.restart();
    loop_.run_for(std::chrono::milliseconds(20));
  }
  void want(Record what) { wanted_[0].records.push_back(std::move(what)); }
  ZoneStatus status() { return sync_->status().at(0); }
  std::vector<std::string> contents() {
    std::vector<std::string> out;
    for (auto const& [id, one] : fake_.records) {
      out.push_back(std::string(one.at("name").as_string()) + " " + std::string(one.at("type").as_string()) + " " +
                    std::string(one.at("content").as_string()));
    }
    return out;
  }

  ::test::TemporaryFolder folder_;
  boost::asio::io_context loop_;
  net::Router router_;
  test::FakeCloudflare fake_{router_};
  net::HttpServer server_{loop_.get_executor(), router_, net::HttpServerSettings{}};
  net::HttpClient http_{loop_.get_executor(), {}};
  ClientSettings settings_;
  std::optional<Client> client_;
  SyncSettings sync_settings_;
  std::vector<WantedZone> wanted_;
  std::unique_ptr<Sync> sync_;
};

TEST_F(CloudflareTest, PublishesAndThenWritesNothingMore) {
  want(record("www.example", dns::type_a, "192.0.2.1"));
  want(record("www.example", dns::type_a, "192.0.2.2"));
  want(record("_sip._tcp.example", dns::type_srv, "1 2 5060 sip.example."));
  want(record("example", dns::type_mx, "10 mail.example."));
  want(record("example", dns::type_caa, "0 issue \"ca.example\""));
  want(record("example", dns::type_txt, "\"v=spf1 -all\""));
  run();
  EXPECT_EQ(fake_.records.size(), 6U);
  EXPECT_EQ(fake_.batches, 1U);
  EXPECT_EQ(status().writes, 6U);
  EXPECT_EQ(status().last_error, "");
  EXPECT_GT(status().published_at_ms, 0);
  run();
  EXPECT_EQ(fake_.batches, 1U) << "the second run writes nothing";
  EXPECT_EQ(fake_.lists, 2U);
}

TEST_F(CloudflareTest, ChangesAndRemovesOnlyItsOwn) {
  fake_.put("old.example", "A", "192.0.2.8", "navigator:test");
  fake_.put("mail.example", "A", "192.0.2.9", "");
  fake_.put("www.example", "A", "192.0.2.1", "navigator:test");
  want(record("www.example", dns::type_a, "192.0.2.2"));
  run();
  EXPECT_THAT(contents(), UnorderedElementsAre("mail.example A 192.0.2.9", "www.example A 192.0.2.2"));
  wanted_[0].records.clear();
  run();
  EXPECT_THAT(contents(), UnorderedElementsAre("mail.example A 192.0.2.9"));
}

TEST_F(CloudflareTest, ReadsEveryPageAndSendsLargeChangesInBatches) {
  settings_.per_page = 50;
  for (int i = 0; i < 230; ++i) {
    fake_.put("kept" + std::to_string(i) + ".example", "TXT", "\"x\"", "somebody");
    want(record("n" + std::to_string(i) + ".example", dns::type_a, "192.0.2.1"));
  }
  run();
  EXPECT_EQ(fake_.lists, 5U);
  EXPECT_EQ(fake_.batches, 2U);
  EXPECT_EQ(fake_.records.size(), 460U);
  run();
  EXPECT_EQ(fake_.lists, 5U + 10U);
  EXPECT_EQ(fake_.batches, 2U);
}

TEST_F(CloudflareTest, WaitsAsLongAsCloudflareAsksAfterARefusal) {
  want(record("www.example", dns::type_a, "192.0.2.1"));
  fake_.refuse_next = 1;
  run();
  EXPECT_THAT(status().last_error, HasSubstr("429"));
  EXPECT_GT(client_->pause(std::chrono::steady_clock::now()).count(), 0);
  EXPECT_EQ(fake_.lists, 1U);
  run();  // by itself, after the second that Retry-After names
  EXPECT_EQ(client_->pause(std::chrono::steady_clock::now()).count(), 0);
  EXPECT_EQ(status().last_error, "");
  EXPECT_EQ(fake_.records.size(), 1U);
}

TEST_F(CloudflareTest, TriesAgainAfterAFailure) {
  want(record("www.example", dns::type_a, "192.0.2.1"));
  fake_.fail_next = 2;
  run();
  EXPECT_THAT(status().last_error, HasSubstr("500"));
  run();
  run();
  EXPECT_EQ(status().last_error, "");
  EXPECT_EQ(fake_.records.size(), 1U);
}

TEST_F(CloudflareTest, OneRejectedRecordDoesNotHoldUpTheOthers) {
  fake_.poisoned = "192.0.2.66";
  for (int i = 0; i < 20; ++i) {
    want(record("n" + std::to_string(i) + ".example", dns::type_a, i == 13 ? "192.0.2.66" : "192.0.2.1"));
  }
  run();
  EXPECT_EQ(fake_.records.size(), 19U);
  ASSERT_EQ(status().obstacles.size(), 1U);
  EXPECT_THAT(status().obstacles[0], HasSubstr("n13.example. A"));
  EXPECT_THAT(status().obstacles[0], HasSubstr("content is invalid"));
  EXPECT_EQ(status().last_error, "");
}

TEST_F(CloudflareTest, SaysWhatStandsInTheWay) {
  fake_.put("www.example", "CNAME", "elsewhere.example", "by hand");
  want(record("www.example", dns::type_a, "192.0.2.1"));
  run();
  EXPECT_THAT(contents(), UnorderedElementsAre("www.example CNAME elsewhere.example"));
  ASSERT_EQ(status().obstacles.size(), 1U);
  EXPECT_THAT(status().obstacles[0], HasSubstr("www.example. A: a record that is not ours"));
  EXPECT_EQ(fake_.batches, 0U);
}

TEST_F(CloudflareTest, ReportsATokenThatMayNot) {
  settings_.token = "wrong";
  run();
  EXPECT_THAT(status().last_error, HasSubstr("10000 Authentication error"));
  EXPECT_THAT(status().last_error, testing::Not(HasSubstr("wrong")));
}

TEST_F(CloudflareTest, AFailingZoneDoesNotStopTheNext) {
  wanted_.insert(wanted_.begin(), {"not an id", dns::Name::parse("other").value(), {}, {}});
  wanted_[1].records.push_back(record("www.example", dns::type_a, "192.0.2.1"));
  run();
  EXPECT_EQ(fake_.records.size(), 1U);
  ASSERT_EQ(sync_->status().size(), 2U);
  wanted_.erase(wanted_.begin());
  run();
  ASSERT_EQ(sync_->status().size(), 1U);
  EXPECT_EQ(status().last_error, "");
}

TEST_F(CloudflareTest, ManyPokesAreOneRun) {
  run();
  unsigned const before = fake_.lists;
  for (int i = 0; i < 100; ++i) {
    sync_->poke();
  }
  run();
  loop_.restart();
  loop_.run_for(std::chrono::milliseconds(30));
  EXPECT_EQ(fake_.lists, before + 1);
}

TEST_F(CloudflareTest, RefusesAListThatHasNoEnd) {
  settings_.per_page = 1;
  settings_.pages_max = 3;
  for (int i = 0; i < 4; ++i) {
    fake_.put("n" + std::to_string(i) + ".example", "A", "192.0.2.1", "navigator:test");
  }
  run();
  EXPECT_THAT(status().last_error, HasSubstr("pages"));
  EXPECT_EQ(fake_.records.size(), 4U) << "a part of the list is no reason to delete";
}

}  // namespace
}  // namespace cloudflare
