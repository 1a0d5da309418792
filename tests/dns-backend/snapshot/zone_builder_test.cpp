#include "dns-backend/snapshot/zone_builder.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <random>

namespace store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

dns::Name name(std::string_view text) {
  return dns::Name::parse(text).value();
}

dns::Name const apex = name("example.org");

Node node(std::vector<std::pair<dns::RRType, std::string>> const& sets) {
  Node made;
  for (auto const& [type, content] : sets) {
    made.rrsets.push_back({type, 60, {content}});
  }
  std::sort(made.rrsets.begin(), made.rrsets.end(), [](auto const& a, auto const& b) { return a.type < b.type; });
  return made;
}

Node address() {
  return node({{dns::type_a, "192.0.2.1"}});
}
Node delegation(bool secure = false) {
  return secure ? node({{dns::type_ns, "ns.sub."}, {dns::type_ds, "1 13 2 00"}}) : node({{dns::type_ns, "ns.sub."}});
}
Node top() {
  return node({{dns::type_soa, "ns. host. 1 2 3 4 5"}, {dns::type_ns, "ns."}});
}

Zone zone_of(std::vector<std::pair<std::string, Node>> const& nodes, std::string const& nsec3 = "") {
  Zone zone;
  zone.apex = apex;
  if (!nsec3.empty()) {
    zone.metadata["NSEC3PARAM"] = {nsec3};
  }
  std::vector<OwnedNode> named{{apex.key(), top()}};
  for (auto const& [text, made] : nodes) {
    named.push_back({name(text + ".example.org").key(), made});
  }
  fill(zone, std::move(named));
  return zone;
}

// "name:facts" in canonical order; E empty non-terminal, C cut, B below a cut.
std::vector<std::string> facts(Zone const& zone) {
  std::vector<std::string> list;
  zone.entries.for_each([&](EntryPtr const& entry) {
    std::string text = entry->name().relative_to(zone.apex) + ":";
    text += entry->is_ent() ? "E" : "";
    text += entry->cut ? "C" : "";
    text += entry->below_cut ? "B" : "";
    list.push_back(text);
  });
  return list;
}

void expect_same(Zone const& a, Zone const& b) {
  ASSERT_TRUE(a.entries.well_formed());
  ASSERT_EQ(facts(a), facts(b));
  auto const same_entry = [](EntryPtr const& entry, EntryPtr const* other) {
    ASSERT_NE(other, nullptr) << entry->name().text();
    ASSERT_TRUE(same_content(*entry, **other)) << entry->name().text();
  };
  ASSERT_EQ(a.entries.size(), b.entries.size());
  a.entries.for_each([&](EntryPtr const& entry) { same_entry(entry, b.entries.find(entry->key)); });
  ASSERT_EQ(a.nsec3.size(), b.nsec3.size());
  a.nsec3.for_each([&](std::string const& hash, EntryPtr const& entry) { same_entry(entry, b.nsec3.find(hash)); });
  // The chain points to the very entries that are served.
  a.nsec3.for_each([&a](std::string const&, EntryPtr const& entry) { ASSERT_EQ(a.find(entry->key), entry); });
}

TEST(ZoneBuilder, derives_empty_non_terminals_cuts_and_what_they_hide) {
  Zone const zone = zone_of({{"www", address()},
                             {"a.b.c", address()},
                             {"sub", delegation()},
                             {"ns.sub", address()},
                             {"deep.er.sub", address()},
                             {"*.w", address()},
                             {"x\\.y\\032z", address()}});
  EXPECT_THAT(facts(zone), ElementsAre(".:", "c.:E", "b.c.:E", "a.b.c.:", "sub.:C", "er.sub.:EB", "deep.er.sub.:B",
                                       "ns.sub.:B", "w.:E", "*.w.:", "www.:", "x\\.y\\032z.:"));
}

TEST(ZoneBuilder, a_zone_without_data_has_its_apex) {
  Zone zone;
  zone.apex = apex;
  fill(zone, {});
  EXPECT_THAT(facts(zone), ElementsAre(".:E"));
}

TEST(ZoneBuilder, neighbours_follow_canonical_order_and_the_caller_wraps) {
  Zone const zone =
      zone_of({{"b", address()}, {"B.b", address()}, {"\\001.b", address()}, {"*.b", address()}, {"z", address()}});
  auto const after = [&zone](std::string const& text) {
    auto const* const item = zone.entries.upper_bound(name(text).key());
    return item == nullptr ? "wraps" : item->name().relative_to(apex);
  };
  EXPECT_EQ(after("example.org"), "b.");
  EXPECT_EQ(after("b.example.org"), "\\001.b.");
  EXPECT_EQ(after("\\001.b.example.org"), "*.b.");
  EXPECT_EQ(after("*.b.example.org"), "b.b.");
  EXPECT_EQ(after("missing.b.example.org"), "z.");
  EXPECT_EQ(after("z.example.org"), "wraps");
  EXPECT_EQ(zone.entries.predecessor(name("c.example.org").key())->name(), name("b.b.example.org"));
}

