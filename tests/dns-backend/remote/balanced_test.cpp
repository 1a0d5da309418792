// What a lookup of a balanced name says beside the addresses: for whom, for how long, and aliases.
#include "world.hpp"

#include "dns-backend/geo/cidr_map.hpp"

#include <gmock/gmock.h>

#include <sstream>

namespace {

using probe::Health;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class BalancedRows : public testing::Test {
 protected:
  BalancedRows() {
    add("ams", {52, 5}, "198.51.100.1", "2001:db8::1");
    add("syd", {-34, 151}, "198.51.100.2", "");
    draft_.record("shop.example.org.", "TXT", {"\"x\""});
    store::Entry& entry = draft_.at("shop.example.org.");
    entry.balancer = balancer_;
    entry.balancer_has4 = entry.balancer_has6 = true;
  }
  void add(std::string const& name, pool::Coordinates where, std::string const& address4, std::string const& address6) {
    auto made = std::make_shared<pool::Pool>();
    made->name = name;
    made->coordinates = where;
    made->endpoints.push_back({name + "-1", address4, address6, "", health_.slot(name + "-1")});
    health_.set(made->endpoints[0].slot, Health::up);
    pools_.push_back(made);
    balancer_->pools.push_back(made);
  }
  std::string reply(std::string const& client, std::string const& type = "ANY") {
    std::string line = test::lookup("shop.example.org.", type);
    std::string const usual = "127.0.0.1/32";
    line.replace(line.find(usual), usual.size(), client);
    auto const snapshot = test::snapshot({draft_});
    remote::World const world{*snapshot, health_, false, nullptr, now_s_, places_.get(), nullptr};
    std::string quick;
    EXPECT_TRUE(remote::answer_at_once(line, world, quick));
    std::string thorough;
    remote::answer(remote::parse_request(line).value(), world, thorough).value();
    EXPECT_EQ(quick, thorough);
    return quick;
  }
  // "A 192.0.2.1 30 /24", without the scope where there is none.
  std::vector<std::string> rows(std::string const& client, std::string const& type = "ANY") {
    std::vector<std::string> out;
    boost::json::value const all = test::result(reply(client, type));
    for (auto const& row : all.as_array()) {
      auto const* const scope = row.as_object().if_contains("scopeMask");
      out.push_back(std::string(row.at("qtype").as_string()) + " " + std::string(row.at("content").as_string()) + " " +
                    std::to_string(row.at("ttl").as_int64()) +
                    (scope == nullptr ? "" : " /" + std::to_string(scope->as_int64())));
    }
    return out;
  }

  test::ZoneDraft draft_ = test::example();
  pool::HealthTable health_;
  std::shared_ptr<pool::LoadBalancer> balancer_ = std::make_shared<pool::LoadBalancer>();
  std::vector<std::shared_ptr<pool::Pool>> pools_;
  std::shared_ptr<geo::CidrMap const> places_ =
      *geo::CidrMap::parse("192.0.2.0/24 NL 52,5\n203.0.113.0/25 AU -34,151\n", "places");
  std::int64_t now_s_ = 0;
};

TEST_F(BalancedRows, SayForWhomTheyAre) {
  EXPECT_THAT(rows("192.0.2.1/32", "A"), ElementsAre("A 198.51.100.1 30 /0")) << "without steering for everybody";
  balancer_->steering = pool::Steering::proximity;
  EXPECT_THAT(rows("192.0.2.1/32", "A"), ElementsAre("A 198.51.100.1 30 /24"));
  EXPECT_THAT(rows("203.0.113.0/24", "A"), ElementsAre("A 198.51.100.1 30 /24")) << "half of it is in Australia";
  EXPECT_THAT(rows("203.0.113.0/25", "A"), ElementsAre("A 198.51.100.2 30 /25"));
  EXPECT_THAT(rows("0.0.0.0/0", "A"), ElementsAre("A 198.51.100.1 30 /1"));
  EXPECT_THAT(rows("203.0.113.7/32"), ElementsAre("TXT \"x\" 300", "A 198.51.100.2 30 /25", "AAAA 2001:db8::1 30 /0"))
      << "static rows say nothing, and of IPv6 there is one for everybody";
}

TEST_F(BalancedRows, SayForHowLong) {
  health_.set_stable(health_.slot("ams-1"), 4);
  EXPECT_THAT(rows("192.0.2.1/32"), ElementsAre("TXT \"x\" 300", "A 198.51.100.1 4 /0", "AAAA 2001:db8::1 4 /0"));
  balancer_->ttl = 2;
  EXPECT_THAT(rows("192.0.2.1/32", "A"), ElementsAre("A 198.51.100.1 2 /0"));
}

TEST_F(BalancedRows, AreTheSameForEveryLookupOfOneQuery) {
  balancer_->name = "shop.example.org.";
  balancer_->steering = pool::Steering::random;
  std::set<std::vector<std::string>> answers;
  for (now_s_ = 0; now_s_ < 3000; now_s_ += 30) {
    auto const single = rows("192.0.2.1/32", "A");
    auto const any = rows("0.0.0.0/0");
    EXPECT_EQ(any.at(1), single.at(0));
    answers.insert(single);
  }
  EXPECT_EQ(answers.size(), 2U);
}

TEST_F(BalancedRows, ATypeStaysWhenThePoolThatAnswersHasNoneOfIt) {
  health_.set(health_.slot("ams-1"), Health::down);
  EXPECT_THAT(rows("192.0.2.1/32"), ElementsAre("TXT \"x\" 300", "A 198.51.100.2 30 /0", "AAAA 2001:db8::1 30 /0"));
}

TEST_F(BalancedRows, EachPoolHasItsOwnPolicyForNothing) {
  health_.set(health_.slot("ams-1"), Health::down);
  health_.set(health_.slot("syd-1"), Health::down);
  pools_[0]->all_down = pool::AllDown::empty;
  EXPECT_THAT(rows("192.0.2.1/32"), ElementsAre("TXT \"x\" 300"));
  balancer_->steering = pool::Steering::proximity;
  EXPECT_THAT(rows("203.0.113.7/32"), ElementsAre("TXT \"x\" 300", "A 198.51.100.2 30 /25")) << "that of Sydney";
  draft_.keys = {{1, 257, true, true, ""}};
  EXPECT_THAT(rows("192.0.2.1/32"), ElementsAre("TXT \"x\" 300", "A 198.51.100.1 30 /24", "AAAA 2001:db8::1 30 /0"))
      << "a signed zone has its types always";
}

TEST_F(BalancedRows, AnAliasIsOneWhateverTheHealth) {
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    pool::Endpoint& endpoint = pools_[i]->endpoints[0];
    endpoint.address4 = endpoint.address6 = "";
    endpoint.target = endpoint.name + ".cdn.test.";
  }
  pools_[0]->endpoints.push_back({"ams-2", "", "", "ams-2.cdn.test.", health_.slot("ams-2")});
  health_.set(health_.slot("ams-2"), Health::up);
  store::Entry& entry = draft_.at("shop.example.org.");
  entry.rrsets = {{dns::type_cname, 60, {"static.test."}}};
  entry.balancer_has4 = entry.balancer_has6 = false;
  entry.balancer_has_target = true;
  EXPECT_THAT(rows("192.0.2.1/32"), ElementsAre("CNAME ams-1.cdn.test. 30 /0"));
  EXPECT_THAT(rows("192.0.2.1/32", "CNAME"), ElementsAre("CNAME ams-1.cdn.test. 30 /0"));
  EXPECT_THAT(rows("192.0.2.1/32", "A"), IsEmpty());
  health_.set(health_.slot("ams-1"), Health::down);
  EXPECT_THAT(rows("192.0.2.1/32"), ElementsAre("CNAME ams-2.cdn.test. 30 /0"));
  health_.set(health_.slot("ams-2"), Health::down);
  EXPECT_THAT(rows("192.0.2.1/32"), ElementsAre("CNAME syd-1.cdn.test. 30 /0"));
  health_.set(health_.slot("syd-1"), Health::down);
  EXPECT_THAT(rows("192.0.2.1/32"), ElementsAre("CNAME ams-1.cdn.test. 30 /0")) << "serve-all";
}

