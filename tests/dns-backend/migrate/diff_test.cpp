#include "dns-backend/migrate/diff.hpp"

#include <gmock/gmock.h>
#include <boost/json/serialize.hpp>

namespace {

using testing::IsEmpty;

dns::OwnedRRset set(std::string const& name, dns::RRType type, std::uint32_t ttl, std::vector<std::string> contents) {
  return {dns::Name::parse(name).value(), {type, ttl, std::move(contents)}};
}

dns::OwnedRRset soa(int serial) {
  return set("example.org", dns::type_soa, 300,
             {"ns.example.org. h.example.org. " + std::to_string(serial) + " 1 2 3 4"});
}

TEST(Diff, NothingDiffersButTheSerial) {
  EXPECT_THAT(migrate::diff({soa(1), set("a.example.org", dns::type_a, 60, {"192.0.2.1"})},
                            {soa(9), set("a.example.org", dns::type_a, 60, {"192.0.2.1"})}),
              IsEmpty());
}

TEST(Diff, RecordsAndTtlsAreToldApart) {
  auto const found = migrate::diff({soa(1), set("a.example.org", dns::type_a, 60, {"192.0.2.1", "192.0.2.2"}),
                                    set("gone.example.org", dns::type_txt, 60, {"\"x\""})},
                                   {soa(1), set("a.example.org", dns::type_a, 60, {"192.0.2.2", "192.0.2.3"}),
                                    set("b.example.org", dns::type_a, 5, {"192.0.2.9"})});
  EXPECT_EQ(migrate::text(found),
            "- a.example.org. 60 IN A 192.0.2.1\n"
            "+ a.example.org. 60 IN A 192.0.2.3\n"
            "+ b.example.org. 5 IN A 192.0.2.9\n"
            "- gone.example.org. 60 IN TXT \"x\"\n"
            "; 2 records less, 2 records more\n");
  auto const ttl = migrate::diff({set("a.example.org", dns::type_a, 60, {"192.0.2.1"})},
                                 {set("a.example.org", dns::type_a, 61, {"192.0.2.1"})});
  EXPECT_EQ(boost::json::serialize(migrate::json(ttl)),
            R"({"same":false,"changes":[{"name":"a.example.org.","type":"A",)"
            R"("removed":[{"ttl":60,"content":"192.0.2.1"}],"added":[{"ttl":61,"content":"192.0.2.1"}]}]})");
}

TEST(Diff, AnotherSoaIsADifference) {
  auto other = soa(1);
  other.rrset.contents[0] = "ns.example.org. h.example.org. 1 1 2 3 5";
  EXPECT_EQ(migrate::diff({soa(7)}, {other}).size(), 1U);
}

}  // namespace
