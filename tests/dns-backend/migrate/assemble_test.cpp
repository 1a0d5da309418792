#include "dns-backend/migrate/source.hpp"

#include <gmock/gmock.h>

namespace {

using migrate::RecordRow;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<RecordRow> const apex = {
    {"example.org", "SOA", "ns1.example.org hostmaster.example.org 7 10800 3600 604800 300", 3600, 0, false},
    {"example.org", "NS", "ns1.example.org", 3600, 0, false}};

std::vector<RecordRow> with(std::vector<RecordRow> more) {
  std::vector<RecordRow> rows = apex;
  rows.insert(rows.end(), more.begin(), more.end());
  return rows;
}

dns::RRset const* find(migrate::Zone const& zone, std::string const& name, dns::RRType type) {
  for (dns::OwnedRRset const& owned : zone.rrsets) {
    if (owned.owner == dns::Name::parse(name).value() && owned.rrset.type == type) {
      return &owned.rrset;
    }
  }
  return nullptr;
}

TEST(Assemble, RowsBecomeRRsets) {
  auto const zone = migrate::assemble({"Example.ORG", "MASTER", "192.0.2.1, [2001:db8::1]:5300", "me"},
                                      with({{"example.org", "MX", "mail.example.org", 300, 10, false},
                                            {"_sip._tcp.example.org", "SRV", "5 5060 sip.example.org", 60, 3, false},
                                            {"www.example.org", "A", "192.0.2.1", 300, 0, false},
                                            {"www.example.org", "A", "192.0.2.2", 60, 0, false},
                                            {"ent.example.org", std::nullopt, std::nullopt, 0, 0, false},
                                            {"t.example.org", "TXT", "\"a\" \"b\"", 60, 0, false}}));
  EXPECT_THAT(zone.refused, IsEmpty());
  EXPECT_EQ(zone.apex->text(), "example.org.");
  EXPECT_EQ(zone.settings.kind, "master");
  EXPECT_THAT(zone.settings.masters, ElementsAre("192.0.2.1", "[2001:db8::1]:5300"));
  EXPECT_EQ(zone.settings.account, "me");
  EXPECT_THAT(find(zone, "example.org", dns::type_mx)->contents, ElementsAre("10 mail.example.org."));
  EXPECT_THAT(find(zone, "_sip._tcp.example.org", dns::type_srv)->contents, ElementsAre("3 5 5060 sip.example.org."));
  EXPECT_THAT(find(zone, "www.example.org", dns::type_a)->contents, ElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_EQ(find(zone, "www.example.org", dns::type_a)->ttl, 60U) << "the lowest TTL of the set";
  EXPECT_EQ(zone.rrsets.size(), 6U) << "no empty non-terminal";
}

TEST(Assemble, EverythingThatIsNotTakenIsNamed) {
  auto const zone = migrate::assemble({"example.org", "NATIVE", "", ""},
                                      with({{"www.example.org", "A", "1.2.3", 300, 0, false},
                                            {"other.net", "A", "192.0.2.1", 300, 0, false},
                                            {"x.example.org", "NONSENSE", "1", 300, 0, false},
                                            {"y.example.org", "A", "192.0.2.1", -1, 0, false},
                                            {"off.example.org", "A", "192.0.2.9", 300, 0, true},
                                            {"c.example.org", "CNAME", "www.example.org", 300, 0, false},
                                            {"c.example.org", "A", "192.0.2.1", 300, 0, false}}));
  ASSERT_EQ(zone.refused.size(), 5U);
  EXPECT_EQ(zone.refused[0].name, "www.example.org");
  EXPECT_EQ(zone.refused[0].content, "1.2.3");
  EXPECT_THAT(zone.refused[1].reason, HasSubstr("outside the zone"));
  EXPECT_THAT(zone.refused[2].reason, HasSubstr("NONSENSE"));
  EXPECT_THAT(zone.refused[3].reason, HasSubstr("TTL"));
  EXPECT_EQ(zone.refused[4].name, "c.example.org.");
  EXPECT_EQ(zone.refused[4].content, "") << "a rule of zones, no single record";
  EXPECT_EQ(zone.disabled, 1U);
  EXPECT_EQ(find(zone, "off.example.org", dns::type_a), nullptr);
}

TEST(Assemble, ZonesThatCannotBeAreRefusedAsAWhole) {
  EXPECT_EQ(migrate::assemble({"cat.example", "PRODUCER", "", ""}, {}).refused.size(), 1U);
  auto const nameless = migrate::assemble({"a..b", "NATIVE", "", ""}, {});
  EXPECT_FALSE(nameless.apex);
  EXPECT_EQ(nameless.refused.size(), 1U);
  EXPECT_EQ(migrate::assemble({"example.org", "NATIVE", "", ""}, {}).refused.size(), 2U) << "no SOA, no NS";
  EXPECT_THAT(migrate::assemble({"example.org", "SLAVE", "192.0.2.1", ""}, {}).refused, IsEmpty())
      << "a secondary that was not transferred yet";
}

}  // namespace
