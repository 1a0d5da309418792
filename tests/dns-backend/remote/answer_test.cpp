#include "tests/dns-backend/remote/world.hpp"

#include <gmock/gmock.h>

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

auto const world = test::snapshot({test::example()});

std::vector<std::string> looked_up(std::string const& qname, std::string const& type = "ANY", int zone_id = -1) {
  return test::rows(test::ask(*world, test::lookup(qname, type, zone_id)));
}

TEST(Answer, RowsHaveTheTypesPowerDnsReads) {
  EXPECT_EQ(test::ask(*world, test::lookup("NS1.Example.Org.")),
            "{\"result\":[{\"qname\":\"NS1.Example.Org.\",\"qtype\":\"A\",\"content\":\"192.0.2.1\",\"ttl\":300,"
            "\"domain_id\":1,\"auth\":1}]}\n");
}

// PowerDNS 5 reads zones for its HTTP API so; the ids of its other calls are signed.
TEST(Answer, WhatPowerDns5AsksIsAnsweredAsTheLookupOf4) {
  auto const asked = [](std::string const& qname, std::string const& id) {
    return test::ask(*world, R"({"method": "APILookup", "parameters": {"include-disabled": false, "local": "0.0.0.0", )"
                             R"("qname": ")" +
                                 qname + R"(", "qtype": "ANY", "real-remote": "0.0.0.0/0", "remote": "0.0.0.0", )" +
                                 R"("zone-id": )" + id + "}}\n");
  };
  for (std::string const name : {"www.example.org.", "ent.example.org.", "none.example.org.", "example.org."}) {
    EXPECT_EQ(asked(name, "1"), test::ask(*world, test::lookup(name, "ANY", 1)));
    EXPECT_EQ(asked(name, "-1"), test::ask(*world, test::lookup(name)));
  }
  std::string const before = R"({"method": "getBeforeAndAfterNamesAbsolute", "parameters": {"id": -1, "qname": "a."}})";
  EXPECT_EQ(test::ask(*world, before), "{\"result\":false}\n");
}

TEST(Answer, TheSoaIsServedAsTheStoreComposedIt) {
  EXPECT_THAT(looked_up("example.org.", "SOA"),
              ElementsAre("SOA ns1.example.org. hostmaster.example.org. 2026 10800 3600 604800 300 auth=1"));
}

TEST(Answer, AnSoaIsFoundAtAnApexOnly) {
  EXPECT_THAT(looked_up("www.example.org.", "SOA"), IsEmpty());
  EXPECT_THAT(looked_up("ent.example.org.", "SOA"), IsEmpty()) << "not even a row without a type";
  EXPECT_THAT(looked_up("org.", "SOA"), IsEmpty());
  EXPECT_THAT(looked_up(".", "SOA"), IsEmpty());
}

