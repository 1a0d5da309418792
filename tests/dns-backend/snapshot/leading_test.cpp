#include "dns-backend/snapshot/leading.hpp"

#include <gmock/gmock.h>

namespace store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

dns::Name name(std::string const& text) {
  return dns::Name::parse(text).value();
}

struct Record {
  std::string owner;
  dns::RRType type;
  std::string content;
};

constexpr dns::RRType type_https{65};
constexpr dns::RRType type_naptr{35};

// One zone with these records, indexed.
Snapshot snapshot_of(std::vector<Record> const& records, std::string const& apex = "example.org") {
  auto zone = std::make_shared<Zone>();
  zone->id = 1;
  zone->apex = name(apex);
  for (Record const& record : records) {
    auto entry = std::make_shared<Entry>();
    if (EntryPtr const there = zone->find(name(record.owner))) {
      *entry = *there;
    }
    entry->key = name(record.owner).key();
    entry->rrsets.push_back({record.type, 60, {record.content}});
    entry->cut = entry->cut || (record.type == dns::type_ns && record.owner != apex);
    zone->entries = zone->entries.insert(std::move(entry));
  }
  Snapshot out;
  zone->entries.for_each(
      [&](EntryPtr const& entry) { out.leading.set(1, entry->key, {}, links_of(*zone, entry.get())); });
  out.zones = out.zones.insert(zone->apex.key(), zone);
  return out;
}

std::vector<std::string> words(std::vector<Touched> const& touched) {
  std::vector<std::string> out;
  for (Touched const& one : touched) {
    out.push_back(one.name.text() + (one.subtree ? "$" : ""));
  }
  return out;
}

std::vector<std::string> beside(Snapshot const& snapshot, std::string const& changed, bool subtree = false,
                                std::size_t names_max = 4000) {
  auto out = words(with_leading(snapshot, {{name(changed), subtree}}, names_max));
  if (!out.empty() && out.front() == name(changed).text() + (subtree ? "$" : "")) {
    out.erase(out.begin());
  }
  return out;
}

TEST(WithLeading, FollowsAliasesChainsAndWildcards) {
  Snapshot const snapshot = snapshot_of({{"www.example.org", dns::type_cname, "lb.example.org."},
                                         {"old.example.org", dns::type_cname, "www.example.org."},
                                         {"*.w.example.org", dns::type_cname, "old.example.org."},
                                         {"out.example.org", dns::type_cname, "lb.example.net."},
                                         {"text.example.org", dns::type_txt, "\"lb.example.org.\""}});
  EXPECT_THAT(beside(snapshot, "lb.example.org"),
              ElementsAre("www.example.org.", "old.example.org.", "w.example.org.$"));
  EXPECT_THAT(beside(snapshot, "lb.example.net"), ElementsAre("out.example.org.")) << "a target of another zone";
  EXPECT_THAT(beside(snapshot, "example.net", true), ElementsAre("out.example.org.")) << "a zone that came or went";
  EXPECT_THAT(beside(snapshot, "text.example.org"), IsEmpty());
}

TEST(WithLeading, EndsInACircle) {
  Snapshot const snapshot = snapshot_of({{"a.example.org", dns::type_cname, "b.example.org."},
                                         {"b.example.org", dns::type_cname, "a.example.org."},
                                         {"self.example.org", dns::type_cname, "self.example.org."}});
  EXPECT_THAT(beside(snapshot, "a.example.org"), ElementsAre("b.example.org."));
  EXPECT_THAT(beside(snapshot, "self.example.org"), IsEmpty());
}

