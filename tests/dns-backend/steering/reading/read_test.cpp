#include "dns-backend/steering/reading/read.hpp"

#include "dns-backend/steering/address.hpp"

#include <gmock/gmock.h>
#include <boost/json/serialize.hpp>

namespace {

using steering::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

config::Document document(std::string const& text) {
  auto parsed = config::Document::parse(text, "lb.yaml");
  EXPECT_TRUE(parsed.has_value()) << base::text(parsed ? base::Problems() : parsed.error());
  return *parsed;
}

std::vector<std::string> wrong(Kind kind, std::string const& text) {
  auto const read = steering::read_object(document(text), kind);
  std::vector<std::string> out;
  for (auto const& problem : read ? base::Problems() : read.error()) {
    out.push_back(problem.text());
  }
  return out;
}

char const* const everything = R"(
monitors:
  - {name: web, description: front, type: https, port: 8443, method: HEAD, path: /up, host: www.example.org,
     header: {X-Check: "1"}, expected_codes: "200,204", expected_body: ok, expected_body_pattern: "o.",
     follow_redirects: true, allow_insecure: true, ca_file: /etc/ca.pem, interval_ms: 9000, timeout_ms: 500, retries: 2, consecutive_up: 4,
     consecutive_down: 5}
  - {name: ns, type: dns, qname: Example.org, qtype: ns, expected_content: ns1.example.org., interval: 2.5, timeout: 1}
  - {name: ping, type: icmp}
  - {name: heartbeat, type: push, interval: 60}
  - {name: open, type: tcp, port: 25}
pools:
  - name: ams
    description: Amsterdam
    monitor: web
    origins:
      - {name: a, address: 192.0.2.1, address6: "2001:DB8::1", port: 81, weight: 0.25, probe_address: 10.0.0.1}
      - {name: b, address: "2001:db8:0::2", enabled: false, weight: 0}
    pools: [fra]
    minimum_origins: 2
    origin_steering: {policy: least_load}
    origins_max: 3
    latitude: 52.37
    longitude: -4.9
    site: ams
    all_down: keep_last
    load_shedding: {shed_at: 0.8}
    quorum: 2
  - {name: fra, enabled: false, origins: [{name: c, address: CDN.example.net}]}
load_balancers:
  - name: "*.WWW.example.org"
    description: all
    default_pools: [ams, fra]
    fallback_pool: fra
    region_pools: {DE: [fra, ams], office: [ams]}
    random_steering: {pool_weights: {ams: 0.5, fra: 1}}
    steering_policy: geo
    ttl: 10
    failback_s: 300
    enabled: false
    service_bindings: [{type: HTTPS, alpn: [h2]}, {type: SVCB, priority: 0, target: a.example.org}]
)";

TEST(Read, TakesEveryField) {
  auto const read = steering::read_objects(document(everything));
  ASSERT_TRUE(read.has_value()) << base::text(read.error());
  steering::Monitor const& web = read->monitors.at("web");
  EXPECT_EQ(web.header.at("X-Check"), "1");
  EXPECT_EQ(web.timeout_ms, 500U);
  EXPECT_TRUE(web.follow_redirects);
  steering::Monitor const& ns = read->monitors.at("ns");
  EXPECT_EQ(ns.qname, "example.org.");
  EXPECT_EQ(ns.qtype, "NS");
  EXPECT_EQ(ns.interval_ms, 2500U);
  EXPECT_EQ(read->monitors.at("heartbeat").interval_ms, 60000U);
  steering::Pool const& ams = read->pools.at("ams");
  ASSERT_THAT(ams.origins, SizeIs(2));
  EXPECT_EQ(ams.origins[0].address6, "2001:db8::1");
  EXPECT_EQ(ams.origins[0].weight_permille, 250U);
  EXPECT_EQ(ams.origins[1].address, "2001:db8::2");
  EXPECT_EQ(ams.origins[1].weight_permille, 0U);
  EXPECT_EQ(ams.coordinates, (pool::Coordinates{52.37, -4.9}));
  EXPECT_EQ(ams.shed_at_permille, 800U);
  EXPECT_EQ(read->pools.at("fra").origins[0].address, "cdn.example.net.");
  steering::Balancer const& balancer = read->load_balancers.at("*.www.example.org.");
  EXPECT_THAT(balancer.region_pools.at("DE"), ElementsAre("fra", "ams"));
  EXPECT_EQ(balancer.pool_weights_permille.at("ams"), 500U);
  EXPECT_EQ(balancer.steering_policy, pool::Steering::geo);
  EXPECT_FALSE(balancer.enabled);
  EXPECT_THAT(balancer.service_bindings, SizeIs(2));
}

