// A tenant made by somebody whom nobody knows, over the whole API with its gate.
#include "dns-backend/api/access.hpp"
#include "tests/dns-backend/api/tenants/world.hpp"

#include <set>

namespace api {
namespace {

using invitations::Terms;
using testing::HasSubstr;

constexpr char const* key_one = "9f7f1c52-8a41-4b32-9d0e-1f1e6f0d2a01";
constexpr char const* key_two = "9f7f1c52-8a41-4b32-9d0e-1f1e6f0d2a02";

SignUpSettings open_door() {
  SignUpSettings settings = World::by_invitation();
  settings.terms.door = Terms::Door::open;
  return settings;
}

class SignUpTest : public testing::Test {
 protected:
  explicit SignUpTest(SignUpSettings settings = World::by_invitation())
      : world({{{"gold", 8, 100, 10, 20}, {"basic", 0, 20, 3, 5}}, 24LL * 3600 * 1000, "acme.example.org."},
              std::move(settings)) {}

  // A stranger, over TCP.
  net::HttpResponse ask(std::string const& body, std::string const& key = {},
                        std::string const& from = "203.0.113.9:4000") {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/v1/sign-up";
    request.body = body;
    request.peer.address = from;
    if (!key.empty()) {
      request.headers.set("Idempotency-Key", key);
    }
    return world.send(std::move(request));
  }
  static std::string wish(std::string const& label, std::string const& invitation = {}) {
    json::object body{{"label", label}};
    if (!invitation.empty()) {
      body["invitation"] = invitation;
    }
    return json::serialize(body);
  }
  // Its secret and its id.
  std::pair<std::string, std::string> invite(std::string const& body = "{}") {
    auto const made = world.send("POST", "/v1/invitations", body);
    EXPECT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(made.headers.get("Cache-Control"), "no-store");
    json::value const value = json::parse(made.body);
    return {std::string(value.at("invitation").as_string()), std::string(value.at("id").as_string())};
  }
  static std::string secret_of(net::HttpResponse const& answer) {
    return std::string(json::parse(answer.body).at("token").at("token").as_string());
  }
  static std::string text(json::value const& value) { return std::string(value.as_string()); }
  std::size_t tenants() { return json::parse(world.send("GET", "/v1/tenants").body).at("tenants").as_array().size(); }
  json::array log() {
    json::value const all = json::parse(world.send("GET", "/v1/audit?limit=1000").body);
    return all.at("entries").as_array();
  }
  json::value invitation(std::string const& id) {
    json::value const all = json::parse(world.send("GET", "/v1/invitations").body);
    for (json::value const& one : all.at("invitations").as_array()) {
      if (one.at("id").as_string() == id) {
        return one;
      }
    }
    return nullptr;
  }

