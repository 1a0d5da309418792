#include "mesh/names/publisher.hpp"

#include "base/http_server/http_server.hpp"
#include "base/process/service.hpp"

#include "tests/mesh/plan/sample.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <memory>

namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

plan::World world(std::int64_t revision) {
  auto out = plan::sample::world();
  out.topology.internal_domain = "internal.";
  out.revision = revision;
  return out;
}

// A Navigator that takes zones; the first `refuse` of them it does not.
struct FakeNavigator {
  explicit FakeNavigator(net::asio::any_io_executor executor) : arrived(executor) {}
  net::Signal arrived;
  std::vector<std::string> zones;
  std::string last_body;
  int refuse = 0;

  std::string strangers;  // a zone that is there already

  net::Task<net::HttpResponse> show(net::HttpRequest request) {
    bool const there = request.parameters.at("zone") == strangers;
    co_return net::HttpResponse::text(there ? 200 : 404, "@ 300 IN SOA ns.example. admin.example. 1 2 3 4 5\n");
  }
  net::Task<net::HttpResponse> take(net::HttpRequest request) {
    arrived.notify();
    if (refuse > 0) {
      --refuse;
      co_return net::HttpResponse::text(503, "the disk is full");
    }
    zones.push_back(request.parameters.at("zone"));
    last_body = request.body;
    co_return net::HttpResponse::text(200, "{}");
  }
};

class PublisherTest : public ::testing::Test {
 protected:
  PublisherTest() : navigator_(loop_.get_executor()), server_(loop_.get_executor(), router_, {}) {
    router_.add("GET", "/v1/zones/{zone}/export",
                [this](net::HttpRequest request) { return navigator_.show(std::move(request)); });
    router_.add("PUT", "/v1/zones/{zone}/import",
                [this](net::HttpRequest request) { return navigator_.take(std::move(request)); });
    EXPECT_TRUE(server_.listen_unix(socket(), 0600));
    publisher_ = std::make_unique<names::Publisher>(loop_.get_executor(), names::PublisherSettings{socket(), hosts()});
  }
  [[nodiscard]] std::string socket() const { return folder_.path() + "/api.sock"; }
  [[nodiscard]] std::string hosts() const { return folder_.path() + "/hosts"; }

  // Until the names of `revision` are in place.
  net::Task<void> settled(std::int64_t revision) {
    while (publisher_->status().revision != revision) {
      co_await navigator_.arrived.wait(20ms);
    }
  }

  net::Task<void> failed() {
    while (publisher_->status().failure.empty()) {
      co_await navigator_.arrived.wait(20ms);
    }
  }

  test::TemporaryFolder folder_;
  boost::asio::io_context loop_;
  FakeNavigator navigator_;
  net::Router router_;
  net::HttpServer server_;
  std::unique_ptr<names::Publisher> publisher_;
};

TEST_F(PublisherTest, PutsZonesAndHostsAndTheNewestWorldWins) {
  publisher_->publish(world(7));
  test::run_task(loop_, settled(7));
  EXPECT_THAT(navigator_.zones, ElementsAre("internal.", "200.10.in-addr.arpa.", "0.0.0.0.0.7.0.0.e.5.d.f.ip6.arpa."));
  EXPECT_THAT(process::read_file(hosts()).value(), HasSubstr("10.200.0.1 ams-1.internal"));
  publisher_->publish(world(8));
  publisher_->publish(world(9));
  test::run_task(loop_, settled(9));
  EXPECT_EQ(publisher_->status().failure, "");
}

TEST_F(PublisherTest, LeavesAZoneOfSomebodyElseAsItIs) {
  navigator_.strangers = "internal.";
  publisher_->publish(world(7));
  test::run_task(loop_, failed());
  EXPECT_THAT(publisher_->status().failure, HasSubstr("zone internal. is there and is not the mesh's"));
  EXPECT_TRUE(navigator_.zones.empty());
}

TEST_F(PublisherTest, TriesAgainAndSaysWhy) {
  navigator_.refuse = 1;
  publisher_->publish(world(7));
  test::run_task(loop_, failed());
  EXPECT_THAT(publisher_->status().failure, HasSubstr("status 503: the disk is full"));
  EXPECT_EQ(publisher_->status().revision, -1);
  test::run_task(loop_, settled(7));
  EXPECT_EQ(publisher_->status().failure, "");
}

}  // namespace