std::vector<Touched> set(Zone& zone, std::string const& text, Node made) {
  std::vector<Touched> touched;
  set_node(zone, name(text), std::move(made), touched);
  return touched;
}

TEST(ZoneBuilder, a_change_says_which_answers_it_may_change) {
  Zone zone = zone_of({{"www", address()}, {"a.b.c", address()}});
  EXPECT_THAT(set(zone, "www.example.org", address()), IsEmpty());
  EXPECT_THAT(set(zone, "www.example.org", node({{dns::type_a, "192.0.2.2"}})),
              ElementsAre(Touched{name("www.example.org"), false}));
  EXPECT_THAT(set(zone, "new.example.org", address()), ElementsAre(Touched{name("new.example.org"), true}));
  EXPECT_THAT(set(zone, "x.y.z.example.org", address()), ElementsAre(Touched{name("z.example.org"), true}));
  EXPECT_THAT(set(zone, "b.c.example.org", address()), ElementsAre(Touched{name("b.c.example.org"), false}));
  EXPECT_THAT(set(zone, "*.example.org", address()), ElementsAre(Touched{name("example.org"), true}));
  EXPECT_THAT(set(zone, "*.example.org", node({{dns::type_a, "192.0.2.3"}})),
              ElementsAre(Touched{name("example.org"), true}));
  EXPECT_THAT(set(zone, "c.example.org", delegation()), ElementsAre(Touched{name("c.example.org"), true}));
  EXPECT_THAT(set(zone, "c.example.org", {}), ElementsAre(Touched{name("c.example.org"), true}));
  EXPECT_THAT(set(zone, "x.y.z.example.org", {}), ElementsAre(Touched{name("z.example.org"), true}));
  EXPECT_THAT(set(zone, "nothing.example.org", {}), IsEmpty());
  EXPECT_THAT(facts(zone), ElementsAre(".:", "*.:", "c.:E", "b.c.:", "a.b.c.:", "new.:", "www.:"));
}

TEST(ZoneBuilder, every_setting_of_a_balancer_may_change_its_answers) {
  auto pool = std::make_shared<pool::Pool>();
  pool->name = "ams";
  pool::LoadBalancer balancer;
  balancer.pools = {pool};
  Zone zone = zone_of({});
  auto const touched = [&zone](pool::LoadBalancer const& next, bool has_target = false) {
    Node made;
    made.balancer = std::make_shared<pool::LoadBalancer const>(next);
    made.has_target = has_target;
    return !set(zone, "shop.example.org", made).empty();
  };
  EXPECT_TRUE(touched(balancer));
  EXPECT_FALSE(touched(balancer));
  EXPECT_TRUE(touched(balancer, true));
  EXPECT_TRUE(zone.find(name("shop.example.org"))->balancer_has_target);
  EXPECT_TRUE(touched(balancer));
  balancer.pools = {std::make_shared<pool::Pool const>(*pool)};
  EXPECT_FALSE(touched(balancer)) << "another object that says the same";
  using Change = void (*)(pool::LoadBalancer&, pool::PoolPtr const&);
  for (Change const change : std::initializer_list<Change>{
           [](auto&one, auto const&) { one.name = "x"; }, [](auto&one, auto const&) { one.ttl = 7; },
           [](auto&one, auto const&) { one.failback_s = 7; }, [](auto&one, auto const&) { one.ready.emplace(); },
           [](auto&one, auto const&) { one.steering = pool::Steering::mesh; },
           [](auto&one, auto const&) {
             one.bindings = {{65, "1 .", "", true}};
           },
           [](auto&one, auto const&) { one.bindings[0].hints = false; },
           [](auto&one, auto const&) { one.pool_weights["ams"] = 7; },
           [](auto&one, auto const&other) { one.region_pools["DE"] = {other}; },
           [](auto&one, auto const&other) { one.fallback_pool = other; },
           [](auto&one, auto const&other) { one.pools.push_back(other); }}) {
    change(balancer, pool);
    EXPECT_TRUE(touched(balancer));
    EXPECT_FALSE(touched(balancer));
  }
}

TEST(ZoneBuilder, nsec3_holds_every_authoritative_name_and_the_empty_non_terminals) {
  Zone const zone = zone_of({{"a.b", address()}, {"sub", delegation()}, {"ns.sub", address()}}, "1 0 5 aabb");
  EXPECT_EQ(zone.nsec3.size(), 4U);  // apex, b, a.b, sub
  EntryPtr const* const found = zone.nsec3.find(dns::nsec3_hash(name("b.example.org"), "\xaa\xbb", 5));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ((*found)->name(), name("b.example.org"));
}

