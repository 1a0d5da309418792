#include "dns-backend/vantage/council.hpp"

#include <gmock/gmock.h>

#include <random>

namespace vantage {
namespace {

using namespace std::chrono_literals;
using probe::Health;
using testing::ElementsAre;

constexpr std::int64_t wall = 1'700'000'000'000;

Report report(std::string const& site, std::uint64_t sequence, Votes votes, std::set<std::string> hears = {"ams"}) {
  Report out;
  out.site = site;
  out.boot_ms = wall - 1000;
  out.sequence = sequence;
  out.at_ms = wall;
  out.votes_of = sequence;
  out.votes = std::move(votes);
  out.hears = std::move(hears);
  return out;
}

class CouncilTest : public testing::Test {
 protected:
  CouncilTest() : council({"ams", {"nyc", "sin"}}) {}
  void hear(std::string const& site, Votes votes, std::set<std::string> hears = {"ams"}) {
    auto const taken = council.take(report(site, ++sequence, std::move(votes), std::move(hears)), site, now, wall);
    ASSERT_TRUE(taken) << taken.error().what();
  }
  Ballot decide(Health current, std::uint32_t quorum = 0) {
    return council.decide({"e", quorum, current}, council.standing(now), now);
  }
  std::string refused(Report const& one, std::string const& from) {
    auto const taken = council.take(one, from, now, wall);
    return taken ? "taken" : taken.error().code.message();
  }

