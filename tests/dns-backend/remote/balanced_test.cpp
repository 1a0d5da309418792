// What a lookup of a balanced name says beside the addresses: for whom, for how long, and aliases.
#include "world.hpp"

#include "dns-backend/geo/cidr_map.hpp"

#include <gmock/gmock.h>

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

TEST_F(BalancedRows, ATransferIsNobodysQuestion) {
  balancer_->steering = pool::Steering::proximity;
  auto const snapshot = test::snapshot({draft_});
  std::string out;
  remote::answer(
      remote::parse_request(R"({"method":"list","parameters":{"zonename":"example.org.","domain_id":1}})").value(),
      {*snapshot, health_, false, nullptr, 0, places_.get(), nullptr}, out)
      .value();
  EXPECT_THAT(out, HasSubstr("198.51.100.1"));
  EXPECT_THAT(out, Not(HasSubstr("198.51.100.2")));
}

}  // namespace