TEST(Read, GivesBackWhatToJsonMade) {
  auto const read = steering::read_objects(document(everything));
  ASSERT_TRUE(read.has_value());
  std::string const text = boost::json::serialize(steering::to_json(*read));
  auto const again = steering::read_json_objects(text);
  ASSERT_TRUE(again.has_value()) << base::text(again.error());
  EXPECT_EQ(*again, *read);
  for (steering::Object const& object : steering::all(*read)) {
    auto const one = steering::read_json_object(boost::json::serialize(steering::to_json(object)),
                                                steering::kind_of(object), steering::name_of(object));
    ASSERT_TRUE(one.has_value()) << base::text(one.error());
    EXPECT_EQ(*one, object);
  }
  auto const yaml = steering::read_objects(document(text));
  ASSERT_TRUE(yaml.has_value()) << "JSON is YAML too";
  EXPECT_EQ(*yaml, *read);
}

struct Case {
  Kind kind;
  char const* text;
  char const* problem;
};

class Refused : public testing::TestWithParam<Case> {};

TEST_P(Refused, WithItsPlace) {
  EXPECT_THAT(wrong(GetParam().kind, GetParam().text), ElementsAre(HasSubstr(GetParam().problem)));
}

INSTANTIATE_TEST_SUITE_P(
    Monitors, Refused,
    testing::ValuesIn(std::vector<Case>{
        {Kind::monitor, "{type: tcp}", "the key 'name' is missing"},
        {Kind::monitor, "{name: a b, type: tcp}", "lb.yaml:1:8: name: 'a b' is no name"},
        {Kind::monitor, "{name: a}", "type: the key 'type' is missing"},
        {Kind::monitor, "{name: a, type: ftp}", "'ftp' is none of tcp, http, https, dns, icmp, push"},
        {Kind::monitor, "{name: a, type: http, expected_codes: 2yy}",
         "expected_codes: '2yy' is no list of status codes"},
        {Kind::monitor, "{name: a, type: http, pathh: /}", "the key 'pathh' is unknown (did you mean 'path'?)"},
        {Kind::monitor, "{name: a, type: http, path: up}", "path: 'up' is no path"},
        {Kind::monitor, "{name: a, type: http, method: get}", "method: 'get' is no method"},
        {Kind::monitor, "{name: a, type: http, host: 'a b'}", "host: 'a b' is no host name"},
        {Kind::monitor, "{name: a, type: http, header: {'a:b': c}}", "header: 'a:b' is no header field"},
        {Kind::monitor, "{name: a, type: http, ca_file: /x}", "ca_file: means nothing to a monitor of type http"},
        {Kind::monitor, "{name: a, type: tcp, path: /}", "path: means nothing to a monitor of type tcp"},
        {Kind::monitor, "{name: a, type: icmp, port: 7}", "port: means nothing to a monitor of type icmp"},
        {Kind::monitor, "{name: a, type: push, timeout_ms: 70}", "timeout_ms: means nothing"},
        {Kind::monitor, "{name: a, type: dns}", "the key 'qname' is missing"},
        {Kind::monitor, "{name: a, type: dns, qname: a..b}", "qname: "},
        {Kind::monitor, "{name: a, type: dns, qname: a, qtype: AXFR}", "qtype: 'AXFR' is no record type"},
        {Kind::monitor, "{name: a, type: tcp, port: 65536}", "port: '65536' is outside 0 to 65535"},
        {Kind::monitor, "{name: a, type: tcp, interval_ms: 50}", "interval_ms: '50' is outside 100 to 3600000"},
        {Kind::monitor, "{name: a, type: tcp, interval: 5, interval_ms: 5000}",
         "interval: is given beside 'interval_ms'"},
        {Kind::monitor, "{name: a, type: tcp, retries: 6}", "retries: '6' is outside 0 to 5"},
        {Kind::monitor, "{name: a, type: tcp, consecutive_up: 0}", "consecutive_up: '0' is outside"},
    }));

