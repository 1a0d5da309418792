#include "routing/anycast/announcer.hpp"

#include "tests/routing/bird/fake_bird.hpp"
#include "tests/routing/bird/three_nodes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>

namespace {

using anycast::Observed;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using namespace std::chrono_literals;

net::Task<probe::Verdict> verdict(bool success) {
  co_return probe::Verdict{success, success ? "ok" : "connection refused", 1ms};
}

// A BIRD that remembers which protocols are enabled, and a service whose health the test decides.
class AnnouncerTest : public ::testing::Test {
 protected:
  AnnouncerTest() : bird_(io_, [this](std::string const& command) { return answer(command); }) {}

  std::string answer(std::string const& command) {
    if (command == "show protocols") {
      std::string rows = "2002-Name Proto Table State Since Info\n1002-device1 Device --- up 11:00:00\n";
      for (auto const& [name, enabled] : enabled_) {
        rows += " " + name + " Static master4 " + (enabled ? "up" : "down") + " 11:00:00 \n";
      }
      return rows + "0000 \n";
    }
    std::size_t const quote = command.find('"');
    std::string const name = command.substr(quote + 1, command.size() - quote - 2);
    enabled_[name] = command.starts_with("enable");
    return "0011-" + name + ": done\n0000 \n";
  }

  std::unique_ptr<anycast::Announcer> announcer() {
    auto listener = [this](anycast::AddressStatus const& status) { heard_.push_back(status); };
    auto prober = [this](probe::Check const& check) {
      ++checks_;
      return verdict(check.address.find(':') == std::string::npos ? healthy4_ : healthy6_);
    };
    auto made = std::make_unique<anycast::Announcer>(io_.get_executor(), bird::Control(bird_.path()), listener, prober);
    auto service = three_nodes::dns_service();
    service.interval_ms = 50;
    service.rise = 2;
    service.fall = 2;
    made->serve({service}, "stream.example.");
    return made;
  }

  // Runs the loop until the condition holds; false at the deadline.
  bool until(std::function<bool()> const& condition) {
    auto const deadline = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      io_.restart();
      io_.run_one_for(100ms);
    }
    return true;
  }
  bool until_checked(int more) {
    int const wanted = checks_ + more;
    return until([this, wanted] { return checks_ >= wanted; });
  }

  boost::asio::io_context io_;
  std::map<std::string, bool> enabled_{{"anycast_dns_4", false}, {"anycast_dns_6", false}};
  bool healthy4_ = true;
  bool healthy6_ = true;
  int checks_ = 0;
  std::vector<anycast::AddressStatus> heard_;
  fake_bird::FakeBird bird_;
};

TEST_F(AnnouncerTest, AnnouncesBothAddressesAfterTheirFirstSuccess) {
  auto const running = announcer();
  EXPECT_TRUE(until([this] { return enabled_["anycast_dns_4"] && enabled_["anycast_dns_6"]; }));
  EXPECT_TRUE(until([&] { return running->announced() == std::set<std::string>{"dns"}; }));
  ASSERT_EQ(heard_.size(), 2U);
  EXPECT_EQ(heard_[0].health, probe::Health::up);
}

TEST_F(AnnouncerTest, AnnouncesNothingWhileTheServiceDoesNotAnswer) {
  healthy4_ = healthy6_ = false;
  auto const running = announcer();
  ASSERT_TRUE(until_checked(8));
  EXPECT_THAT(bird_.commands(), Not(Contains(StartsWith("enable"))));
  EXPECT_THAT(running->announced(), IsEmpty());
  EXPECT_EQ(running->status().at(0).reason, "connection refused");
}

TEST_F(AnnouncerTest, WithdrawsTheAddressThatFailsAndOnlyThatOne) {
  auto const running = announcer();
  ASSERT_TRUE(until([this] { return enabled_["anycast_dns_4"] && enabled_["anycast_dns_6"]; }));
  healthy4_ = false;
  EXPECT_TRUE(until([this] { return !enabled_["anycast_dns_4"]; }));
  EXPECT_TRUE(enabled_["anycast_dns_6"]);
  healthy4_ = true;
  EXPECT_TRUE(until([this] { return enabled_["anycast_dns_4"]; }));
}

