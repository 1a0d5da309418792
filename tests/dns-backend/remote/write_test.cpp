#include "dns-backend/remote/write.hpp"

#include "tests/dns-backend/remote/world.hpp"
#include "tests/support/run_task.hpp"
#include "dns-backend/zone_file/zone_file.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>

namespace {

using testing::HasSubstr;

char const* const yes = "{\"result\":true}\n";

class Writing : public testing::Test {
 protected:
  Writing() {
    auto opened = store::Store::open("sqlite://:memory:", {}, health, loop.get_executor());
    store = std::move(opened.value());
    auto rrsets = dns::parse_zone_file(
        "@ 3600 IN SOA ns1 hostmaster 1 10800 3600 604800 300\n@ 3600 IN NS ns1\nns1 300 IN A 192.0.2.1\n"
        "www 300 IN A 192.0.2.2\nwww 300 IN TXT \"x\"\n",
        "zone", apex);
    test::run_task(loop, store->import_zone(apex, *rrsets)).value();
    writer = std::make_unique<remote::Writer>(store.get());
  }
  std::shared_ptr<store::Snapshot const> now() { return store->published().copy(); }
  base::Result<std::string> send(std::string const& method, std::string const& parameters) {
    auto request = remote::parse_request(R"({"method":")" + method + R"(","parameters":)" + parameters + "}").value();
    return test::run_task(loop, writer->handle(std::move(request), now(), now_s));
  }
  std::string written(std::string const& method, std::string const& parameters) { return send(method, parameters).value(); }
  // A lookup of this connection.
  std::string looked_up(std::string const& qname) {
    std::string out;
    auto const request = remote::parse_request(test::lookup(qname)).value();
    remote::answer(request, {*now(), health, false, writer->overlay()}, out).value();
    return out;
  }

