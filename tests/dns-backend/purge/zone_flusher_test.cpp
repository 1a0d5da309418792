#include "dns-backend/purge/zone_flusher.hpp"

#include "base/http_server/http_server.hpp"
#include "dns-backend/purge/zone_changes.hpp"
#include "tests/dns-backend/remote/world.hpp"
#include "tests/support/run_task.hpp"

#include <gmock/gmock.h>
#include <boost/asio/io_context.hpp>

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

std::shared_ptr<store::Snapshot> with(std::vector<std::string> const& apexes) {
  std::vector<test::ZoneDraft> drafts;
  for (auto const& apex : apexes) {
    drafts.emplace_back();
    drafts.back().apex = apex;
    drafts.back().id = static_cast<std::int64_t>(drafts.size());
  }
  return test::snapshot(drafts);
}

store::Touched subtree(std::string const& text) {
  return {test::name(text), true};
}

TEST(ZoneChanges, AreTheZonesThatCameAndWentBelowWhatWasTouched) {
  purge::ZoneChanges changes(*with({"a.org.", "b.org."}));
  EXPECT_THAT(changes.published(*with({"a.org.", "b.org."}), {subtree("a.org.")}), IsEmpty()) << "its content only";
  EXPECT_THAT(changes.published(*with({"a.org.", "b.org.", "c.org."}), {subtree("c.org.")}),
              ElementsAre(test::name("c.org.")));
  EXPECT_THAT(changes.published(*with({"b.org.", "c.org."}), {subtree("a.org.")}), ElementsAre(test::name("a.org.")));
  EXPECT_THAT(changes.published(*with({"b.org.", "c.org."}), {subtree("a.org."), subtree("b.org.")}), IsEmpty());
  EXPECT_THAT(changes.published(*with({"b.org.", "x.b.org."}), {subtree("b.org."), subtree("c.org.")}),
              ElementsAre(test::name("x.b.org."), test::name("c.org.")))
      << "a zone below may hide in the announcement of the one above";
  EXPECT_THAT(changes.published(*with({}), {subtree(".")}), ElementsAre(test::name("b.org."), test::name("x.b.org.")));
}

TEST(ZoneChanges, ASnapshotAheadOfTheAnnouncementLosesNothing) {
  purge::ZoneChanges changes(*with({}));
  auto const both = with({"a.org.", "b.org."});
  EXPECT_THAT(changes.published(*both, {subtree("a.org.")}), ElementsAre(test::name("a.org.")));
  EXPECT_THAT(changes.published(*both, {subtree("b.org.")}), ElementsAre(test::name("b.org.")));
}

TEST(ZoneChanges, NamesAreNoZones) {
  purge::ZoneChanges changes(*with({"a.org."}));
  EXPECT_THAT(changes.published(*with({"a.org."}), {{test::name("www.a.org."), false}, subtree("ent.a.org.")}),
              IsEmpty());
}

// PowerDNS's API as far as a flush goes.
class Flushing : public testing::Test {
 protected:
  Flushing() {
    auto const handler = [this](net::HttpRequest request) { return flush(*this, std::move(request)); };
    router.add("PUT", "/api/v1/servers/localhost/cache/flush", handler);
    server.listen_tcp("127.0.0.1:0").value();
    settings.apis.push_back({"http://127.0.0.1:" + std::to_string(server.local_port()), "secret"});
  }
  static net::Task<net::HttpResponse> flush(Flushing& test, net::HttpRequest request) {
    if (request.headers.get("X-API-Key") != "secret") {
      co_return net::HttpResponse::text(401, "Unauthorized");
    }
    test.domains.push_back(request.query["domain"]);
    co_return net::HttpResponse::json(test.status, "{\"count\":1,\"result\":\"Flushed cache.\"}");
  }
  void until(std::function<bool()> const& condition) {
    auto const end = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end);
      loop.restart();
      loop.run_for(5ms);
    }
  }

  boost::asio::io_context loop{1};
  net::Router router;
  net::HttpServer server{loop.get_executor(), router, {}};
  process::Metrics metrics;
  purge::ZoneFlusherSettings settings;
  std::vector<std::string> domains;
  std::vector<dns::Name> told;
  int status = 200;
};

TEST_F(Flushing, EveryZoneIsFlushedAndTold) {
  purge::ZoneFlusher flusher(loop.get_executor(), settings, metrics,
                             [this](dns::Name const& zone) { told.push_back(zone); });
  flusher.flush({test::name("b.org."), test::name("a.org.")});
  until([&] { return flusher.status()[0].commands == 2; });
  EXPECT_THAT(domains, ElementsAre("a.org.", "b.org."));
  EXPECT_THAT(told, ElementsAre(test::name("a.org."), test::name("b.org.")));
  EXPECT_EQ(flusher.status()[0].waiting, 0U);
  EXPECT_THAT(metrics.text(), testing::HasSubstr("navigator_flush_commands_total"));
}

TEST_F(Flushing, ARefusalIsShownAndTriedAgain) {
  status = 500;
  purge::ZoneFlusher flusher(loop.get_executor(), settings, metrics,
                             [this](dns::Name const& zone) { told.push_back(zone); });
  flusher.flush({test::name("a.org.")});
  until([&] { return flusher.status()[0].failures > 0; });
  EXPECT_THAT(flusher.status()[0].last_error, testing::HasSubstr("answered 500"));
  EXPECT_THAT(told, IsEmpty());
  status = 200;
  until([&] { return flusher.status()[0].commands == 1; });
  EXPECT_EQ(flusher.status()[0].last_error, "");
}

TEST_F(Flushing, TooManyZonesAreLeftToTheNextRefresh) {
  settings.apis[0].url = "http://127.0.0.1:1";
  purge::ZoneFlusher flusher(loop.get_executor(), settings, metrics, [](dns::Name const&) {});
  std::vector<dns::Name> zones;
  for (std::size_t i = 0; i <= purge::ZoneFlusher::zones_max; ++i) {
    zones.push_back(test::name("z" + std::to_string(i) + ".org."));
  }
  flusher.flush(zones);
  EXPECT_EQ(flusher.status()[0].waiting, 0U);
}

}  // namespace