TEST(Answer, AnyGivesEveryTypeAndATypeGivesItself) {
  EXPECT_THAT(looked_up("www.example.org."),
              UnorderedElementsAre("A 192.0.2.2 auth=1", "A 192.0.2.3 auth=1", R"(TXT "a \"quoted\" text" auth=1)"));
  EXPECT_THAT(looked_up("www.example.org.", "TXT"), ElementsAre(R"(TXT "a \"quoted\" text" auth=1)"));
  EXPECT_THAT(looked_up("www.example.org.", "MX"), IsEmpty());
}

TEST(Answer, WildcardsAreFoundUnderTheirOwnNameOnly) {
  EXPECT_THAT(looked_up("*.wild.example.org."), ElementsAre("A 192.0.2.4 auth=1"));
  EXPECT_THAT(looked_up("x.wild.example.org."), IsEmpty());
}

TEST(Answer, AnEmptyNonTerminalIsARowWithoutType) {
  EXPECT_THAT(looked_up("ent.example.org."), ElementsAre("  auth=1"));
  EXPECT_THAT(looked_up("nothing.example.org."), IsEmpty());
  EXPECT_THAT(test::ask(*world, test::lookup("ent.example.org.")), HasSubstr("\"ttl\":3600"))
      << "PowerDNS caches no row with a TTL of 0";
}

// PowerDNS takes an authoritative row for the closest encloser, and looks for its NSEC3 record (RFC 5155 7.2.1).
TEST(Answer, AnEmptyNonTerminalOutsideAnOptOutChainHasNoAuthority) {
  test::ZoneDraft draft = test::example();
  draft.metadata["NSEC3PARAM"] = {"1 1 0 -"};
  draft.metadata["PRESIGNED"] = {"1"};
  draft.hashes[dns::nsec3_hash(test::name("wild.example.org."), "", 0)] = "wild.example.org.";
  auto const opted_out = test::snapshot({draft});
  auto const rows = [](store::Snapshot const& of, char const* name) {
    return test::rows(test::ask(of, test::lookup(name)));
  };
  EXPECT_THAT(rows(*opted_out, "wild.example.org."), ElementsAre("  auth=1"));
  EXPECT_THAT(rows(*opted_out, "ent.example.org."), ElementsAre("  auth=0"));
  draft.metadata.erase("PRESIGNED");
  auto const complete = test::snapshot({draft});
  EXPECT_THAT(rows(*complete, "ent.example.org."), ElementsAre("  auth=1"));
}

TEST(Answer, DelegationsAndGlueAreNotAuthoritativeButTheDsIs) {
  EXPECT_THAT(looked_up("sub.example.org."),
              UnorderedElementsAre("NS ns.sub.example.org. auth=0", "DS 1 13 2 aa auth=1"));
  EXPECT_THAT(looked_up("ns.sub.example.org."), ElementsAre("A 192.0.2.6 auth=0"));
}

// RFC 4034 3: the TTL of a signature is that of what it covers, and its fourth field says it.
TEST(Answer, SignaturesHaveTheTtlOfWhatTheyCover) {
  test::ZoneDraft draft = test::example();
  draft.record("www.example.org.", "RRSIG",
               {"A 13 3 300 20260101000000 20250101000000 1 example.org. aa==",
                "NSEC 13 3 60 20260101000000 20250101000000 1 example.org. bb=="});
  auto const reply = test::ask(*test::snapshot({draft}), test::lookup("www.example.org.", "RRSIG"));
  EXPECT_THAT(reply, HasSubstr("aa==\",\"ttl\":300"));
  EXPECT_THAT(reply, HasSubstr("bb==\",\"ttl\":60"));
}

TEST(Answer, AZoneIdRestrictsTheLookupToThatZone) {
  test::ZoneDraft child;
  child.id = 2;
  child.apex = "sub.example.org.";
  child.record("sub.example.org.", "SOA", {"ns.sub.example.org. h.sub.example.org. 1 2 3 4 5"});
  auto const both = test::snapshot({test::example(), child});
  auto const asked = [&](std::string const& qname, std::string const& type, int id) {
    return test::rows(test::ask(*both, test::lookup(qname, type, id)));
  };
  EXPECT_THAT(asked("sub.example.org.", "ANY", 1), testing::SizeIs(2));
  EXPECT_THAT(asked("sub.example.org.", "ANY", 2), ElementsAre(HasSubstr("SOA ")));
  EXPECT_THAT(asked("sub.example.org.", "SOA", -1), ElementsAre(HasSubstr("SOA ")));
  EXPECT_THAT(asked("sub.example.org.", "DS", -1), ElementsAre("DS 1 13 2 aa auth=1")) << "a DS lives in the parent";
  EXPECT_THAT(asked("www.example.org.", "ANY", 2), IsEmpty()) << "not a name of that zone";
  EXPECT_THAT(asked("www.example.org.", "ANY", 99), IsEmpty()) << "no such zone any more";
}

TEST(Answer, NamesThatCannotExistAreSimplyNotThere) {
  EXPECT_EQ(test::ask(*world, test::lookup(std::string(70, 'x') + ".")), "{\"result\":[]}\n");
  EXPECT_EQ(test::ask(*world, test::lookup("www.example.org.", "FROBNICATE")), "{\"result\":[]}\n");
}

TEST(Answer, AListHoldsEveryNameWithEmptyNonTerminals) {
  auto const reply = test::ask(
      *world, R"({"method":"list","parameters":{"domain_id":1,"include_disabled":false,"zonename":"example.org."}})");
  auto const list = test::rows(reply);
  EXPECT_EQ(list.size(), 13U);
  EXPECT_THAT(list.front(), HasSubstr(" 2026 ")) << "the apex comes first";
  EXPECT_EQ(std::count(list.begin(), list.end(), "  auth=1"), 2);
  EXPECT_EQ(test::ask(*world, R"({"method":"list","parameters":{"domain_id":9,"zonename":"other.org."}})"),
            "{\"result\":false}\n");
}

TEST(Answer, AllDomainsHaveSerialsUntilThereAreTooManyOfThem) {
  std::string const ask = R"({"method":"getAllDomains","parameters":{"include_disabled":true}})";
  EXPECT_EQ(test::ask(*world, ask), "{\"result\":[{\"id\":1,\"zone\":\"example.org.\",\"serial\":2026}]}\n");
  auto const zone = world->zone_by_id(1);
  store::Snapshot many;
  for (int i = 0; i <= 5000; ++i) {
    many.zones = many.zones.insert(test::name("z" + std::to_string(i) + ".org.").key(), zone);
  }
  EXPECT_THAT(test::ask(many, ask), testing::Not(HasSubstr("serial")));
  std::string const whole = R"({"method":"getAllDomains","parameters":{"complete":true}})";
  EXPECT_THAT(test::ask(many, whole), HasSubstr("serial")) << "the pipe is read in time proportional to a reply";
}

TEST(Answer, AReplicaThatKnowsNothingClosesTheConnectionInsteadOfAnsweringNothing) {
  store::Snapshot const empty;
  pool::HealthTable const health;
  auto const request =
      remote::parse_request(R"({"method":"getAllDomains","parameters":{"include_disabled":true}})").value();
  std::string out;
  auto const answered = remote::answer(request, {empty, health, true, nullptr}, out);
  ASSERT_FALSE(answered);
  EXPECT_EQ(answered.error().code, remote::errc::unavailable);
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(remote::answer(request, {empty, health, false, nullptr}, out)) << "a new primary has no zones, truly";
  for (auto const* method : {"getUpdatedMasters", "getUnfreshSlaveInfos"}) {
    out.clear();
    auto const cycle = remote::parse_request(std::string(R"({"method":")") + method + R"(","parameters":{}})").value();
    EXPECT_TRUE(remote::answer(cycle, {empty, health, true, nullptr}, out)) << "PowerDNS would end";
    EXPECT_EQ(out, "{\"result\":[]}\n");
  }
}

TEST(Answer, DomainInfoIsCompleteAndUnknownZonesAreFalse) {
  EXPECT_EQ(test::ask(*world, R"({"method":"getDomainInfo","parameters":{"name":"Example.ORG."}})"),
            "{\"result\":{\"id\":1,\"zone\":\"example.org.\",\"serial\":2026}}\n")
      << "PowerDNS takes the rest for granted";
  auto draft = test::example();
  draft.kind = "slave";
  draft.masters = {"192.0.2.1", "[2001:db8::1]:5300"};
  draft.last_check_s = 1795000000;
  EXPECT_EQ(test::ask(*test::snapshot({draft}), R"({"method":"getDomainInfo","parameters":{"name":"example.org."}})"),
            "{\"result\":{\"id\":1,\"zone\":\"example.org.\",\"kind\":\"slave\",\"masters\":[\"192.0.2.1\",\"[2001:db8:"
            ":1]:5300\"],"
            "\"serial\":2026,\"last_check\":1795000000}}\n");
  EXPECT_EQ(test::ask(*world, R"({"method":"getDomainInfo","parameters":{"name":"www.example.org."}})"),
            "{\"result\":false}\n");
}

TEST(Answer, MetadataAndKeys) {
  auto draft = test::example();
  draft.metadata = {{"ALLOW-AXFR-FROM", {"127.0.0.0/8"}}, {"NSEC3PARAM", {"1 0 0 -"}}};
  draft.keys = {{3, 257, true, false, "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\n"}};
  auto const with = test::snapshot({draft});
  EXPECT_EQ(test::ask(*with, R"({"method":"getAllDomainMetadata","parameters":{"name":"example.org."}})"),
            "{\"result\":{\"ALLOW-AXFR-FROM\":[\"127.0.0.0/8\"],\"NSEC3PARAM\":[\"1 0 0 -\"]}}\n");
  EXPECT_EQ(
      test::ask(*with, R"({"method":"getDomainMetadata","parameters":{"name":"example.org.","kind":"NSEC3PARAM"}})"),
      "{\"result\":[\"1 0 0 -\"]}\n");
  EXPECT_EQ(test::ask(*with, R"({"method":"getDomainMetadata","parameters":{"name":"example.org.","kind":"X"}})"),
            "{\"result\":[]}\n");
  EXPECT_EQ(test::ask(*with, R"({"method":"getAllDomainMetadata","parameters":{"name":"other.org."}})"),
            "{\"result\":{}}\n");
  EXPECT_EQ(test::ask(*with, R"({"method":"getDomainKeys","parameters":{"name":"example.org."}})"),
            "{\"result\":[{\"id\":3,\"flags\":257,\"active\":true,\"published\":false,"
            "\"content\":\"Private-key-format: v1.2\\u000aAlgorithm: 13 (ECDSAP256SHA256)\\u000a\"}]}\n");
  EXPECT_EQ(test::ask(*world, R"({"method":"getDomainKeys","parameters":{"name":"example.org."}})"),
            "{\"result\":[]}\n");
}

TEST(Answer, TsigKeysAreFoundWithAndWithoutTheFinalDot) {
  store::Snapshot snapshot;
  snapshot.tsig_keys = {{"transfer.", "hmac-sha256", "c2VjcmV0"}};
  EXPECT_EQ(test::ask(snapshot, R"({"method":"getTSIGKey","parameters":{"name":"Transfer"}})"),
            "{\"result\":{\"algorithm\":\"hmac-sha256\",\"content\":\"c2VjcmV0\"}}\n");
  EXPECT_EQ(test::ask(snapshot, R"({"method":"getTSIGKey","parameters":{"name":"other."}})"), "{\"result\":false}\n");
  EXPECT_EQ(test::ask(snapshot, R"({"method":"getTSIGKeys","parameters":{}})"),
            "{\"result\":[{\"name\":\"transfer.\",\"algorithm\":\"hmac-sha256\",\"content\":\"c2VjcmV0\"}]}\n");
}

TEST(Answer, OnlyPrimariesWithANewSerialAreUpdated) {
  auto draft = test::example();
  draft.kind = "master";
  EXPECT_EQ(test::result(test::ask(*test::snapshot({draft}), R"({"method":"getUpdatedMasters","parameters":{}})"))
                .as_array()
                .size(),
            1U);
  EXPECT_EQ(test::ask(*world, R"({"method":"getUpdatedMasters","parameters":{}})"), "{\"result\":[]}\n");
  EXPECT_EQ(test::ask(*world, R"({"method":"getUnfreshSlaveInfos","parameters":{}})"), "{\"result\":[]}\n");
}

TEST(Answer, SearchesNamesAndContentsUpToTheLimit) {
  auto const search = [](std::string const& pattern, int max) {
    return test::rows(test::ask(*world, R"({"method":"searchRecords","parameters":{"maxResults":)" +
                                            std::to_string(max) + R"(,"pattern":")" + pattern + "\"}}"));
  };
  EXPECT_THAT(search("WWW.example.org", 100), testing::SizeIs(3));
  EXPECT_THAT(search("192.0.2.?", 100), testing::SizeIs(6));
  EXPECT_THAT(search("192.0.2.?", 2), testing::SizeIs(2));
  EXPECT_THAT(search("*", 1000), testing::SizeIs(11));
  EXPECT_THAT(search("nothing*", 100), IsEmpty());
}

TEST(Answer, CommandsAreAnsweredAsText) {
  EXPECT_THAT(test::ask(*world, R"({"method":"directBackendCmd","parameters":{"query":"status"}})"),
              HasSubstr("revision 7, 1 zones"));
  EXPECT_THAT(test::ask(*world, R"({"method":"directBackendCmd","parameters":{"query":"x"}})"),
              HasSubstr("unknown command"));
}

// A zone file from a signer holds the chain as records; PowerDNS makes its own from the names.
TEST(Answer, AChainOutOfAZoneFileIsLeftToPowerDnsAndSignaturesAreAuthoritative) {
  auto draft = test::example();
  draft.record("example.org.", "NSEC3PARAM", {"1 0 0 -"});
  draft.record("sub.example.org.", "NSEC", {"www.example.org. NS DS RRSIG NSEC"});
  draft.record("sub.example.org.", "RRSIG", {"DS 13 3 300 20300101000000 20200101000000 1 example.org. AQID"});
  draft.record("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.org.", "NSEC3",
               {"1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A"});
  std::string const hash = test::lookup("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.org.");
  EXPECT_EQ(test::rows(test::ask(*test::snapshot({draft}), hash)).size(), 1U) << "not signed: a record like any other";
  draft.metadata["PRESIGNED"] = {"1"};
  auto const presigned = test::snapshot({draft});
  EXPECT_THAT(test::rows(test::ask(*presigned, hash)), IsEmpty()) << "and no empty non-terminal either";
  EXPECT_THAT(test::rows(test::ask(*presigned, test::lookup("sub.example.org."))),
              ElementsAre("NS ns.sub.example.org. auth=0", "DS 1 13 2 aa auth=1",
                          "RRSIG DS 13 3 300 20300101000000 20200101000000 1 example.org. AQID auth=1"));
  EXPECT_THAT(test::rows(test::ask(*presigned, test::lookup("example.org.", "NSEC3PARAM"))), IsEmpty());
}

TEST(Answer, WhatIsNotOfferedIsFalse) {
  EXPECT_EQ(test::ask(*world, R"({"method":"searchComments","parameters":{}})"), "{\"result\":false}\n");
  EXPECT_EQ(test::ask(*world, R"({"method":"initialize","parameters":{"path":"/x"}})"), "{\"result\":true}\n");
}

TEST(Answer, TextIsEscapedAndOctetsPass) {
  test::ZoneDraft draft;
  draft.record("example.org.", "TXT", {"\"tab\t \x7f \xc3\xbc\""});
  EXPECT_THAT(test::ask(*test::snapshot({draft}), test::lookup("example.org.")),
              HasSubstr("\"content\":\"\\\"tab\\u0009 \\u007f \xc3\xbc\\\"\""));
}

// --- load balancers ---

class Balanced : public testing::Test {
 protected:
  Balanced() {
    auto const pool = [&](std::string const& name, std::vector<pool::Endpoint> endpoints) {
      auto made = std::make_shared<pool::Pool>();
      made->name = name;
      for (auto& endpoint : endpoints) {
        endpoint.slot = health.slot(endpoint.name);
        made->endpoints.push_back(endpoint);
      }
      pools.push_back(made);
      balancer->pools.push_back(made);
    };
    pool("ams", {{"ams-1", "198.51.100.1", "2001:db8::1", ""}, {"ams-2", "198.51.100.2", "", ""}});
    pool("fra", {{"fra-1", "203.0.113.1", "", ""}});
    set("ams-1", probe::Health::up);
    set("ams-2", probe::Health::up);
    set("fra-1", probe::Health::up);
  }
  void set(std::string const& endpoint, probe::Health state) { health.set(health.slot(endpoint), state); }
  std::vector<std::string> answers(std::string const& type = "ANY") {
    auto draft = test::example();
    auto& entry = draft.at("shop.example.org.");
    entry.balancer = balancer;
    entry.balancer_has4 = true;
    entry.balancer_has6 = true;
    draft.keys = keys;
    return test::rows(test::ask(*test::snapshot({draft}), test::lookup("shop.example.org.", type), health));
  }
  std::set<std::string> types() {
    std::set<std::string> out;
    for (auto const& row : answers()) {
      out.insert(row.substr(0, row.find(' ')));
    }
    return out;
  }

  pool::HealthTable health;
  std::shared_ptr<pool::LoadBalancer> balancer = std::make_shared<pool::LoadBalancer>();
  std::vector<std::shared_ptr<pool::Pool>> pools;
  std::vector<store::Key> keys;
};

TEST_F(Balanced, AnswersTheFirstPoolThatIsUp) {
  EXPECT_THAT(answers("A"), UnorderedElementsAre("A 198.51.100.1 auth=1", "A 198.51.100.2 auth=1"));
  EXPECT_THAT(answers("AAAA"), ElementsAre("AAAA 2001:db8::1 auth=1"));
  EXPECT_THAT(answers("TXT"), IsEmpty());
}

TEST_F(Balanced, LeavesOutWhatIsDown) {
  set("ams-1", probe::Health::down);
  EXPECT_THAT(answers("A"), ElementsAre("A 198.51.100.2 auth=1"));
}

TEST_F(Balanced, TheSetOfTypesNeverDependsOnHealth) {
  auto const whole = types();
  EXPECT_THAT(whole, ElementsAre("A", "AAAA"));
  using probe::Health;
  for (Health const first : {Health::up, Health::down, Health::unknown}) {
    for (Health const second : {Health::up, Health::down}) {
      for (Health const third : {Health::up, Health::down}) {
        set("ams-1", first);
        set("ams-2", second);
        set("fra-1", third);
        EXPECT_EQ(types(), whole);
      }
    }
  }
}

TEST_F(Balanced, AnEmptyPolicyEmptiesUnsignedZonesOnlyAndTheNameGoesOnExisting) {
  pools[0]->all_down = pool::AllDown::empty;
  for (char const* const endpoint : {"ams-1", "ams-2", "fra-1"}) {
    set(endpoint, probe::Health::down);
  }
  EXPECT_THAT(answers(), ElementsAre("  auth=1"));
  keys = {{1, 257, true, true, ""}};
  EXPECT_THAT(types(), ElementsAre("A", "AAAA"));
}

TEST_F(Balanced, RowsSayThatTheySuitEveryClient) {
  auto draft = test::example();
  draft.at("shop.example.org.").balancer = balancer;
  draft.at("shop.example.org.").balancer_has4 = true;
  EXPECT_THAT(test::ask(*test::snapshot({draft}), test::lookup("shop.example.org."), health),
              HasSubstr("\"ttl\":30,\"domain_id\":1,\"auth\":1,\"scopeMask\":0}"));
  EXPECT_THAT(test::ask(*world, test::lookup("www.example.org.")), Not(HasSubstr("scopeMask")));
}

TEST(Matches, StarsAndQuestionMarks) {
  using remote::Overlay;
  auto const hit = [](std::string const& pattern, std::string const& text) {
    auto draft = test::ZoneDraft();
    draft.record("example.org.", "TXT", {"\"" + text + "\""});
    return !test::rows(test::ask(*test::snapshot({draft}),
                                 R"({"method":"searchRecords","parameters":{"pattern":"\")" + pattern + "\\\"\"}}"))
                .empty();
  };
  EXPECT_TRUE(hit("a*b*c", "aXXbYYc"));
  EXPECT_FALSE(hit("a*b*c", "aXXbYY"));
  EXPECT_TRUE(hit("a?c", "abc"));
  EXPECT_FALSE(hit("a?c", "ac"));
  EXPECT_TRUE(hit("*", ""));
  EXPECT_TRUE(hit("ABC", "abc"));
}

}  // namespace
