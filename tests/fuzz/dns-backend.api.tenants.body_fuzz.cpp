// Bodies of requests, at every route of the router's own table that takes one: answered, never by a failure of ours;
// what is refused is refused by a problem document that says at which member or parameter, and leaves nothing behind.
//
// An input is a body as it is, at some of the routes, and the seed of damage done to each of these routes' valid
// bodies: members gone, doubled, misnamed, or replaced by what people and attackers send.
#include "dns-backend/powerdns/powerdns.hpp"
#include "tests/dns-backend/api/tenants/world.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace {

namespace json = boost::json;

// A body that the route takes, and the path it is sent to.
struct Seed {
  std::string target;
  std::string body;
};

using Seeds = std::map<std::string, Seed>;

Seeds of_tenants() {
  std::string const tenant = "/v1/tenants/acme-tv";
  return {
      {"POST /v1/tenants",
       {"/v1/tenants",
        R"({"label":"new-tv","zone":"example.org","plan":"gold","primary":"ams","backups":["fra"],"state":"active"})"}},
      {"PATCH /v1/tenants/{label}", {tenant, R"({"primary":"fra","backups":["ams"],"plan":"gold","state":"active"})"}},
      {"PUT /v1/tenants/{label}/records/{name}/{type}",
       {tenant + "/records/mail/MX", R"({"ttl":300,"contents":["10 mx.example.net.","20 mx2.example.net."]})"}},
      {"POST /v1/tenants/{label}/tokens",
       {tenant + "/tokens",
        R"({"note":"n","expires_in_s":3600,"actions":["read"],"zones":["example.org"],"names":["_acme-challenge.*"],)"
        R"("types":["TXT"]})"}},
      {"POST /v1/tokens", {"/v1/tokens", R"({"admin":true,"note":"n","expires_in_s":3600})"}},
      {"POST /v1/tenants/{label}/domains", {tenant + "/domains", R"({"name":"shop.customer.example"})"}},
      {"POST /v1/tenants/{label}/domains/{name}/verify", {tenant + "/domains/www.customer.example/verify", "{}"}},
      {"PUT /v1/tenants/{label}/certificates/{name}",
       {tenant + "/certificates/acme-tv.example.org",
        R"({"chain_pem":"-----BEGIN CERTIFICATE-----","key_pem":"-----BEGIN","fallback_to_acme":true})"}},
      {"PUT /v1/tenants/{label}/pools/{name}",
       {tenant + "/pools/web", R"({"origins":[{"address":"203.0.113.7"}],"names":["shop"],)"
                               R"("monitor":{"type":"https","port":443,"path":"/"}})"}},
      {"POST /v1/invitations",
       {"/v1/invitations", R"({"label":"new-*","plan":"gold","uses":2,"expires_in_s":3600,"note":"n"})"}},
      {"POST /v1/sign-up", {"/v1/sign-up", R"({"label":"come-tv","primary":"ams","invitation":"inv_none"})"}},
      {"POST /register", {"/register", R"({"allowfrom":["192.0.2.0/24"]})"}},
      {"POST /update", {"/update", R"({"subdomain":"x","txt":"LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM"})"}},
      {"PUT /v1/autoprimaries/{ip}/{nameserver}", {"/v1/autoprimaries/192.0.2.1/ns.example.net", R"({"account":"a"})"}},
      {"PUT /v1/monitors/{name}",
       {"/v1/monitors/web", R"({"type":"https","path":"/","port":443,"interval_ms":5000,"timeout_ms":1000})"}},
      {"PUT /v1/pools/{name}", {"/v1/pools/own", R"({"origins":[{"name":"a","address":"192.0.2.1"}]})"}},
      {"PUT /v1/load_balancers/{name}",
       {"/v1/load_balancers/www.fuzz.example", R"({"default_pools":["own"],"ttl":30})"}},
      {"PUT /v1/steering",
       {"/v1/steering", R"({"monitors":[{"name":"web","type":"tcp","port":443}],)"
                        R"("pools":[{"name":"own","monitor":"web","origins":[{"name":"a","address":"192.0.2.1"}]}],)"
                        R"("load_balancers":[{"name":"www.fuzz.example","default_pools":["own"]}]})"}},
  };
}