TEST_F(BalancedRows, BindingsNameTheAddressesThatTheSameClientIsAnswered) {
  balancer_->bindings = {{65, "1 . alpn=h2", " ech=AAEA", true}, {64, "0 svcb.example.", "", false}};
  balancer_->name = "shop.example.org.";
  EXPECT_THAT(rows("192.0.2.1/32", "HTTPS"),
              ElementsAre("HTTPS 1 . alpn=h2 ipv4hint=198.51.100.1 ech=AAEA ipv6hint=2001:db8::1 30 /0"));
  EXPECT_THAT(rows("192.0.2.1/32", "SVCB"), ElementsAre("SVCB 0 svcb.example. 30 /0"));
  std::set<std::string> answers;
  for (pool::Steering const steering : {pool::Steering::random, pool::Steering::hash, pool::Steering::proximity}) {
    balancer_->steering = steering;
    for (now_s_ = 0; now_s_ < 300; now_s_ += 30) {
      for (char const* const client : {"192.0.2.1/32", "203.0.113.7/32", "203.0.113.0/24", "0.0.0.0/0"}) {
        auto const word = [](std::string const& row, std::size_t number) {
          std::istringstream words(row);
          std::string one;
          for (std::size_t i = 0; i <= number; ++i) {
            words >> one;
          }
          return one;
        };
        std::string const a = rows(client, "A").at(0);
        std::string const aaaa = rows(client, "AAAA").at(0);
        std::string const https = rows(client, "HTTPS").at(0);
        EXPECT_EQ(word(https, 4), "ipv4hint=" + word(a, 1));
        EXPECT_EQ(word(https, 6), "ipv6hint=" + word(aaaa, 1));
        EXPECT_EQ(rows(client).at(3), "SVCB 0 svcb.example. 30 /0");
        EXPECT_EQ(rows(client).at(4), https) << "a question for everything answers alike";
        answers.insert(word(a, 1) + " " + word(a, 3) + " " + word(aaaa, 3) + " " + word(https, 8));
      }
    }
  }
  EXPECT_THAT(answers, testing::IsSupersetOf({"198.51.100.1 /0 /0 /0", "198.51.100.2 /0 /0 /0",
                                              "198.51.100.2 /25 /0 /25", "198.51.100.1 /24 /0 /24"}))
      << "the wider scope is that of both";
}