TEST_F(AnnouncerTest, ConvergesAfterSomebodyElseSwitchedTheProtocolOrBirdStartedAgain) {
  auto const running = announcer();
  ASSERT_TRUE(until([this] { return enabled_["anycast_dns_4"]; }));
  enabled_["anycast_dns_4"] = false;  // as a BIRD does that starts from its file
  EXPECT_TRUE(until([this] { return enabled_["anycast_dns_4"]; }));
}

TEST_F(AnnouncerTest, LeavesWhatAnEarlierRunAnnouncedUntilItKnowsBetter) {
  enabled_ = {{"anycast_dns_4", true}, {"anycast_dns_6", true}};
  {
    auto const running = announcer();
    ASSERT_TRUE(until_checked(4));
  }
  EXPECT_THAT(bird_.commands(), Not(Contains(StartsWith("disable"))));
  EXPECT_TRUE(enabled_["anycast_dns_4"]);
}

TEST_F(AnnouncerTest, DoesNotSwitchAgainAndAgain) {
  auto const running = announcer();
  ASSERT_TRUE(until_checked(20));
  EXPECT_EQ(std::count(bird_.commands().begin(), bird_.commands().end(), "enable \"anycast_dns_4\""), 1);
}

TEST_F(AnnouncerTest, StopsCheckingAServiceThatIsNoLongerServed) {
  auto const running = announcer();
  ASSERT_TRUE(until([this] { return enabled_["anycast_dns_4"]; }));
  running->serve({}, "stream.example.");
  EXPECT_TRUE(running->status().empty());
  io_.restart();
  io_.run_for(300ms);  // every loop must end: nothing is left to run, so this returns early
  int const settled = checks_;
  io_.restart();
  io_.run_for(200ms);
  EXPECT_EQ(checks_, settled);
}

TEST_F(AnnouncerTest, KeepsItsVerdictWhenServedTheSameAgain) {
  auto const running = announcer();
  ASSERT_TRUE(until([&] { return running->announced().contains("dns"); }));
  auto service = three_nodes::dns_service();
  service.interval_ms = 50;
  service.rise = 2;
  service.fall = 2;
  service.nodes.push_back("edge-1");
  running->serve({service}, "stream.example.");
  EXPECT_EQ(running->status().at(0).health, probe::Health::up);
}

net::Task<void> keep(net::Task<base::Result<void>> task, bool& done, bool& success) {
  auto const result = co_await std::move(task);
  success = result.has_value();
  done = true;
}

TEST_F(AnnouncerTest, WithdrawDisablesEverythingAndStaysSo) {
  auto const running = announcer();
  ASSERT_TRUE(until([this] { return enabled_["anycast_dns_4"] && enabled_["anycast_dns_6"]; }));
  bool done = false;
  bool success = false;
  net::spawn(io_.get_executor(), "test", keep(running->withdraw(), done, success));
  ASSERT_TRUE(until([&] { return done; }));
  EXPECT_TRUE(success);
  io_.restart();
  io_.run_for(200ms);
  EXPECT_FALSE(enabled_["anycast_dns_4"]);
  EXPECT_FALSE(enabled_["anycast_dns_6"]);
}

TEST_F(AnnouncerTest, SaysWhyItCannotReachBirdAndConvergesWhenItCan) {
  bird_.stop();
  auto const running = announcer();
  ASSERT_TRUE(until([&] { return !running->status().at(0).failure.empty(); }));
  EXPECT_EQ(running->status().at(0).observed, Observed::absent);
  EXPECT_EQ(running->status().at(0).health, probe::Health::up);
}

TEST(CheckOf, AsksTheServicesOwnAddressForTheSoaOfItsNameOrTheDomain) {
  auto service = three_nodes::dns_service();
  auto const check = anycast::check_of(service, service.addresses[0], "stream.example.");
  EXPECT_EQ(check.type, probe::Type::dns);
  EXPECT_EQ(check.address, "198.51.100.53");
  EXPECT_EQ(check.port, 53);
  EXPECT_EQ(check.qname, "stream.example.");
  EXPECT_EQ(check.qtype, "SOA");
  EXPECT_EQ(check.timeout, 400ms);
  service.check_name = "probe.example.";
  EXPECT_EQ(anycast::check_of(service, service.addresses[1], "stream.example.").qname, "probe.example.");
}

}  // namespace