  Council council;
  Council::Time now = Council::Time(100s);
  std::uint64_t sequence = 0;
};

TEST_F(CouncilTest, MoreThanHalfOfThoseHeardDecide) {
  council.vote("e", Health::down);
  hear("nyc", {{"e", Health::up}});
  hear("sin", {{"e", Health::up}});
  Ballot ballot = decide(Health::up);
  EXPECT_EQ(ballot.decided, Health::up);
  EXPECT_FALSE(ballot.kept);
  EXPECT_THAT(ballot.down, ElementsAre("ams"));
  EXPECT_THAT(ballot.up, ElementsAre("nyc", "sin"));
  hear("sin", {{"e", Health::down}});
  EXPECT_EQ(decide(Health::up).decided, Health::down);
}

// What is said of a decision when it is one other site away from another.
TEST_F(CouncilTest, ADecisionIsCloseWhenOneOtherSiteMayChangeIt) {
  struct Row {
    Health own, nyc, sin;
    Health current;
    std::uint32_t quorum;
    Health decided;
    bool close;
    char const* why;
  };
  constexpr Health up = Health::up;
  constexpr Health down = Health::down;
  Row const rows[] = {
      {up, up, up, up, 0, up, false, "two must change their mind"},
      {up, up, down, up, 0, up, true, "nyc may join sin"},
      {down, up, up, up, 0, up, true, "one may join this site"},
      {up, down, down, up, 0, down, true, "one may join this site again"},
      {down, down, down, up, 0, down, false, "all agree"},
      {up, up, up, up, 1, up, true, "one site is enough to say down"},
      {up, up, up, up, 3, up, false, "all three are needed to say down"},
      {down, down, up, up, 3, up, true, "sin is the last to say down"},
      {up, down, down, up, 3, up, false, "this site is the last to say down"},
  };
  for (Row const& row : rows) {
    council.vote("e", row.own);
    hear("nyc", {{"e", row.nyc}});
    hear("sin", {{"e", row.sin}});
    Ballot const ballot = decide(row.current, row.quorum);
    EXPECT_EQ(ballot.decided, row.decided) << row.why;
    EXPECT_EQ(ballot.close, row.close) << row.why;
  }
}

TEST_F(CouncilTest, ASiteThatIsNotHeardMayComeBackAndOneThatIsMayFallSilent) {
  council.vote("e", Health::up);
  council.reached(now);
  EXPECT_FALSE(decide(Health::up).close) << "whoever comes makes a tie";
  hear("nyc", {{"e", Health::down}});
  EXPECT_TRUE(decide(Health::up).close) << "sin may be the second to say down";
  EXPECT_TRUE(decide(Health::down).close) << "a tie: nyc's silence would leave this site alone";
  hear("nyc", {});
  EXPECT_FALSE(decide(Health::up).close) << "nyc has no opinion";
}

TEST_F(CouncilTest, WhatACutOffSiteKeepsIsCloseBecauseTheOthersDecide) {
  council.vote("e", Health::down);
  council.vote("f", Health::down);
  hear("nyc", {{"e", Health::up}});
  Ballot const ballot = decide(Health::up);
  EXPECT_TRUE(ballot.kept);
  EXPECT_TRUE(ballot.close);
}

TEST_F(CouncilTest, ATieChangesNothing) {
  council.vote("e", Health::down);
  hear("nyc", {{"e", Health::up}});
  for (Health const current : {Health::up, Health::down}) {
    Ballot const ballot = decide(current);
    EXPECT_EQ(ballot.decided, current);
    EXPECT_TRUE(ballot.kept);
  }
}

TEST_F(CouncilTest, AQuorumIsANumberOfSites) {
  council.vote("e", Health::up);
  hear("nyc", {{"e", Health::down}});
  hear("sin", {{"e", Health::up}});
  EXPECT_EQ(decide(Health::up, 1).decided, Health::down) << "one site is enough";
  EXPECT_EQ(decide(Health::up, 2).decided, Health::up);
  hear("sin", {{"e", Health::down}});
  EXPECT_EQ(decide(Health::up, 3).decided, Health::up) << "all three must agree";
  EXPECT_TRUE(decide(Health::up, 3).kept);
}

TEST_F(CouncilTest, TheFirstWordCountsWhereNothingWasDecided) {
  council.vote("e", Health::up);
  hear("nyc", {{"e", Health::down}});
  EXPECT_EQ(decide(Health::unknown).decided, Health::up);
}

TEST_F(CouncilTest, AnOldReportIsSilence) {
  council.vote("e", Health::up);
  council.vote("other", Health::up);
  hear("nyc", {{"e", Health::down}});
  hear("sin", {{"e", Health::down}});
  EXPECT_EQ(decide(Health::up).decided, Health::down);
  now += 6s;
  EXPECT_TRUE(council.heard(now).empty());
  EXPECT_EQ(decide(Health::up).decided, Health::up) << "only this site is left, and it reaches others";
}

TEST_F(CouncilTest, ASiteThatHearsNobodyAndReachesNothingElsewhereIsCutOff) {
  council.vote("e", Health::down);
  council.vote("here", Health::up);
  Standing const standing = council.standing(now);
  EXPECT_TRUE(standing.cut_off);
  EXPECT_THAT(standing.reason, testing::HasSubstr("no peer is heard"));
  Ballot const ballot = council.decide({"e", 0, Health::up}, standing, now);
  EXPECT_EQ(ballot.decided, Health::up);
  EXPECT_TRUE(ballot.kept);
  council.witness(true);
  EXPECT_FALSE(council.standing(now).cut_off) << "the uplink works: the others are dead";
  council.witness(false);
  EXPECT_THAT(council.standing(now).reason, testing::HasSubstr("no witness"));
  council.reached(now);
  EXPECT_FALSE(council.standing(now).cut_off) << "it reaches the other site";
}

// Slow checks fall one after another, long after the peers fell silent: what has not been checked yet is no proof.
TEST_F(CouncilTest, OnlyWhatIsReachedAfterTheSilenceBeganAndAfterAFallProvesTheUplink) {
  for (char const* const endpoint : {"e", "f", "g"}) {
    council.vote(endpoint, Health::up);
  }
  hear("nyc", {{"e", Health::up}, {"f", Health::up}, {"g", Health::up}});
  now += 3s;
  council.reached(now);
  now += 3s;
  EXPECT_TRUE(council.standing(now).cut_off) << "that may have been before the uplink was lost";
  council.reached(now);
  EXPECT_FALSE(council.standing(now).cut_off) << "it works, and nobody is heard: the others are gone";
  council.vote("e", Health::down);
  Standing const standing = council.standing(now);
  EXPECT_TRUE(standing.cut_off) << "f and g were up when they were looked at last";
  EXPECT_EQ(council.decide({"e", 0, Health::up}, standing, now).decided, Health::up);
  council.reached(now);
  EXPECT_FALSE(council.standing(now).cut_off) << "f was reached after e failed";
  EXPECT_EQ(decide(Health::up).decided, Health::down);
  council.vote("e", Health::down);
  EXPECT_FALSE(council.standing(now).cut_off) << "the same vote again is no news";
}

TEST_F(CouncilTest, ASiteThatBeginsWaitsForItsPeersBeforeItDecidesAlone) {
  council = Council({"ams", {"nyc", "sin"}}, now);
  council.vote("e", Health::down);
  council.vote("new", Health::up);
  council.reached(now + 1s);
  now += 2s;
  Standing const standing = council.standing(now);
  EXPECT_TRUE(standing.beginning);
  EXPECT_TRUE(standing.cut_off);
  EXPECT_EQ(council.decide({"e", 0, Health::up}, standing, now).decided, Health::up) << "known from before";
  EXPECT_EQ(council.decide({"new", 0, Health::unknown}, standing, now).decided, Health::up) << "its own word";
  hear("nyc", {{"e", Health::up}});
  EXPECT_FALSE(council.standing(now).cut_off);
  council = Council({"ams", {"nyc", "sin"}}, now);
  now += 6s;
  EXPECT_FALSE(council.standing(now).beginning);
  EXPECT_TRUE(council.standing(now).cut_off);
  council.reached(now);
  EXPECT_FALSE(council.standing(now).cut_off);
}

TEST_F(CouncilTest, ASiteThatNobodyHearsIsCutOff) {
  council.vote("e", Health::up);
  hear("nyc", {{"e", Health::up}}, {"sin"});
  hear("sin", {{"e", Health::up}}, {"nyc"});
  EXPECT_FALSE(council.standing(now).cut_off) << "they came up a moment ago";
  for (int second = 0; second < 5; ++second) {
    now += 1s;
    hear("nyc", {{"e", Health::up}}, {"sin"});
    hear("sin", {{"e", Health::up}}, {"nyc"});
  }
  EXPECT_THAT(council.standing(now).reason, testing::HasSubstr("no peer hears this site"));
  hear("sin", {{"e", Health::up}}, {"nyc", "ams"});
  EXPECT_FALSE(council.standing(now).cut_off);
}

TEST_F(CouncilTest, ASiteWhoseChecksAllFailWhileOthersSucceedDoesNotTrustItself) {
  council.vote("e", Health::down);
  council.vote("f", Health::down);
  hear("nyc", {{"e", Health::up}, {"f", Health::down}});
  EXPECT_TRUE(council.standing(now).cut_off);
  EXPECT_EQ(decide(Health::up).decided, Health::up);
  hear("nyc", {{"e", Health::down}, {"f", Health::down}});
  EXPECT_FALSE(council.standing(now).cut_off) << "everybody sees the same";
  EXPECT_EQ(decide(Health::up).decided, Health::down);
}

TEST_F(CouncilTest, VotesOfACutOffSiteDoNotCount) {
  council.vote("e", Health::up);
  Report dark = report("nyc", 1, {{"e", Health::down}});
  dark.cut_off = true;
  ASSERT_TRUE(council.take(dark, "nyc", now, wall));
  dark.site = "sin";
  ASSERT_TRUE(council.take(dark, "sin", now, wall));
  Ballot const ballot = decide(Health::up);
  EXPECT_TRUE(ballot.down.empty());
  EXPECT_EQ(ballot.decided, Health::up);
}

TEST_F(CouncilTest, ForgedAndReplayedReportsAreRefused) {
  EXPECT_THAT(refused(report("nyc", 1, {}), "sin"), testing::HasSubstr("no site"));
  EXPECT_THAT(refused(report("fra", 1, {}), "fra"), testing::HasSubstr("no site"));
  EXPECT_THAT(refused(report("ams", 1, {}), "ams"), testing::HasSubstr("no site"));
  EXPECT_EQ(refused(report("nyc", 5, {}), "nyc"), "taken");
  EXPECT_THAT(refused(report("nyc", 5, {}), "nyc"), testing::HasSubstr("not newer"));
  EXPECT_THAT(refused(report("nyc", 4, {}), "nyc"), testing::HasSubstr("not newer"));
  Report other = report("nyc", 1, {});
  other.boot_ms -= 5000;
  EXPECT_THAT(refused(other, "nyc"), testing::HasSubstr("not newer")) << "of a process before the last one";
  other.boot_ms += 10000;
  EXPECT_EQ(refused(other, "nyc"), "taken") << "it was started again";
  other.sequence = 2;
  other.at_ms = wall - 61'000;
  EXPECT_THAT(refused(other, "nyc"), testing::HasSubstr("clock"));
  other.at_ms = wall + 61'000;
  EXPECT_THAT(refused(other, "nyc"), testing::HasSubstr("clock"));
}

TEST_F(CouncilTest, VotesAreSentOnceAndConfirmed) {
  hear("nyc", {{"e", Health::down}});
  hear("sin", {{"e", Health::down}});
  council.vote("e", Health::up);
  Report heartbeat = report("nyc", 10, {});
  heartbeat.complete = false;
  heartbeat.votes_of = 1;
  ASSERT_TRUE(council.take(heartbeat, "nyc", now, wall));
  EXPECT_EQ(decide(Health::up).decided, Health::down) << "its votes still hold";
  heartbeat.sequence = 11;
  heartbeat.votes_of = 9;
  EXPECT_THAT(refused(heartbeat, "nyc"), testing::HasSubstr("never came"));
}

// Twenty sites, partitions, lost reports, restarts, in virtual time: with equal reports all decide the same, a site
// that is cut off keeps what it has, and once everybody hears everybody again they agree with what most of them see.
TEST(CouncilSimulation, SitesThatHeardTheSameDecideTheSame) {
  constexpr int sites = 20;
  constexpr int endpoints = 30;
  std::mt19937 draw(4711);
  std::vector<Council> councils;
  std::set<std::string> everybody;
  for (int i = 0; i < sites; ++i) {
    everybody.insert("s" + std::to_string(i));
  }
  for (std::string const& site : everybody) {
    std::set<std::string> peers = everybody;
    peers.erase(site);
    councils.emplace_back(CouncilSettings{site, peers});
  }
  std::vector<std::vector<Health>> current(sites, std::vector<Health>(endpoints, Health::up));
  auto now = Council::Time(1000s);
  for (std::uint64_t round = 1; round <= 200; ++round) {
    now += 1s;
    bool const calm = round % 50 > 35;  // then every report arrives
    bool const split = !calm && round % 3 == 0;
    std::vector<Report> reports;
    for (int e = 0; e < endpoints; ++e) {
      bool const truly_up = (round / 25 + static_cast<std::uint64_t>(e)) % 3 != 0;
      for (Council& council : councils) {
        bool const lied_to = !calm && draw() % 10 == 0;
        council.vote("e" + std::to_string(e), truly_up != lied_to ? Health::up : Health::down);
      }
    }
    for (Council& council : councils) {
      Report one = report(council.settings().site, round, council.votes(), council.heard(now));
      one.cut_off = council.standing(now).cut_off;
      reports.push_back(one);
    }
    for (int to = 0; to < sites; ++to) {
      for (int from = 0; from < sites; ++from) {
        bool const other_side = split && (to < 3) != (from < 3);
        bool const lost = !calm && draw() % 5 == 0;
        if (to != from && !other_side && !lost) {
          ASSERT_TRUE(councils[static_cast<std::size_t>(to)].take(
              reports[static_cast<std::size_t>(from)], reports[static_cast<std::size_t>(from)].site, now, wall));
        }
      }
    }
    for (int s = 0; s < sites; ++s) {
      auto const at = static_cast<std::size_t>(s);
      Standing const standing = councils[at].standing(now);
      for (std::size_t e = 0; e < endpoints; ++e) {
        Ballot const ballot = councils[at].decide({"e" + std::to_string(e), 0, current[at][e]}, standing, now);
        ASSERT_TRUE(!standing.cut_off || ballot.decided == current[at][e]) << "a site that is cut off changes nothing";
        if (ballot.decided == Health::down && !ballot.kept) {
          ASSERT_GT(ballot.down.size(), ballot.up.size());
        }
        current[at][e] = ballot.decided;
      }
    }
    if (calm && round % 50 > 45) {  // all reports of the storm are old or replaced
      for (std::size_t s = 1; s < sites; ++s) {
        ASSERT_EQ(current[s], current[0]) << "round " << round;
      }
      for (std::size_t e = 0; e < endpoints; ++e) {
        bool const truly_up = (round / 25 + e) % 3 != 0;
        ASSERT_EQ(current[0][e], truly_up ? Health::up : Health::down);
      }
    }
  }
}

}  // namespace
}  // namespace vantage