// PowerDNS adds addresses of targets in the same zone to these answers, and to a delegation its glue.
TEST(WithLeading, FindsWhoseAdditionalSectionHoldsAnAddress) {
  Snapshot const snapshot = snapshot_of({{"example.org", dns::type_mx, "10 mail.example.org."},
                                         {"_sip._udp.example.org", dns::type_srv, "1 2 5060 mail.example.org."},
                                         {"_n.example.org", type_naptr, "1 1 \"s\" \"x\" \"\" mail.example.org."},
                                         {"svc.example.org", type_https, "1 mail.example.org. alpn=h2"},
                                         {"own.example.org", type_https, "1 . alpn=h2"},
                                         {"sub.example.org", dns::type_ns, "ns.sub.example.org."},
                                         {"far.example.org", dns::type_mx, "10 mail.example.net."}});
  EXPECT_THAT(beside(snapshot, "mail.example.org"), UnorderedElementsAre("example.org.", "_sip._udp.example.org.",
                                                                         "_n.example.org.", "svc.example.org."));
  EXPECT_THAT(beside(snapshot, "ns.sub.example.org"), ElementsAre("sub.example.org.$"));
  EXPECT_THAT(beside(snapshot, "mail.example.net"), IsEmpty()) << "of another zone nothing is added";
}

TEST(WithLeading, FollowsWhatLoadBalancersAnswerByName) {
  auto zone = std::make_shared<Zone>();
  zone->id = 1;
  zone->apex = name("example.org");
  auto inner = std::make_shared<pool::Pool>();
  inner->endpoints.emplace_back();
  inner->endpoints.back().target = "cdn.example.org.";
  auto outer = std::make_shared<pool::Pool>();
  outer->pools = {inner};
  auto balancer = std::make_shared<pool::LoadBalancer>();
  balancer->region_pools["DE"] = {outer};
  Entry entry;
  entry.key = name("img.example.org").key();
  entry.balancer = balancer;
  entry.balancer_has_target = true;
  EXPECT_THAT(links_of(*zone, &entry), ElementsAre(Link{name("cdn.example.org").key(), false, false}));
  auto bound = std::make_shared<pool::LoadBalancer>();
  bound->bindings = {{65, "1 svc.example.org. alpn=h2", "", false}};
  entry.balancer = bound;
  entry.balancer_has_target = false;
  EXPECT_THAT(links_of(*zone, &entry), ElementsAre(Link{name("svc.example.org").key(), false, false}));
  EXPECT_THAT(links_of(*zone, nullptr), IsEmpty());
}

// The serial of a zone changes with each change of it: who leads to the apex has no part in that.
TEST(WithLeading, PassesOverAnApexOfWhichOnlyTheSoaChanged) {
  auto const zone_of = [](std::string const& soa, std::string const& address) {
    return snapshot_of({{"example.org", dns::type_soa, soa},
                        {"example.org", dns::type_a, address},
                        {"www.example.org", dns::type_cname, "example.org."}});
  };
  Snapshot const first = zone_of("ns. h. 1 1 1 1 1", "192.0.2.1");
  Snapshot const second = zone_of("ns. h. 2 1 1 1 1", "192.0.2.1");
  Snapshot const third = zone_of("ns. h. 3 1 1 1 1", "192.0.2.2");
  std::vector<Touched> const apex{{name("example.org"), false}};
  EXPECT_THAT(words(with_leading(second, apex, 4000, &first)), ElementsAre("example.org."));
  EXPECT_THAT(words(with_leading(third, apex, 4000, &second)), ElementsAre("example.org.", "www.example.org."));
  EXPECT_THAT(words(with_leading(second, apex)), ElementsAre("example.org.", "www.example.org."));
}

TEST(WithLeading, CountsNobodyWhoGoesAnyway) {
  std::vector<Record> records{{"far.example.com", dns::type_cname, "lb.example.org."}};
  for (int i = 0; i < 20; ++i) {
    records.push_back({"a" + std::to_string(i) + ".example.org", dns::type_cname, "lb.example.org."});
  }
  Snapshot const snapshot = snapshot_of(records, ".");
  EXPECT_THAT(beside(snapshot, "example.org", true, 5), ElementsAre("far.example.com."));
}

TEST(WithLeading, BecomesEverythingWhenTheyAreMany) {
  std::vector<Record> records;
  for (int i = 0; i < 20; ++i) {
    records.push_back({"a" + std::to_string(i) + ".example.org", dns::type_cname, "lb.example.org."});
  }
  Snapshot const snapshot = snapshot_of(records);
  EXPECT_EQ(beside(snapshot, "lb.example.org", false, 20).size(), 20U);
  EXPECT_THAT(beside(snapshot, "lb.example.org", false, 19), ElementsAre(".$"));
}

}  // namespace
}  // namespace store