TEST_F(BalancedRows, BindingsShareTheDrawsWithinAPool) {
  balancer_->bindings = {{65, "1 .", "", true}};
  balancer_->name = "shop.example.org.";
  for (char const* const number : {"2", "3", "4"}) {
    std::string const name = std::string("ams-") + number;
    pools_[0]->endpoints.push_back(
        {name, std::string("192.0.2.") + number, std::string("2001:db8::") + number, "", health_.slot(name)});
    health_.set(health_.slot(name), Health::up);
  }
  for (pool::OriginSteering const steering :
       {pool::OriginSteering::all, pool::OriginSteering::random, pool::OriginSteering::hash}) {
    pools_[0]->origin_steering = steering;
    pools_[0]->origins_max = 2;
    std::set<std::string> answers;
    for (now_s_ = 0; now_s_ < 900; now_s_ += 30) {
      std::string const client = "198.51." + std::to_string(now_s_ / 30) + ".1/32";
      std::string hint;
      for (std::string const& row : rows(client, "A")) {
        hint += (hint.empty() ? "" : ",") + row.substr(2, row.find(' ', 2) - 2);
      }
      std::string hint6;
      for (std::string const& row : rows(client, "AAAA")) {
        hint6 += (hint6.empty() ? "" : ",") + row.substr(5, row.find(' ', 5) - 5);
      }
      EXPECT_THAT(rows(client, "HTTPS"),
                  ElementsAre(testing::StartsWith("HTTPS 1 . ipv4hint=" + hint + " ipv6hint=" + hint6 + " 30 /")));
      answers.insert(hint);
    }
    EXPECT_EQ(answers.size() > 1, steering != pool::OriginSteering::all);
  }
}

TEST_F(BalancedRows, BindingsLiveAsLongAsTheShorterSelection) {
  balancer_->bindings = {{65, "1 .", "", true}, {65, "2 .", "", false}, {64, "1 .", "", false}};
  pools_[0]->endpoints[0].address4.clear();  // Amsterdam has IPv6 alone
  health_.set_stable(health_.slot("syd-1"), 4);
  EXPECT_THAT(rows("192.0.2.1/32", "HTTPS"),
              ElementsAre("HTTPS 1 . ipv4hint=198.51.100.2 ipv6hint=2001:db8::1 4 /0", "HTTPS 2 . 4 /0"))
      << "records of one type have one TTL";
  EXPECT_THAT(rows("192.0.2.1/32", "SVCB"), ElementsAre("SVCB 1 . 30 /0"));
  balancer_->steering = pool::Steering::proximity;
  EXPECT_THAT(rows("203.0.113.7/32", "HTTPS"),
              ElementsAre("HTTPS 1 . ipv4hint=198.51.100.2 ipv6hint=2001:db8::1 4 /0", "HTTPS 2 . 4 /0"));
  EXPECT_THAT(rows("203.0.113.7/32", "SVCB"), ElementsAre("SVCB 1 . 30 /0")) << "it is the same for everybody";
}