Seeds of_zones() {
  std::string const zone = "$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\nwww CNAME ns\n";
  return {
      {"POST /v1/zones",
       {"/v1/zones", R"({"name":"new.example","kind":"native","nameservers":["ns1.example.net"],"ttl":60})"}},
      {"PUT /v1/zones/{zone}/import", {"/v1/zones/fuzz.example/import", zone}},
      {"PUT /v1/zones/{zone}/kind", {"/v1/zones/fuzz.example/kind", R"({"kind":"native"})"}},
      {"PUT /v1/zones/{zone}/settings",
       {"/v1/zones/fuzz.example/settings", R"({"kind":"native","account":"a","masters":[]})"}},
      {"PUT /v1/zones/{zone}/metadata/{kind}",
       {"/v1/zones/fuzz.example/metadata/ALSO-NOTIFY", R"({"values":["192.0.2.1"]})"}},
      {"PUT /v1/zones/{zone}/restore",
       {"/v1/zones/fuzz.example/restore",
        json::serialize(json::object{{"kind", "native"},
                                     {"account", ""},
                                     {"masters", json::array()},
                                     {"zone", zone},
                                     {"metadata", json::array{json::object{{"kind", "X"}, {"values", {"1", "2"}}}}},
                                     {"keys", json::array()}})}},
      {"PUT /v1/zones/{zone}/rrsets",
       {"/v1/zones/fuzz.example/rrsets", R"({"rrsets":[{"name":"a","type":"A","ttl":60,"contents":["192.0.2.9"]}]})"}},
      {"PUT /v1/overrides", {"/v1/overrides", R"({"endpoint":"own/a","to":"down","for_s":60,"reason":"r"})"}},
      {"POST /v1/reports",
       {"/v1/reports", R"({"endpoint":"own/a","success":true,"reason":"","load":0.4,"sequence":1,"at_ms":1})"}},
  };
}

Seeds of_powerdns_api() {
  std::string const server = "/api/v1/servers/localhost";
  return {
      {"POST /api/v1/servers/localhost/zones",
       {server + "/zones", R"({"name":"p.example.","kind":"Native","nameservers":["ns1.example.net."]})"}},
      {"PATCH /api/v1/servers/localhost/zones/{zone}",
       {server + "/zones/fuzz.example.",
        R"({"rrsets":[{"name":"b.fuzz.example.","type":"A","ttl":60,"changetype":"REPLACE",)"
        R"("records":[{"content":"192.0.2.8","disabled":false}]}]})"}},
      {"PUT /api/v1/servers/localhost/zones/{zone}",
       {server + "/zones/fuzz.example.", R"({"kind":"Native","account":"a","soa_edit_api":"DEFAULT"})"}},
      {"PUT /api/v1/servers/localhost/zones/{zone}/notify", {server + "/zones/fuzz.example./notify", ""}},
      {"PUT /api/v1/servers/localhost/zones/{zone}/axfr-retrieve", {server + "/zones/fuzz.example./axfr-retrieve", ""}},
      {"PUT /api/v1/servers/localhost/zones/{zone}/rectify", {server + "/zones/fuzz.example./rectify", ""}},
      {"PUT /api/v1/servers/localhost/cache/flush", {server + "/cache/flush?domain=fuzz.example.", ""}},
      {"POST /api/v1/servers/localhost/autoprimaries",
       {server + "/autoprimaries", R"({"ip":"192.0.2.2","nameserver":"ns.example.net","account":"a"})"}},
      {"POST /api/v1/servers/localhost/zones/{zone}/metadata",
       {server + "/zones/fuzz.example./metadata", R"({"kind":"X-A","metadata":["1"]})"}},
      {"PUT /api/v1/servers/localhost/zones/{zone}/metadata/{kind}",
       {server + "/zones/fuzz.example./metadata/X-A", R"({"kind":"X-A","metadata":["1"]})"}},
      {"POST /api/v1/servers/localhost/zones/{zone}/cryptokeys",
       {server + "/zones/fuzz.example./cryptokeys", R"({"keytype":"csk","active":true,"algorithm":"ecdsa256"})"}},
      {"PUT /api/v1/servers/localhost/zones/{zone}/cryptokeys/{key}",
       {server + "/zones/fuzz.example./cryptokeys/1", R"({"active":false,"published":true})"}},
      {"POST /api/v1/servers/localhost/tsigkeys",
       {server + "/tsigkeys", R"({"name":"k.example.","algorithm":"hmac-sha256","key":"c2VjcmV0"})"}},
      {"PUT /api/v1/servers/localhost/tsigkeys/{key}",
       {server + "/tsigkeys/k.example.", R"({"name":"k.example.","algorithm":"hmac-sha512","key":"c2VjcmV0"})"}},
  };
}

Seeds seeds() {
  Seeds all = of_tenants();
  all.merge(of_zones());
  all.merge(of_powerdns_api());
  return all;
}

