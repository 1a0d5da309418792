#include "dns-backend/steering/check.hpp"

#include <gmock/gmock.h>

namespace {

using steering::Balancer;
using steering::Monitor;
using steering::Objects;
using steering::Origin;
using steering::Pool;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Origin origin(std::string name, std::string address) {
  Origin one;
  one.name = std::move(name);
  one.address = std::move(address);
  return one;
}

Pool pool(std::string name, std::vector<Origin> origins, std::vector<std::string> nested = {}) {
  Pool one;
  one.name = std::move(name);
  one.origins = std::move(origins);
  one.pools = std::move(nested);
  return one;
}

Balancer balancer(std::string name, std::vector<std::string> pools) {
  Balancer one;
  one.name = std::move(name);
  one.default_pools = std::move(pools);
  return one;
}

// A monitor, two pools of one origin, a load balancer over both: nothing is wrong with it.
Objects sound() {
  Objects objects;
  Monitor monitor;
  monitor.name = "web";
  monitor.type = "http";
  objects.monitors["web"] = monitor;
  objects.pools["ams"] = pool("ams", {origin("a", "192.0.2.1")});
  objects.pools["ams"].monitor = "web";
  objects.pools["fra"] = pool("fra", {origin("f", "192.0.2.2")});
  objects.load_balancers["www.example.org."] = balancer("www.example.org.", {"ams", "fra"});
  return objects;
}

steering::Context context(steering::NameFacts facts = {"example.org.", false, {}, {}, {}, false}) {
  steering::Context out;
  out.topology_pools = {{"edge", 2}, {"spare", 0}};
  out.name_facts = [facts](dns::Name const&) { return facts; };
  out.pattern_problem = [](std::string const& text) { return text == "(" ? "missing )" : ""; };
  return out;
}

std::vector<std::string> texts(base::Problems const& problems) {
  std::vector<std::string> out;
  for (auto const& problem : problems) {
    out.push_back(problem.text());
  }
  return out;
}

struct Case {
  char const* what;
  std::function<void(Objects&)> change;
  char const* path;
  char const* message;
};

class Refused : public testing::TestWithParam<Case> {};

TEST_P(Refused, NamesTheFieldAndTheReasonAndNothingElse) {
  Objects objects = sound();
  GetParam().change(objects);
  auto const found = texts(steering::check(objects, context()));
  ASSERT_THAT(found, SizeIs(1)) << testing::PrintToString(found);
  EXPECT_THAT(found[0], AllOf(testing::StartsWith(std::string(GetParam().path) + ": "), HasSubstr(GetParam().message)));
}

std::vector<Case> const cases{
    {"monitor", [](Objects& o) { o.pools["ams"].monitor = "wed"; }, "pools[ams].monitor", "did you mean 'web'?"},
    {"nested", [](Objects& o) { o.pools["ams"].pools = {"edgy"}; }, "pools[ams].pools[0]", "did you mean 'edge'?"},
    {"default", [](Objects& o) { o.load_balancers.begin()->second.default_pools[1] = "fro"; },
     "load_balancers[www.example.org.].default_pools[1]", "there is no pool 'fro' (did you mean 'fra'?)"},
    {"fallback", [](Objects& o) { o.load_balancers.begin()->second.fallback_pool = "none-at-all"; },
     "load_balancers[www.example.org.].fallback_pool", "there is no pool 'none-at-all'"},
    {"region",
     [](Objects& o) {
       o.load_balancers.begin()->second.region_pools["DE"] = {"ams", "x"};
     },
     "load_balancers[www.example.org.].region_pools.DE[1]", "there is no pool 'x'"},
    {"weight", [](Objects& o) { o.load_balancers.begin()->second.pool_weights_permille["edge"] = 1; },
     "load_balancers[www.example.org.].random_steering.pool_weights.edge", "is no pool of this load balancer"},
    {"itself", [](Objects& o) { o.pools["ams"].pools = {"ams"}; }, "pools[ams].pools", "in a circle: ams -> ams"},
    {"two", [](Objects& o) { o.pools["ams"].pools = {"fra"}, o.pools["fra"].pools = {"ams"}; }, "pools[ams].pools",
     "in a circle: ams -> fra -> ams"},
    {"three",
     [](Objects& o) {
       o.pools["fra"].pools = {"ams", "x"};
       o.pools["x"] = pool("x", {}, {"y"});
       o.pools["y"] = pool("y", {}, {"fra"});
     },
     "pools[fra].pools", "in a circle: fra -> x -> y -> fra"},
    {"deep",
     [](Objects& o) {
       o.pools["p1"] = pool("p1", {}, {"fra", "p2"});
       o.pools["p2"] = pool("p2", {}, {"p3"});
       o.pools["p3"] = pool("p3", {}, {"p4"});
       o.pools["p4"] = pool("p4", {}, {"ams"});
     },
     "pools[p1].pools", "more than 4 deep: p1 -> p2 -> p3 -> p4 -> ams"},
    {"minimum", [](Objects& o) { o.pools["ams"].minimum_origins = 2; }, "pools[ams].minimum_origins",
     "has 1 enabled origins and needs 2"},
    {"disabled origin", [](Objects& o) { o.pools["fra"].origins[0].enabled = false; }, "pools[fra].minimum_origins",
     "has 0 enabled origins and needs 1"},
    {"empty", [](Objects& o) { o.pools["none"] = pool("none", {}), o.pools["none"].minimum_origins = 0; },
     "pools[none].minimum_origins", "needs 1"},
    {"nested and disabled",
     [](Objects& o) {
       o.pools["fra"].enabled = false;
       o.pools["both"] = pool("both", {}, {"ams", "fra"});
       o.pools["both"].minimum_origins = 2;
     },
     "pools[both].minimum_origins", "has 1 enabled origins and needs 2"},
    {"nested topology",
     [](Objects& o) { o.pools["all"] = pool("all", {}, {"edge"}), o.pools["all"].minimum_origins = 3; },
     "pools[all].minimum_origins", "has 2 enabled origins and needs 3"},
    {"timeout", [](Objects& o) { o.monitors["web"].timeout_ms = 5000; }, "monitors[web].timeout_ms",
     "may take 5000 ms and is due every 5000 ms"},
    {"retries", [](Objects& o) { o.monitors["web"].retries = 4; }, "monitors[web].timeout_ms", "may take 5000 ms"},
    {"pattern", [](Objects& o) { o.monitors["web"].expected_body_pattern = "("; },
     "monitors[web].expected_body_pattern", "is no pattern: missing )"},
    {"port", [](Objects& o) { o.monitors["web"].type = "tcp"; }, "pools[ams].origins[0].port",
     "neither the origin nor the monitor 'web' says a port"},
    {"unprobed name",
     [](Objects& o) {
       o.pools["cdn"] = pool("cdn", {origin("c", "cdn.example.net.")});
       o.pools["cdn"].monitor = "web";
     },
     "pools[cdn].origins[0].probe_address", "is missing"},
    {"names and addresses",
     [](Objects& o) {
       o.pools["cdn"] = pool("cdn", {origin("c", "cdn.example.net.")});
       o.load_balancers.begin()->second.fallback_pool = "cdn";
     },
     "load_balancers[www.example.org.].default_pools", "host names (pool 'cdn') and addresses (pool"},
    {"names and bindings",
     [](Objects& o) {
       o.pools["cdn"] = pool("cdn", {origin("c", "cdn.example.net.")});
       o.load_balancers.begin()->second.default_pools = {"cdn"};
       o.load_balancers.begin()->second.service_bindings = {{}};
     },
     "load_balancers[www.example.org.].service_bindings", "cannot stand beside the CNAME that host names (pool 'cdn')"},
    {"names and the topology",
     [](Objects& o) {
       o.pools["cdn"] = pool("cdn", {origin("c", "cdn.example.net.")}, {"edge"});
       o.load_balancers.begin()->second.default_pools = {"cdn"};
     },
     "load_balancers[www.example.org.].default_pools", "cannot be answered together"},
    {"taken", [](Objects& o) { o.pools["edge"] = pool("edge", {origin("a", "192.0.2.3")}); }, "pools[edge].name",
     "the topology has a pool 'edge'"},
};

INSTANTIATE_TEST_SUITE_P(Steering, Refused, testing::ValuesIn(cases));

TEST(Check, FindsNothingWrongWithASoundSet) {
  EXPECT_THAT(texts(steering::check(sound(), context())), IsEmpty());
}

TEST(Check, TellsEverythingAtOnce) {
  Objects objects = sound();
  objects.monitors["web"].timeout_ms = 9000;
  objects.pools["ams"].monitor = "gone";
  objects.pools["fra"].minimum_origins = 7;
  objects.load_balancers.begin()->second.default_pools = {"x", "y"};
  EXPECT_THAT(steering::check(objects, context()), SizeIs(5));
}

TEST(Check, TakesADisabledPoolAsItIs) {
  Objects objects = sound();
  objects.pools["fra"].origins.clear();
  objects.pools["fra"].enabled = false;
  EXPECT_THAT(texts(steering::check(objects, context())), IsEmpty());
}

TEST(Check, LetsPoolsOfTheTopologyAnswerAndNest) {
  Objects objects = sound();
  objects.pools["all"] = pool("all", {}, {"edge", "ams"});
  objects.pools["all"].minimum_origins = 3;
  objects.load_balancers.begin()->second.default_pools = {"all"};
  objects.load_balancers.begin()->second.fallback_pool = "edge";
  EXPECT_THAT(texts(steering::check(objects, context())), IsEmpty());
}

TEST(Check, TakesFourPoolsInOneAnother) {
  Objects objects = sound();
  objects.pools["p1"] = pool("p1", {}, {"p2"});
  objects.pools["p2"] = pool("p2", {}, {"p3"});
  objects.pools["p3"] = pool("p3", {}, {"ams"});
  EXPECT_THAT(texts(steering::check(objects, context())), IsEmpty());
}

struct NameCase {
  char const* what;
  steering::NameFacts facts;
  bool cname;
  char const* message;  // empty: nothing is wrong
};

class AtName : public testing::TestWithParam<NameCase> {};

TEST_P(AtName, TheZoneHasTheLastWord) {
  Objects objects = sound();
  objects.pools["cdn"] = pool("cdn", {origin("c", "cdn.example.net.")});
  if (GetParam().cname) {
    objects.load_balancers.begin()->second.default_pools = {"cdn"};
  }
  auto const found = texts(steering::check(objects, context(GetParam().facts)));
  if (std::string(GetParam().message).empty()) {
    EXPECT_THAT(found, IsEmpty());
    return;
  }
  ASSERT_THAT(found, SizeIs(1)) << testing::PrintToString(found);
  EXPECT_THAT(found[0], AllOf(testing::StartsWith("load_balancers[www.example.org.].name: 'www.example.org.'"),
                              HasSubstr(GetParam().message)));
}

std::vector<NameCase> const name_cases{
    {"no zone", {"", false, "", {}, "", false}, false, "is in no zone of this store"},
    {"delegated", {"org.", false, "example.org.", {}, "", false}, false, "is delegated away at 'example.org.'"},
    {"tenant", {"example.org.", false, "", {}, "acme", false}, false, "belongs to tenant 'acme'"},
    {"A", {"example.org.", false, "", {"A"}, "", false}, false, "has A records already"},
    {"AAAA", {"example.org.", false, "", {"TXT", "AAAA"}, "", false}, false, "has AAAA records already"},
    {"CNAME", {"example.org.", false, "", {"CNAME"}, "", false}, false, "has CNAME records already"},
    {"TXT", {"example.org.", false, "", {"TXT", "MX"}, "", false}, false, ""},
    {"apex", {"example.org.", true, "", {"SOA", "NS", "MX"}, "", false}, false, ""},
    {"apex with A", {"example.org.", true, "", {"SOA", "NS", "A"}, "", false}, false, "has A records already"},
    {"CNAME alone", {"example.org.", false, "", {}, "", false}, true, ""},
    {"CNAME beside TXT", {"example.org.", false, "", {"TXT"}, "", false}, true, "has TXT records already"},
    {"CNAME at the apex", {"example.org.", true, "", {"SOA", "NS"}, "", false}, true, "is the apex of a zone"},
    {"CNAME and a challenge", {"example.org.", false, "", {}, "", true}, true, "it cannot become a CNAME"},
};

INSTANTIATE_TEST_SUITE_P(Steering, AtName, testing::ValuesIn(name_cases));

TEST(Check, LetsNoRecordsStandWhereABindingIs) {
  Objects objects = sound();
  objects.load_balancers.begin()->second.service_bindings = {{}};
  auto const https = texts(steering::check(objects, context({"example.org.", false, "", {"TXT", "HTTPS"}, "", false})));
  EXPECT_THAT(https, ElementsAre(HasSubstr("www.example.org.].name: 'www.example.org.' has HTTPS records already")));
  EXPECT_THAT(texts(steering::check(objects, context({"example.org.", false, "", {"SVCB"}, "", false}))), IsEmpty());
  objects.load_balancers.begin()->second.service_bindings.clear();
  EXPECT_THAT(texts(steering::check(objects, context({"example.org.", false, "", {"HTTPS"}, "", false}))), IsEmpty());
}

TEST(UsersOf, NamesEveryPlaceThatRefers) {
  Objects objects = sound();
  objects.pools["all"] = pool("all", {}, {"ams"});
  objects.load_balancers.begin()->second.region_pools["DE"] = {"ams"};
  EXPECT_THAT(steering::users_of(objects, steering::Kind::monitor, "web"), ElementsAre("pool ams"));
  EXPECT_THAT(steering::users_of(objects, steering::Kind::pool, "ams"),
              ElementsAre("pool all (pools)", "load_balancer www.example.org. (default_pools)",
                          "load_balancer www.example.org. (region_pools.DE)"));
  EXPECT_THAT(steering::users_of(objects, steering::Kind::pool, "all"), IsEmpty());
  EXPECT_THAT(steering::users_of(objects, steering::Kind::load_balancer, "www.example.org."), IsEmpty());
}

}  // namespace