  World world;
};

class OpenTest : public SignUpTest {
 protected:
  OpenTest() : SignUpTest(open_door()) {}
};

TEST_F(OpenTest, AStrangerGetsATenantAndATokenOfHisOwn) {
  auto const made = ask(R"({"label":" Acme-TV ","primary":"fra"})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.headers.get("Cache-Control"), "no-store");
  EXPECT_EQ(made.headers.get("Location"), "/v1/tenants/acme-tv");
  EXPECT_EQ(made.headers.get(log_tenant_header), "") << "the gate takes it off";
  json::value const answer = json::parse(made.body);
  EXPECT_EQ(answer.at("tenant").at("label"), "acme-tv");
  EXPECT_EQ(answer.at("tenant").at("primary"), "fra");
  EXPECT_EQ(answer.at("tenant").at("backups").as_array(), json::array{"ams"});
  EXPECT_EQ(answer.at("tenant").at("plan"), "gold");
  EXPECT_EQ(answer.at("token").at("expires_at_ms"), 0);
  std::string const secret = secret_of(made);
  EXPECT_EQ(world.as(secret, "GET", "/v1/tenants/acme-tv").status, 200);
  EXPECT_EQ(world.as(secret, "PUT", "/v1/tenants/acme-tv/records/mail/A", R"({"contents":["192.0.2.9"]})").status, 200);
  EXPECT_EQ(world.as(secret, "POST", "/v1/tenants/acme-tv/tokens", "{}").status, 201) << "every action is his";
  EXPECT_EQ(world.as(secret, "GET", "/v1/tenants").status, 403) << "of his tenant and no more";
  // The name answers at once, as any other tenant's.
  auto const name = dns::Name::parse("acme-tv.example.org.").value();
  auto const zone = world.store->published().copy()->enclosing(name);
  ASSERT_NE(zone, nullptr);
  EXPECT_NE(zone->find(name), nullptr);
  auto const own = json::parse(world.as(secret, "GET", "/v1/tenants/acme-tv/audit").body).at("entries").as_array();
  ASSERT_FALSE(own.empty());
  EXPECT_EQ(own.back().at("target"), "/v1/sign-up") << "his log begins with it";
  EXPECT_EQ(own.back().at("actor"), "stranger");
  EXPECT_THAT(text(own.back().at("source")), HasSubstr("203.0.113.9"));
}

TEST_F(OpenTest, EveryProblemIsSaidAtOnceAndNothingIsMade) {
  auto const wrong = ask(R"({"label":"admin","primary":"nyc","more":1})", "short");
  ASSERT_EQ(wrong.status, 422);
  std::set<std::string> fields;
  json::value const said = json::parse(wrong.body);
  for (json::value const& one : said.at("errors").as_array()) {
    fields.insert(text(one.at("field")));
  }
  EXPECT_EQ(fields, (std::set<std::string>{"label", "primary", "more", "Idempotency-Key"})) << wrong.body;
  EXPECT_EQ(ask("[]").status, 422);
  EXPECT_EQ(ask(R"({"label":")" + std::string(5000, 'a') + "\"}").status, 413);
  EXPECT_EQ(tenants(), 0U);
  ASSERT_EQ(ask(wish("acme-tv")).status, 201);
  EXPECT_EQ(ask(wish("acme-tv")).status, 409);
  EXPECT_EQ(tenants(), 1U);
  auto const rows = log();
  EXPECT_EQ(std::ranges::count_if(rows, [](auto const& row) { return row.at("target") == "/v1/sign-up"; }), 1)
      << "what a stranger was refused fills no log";
}

TEST_F(OpenTest, ARepeatMakesNoSecondTenantAndEndsTheFormerToken) {
  auto const first = ask(wish("acme-tv"), key_one);
  ASSERT_EQ(first.status, 201) << first.body;
  world.now_ms += invitations::repeat_ms - 1;
  auto const again = ask(wish("acme-tv"), key_one);
  ASSERT_EQ(again.status, 201) << again.body;
  EXPECT_EQ(again.headers.get("Idempotency-Replayed"), "true");
  EXPECT_EQ(json::parse(first.body).at("tenant"), json::parse(again.body).at("tenant"));
  EXPECT_EQ(world.as(secret_of(first), "GET", "/v1/tenants/acme-tv").status, 401);
  EXPECT_EQ(world.as(secret_of(again), "GET", "/v1/tenants/acme-tv").status, 200);
  EXPECT_EQ(tenants(), 1U);
  // What memory holds is what the store holds.
  test::run_task(world.loop, world.tokens.load()).value();
  EXPECT_EQ(world.as(secret_of(first), "GET", "/v1/tenants/acme-tv").status, 401);
  EXPECT_EQ(world.as(secret_of(again), "GET", "/v1/tenants/acme-tv").status, 200);
  EXPECT_EQ(ask(wish("beta-tv"), key_one).status, 422) << "the key is another request's";
  EXPECT_EQ(ask(wish("acme-tv"), key_two).status, 409) << "another key is another sign-up";
  world.now_ms += 1;
  EXPECT_EQ(ask(wish("acme-tv"), key_one).status, 409) << "an hour is over";
  EXPECT_EQ(world.as(secret_of(again), "GET", "/v1/tenants/acme-tv").status, 200) << "and nothing happened to it";
}

TEST_F(OpenTest, WhoeverHasTheKeyGetsNothingOnceTheTenantIsInUse) {
  auto const first = ask(wish("acme-tv"), key_one);
  std::string const secret = secret_of(first);
  ASSERT_EQ(world.as(secret, "PUT", "/v1/tenants/acme-tv/records/mail/A", R"({"contents":["192.0.2.9"]})").status, 200);
  EXPECT_EQ(ask(wish("acme-tv"), key_one).status, 409);
  EXPECT_EQ(world.as(secret, "GET", "/v1/tenants/acme-tv").status, 200);
  // A token that its owner ended stays the end of it.
  auto const second = ask(wish("beta-tv"), key_two);
  std::string const id = text(json::parse(second.body).at("token").at("id"));
  ASSERT_EQ(world.as(secret_of(second), "DELETE", "/v1/tenants/beta-tv/tokens/" + id).status, 204);
  EXPECT_EQ(ask(wish("beta-tv"), key_two).status, 409);
  // And a tenant that is gone is not made again under the key.
  ASSERT_EQ(world.send("DELETE", "/v1/tenants/beta-tv").status, 204);
  EXPECT_EQ(ask(wish("beta-tv"), key_two).status, 409);
}

TEST_F(OpenTest, AWrongInvitationIsNotPassedOver) {
  EXPECT_EQ(ask(wish("acme-tv", "inv_none")).status, 403) << "it was to give more than an open door does";
  EXPECT_EQ(ask(wish("acme-tv", invite(R"({"plan":"basic"})").first)).status, 201);
  EXPECT_EQ(json::parse(world.send("GET", "/v1/tenants/acme-tv").body).at("plan"), "basic");
}

TEST_F(SignUpTest, AnInvitationIsCountedWithTheTenantItMakes) {
  auto const [secret, id] = invite(R"({"uses":2,"plan":"basic","note":"for Acme"})");
  EXPECT_EQ(ask(wish("mail", secret)).status, 422);
  EXPECT_EQ(ask(R"({"label":"acme-tv"})").status, 422) << "without one";
  ASSERT_EQ(ask(wish("acme-tv", secret)).status, 201);
  EXPECT_EQ(ask(wish("acme-tv", secret)).status, 409) << "taken";
  EXPECT_EQ(invitation(id).at("used"), 1) << "what made no tenant uses nothing";
  EXPECT_EQ(json::parse(world.send("GET", "/v1/tenants/acme-tv").body).at("plan"), "basic");
  EXPECT_TRUE(json::parse(world.send("GET", "/v1/tenants/acme-tv").body).at("backups").as_array().empty())
      << "as many as its plan has";
  auto const last = ask(wish("beta-tv", secret), key_one);
  ASSERT_EQ(last.status, 201);
  EXPECT_EQ(invitation(id).at("state"), "used up");
  EXPECT_EQ(ask(wish("gamma-tv", secret)).status, 403);
  EXPECT_EQ(ask(wish("beta-tv", secret), key_one).status, 201) << "the repeat is not another use";
  EXPECT_EQ(invitation(id).at("used"), 2);
  auto const rows = log();
  bool const told = std::ranges::any_of(rows, [&, id = id](auto const& row) {
    return row.at("status") == 201 && text(row.at("detail")) == "invitation " + id;
  });
  EXPECT_TRUE(told) << "the log has who came by which invitation";
  EXPECT_EQ(world.send("GET", "/v1/invitations").body.find(secret), std::string::npos);
}

TEST_F(SignUpTest, WhateverIsWrongWithAnInvitationIsAnsweredAlike) {
  auto const [used, used_id] = invite();
  auto const [old, old_id] = invite(R"({"expires_in_s":60})");
  auto const [revoked, revoked_id] = invite();
  ASSERT_EQ(ask(wish("acme-tv", used)).status, 201);
  ASSERT_EQ(world.send("DELETE", "/v1/invitations/" + revoked_id).status, 204);
  EXPECT_EQ(world.send("DELETE", "/v1/invitations/" + revoked_id).status, 404);
  world.now_ms += 60000;
  std::set<std::string> answers;
  // One whose label is taken as well: who is not invited learns nothing of labels.
  for (std::string const& secret : {used, old, revoked, std::string("inv_wrong")}) {
    for (std::string const& label : {std::string("acme-tv"), std::string("beta-tv")}) {
      auto const answer = ask(wish(label, secret));
      answers.insert(std::to_string(answer.status) + answer.body);
    }
  }
  EXPECT_EQ(answers.size(), 1U);
  EXPECT_THAT(*answers.begin(), testing::StartsWith("403"));
  std::set<std::string> causes;
  for (json::value const& row : log()) {
    if (row.at("status") == 403) {
      causes.insert(text(row.at("detail")));
    }
  }
  EXPECT_EQ(causes,
            (std::set<std::string>{"invitation " + used_id + " is used up", "invitation " + old_id + " is expired",
                                   "invitation " + revoked_id + " is revoked", "there is no such invitation"}));
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(ask(wish("beta-tv", "inv_" + std::to_string(i))).status, 403);
  }
  auto const rows = log();
  EXPECT_LT(std::ranges::count_if(rows, [](auto const& row) { return row.at("status") == 403; }), 20)
      << "the log is not a stranger's to fill";
  EXPECT_EQ(tenants(), 1U);
}

TEST_F(SignUpTest, AnInvitationHoldsForItsLabels) {
  auto const [secret, id] = invite(R"({"label":"acme-*","uses":3})");
  auto const other = ask(wish("beta-tv", secret));
  ASSERT_EQ(other.status, 422);
  EXPECT_EQ(json::parse(other.body).at("errors").as_array().at(0).at("field"), "label");
  EXPECT_EQ(invitation(id).at("used"), 0);
  EXPECT_EQ(ask(wish("acme-tv", secret)).status, 201);
  auto const wrong = world.send("POST", "/v1/invitations",
                                R"({"label":"A b","plan":"none","uses":0,"expires_in_s":1,"note":1,"x":1})");
  ASSERT_EQ(wrong.status, 422);
  EXPECT_EQ(json::parse(wrong.body).at("errors").as_array().size(), 6U) << wrong.body;
}

TEST_F(SignUpTest, ATenantsTokenSignsNobodyUp) {
  auto const [secret, id] = invite();
  std::string const own = secret_of(ask(wish("acme-tv", invite().first)));
  EXPECT_EQ(world.as(own, "POST", "/v1/sign-up", wish("beta-tv", secret)).status, 403);
  for (auto const& [method, target] : {std::pair("GET", "/v1/invitations"), std::pair("POST", "/v1/invitations")}) {
    EXPECT_EQ(world.as(own, method, target, "{}").status, 403);
  }
  EXPECT_EQ(world.as(own, "DELETE", "/v1/invitations/" + id).status, 403);
  EXPECT_EQ(invitation(id).at("state"), "good");
}

TEST(SignUps, OfADayAreLimitedAndSoIsEachClient) {
  SignUpSettings settings = open_door();
  settings.terms.per_day = 2;
  World world({}, settings);
  auto const ask = [&world](std::string const& label, std::string const& from) {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/v1/sign-up";
    request.body = R"({"label":")" + label + "\"}";
    request.peer.address = from;
    return world.send(std::move(request));
  };
  EXPECT_EQ(ask("a-tv", "203.0.113.1:1").status, 201);
  world.now_ms += 3600 * 1000;
  EXPECT_EQ(ask("b-tv", "203.0.113.2:1").status, 201);
  auto const full = ask("c-tv", "203.0.113.3:1");
  EXPECT_EQ(full.status, 429);
  EXPECT_EQ(full.headers.get("Retry-After"), std::to_string(23 * 3600));
  // A tenant that goes makes no room: the day is what counts.
  EXPECT_EQ(world.send("DELETE", "/v1/tenants/a-tv").status, 204);
  EXPECT_EQ(ask("c-tv", "203.0.113.3:1").status, 429);
  world.now_ms += 23LL * 3600 * 1000;
  EXPECT_EQ(ask("c-tv", "203.0.113.3:1").status, 201);
  EXPECT_EQ(ask("d-tv", "203.0.113.3:1").status, 429);
  // The invited are bounded by their invitations: strangers do not close the door on them.
  auto const made = boost::json::parse(world.send("POST", "/v1/invitations", "{}").body);
  net::HttpRequest invited;
  invited.method = "POST";
  invited.target = "/v1/sign-up";
  invited.body = boost::json::serialize(boost::json::object{{"label", "i-tv"}, {"invitation", made.at("invitation")}});
  invited.peer.address = "203.0.113.4:1";
  EXPECT_EQ(world.send(std::move(invited)).status, 201);