[[noreturn]] void give_up(std::string const& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

net::Task<base::Result<domains::Verdict>> not_proved(std::int64_t) {
  domains::Verdict verdict;
  verdict.code = "no_txt";
  verdict.reason = "there is no TXT record";
  co_return verdict;
}

// As the issuer's rules refuse what is no certificate.
net::Task<base::Result<api::Taking>> no_certificate(std::int64_t, std::string, api::BroughtCertificate) {
  api::Taking taking;
  taking.problems.push_back({{"request body"}, "chain_pem", "holds no certificate", "PEM, the leaf first"});
  co_return taking;
}

struct World : api::World {
  World() {
    tenants.verify = not_proved;
    tenants.take_certificate = no_certificate;
    powerdns::add_routes(router, of_powerdns);
    add_tenant("acme-tv");
    token = token_of("acme-tv").first;
    send("POST", "/v1/tenants/acme-tv/domains", R"({"name":"www.customer.example"})");
    send("PUT", "/v1/zones/fuzz.example/import", "$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\n");
    for (net::RouteName const& route : router.routes()) {
      std::string const name = route.method + " " + route.pattern;
      if (route.method == "GET" || route.method == "DELETE") {
        continue;
      }
      if (!valid.contains(name)) {
        give_up(name + " has no body to begin with: give it one in seeds()");
      }
      routes.push_back(name);
    }
  }

  // All that is stored, but for what is kept of requests.
  std::string stored() {
    std::function<base::Result<std::string>(database::Database&)> const read =
        [](database::Database& database) -> base::Result<std::string> {
      auto const tables = database.query(
          "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('audit', 'kept_answer', "
          "'request_under_way') AND name NOT LIKE 'sqlite_%' ORDER BY name",
          {});
      std::string all;
      for (database::Row const& table : tables.value()) {
        all += database::text(table[0]) + "\n";
        for (database::Row const& row : database.query("SELECT * FROM " + database::text(table[0]), {}).value()) {
          for (database::Value const& value : row) {
            std::visit(
                [&all](auto const& one) {
                  using One = std::decay_t<decltype(one)>;
                  if constexpr (std::is_same_v<One, std::string>) {
                    all += one + "\x1f";
                  } else if constexpr (std::is_arithmetic_v<One>) {
                    all += std::to_string(one) + "\x1f";
                  } else {
                    all += "\x1f";
                  }
                },
                value);
          }
        }
      }
      return all;
    };
    return test::run_task(loop, store->thread().run<std::string>(read)).value();
  }

  powerdns::Dependencies of_powerdns{dependencies};
  Seeds const valid = seeds();
  std::vector<std::string> routes;
  std::string token;
};

// What of an answer is not as it shall be; empty when all is.
std::string wrong_with(std::string const& route, net::HttpResponse const& response) {
  if (response.status >= 500) {
    return "a failure of ours";
  }
  if (response.status < 400) {
    return {};
  }
  if (route.find(" /api/v1/") != std::string::npos) {
    return {};  // PowerDNS's clients want what PowerDNS says
  }
  boost::system::error_code bad;
  json::value const body = json::parse(response.body, bad);
  if (bad || !body.is_object()) {
    return "no document";
  }
  json::object const& document = body.get_object();
  bool const of_acme_dns = route.ends_with(" /register") || route.ends_with(" /update");
  if (of_acme_dns && document.contains("error")) {
    return {};  // and clients of acme-dns what acme-dns says
  }
  if (response.headers.get("Content-Type") != "application/problem+json" || !document.contains("title") ||
      !document.contains("detail") || !document.contains("status") || document.at("status") != response.status) {
    return "no problem document";
  }
  static std::set<int> const about_input{400, 409, 412, 422};
  if (!about_input.contains(response.status)) {
    return {};
  }
  json::value const* const errors = document.if_contains("errors");
  if (errors == nullptr || !errors->is_array() || errors->get_array().empty()) {
    return "no errors[]";
  }
  for (json::value const& one : errors->get_array()) {
    if (one.at("field").as_string().empty() || one.at("hint").as_string().empty()) {
      return "no field or no hint";
    }
  }
  return {};
}

json::value nasty(std::mt19937_64& random) {
  json::value deep = 1;
  for (int i = 0; i < 40; ++i) {
    deep = json::array{std::move(deep)};
  }
  json::array const all{nullptr,
                        true,
                        0,
                        -1,
                        9223372036854775807LL,
                        1e308,
                        0.5,
                        "",
                        " ",
                        "*",
                        "xn--80ak6aa92e",
                        "аdmin",
                        "admin",
                        "*.acme-tv.example.org",
                        "acme-tv",
                        "a..b",
                        "\\000\\255.example.org",
                        std::string(300, 'a'),
                        std::string(70, 'b') + ".example",
                        "127.0.0.1",
                        "::ffff:127.0.0.1",
                        "\xff\xfe",
                        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
                        json::array(),
                        json::object(),
                        json::array{"a", 1, nullptr},
                        json::array{json::object{{"name", "a"}}},
                        deep};
  return all[random() % all.size()];
}

// One random member anywhere within it.
void damage(json::value& value, std::mt19937_64& random) {
  bool const here = random() % 3 == 0;
  if (value.is_object() && !value.get_object().empty()) {
    json::object& object = value.get_object();
    auto* const at = object.begin() + static_cast<std::ptrdiff_t>(random() % object.size());
    std::string const key(at->key());
    if (!here && (at->value().is_object() || at->value().is_array())) {
      return damage(at->value(), random);
    }
    switch (random() % 4) {
      case 0:
        object.erase(key);
        return;
      case 1:
        object[key + (random() % 2 == 0 ? "x" : "")] = nasty(random);
        return;
      default:
        at->value() = nasty(random);
        return;
    }
  }
  if (value.is_array() && !value.get_array().empty()) {
    json::array& array = value.get_array();
    std::size_t const at = random() % array.size();
    if (!here && (array[at].is_object() || array[at].is_array())) {
      return damage(array[at], random);
    }
    if (random() % 3 == 0) {
      array.push_back(array[at]);
    } else {
      array[at] = nasty(random);
    }
    return;
  }
  value = nasty(random);
}

std::string damaged(std::string body, std::mt19937_64& random) {
  boost::system::error_code bad;
  json::value value = json::parse(body, bad);
  if (!bad && random() % 8 != 0) {
    for (auto edits = 1 + random() % 3; edits > 0; --edits) {
      damage(value, random);
    }
    return json::serialize(value);
  }
  for (auto edits = 1 + random() % 3; edits > 0 && !body.empty(); --edits) {
    std::size_t const at = random() % body.size();
    switch (random() % 3) {
      case 0:
        body[at] = static_cast<char>(random() % 256);
        break;
      case 1:
        body.erase(at, 1 + random() % 8);
        break;
      default:
        body.insert(at, body.substr(0, 1 + random() % 32));
    }
  }
  return body;
}

void ask(World& world, std::string const& route, std::string const& body, bool thoroughly) {
  Seed const& seed = world.valid.at(route);
  std::string const before = thoroughly ? world.stored() : "";
  store::Revision const revision = world.store->revision();
  std::string const method = route.substr(0, route.find(' '));
  bool const tenants_own = route.ends_with(" /register");
  net::HttpResponse const answer =
      tenants_own ? world.as(world.token, method, seed.target, body) : world.send(method, seed.target, body);
  std::string wrong = wrong_with(route, answer);
  bool const refused = answer.status >= 400;
  if (wrong.empty() && refused && world.store->revision() != revision) {
    wrong = "refused, and the revision rose";
  }
  if (wrong.empty() && refused && thoroughly && world.stored() != before) {
    wrong = "refused, and something is stored";
  }
  if (!wrong.empty()) {
    give_up(route + ": " + wrong + "\n" + body.substr(0, 2000) + "\n" + std::to_string(answer.status) + " " +
            answer.body.substr(0, 2000));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  // Made anew now and then, because what is taken adds up.
  constexpr int rounds = 250;
  static std::unique_ptr<World> world;
  static int round = 0;
  if (round++ % rounds == 0) {
    bool const first = world == nullptr;
    world = std::make_unique<World>();
    if (first) {  // it has to go before OpenSSL does, which came with it
      std::atexit([] { world.reset(); });
    }
    for (std::string const& route : world->routes) {
      ask(*world, route, world->valid.at(route).body, true);
    }
  }
  std::string const body(reinterpret_cast<char const*>(data), size);
  std::mt19937_64 random(std::hash<std::string>()(body) + static_cast<std::uint64_t>(round));
  constexpr int routes_at_once = 2;
  constexpr int thorough_each = 16;
  for (int i = 0; i < routes_at_once; ++i) {
    std::string const& route = world->routes[random() % world->routes.size()];
    bool const thoroughly = random() % thorough_each == 0;
    ask(*world, route, body, thoroughly);
    ask(*world, route, damaged(world->valid.at(route).body, random), thoroughly);
  }
  return 0;
}