TEST(ZoneBuilder, opt_out_leaves_insecure_delegations_and_in_zones_signed_elsewhere_what_leads_only_to_them) {
  Zone zone = zone_of({{"one.only", delegation()},
                       {"two.both", delegation()},
                       {"www.both", address()},
                       {"three.safe", delegation(true)},
                       {"ns.one.only", address()}},
                      "1 1 0 -");
  auto const has = [](Zone const& of, std::string const& text) {
    return of.nsec3.contains(dns::nsec3_hash(name(text), "", 0));
  };
  auto const authority = [](Zone const& of, std::string const& text) {
    return is_authoritative_ent(of, **of.entries.find(name(text).key()));
  };
  EXPECT_TRUE(has(zone, "example.org"));
  EXPECT_TRUE(has(zone, "only.example.org")) << "the closest encloser of names that do not exist";
  EXPECT_TRUE(authority(zone, "only.example.org"));
  EXPECT_FALSE(has(zone, "one.only.example.org"));
  EXPECT_TRUE(has(zone, "both.example.org"));
  EXPECT_FALSE(has(zone, "two.both.example.org"));
  EXPECT_TRUE(has(zone, "safe.example.org"));
  EXPECT_TRUE(has(zone, "three.safe.example.org"));
  EXPECT_EQ(zone.nsec3.size(), 6U);

  zone.metadata["PRESIGNED"] = {"1"};
  rebuild_nsec3(zone);
  EXPECT_FALSE(has(zone, "only.example.org"));
  EXPECT_FALSE(authority(zone, "only.example.org"));
  EXPECT_TRUE(authority(zone, "both.example.org"));
  EXPECT_EQ(zone.nsec3.size(), 5U);

  // What is below a name may change its authority; caches must hear of it.
  std::vector<Touched> touched;
  set_node(zone, name("one.only.example.org"), delegation(true), touched);
  EXPECT_TRUE(authority(zone, "only.example.org"));
  EXPECT_THAT(touched, testing::Contains(Touched{name("only.example.org"), false}));
}

// A zone that was signed elsewhere brings the signatures of its NSEC3 records, whose owners are no names of it.
TEST(ZoneBuilder, owners_of_nsec3_signatures_are_in_no_chain) {
  Node const signature = node({{dns::type_rrsig, "NSEC3 13 3 300 20300101000000 20200101000000 1 example.org. AQID"}});
  Zone const zone = zone_of({{"a.b", address()}, {"2t7b4g4vsa5smi47k61mv5bv1a22bojr", signature}}, "1 0 5 aabb");
  EXPECT_EQ(zone.nsec3.size(), 3U);  // apex, b, a.b
  EXPECT_NE(zone.find(name("2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.org")), nullptr) << "it is served";
  EXPECT_TRUE(zone.find(name("2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.org"))->only_signatures());
  EXPECT_FALSE(zone.find(name("b.example.org"))->only_signatures());
}

TEST(ZoneBuilder, a_presigned_opt_out_chain_has_the_delegations_that_were_signed) {
  Node const signature = node({{dns::type_rrsig, "NSEC3 13 3 300 20300101000000 20200101000000 1 example.org. AQID"}});
  std::string const in = dns::nsec3_hash(name("in.deep.example.org"), "", 0);
  Zone zone = zone_of({{"in.deep", delegation()}, {"out", delegation()}, {in, signature}}, "1 1 0 -");
  EXPECT_EQ(zone.nsec3.size(), 2U) << "not presigned: the apex, and what leads to a delegation";
  EXPECT_FALSE(chain_follows_signatures(zone));
  zone.metadata["PRESIGNED"] = {"1"};
  EXPECT_TRUE(chain_follows_signatures(zone));
  rebuild_nsec3(zone);
  EXPECT_TRUE(zone.nsec3.contains(in));
  EXPECT_TRUE(zone.nsec3.contains(dns::nsec3_hash(name("deep.example.org"), "", 0))) << "what leads to it";
  EXPECT_EQ(zone.nsec3.size(), 3U);
}

TEST(ZoneBuilder, there_is_no_chain_without_or_with_unreadable_parameters) {
  EXPECT_TRUE(zone_of({{"a", address()}}).nsec3.empty());
  for (auto const* bad : {"", "1", "2 0 0 -", "1 0 9999 -", "1 0 0 abc", "x y z -"}) {
    EXPECT_TRUE(zone_of({{"a", address()}}, bad).nsec3.empty()) << bad;
  }
  Zone narrow = zone_of({{"a", address()}}, "1 0 0 -");
  EXPECT_FALSE(narrow.nsec3.empty());
  narrow.metadata["NSEC3NARROW"] = {"1"};
  rebuild_nsec3(narrow);
  EXPECT_TRUE(narrow.nsec3.empty());
}