  settings.terms.per_day = 0;
  settings.rate = {0.001, 2};
  World narrow({}, settings);
  auto const from = [&narrow](std::string const& label, std::string const& address) {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/v1/sign-up";
    request.body = R"({"label":")" + label + "\"}";
    request.peer.address = address;
    return narrow.send(std::move(request)).status;
  };
  EXPECT_EQ(from("a-tv", "[2001:db8::1]:1"), 201);
  EXPECT_EQ(from("b-tv", "[2001:db8::2]:1"), 201);
  EXPECT_EQ(from("c-tv", "[2001:db8::3]:1"), 429) << "a /64 is one client";
  EXPECT_EQ(from("c-tv", "[2001:db8:0:1::3]:1"), 201);
  EXPECT_EQ(narrow.send("POST", "/v1/sign-up", R"({"label":"d-tv"})").status, 201);
  EXPECT_EQ(narrow.send("POST", "/v1/sign-up", R"({"label":"e-tv"})").status, 201);
  EXPECT_EQ(narrow.send("POST", "/v1/sign-up", R"({"label":"f-tv"})").status, 201) << "administrators have no rate";
}

TEST(SignUps, AreOffByDefaultAndATokenMayEnd) {
  World closed({}, SignUpSettings());
  EXPECT_EQ(closed.send("POST", "/v1/sign-up", R"({"label":"acme-tv"})").status, 403);
  EXPECT_EQ(closed.send("POST", "/v1/invitations", "{}").status, 422);
  SignUpSettings settings = open_door();
  settings.token_life_ms = 60000;
  World world({}, settings);
  auto const made = world.send("POST", "/v1/sign-up", R"({"label":"acme-tv"})");
  ASSERT_EQ(made.status, 201);
  std::string const secret(json::parse(made.body).at("token").at("token").as_string());
  world.now_ms += 59999;
  EXPECT_EQ(world.as(secret, "GET", "/v1/tenants/acme-tv").status, 200);
  world.now_ms += 1;
  EXPECT_EQ(world.as(secret, "GET", "/v1/tenants/acme-tv").status, 401);
}

