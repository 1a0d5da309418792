#include "dns-backend/remote/secondary.hpp"

#include "tests/dns-backend/remote/world.hpp"

#include <gmock/gmock.h>

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t now_s = 1795000000;
constexpr std::int64_t refresh_s = 10800;  // of test::example

test::ZoneDraft secondary(std::int64_t last_check_s) {
  auto draft = test::example();
  draft.kind = "slave";
  draft.masters = {"192.0.2.1"};
  draft.last_check_s = last_check_s;
  return draft;
}

TEST(Secondary, AZoneIsDueWhenItsRefreshIntervalHasPassed) {
  EXPECT_FALSE(remote::is_due(*secondary(now_s).zone(), now_s));
  EXPECT_FALSE(remote::is_due(*secondary(now_s - refresh_s).zone(), now_s));
  EXPECT_TRUE(remote::is_due(*secondary(now_s - refresh_s - 1).zone(), now_s));
  EXPECT_TRUE(remote::is_due(*secondary(0).zone(), now_s)) << "marked stale";
  EXPECT_FALSE(remote::is_due(*secondary(now_s + 100).zone(), now_s)) << "a clock that was ahead";
}

TEST(Secondary, AZoneThatWasNeverTransferredIsAlwaysDue) {
  test::ZoneDraft draft;
  draft.kind = "slave";
  draft.masters = {"192.0.2.1"};
  draft.last_check_s = now_s;
  EXPECT_TRUE(remote::is_due(*draft.zone(), now_s));
  draft.at("example.org.");
  EXPECT_TRUE(remote::is_due(*draft.zone(), now_s));
}

TEST(Secondary, ZonesThatAreNotPulledAreNeverDue) {
  auto draft = secondary(0);
  draft.kind = "master";
  EXPECT_FALSE(remote::is_due(*draft.zone(), now_s));
  draft.kind = "slave";
  draft.masters.clear();
  EXPECT_FALSE(remote::is_due(*draft.zone(), now_s));
}

TEST(Secondary, OnlyDueZonesAreNamedToPowerDns) {
  auto fresh = secondary(now_s);
  fresh.id = 2;
  fresh.apex = "example.net.";
  fresh.entries.clear();
  fresh.record("example.net.", "SOA", {"ns. host. 1 10800 3600 604800 300"});
  auto const world = test::snapshot({secondary(5), fresh});
  EXPECT_EQ(test::ask(*world, R"({"method":"getUnfreshSlaveInfos","parameters":{}})", {}, now_s),
            "{\"result\":[{\"id\":1,\"zone\":\"example.org.\",\"kind\":\"slave\",\"masters\":[\"192.0.2.1\"],"
            "\"serial\":2026,\"last_check\":5}]}\n");
}

TEST(Secondary, AnAutoprimaryIsKnownByItsAddressAndANameServer) {
  auto world = test::snapshot({});
  world->autoprimaries = {{"192.0.2.1", "ns1.example.org.", "shop"}, {"2001:db8::1", "ns2.example.org.", ""}};
  auto const ask = [&](std::string const& ip, std::string const& servers, std::string const& zone = "new.example.") {
    return test::ask(*world, R"({"method":"superMasterBackend","parameters":{"ip":")" + ip + R"(","domain":")" + zone +
                                 R"(","nsset":[)" + servers + "]}}");
  };
  std::string const first = R"({"qtype":"NS","content":"ns9.example.org."},{"qtype":"NS","content":"NS1.Example.org"})";
  EXPECT_EQ(ask("192.0.2.1", first), "{\"result\":{\"account\":\"shop\",\"nameserver\":\"ns1.example.org.\"}}\n");
  EXPECT_EQ(ask("192.0.2.2", first), "{\"result\":false}\n");
  EXPECT_EQ(ask("2001:db8::1", first), "{\"result\":false}\n") << "the pair counts";
  EXPECT_EQ(ask("192.0.2.1", ""), "{\"result\":false}\n");
  EXPECT_EQ(ask("192.0.2.1", first, "a..b."), "{\"result\":false}\n");
}

TEST(Commands, AnswerInShortText) {
  auto const ask = [](store::Snapshot const& world, std::string const& line) {
    return std::string(
        test::result(test::ask(world, R"({"method":"directBackendCmd","parameters":{"query":")" + line + "\"}}", {}, now_s))
            .as_string());
  };
  auto stale = secondary(0);
  stale.account = "shop";
  test::ZoneDraft empty;
  empty.id = 2;
  empty.apex = "empty.example.";
  empty.kind = "slave";
  empty.masters = {"192.0.2.1"};
  auto const world = test::snapshot({stale, empty});
  EXPECT_THAT(ask(*world, "status"), HasSubstr("revision 7, 2 zones (2 secondary), 9 names"));
  EXPECT_EQ(ask(*world, "zones"), "empty.example. slave 2026 0\nexample.org. slave 2026 9\n2 zones");
  EXPECT_EQ(ask(*world, "zone Example.ORG"),
            "example.org. id 1, slave, serial 2026, notified 0, 9 names, 0 keys\nmaster 192.0.2.1\nlast check 0, due\n"
            "account shop");
  EXPECT_EQ(ask(*world, "zone nothing.example"), "there is no zone 'nothing.example'");
  EXPECT_EQ(ask(*world, "check"),
            "empty.example. was never transferred\n"
            "example.org. was not compared with its masters since it was marked stale\n2 zones, 2 problems");
  EXPECT_EQ(ask(*test::snapshot({test::example()}), "check"), "1 zones, 0 problems");
  EXPECT_THAT(ask(*world, "help"), HasSubstr("zone NAME"));
  EXPECT_THAT(ask(*world, "purge everything"), HasSubstr("unknown command 'purge everything'"));
  EXPECT_THAT(ask(*world, ""), HasSubstr("known:"));
}

}  // namespace