INSTANTIATE_TEST_SUITE_P(
    Pools, Refused,
    testing::ValuesIn(std::vector<Case>{
        {Kind::pool, "{name: p, origins: [{name: a, address: 192.0.2.300}]}",
         "origins[0].address: '192.0.2.300' is neither an IP address nor a host name"},
        {Kind::pool, "{name: p, origins: [{name: a, address: backup}]}", "'backup' is neither"},
        {Kind::pool, "{name: p, origins: [{name: a, address: '*.example.org'}]}", "is neither"},
        {Kind::pool, "{name: p, origins: [{name: a, address: 192.0.2.1, address6: 192.0.2.2}]}",
         "origins[0].address6: '192.0.2.2' is not an IPv6 address"},
        {Kind::pool, "{name: p, origins: [{name: a, address: '::1', address6: '::2'}]}",
         "origins[0].address6: stands beside an IPv4 address only"},
        {Kind::pool, "{name: p, origins: [{name: a, address: a.example.org, probe_address: b.example.org}]}",
         "origins[0].probe_address: 'b.example.org' is not an IP address"},
        {Kind::pool, "{name: p, origins: [{name: a, address: 192.0.2.1}, {name: a, address: 192.0.2.2}]}",
         "origins[1].name: the pool has an origin 'a' already"},
        {Kind::pool, "{name: p, origins: [{name: a, address: 192.0.2.1, weight: 1.5}]}",
         "origins[0].weight: '1.5' is outside 0 to 1"},
        {Kind::pool, "{name: p, origins: [{name: a, adress: 192.0.2.1, address: 192.0.2.1}]}", "'adress' is unknown"},
        {Kind::pool, "{name: p, latitude: 91, longitude: 0}", "latitude: '91' is outside -90 to 90"},
        {Kind::pool, "{name: p, latitude: 1, longitude: 181}", "longitude: '181' is outside -180 to 180"},
        {Kind::pool, "{name: p, latitude: 1}", "latitude and longitude come together"},
        {Kind::pool, "{name: p, pools: [a, a]}", "pools[1]: 'a' is named twice"},
        {Kind::pool, "{name: p, all_down: serve}",
         "all_down: 'serve' is none of serve_all, fallback, empty, keep_last"},
        {Kind::pool, "{name: p, origin_steering: {policy: any}}", "origin_steering.policy: 'any' is none of"},
        {Kind::pool, "{name: p, load_shedding: {shed_at: 2}}", "load_shedding.shed_at: '2' is outside 0 to 1"},
    }));

INSTANTIATE_TEST_SUITE_P(
    Balancers, Refused,
    testing::ValuesIn(std::vector<Case>{
        {Kind::load_balancer, "{name: a..b, default_pools: [p]}", "name: "},
        {Kind::load_balancer, "{name: ., default_pools: [p]}", "name: the root is no name"},
        {Kind::load_balancer, "{name: a.example}", "default_pools: names no pool"},
        {Kind::load_balancer, "{name: a.example, default_pools: [p, q, p]}", "default_pools[2]: 'p' is named twice"},
        {Kind::load_balancer, "{name: a.example, default_pools: [p], region_pools: {de: [p]}}",
         "region_pools.de: 'de' is no region"},
        {Kind::load_balancer, "{name: a.example, default_pools: [p], region_pools: {'a b': [p]}}", "is no region"},
        {Kind::load_balancer, "{name: a.example, default_pools: [p], region_pools: {DE: []}}",
         "region_pools.DE: names no pool"},
        {Kind::load_balancer, "{name: a.example, default_pools: [p], steering_policy: near}",
         "steering_policy: 'near' is none of"},
        {Kind::load_balancer, "{name: a.example, default_pools: [p], ttl: 0}", "ttl: '0' is outside 1 to 86400"},
        {Kind::load_balancer, "{name: a.example, default_pools: [p], random_steering: {pool_weights: {p: 2}}}",
         "random_steering.pool_weights.p: '2' is outside 0 to 1"},
    }));