TEST_F(BalancedRows, BindingsStayWhateverTheHealth) {
  balancer_->bindings = {{65, "1 . alpn=h2", "", true}};
  auto const https = [this](std::string const& client = "192.0.2.1/32") {
    auto const all = rows(client, "HTTPS");
    return all.size() == 1 ? all[0] : "there are " + std::to_string(all.size());
  };
  health_.set(health_.slot("ams-1"), Health::down);
  EXPECT_EQ(https(), "HTTPS 1 . alpn=h2 ipv4hint=198.51.100.2 ipv6hint=2001:db8::1 30 /0");
  health_.set(health_.slot("syd-1"), Health::down);
  EXPECT_EQ(https(), "HTTPS 1 . alpn=h2 ipv4hint=198.51.100.1 ipv6hint=2001:db8::1 30 /0") << "serve-all";
  pools_[0]->all_down = pool::AllDown::empty;
  EXPECT_EQ(https(), "HTTPS 1 . alpn=h2 30 /0") << "the hints go, the record stays";
  EXPECT_THAT(rows("192.0.2.1/32"), ElementsAre("TXT \"x\" 300", "HTTPS 1 . alpn=h2 30 /0"));
  draft_.keys = {{1, 257, true, true, ""}};
  EXPECT_EQ(https(), "HTTPS 1 . alpn=h2 ipv4hint=198.51.100.1 ipv6hint=2001:db8::1 30 /0") << "as A and AAAA there";
  draft_.keys.clear();
  pools_[0]->all_down = pool::AllDown::keep_last;
  EXPECT_EQ(https(), "HTTPS 1 . alpn=h2 ipv4hint=198.51.100.2 ipv6hint=2001:db8::1 30 /0") << "what was up last";
  draft_.at("shop.example.org.").balancer_has6 = false;
  EXPECT_EQ(https(), "HTTPS 1 . alpn=h2 ipv4hint=198.51.100.2 30 /0") << "there is no AAAA to agree with";
}

TEST_F(BalancedRows, BindingsTakeThePlaceOfRecordsAndNotOfAnAlias) {
  balancer_->bindings = {{65, "1 .", "", false}};
  store::Entry& entry = draft_.at("shop.example.org.");
  entry.rrsets = {{dns::RRType{64}, 60, {"7 static.test."}}, {dns::RRType{65}, 60, {"9 static.test."}}};
  EXPECT_THAT(rows("192.0.2.1/32"), ElementsAre("SVCB 7 static.test. 60", "A 198.51.100.1 30 /0",
                                                "AAAA 2001:db8::1 30 /0", "HTTPS 1 . 30 /0"));
  entry.rrsets.clear();
  entry.balancer_has4 = entry.balancer_has6 = false;
  entry.balancer_has_target = true;
  for (auto const& made : pools_) {
    made->endpoints[0].address4 = made->endpoints[0].address6 = "";
    made->endpoints[0].target = "cdn.test.";
  }
  EXPECT_THAT(rows("192.0.2.1/32"), ElementsAre("CNAME cdn.test. 30 /0"));
  EXPECT_THAT(rows("192.0.2.1/32", "HTTPS"), IsEmpty());
}

TEST_F(BalancedRows, ATransferIsNobodysQuestion) {
  balancer_->steering = pool::Steering::proximity;
  balancer_->bindings = {{65, "1 .", "", true}};
  auto const snapshot = test::snapshot({draft_});
  std::string out;
  remote::answer(
      remote::parse_request(R"({"method":"list","parameters":{"zonename":"example.org.","domain_id":1}})").value(),
      {*snapshot, health_, false, nullptr, 0, places_.get(), nullptr}, out)
      .value();
  EXPECT_THAT(out, HasSubstr("198.51.100.1"));
  EXPECT_THAT(out, Not(HasSubstr("198.51.100.2")));
  EXPECT_THAT(out, HasSubstr("1 . ipv4hint=198.51.100.1 ipv6hint=2001:db8::1"));
}

}  // namespace