  std::int64_t now_s = 1795000000;
  boost::asio::io_context loop{1};
  pool::HealthTable health;
  dns::Name apex = test::name("example.org.");
  std::unique_ptr<store::Store> store;
  std::unique_ptr<remote::Writer> writer;
};

TEST_F(Writing, MetadataIsKeptAndDeleted) {
  EXPECT_EQ(written("setDomainMetadata", R"({"name":"example.org.","kind":"NSEC3PARAM","value":["1 0 0 -"]})"), yes);
  EXPECT_EQ(now()->zone(apex)->metadata.at("NSEC3PARAM"), std::vector<std::string>{"1 0 0 -"});
  EXPECT_EQ(now()->zone(apex)->nsec3.size(), 3U);
  EXPECT_EQ(written("setDomainMetadata", R"({"name":"example.org.","kind":"NSEC3PARAM","value":[]})"), yes);
  EXPECT_FALSE(now()->zone(apex)->metadata.contains("NSEC3PARAM"));
}

TEST_F(Writing, KeysGetAnIdAndAState) {
  auto const id = test::result(written("addDomainKey", R"({"name":"example.org.","key":{"flags":257,"active":true,"published":true,"content":"k"}})"));
  ASSERT_TRUE(id.is_int64()) << "a number, not true";
  std::string const key = R"({"name":"example.org.","id":)" + std::to_string(id.as_int64()) + "}";
  EXPECT_EQ(written("deactivateDomainKey", key), yes);
  EXPECT_FALSE(now()->zone(apex)->keys.at(0).active);
  EXPECT_EQ(written("unpublishDomainKey", key), yes);
  EXPECT_FALSE(now()->zone(apex)->keys.at(0).published);
  EXPECT_EQ(written("activateDomainKey", key), yes);
  EXPECT_EQ(written("publishDomainKey", key), yes);
  EXPECT_TRUE(now()->zone(apex)->keys.at(0).active && now()->zone(apex)->keys.at(0).published);
  EXPECT_EQ(written("removeDomainKey", key), yes);
  EXPECT_TRUE(now()->zone(apex)->keys.empty());
}

TEST_F(Writing, TsigKeysComeAndGo) {
  EXPECT_EQ(written("setTSIGKey", R"({"name":"Transfer","algorithm":"hmac-sha256","content":"c2VjcmV0"})"), yes);
  EXPECT_THAT(test::ask(*now(), R"({"method":"getTSIGKey","parameters":{"name":"transfer."}})"), HasSubstr("c2VjcmV0"));
  EXPECT_EQ(written("deleteTSIGKey", R"({"name":"transfer."})"), yes);
  EXPECT_EQ(test::ask(*now(), R"({"method":"getTSIGKey","parameters":{"name":"transfer."}})"), "{\"result\":false}\n");
}

TEST_F(Writing, ChecksOfASecondaryAreKept) {
  std::string const id = R"({"id":)" + std::to_string(now()->zone(apex)->id) + "}";
  EXPECT_EQ(written("setFresh", id), yes);
  EXPECT_EQ(now()->zone(apex)->last_check_s, now_s);
  EXPECT_EQ(written("setStale", id), yes);
  EXPECT_EQ(now()->zone(apex)->last_check_s, 0);
  EXPECT_EQ(now()->zone(apex)->serial, 1U) << "a check is no change of content";
  EXPECT_THAT(written("setFresh", R"({"id":99})"), HasSubstr("no zone with id 99"));
}

TEST_F(Writing, AnAutoprimaryMakesASecondaryZoneWithAllAddressesOfItsServer) {
  for (auto const* ip : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) {
    std::string const account = std::string(ip) == "192.0.2.3" ? "other" : "shop";
    test::run_task(loop, store->set_autoprimary({ip, "ns1.example.net.", account})).value();
  }
  std::string const asked = R"({"ip":"192.0.2.2","domain":"new.example.","nsset":[{"qtype":"NS","qname":"new.example.",)"
                            R"("qclass":1,"content":"NS1.example.net","ttl":300,"auth":true}]})";
  EXPECT_EQ(test::ask(*now(), R"({"method":"superMasterBackend","parameters":)" + asked + "}"),
            "{\"result\":{\"account\":\"shop\",\"nameserver\":\"ns1.example.net.\"}}\n");
  std::string const create =
      R"({"ip":"192.0.2.2","domain":"new.example.","nameserver":"ns1.example.net.","account":"shop"})";
  EXPECT_EQ(written("createSlaveDomain", create), yes);
  store::ZonePtr const zone = now()->zone(test::name("new.example."));
  ASSERT_NE(zone, nullptr);
  EXPECT_EQ(zone->kind, "slave");
  EXPECT_THAT(zone->masters, testing::ElementsAre("192.0.2.2", "192.0.2.1"));
  EXPECT_EQ(zone->account, "shop");
  EXPECT_THAT(written("createSlaveDomain", create), HasSubstr("exists already"));
  EXPECT_THAT(written("createSlaveDomain", R"({"ip":"nowhere","domain":"x.example."})"), HasSubstr("no address"));
  // What comes in next is the transfer.
  std::string const id = std::to_string(zone->id);
  EXPECT_EQ(written("startTransaction", R"({"domain":"new.example.","domain_id":)" + id + R"(,"trxid":1})"), yes);
  for (auto const* rr : {R"("qtype":"SOA","content":"ns1.example.net. host.example.net. 3000000000 2 3 4 5")",
                         R"("qtype":"NS","content":"ns1.example.net.")"}) {
    EXPECT_EQ(written("feedRecord", std::string(R"({"rr":{"qname":"new.example.","ttl":60,)") + rr +
                                        R"(,"qclass":1,"auth":true,"ordername":null},"trxid":1})"),
              yes);
  }
  EXPECT_EQ(written("feedEnts", R"({"domain_id":)" + id + R"(,"trxid":1,"nonterm":[{"nonterm":"a.new.example.","auth":true}]})"),
            yes);
  EXPECT_EQ(written("feedEnts3", R"({"domain_id":)" + id + R"(,"domain":"new.example.","times":1,"salt":"\u0000\u00ff","narrow":false,)"
                                 R"("trxid":1,"nonterm":[]})"),
            yes);
  EXPECT_EQ(written("commitTransaction", R"({"trxid":1})"), yes);
  EXPECT_EQ(now()->zone(test::name("new.example."))->serial, 3000000000U);
  EXPECT_EQ(now()->zone(test::name("new.example."))->find(test::name("a.new.example.")), nullptr);
}

TEST_F(Writing, ATransactionForAnIdThatIsNotTheZonesIsRefused) {
  EXPECT_THAT(written("startTransaction", R"({"domain":"example.org.","domain_id":77,"trxid":1})"),
              HasSubstr("no such zone"));
}

TEST_F(Writing, NotifiedSerialsAreKept) {
  auto const id = std::to_string(now()->zone(apex)->id);
  EXPECT_EQ(written("setNotified", R"({"id":)" + id + R"(,"serial":5})"), yes);
  EXPECT_EQ(now()->zone(apex)->notified_serial, 5U);
}

TEST_F(Writing, RefusalsSayWhy) {
  EXPECT_THAT(written("setDomainMetadata", R"({"name":"other.org.","kind":"X","value":["1"]})"), HasSubstr("{\"result\":false,\"log\":[\""));
  EXPECT_THAT(written("startTransaction", R"({"domain":"other.org.","domain_id":-1,"trxid":1})"), HasSubstr("no such zone"));
  EXPECT_THAT(written("commitTransaction", R"({"trxid":1})"), HasSubstr("no transaction is open"));
}

TEST_F(Writing, ARectifyIsATransactionWithoutContentAndChangesNothing) {
  auto const before = now()->revision;
  EXPECT_EQ(written("startTransaction", R"({"domain":"example.org.","domain_id":-1,"trxid":1})"), yes);
  EXPECT_EQ(written("commitTransaction", R"({"trxid":1})"), yes);
  EXPECT_EQ(now()->revision, before);
}

TEST_F(Writing, AnEditIsSeenByItsOwnConnectionFirstAndByAllAfterTheCommit) {
  auto const before = now()->zone(apex)->serial;
  written("startTransaction", R"({"domain":"example.org.","domain_id":-1,"trxid":1})");
  EXPECT_EQ(written("replaceRRSet", R"({"domain_id":-1,"qname":"new.example.org.","qtype":"A","trxid":1,"rrset":[)"
                                    R"({"qname":"new.example.org.","qtype":"A","content":"192.0.2.9","ttl":60,"auth":true}]})"),
            yes);
  EXPECT_THAT(looked_up("new.example.org."), HasSubstr("192.0.2.9"));
  EXPECT_EQ(test::ask(*now(), test::lookup("new.example.org.")), "{\"result\":[]}\n") << "other connections do not see it";
  EXPECT_EQ(written("commitTransaction", R"({"trxid":1})"), yes);
  EXPECT_THAT(test::ask(*now(), test::lookup("new.example.org.")), HasSubstr("192.0.2.9"));
  EXPECT_GT(now()->zone(apex)->serial, before);
  EXPECT_EQ(writer->overlay(), nullptr);
}

TEST_F(Writing, AnAbortedEditLeavesNothing) {
  written("startTransaction", R"({"domain":"example.org.","domain_id":-1,"trxid":1})");
  written("replaceRRSet", R"({"domain_id":-1,"qname":"www.example.org.","qtype":"ANY","trxid":1,"rrset":[]})");
  EXPECT_EQ(looked_up("www.example.org."), "{\"result\":[]}\n");
  EXPECT_EQ(written("abortTransaction", R"({"trxid":1})"), yes);
  EXPECT_THAT(looked_up("www.example.org."), HasSubstr("192.0.2.2"));
}

TEST_F(Writing, ABrokenTransactionIsNoReplyAtAllBecausePowerDnsIgnoresFalse) {
  written("startTransaction", R"({"domain":"example.org.","domain_id":-1,"trxid":1})");
  EXPECT_THAT(written("replaceRRSet", R"({"domain_id":-1,"qname":"www.example.org.","qtype":"A","trxid":1,"rrset":[)"
                                      R"({"qname":"www.example.org.","qtype":"A","content":"nonsense","ttl":60}]})"),
              HasSubstr("\"result\":false"));
  auto const committed = send("commitTransaction", R"({"trxid":1})");
  ASSERT_FALSE(committed);
  EXPECT_THAT(committed.error().what(), HasSubstr("nonsense"));
  EXPECT_THAT(looked_up("www.example.org."), HasSubstr("192.0.2.2"));
}

TEST_F(Writing, ACommitTheStoreRefusesIsNoReplyEither) {
  written("startTransaction", R"({"domain":"example.org.","domain_id":-1,"trxid":1})");
  written("replaceRRSet", R"({"domain_id":-1,"qname":"www.example.org.","qtype":"CNAME","trxid":1,"rrset":[)"
                          R"({"qname":"www.example.org.","qtype":"CNAME","content":"ns1.example.org","ttl":60}]})");
  EXPECT_FALSE(send("commitTransaction", R"({"trxid":1})")) << "a CNAME beside other data";
}

TEST_F(Writing, AWholeZoneIsReplaced) {
  auto const id = std::to_string(now()->zone(apex)->id);
  EXPECT_EQ(written("startTransaction", R"({"domain":"example.org.","domain_id":)" + id + R"(,"trxid":1})"), yes);
  auto const feed = [&](std::string const& name, std::string const& type, std::string const& content) {
    return written("feedRecord", R"({"trxid":1,"rr":{"qname":")" + name + R"(","qtype":")" + type + R"(","qclass":1,"content":")" +
                                     content + R"(","ttl":60,"auth":true,"ordername":null}})");
  };
  EXPECT_EQ(feed("example.org.", "SOA", "ns2.example.org hostmaster.example.org 77 10800 3600 604800 300"), yes);
  EXPECT_EQ(feed("example.org.", "NS", "ns2.example.org"), yes);
  EXPECT_EQ(feed("ns2.example.org.", "A", "192.0.2.20"), yes);
  EXPECT_EQ(written("feedEnts", R"({"domain_id":1,"trxid":1,"nonterm":[]})"), yes);
  EXPECT_EQ(written("commitTransaction", R"({"trxid":1})"), yes);
  EXPECT_THAT(looked_up("ns2.example.org."), HasSubstr("192.0.2.20"));
  EXPECT_EQ(looked_up("www.example.org."), "{\"result\":[]}\n");
  EXPECT_EQ(now()->zone(apex)->serial, 77U);
}

TEST_F(Writing, AReplicaRefusesWrites) {
  store->set_read_only(true);
  EXPECT_THAT(written("setDomainMetadata", R"({"name":"example.org.","kind":"X","value":["1"]})"), HasSubstr("\"result\":false"));
}

}  // namespace