TEST(Read, TellsEveryMistakeOfAFile) {
  auto const read = steering::read_objects(document(
      "monitors:\n  - {name: m, type: ftp}\n  - {name: m, type: tcp}\npools:\n  - {name: p, origins: [{name: a}]}\n"
      "load_balancer: []\n"));
  ASSERT_FALSE(read.has_value());
  std::string const all = base::text(read.error());
  EXPECT_THAT(read.error(), SizeIs(4)) << all;
  EXPECT_THAT(all, HasSubstr("lb.yaml:2:21: monitors[0].type: 'ftp'"));
  EXPECT_THAT(all, HasSubstr("lb.yaml:3:12: monitors[1].name: two of the monitors are called 'm'"));
  EXPECT_THAT(all, HasSubstr("pools[0].origins[0]: the key 'address' is missing"));
  EXPECT_THAT(all, HasSubstr("lb.yaml:6:1: the key 'load_balancer' is unknown (did you mean 'load_balancers'?)"));
}

TEST(Read, TakesTheNameOfTheRouteAndNoOther) {
  auto const given = steering::read_json_object(R"({"type":"tcp"})", Kind::monitor, "web");
  ASSERT_TRUE(given.has_value());
  EXPECT_EQ(steering::name_of(*given), "web");
  auto const other = steering::read_json_object(R"({"type":"tcp","name":"x"})", Kind::monitor, "web");
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error()[0].path, "name");
  auto const dotted = steering::read_json_object(R"({"default_pools":["p"],"name":"WWW.example"})", Kind::load_balancer,
                                                 "www.example.");
  ASSERT_TRUE(dotted.has_value());
  EXPECT_EQ(steering::name_of(*dotted), "www.example.");
  EXPECT_FALSE(steering::read_json_object("[1]", Kind::pool, "p").has_value());
  EXPECT_FALSE(steering::read_json_object("{", Kind::pool, "p").has_value());
  EXPECT_TRUE(steering::read_json_object(R"({"monitor":null})", Kind::pool, "p").has_value()) << "null is absent";
}

TEST(PlaceOf, FollowsIndexesAndNames) {
  auto const file = document(everything);
  EXPECT_EQ(steering::place_of(file, "pools[ams].origins[1].address").line, 17);
  EXPECT_EQ(steering::place_of(file, "pools[0].origins[1].address").line, 17);
  EXPECT_EQ(steering::place_of(file, "load_balancers[*.www.example.org.].ttl").line, 37);
  EXPECT_EQ(steering::place_of(file, "pools[ams].nothing").line, 12) << "the nearest there is";
  EXPECT_EQ(steering::place_of(file, "").line, 2);
}

TEST(ParseAddress, TellsTheThreeKindsApart) {
  EXPECT_EQ(steering::parse_address("192.0.2.1")->v4, "192.0.2.1");
  EXPECT_EQ(steering::parse_address("2001:DB8::0")->v6, "2001:db8::");
  EXPECT_EQ(steering::parse_address("A.example")->target, "a.example.");
  for (char const* const text :
       {"", ".", "localhost", "10.0.0", "10.0.0.0/8", "a b.example", "fe80::1%eth0", "*.example.org", "a..b"}) {
    EXPECT_FALSE(steering::parse_address(text).has_value()) << text;
  }
}

}  // namespace