class RandomChanges : public testing::TestWithParam<std::string> {};

TEST_P(RandomChanges, give_the_zone_that_a_full_build_gives) {
  std::mt19937 random(static_cast<unsigned>(GetParam().size()) + 11);
  std::map<dns::Name, Node> wanted{{apex, top()}};
  Zone zone = zone_of({}, GetParam());
  std::vector<std::string> const labels{"a", "b", "*", "sub", "x\\.y"};
  for (int step = 0; step < 800; ++step) {
    std::string text;
    for (auto depth = 1 + random() % 4; depth > 0; --depth) {
      text += labels[random() % labels.size()] + ".";
    }
    dns::Name const where = name(text + apex.text());
    Node made;
    switch (random() % 6) {
      case 0:
        made = delegation(random() % 2 == 0);
        break;
      case 1:
      case 2:
        made = node({{dns::type_a, "192.0.2." + std::to_string(random() % 4)}});
        break;
      default:
        break;
    }
    if (made.empty()) {
      wanted.erase(where);
    } else {
      wanted[where] = made;
    }
    std::vector<Touched> touched;
    Zone const before = zone;
    set_node(zone, where, made, touched);
    if (step % 4 != 0) {
      continue;
    }
    Zone full = zone;
    std::vector<OwnedNode> nodes;
    for (auto const& [owner, node_there] : wanted) {
      nodes.push_back({owner.key(), node_there});
    }
    fill(full, std::move(nodes));
    ASSERT_NO_FATAL_FAILURE(expect_same(zone, full)) << "step " << step;
    // Whatever differs is covered by what was said to be touched.
    std::vector<Touched> differences;
    compare(before, zone, differences);
    for (Touched const& difference : differences) {
      bool const covered = std::any_of(touched.begin(), touched.end(), [&difference](Touched const& one) {
        return one.name == difference.name || (one.subtree && difference.name.is_within(one.name));
      });
      ASSERT_TRUE(covered) << "step " << step << " " << difference.name.text();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Chains, RandomChanges, testing::Values("", "1 0 1 ab", "1 1 0 -"));

TEST(Touched, tidy_drops_what_a_subtree_covers_and_lets_a_zone_stand_for_too_many) {
  Snapshot snapshot;
  auto const zone = std::make_shared<Zone const>(zone_of({}));
  snapshot.zones = snapshot.zones.insert(apex.key(), zone);
  std::vector<Touched> touched{{name("a.b.example.org"), false}, {name("b.example.org"), true},
                               {name("b.example.org"), false},   {name("c.b.example.org"), true},
                               {name("c.example.org"), false},   {name("c.example.org"), false}};
  tidy(touched, snapshot);
  EXPECT_THAT(touched, ElementsAre(Touched{name("b.example.org"), true}, Touched{name("c.example.org"), false}));
  touched.clear();
  for (int i = 0; i < 50; ++i) {
    touched.push_back({name("n" + std::to_string(i) + ".example.org"), false});
  }
  tidy(touched, snapshot, 20);
  EXPECT_THAT(touched, ElementsAre(Touched{apex, true}));
}

TEST(Snapshot, the_enclosing_zone_is_the_longest_ancestor) {
  Snapshot snapshot;
  for (auto const* text : {"org", "example.org", "a.b.example.org", "aa.example.org", "net"}) {
    auto zone = std::make_shared<Zone>();
    zone->apex = name(text);
    snapshot.zones = snapshot.zones.insert(zone->apex.key(), zone);
  }
  auto const enclosing = [&snapshot](std::string const& text) {
    ZonePtr const zone = snapshot.enclosing(name(text));
    return zone == nullptr ? "none" : zone->apex.text();
  };
  EXPECT_EQ(enclosing("www.example.org"), "example.org.");
  EXPECT_EQ(enclosing("example.org"), "example.org.");
  EXPECT_EQ(enclosing("b.example.org"), "example.org.");
  EXPECT_EQ(enclosing("x.a.b.example.org"), "a.b.example.org.");
  EXPECT_EQ(enclosing("z.b.example.org"), "example.org.");
  EXPECT_EQ(enclosing("zz.example.org"), "example.org.");
  EXPECT_EQ(enclosing("other.org"), "org.");
  EXPECT_EQ(enclosing("com"), "none");
  EXPECT_EQ(enclosing("."), "none");
  EXPECT_EQ(snapshot.zone(name("www.example.org")), nullptr);
  EXPECT_NE(snapshot.zone(name("example.org")), nullptr);
}

}  // namespace
}  // namespace store