// The primary sees a replica's certificate; whose deed it is is the stranger's.
TEST_F(OpenTest, ThroughAReplicaItIsTheStrangersDeed) {
  auto const through = [this](std::string const& label, std::string const& client) {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/v1/sign-up";
    request.body = wish(label);
    request.peer.address = "10.0.0.2:5000";
    request.peer.certificate_name = "admin.internal";
    request.headers.set(client_header, client);
    EXPECT_EQ(world.send(std::move(request)).status, 201);
    json::array const rows = log();  // the newest first
    EXPECT_EQ(rows.at(0).at("actor"), "stranger");
    return text(rows.at(0).at("source"));
  };
  EXPECT_THAT(through("acme-tv", "2001:db8::7"), HasSubstr("2001:db8::7"));
  EXPECT_THAT(through("beta-tv", "no address"), HasSubstr("10.0.0.2"));
}

TEST(ClientOf, IsAnAddressOrAPrefix) {
  EXPECT_EQ(client_of("203.0.113.9:4000"), "203.0.113.9");
  EXPECT_EQ(client_of("[2001:db8:1:2:3::4]:1"), "2001:db8:1:2::/64");
  EXPECT_EQ(client_of("/run/navigator/api.sock"), "/run/navigator/api.sock");
}

}  // namespace
}  // namespace api
