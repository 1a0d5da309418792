#include "dns-backend/migrate/check.hpp"

#include <gmock/gmock.h>

namespace {

using testing::UnorderedElementsAre;

std::vector<std::string> asked(migrate::StoredZone const& zone) {
  std::vector<std::string> out;
  for (migrate::Question const& question : migrate::questions(zone)) {
    out.push_back(question.expected.owner.text() + " " + dns::to_text(question.expected.rrset.type) +
                  (question.referral ? " referral" : ""));
  }
  return out;
}

TEST(Check, AsksForWhatCanBeAskedFor) {
  migrate::StoredZone zone;
  zone.apex = dns::Name::parse("example.org").value();
  auto const add = [&zone](std::string const& name, dns::RRType type) {
    zone.rrsets.push_back({dns::Name::parse(name).value(), {type, 60, {"x"}}});
  };
  add("example.org", dns::type_soa);
  add("example.org", dns::type_ns);
  add("www.example.org", dns::type_a);
  add("edge.example.org", dns::type_a);
  add("edge.example.org", dns::type_txt);
  zone.balanced.insert(dns::Name::parse("edge.example.org").value());
  add("child.example.org", dns::type_ns);
  add("child.example.org", dns::type_ds);
  add("child.example.org", dns::type_a);
  add("ns.child.example.org", dns::type_a);
  add("lua.example.org", dns::type_lua);
  add("lua.example.org", dns::type_txt);
  add("d.example.org", dns::type_dname);
  add("below.d.example.org", dns::type_a);
  EXPECT_THAT(asked(zone),
              UnorderedElementsAre("example.org. SOA", "example.org. NS", "www.example.org. A", "edge.example.org. TXT",
                                   "child.example.org. NS referral", "child.example.org. DS", "d.example.org. DNAME"));
}

}  // namespace
