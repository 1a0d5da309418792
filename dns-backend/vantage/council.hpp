// What several sites together think of an endpoint, pure: the verdicts of this site and of its peers in, health out.
//
// Every site sees every report, counts the votes of the sites it hears, and needs no leader: sites that heard the same
// decide the same. A site that is cut off from the others knows that it is, changes nothing, and says so.
//
// The table of who answers what in a partition is in README.md.
//
// Threads: a plain value; it belongs to the control loop.
#pragma once

#include "base/probe/health_state.hpp"
#include "base/result/result.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vantage {

enum class errc {
  unknown_site = 1,  // no peer of that name, or its certificate is another's
  replayed,          // not newer than what that site said before
  out_of_time,       // dated more than the tolerance away from this clock
  unconfirmed,       // refers to votes that this site never had: the peer must send them all
  malformed,
};
boost::system::error_code make_error_code(errc code);

using Votes = std::map<std::string, probe::Health, std::less<>>;  // by endpoint: what rise and fall made of the checks

// Why a site votes as it does: what the check said that turned its vote.
struct Why {
  std::int64_t at_ms = 0;  // wall clock of that site
  std::string reason;
  bool operator==(Why const&) const = default;
};
using Whys = std::map<std::string, Why, std::less<>>;  // by endpoint; only of those it takes for down

// What an endpoint that reports by itself said to one site, on its way to the others.
struct Push {
  std::string endpoint;
  bool success = false;
  std::string reason = {};
  std::optional<std::uint32_t> load_permille = std::nullopt;
  std::uint64_t sequence = 0;
  std::int64_t at_ms = 0;  // wall clock of the endpoint
  bool operator==(Push const&) const = default;
};

struct Report {
  std::string site;
  std::int64_t boot_ms = 0;    // wall clock when the sender began; its sequence begins anew with it
  std::uint64_t sequence = 0;  // rises with each report
  std::int64_t at_ms = 0;      // wall clock of the sender
  std::uint64_t votes_of = 0;  // the sequence in which `votes` last changed
  bool complete = true;        // false: the three below are left out, those of `votes_of` still hold
  Votes votes;
  Whys whys = {};
  // When endpoints that are taken for down there were up last, as far as it is known there.
  std::map<std::string, std::int64_t, std::less<>> left_up_ms = {};
  std::vector<Push> pushed = {};  // that came in there since the last report
  std::set<std::string> hears;  // the sites whose reports are fresh there
  bool cut_off = false;         // the sender does not trust its own checks: its votes do not count
};

struct CouncilSettings {
  std::string site;                            // this one
  std::set<std::string> peers;                 // the others
  std::chrono::milliseconds fresh{5000};       // a report counts for so long after it came
  std::chrono::milliseconds tolerance{60000};  // between clocks
};

// One endpoint to be judged.
struct Case {
  std::string endpoint;
  std::uint32_t quorum = 0;  // sites that must agree; 0: more than half of those that are heard and have an opinion
  probe::Health current = probe::Health::unknown;  // what is answered by now
};

struct Ballot {
  probe::Health decided = probe::Health::unknown;
  std::vector<std::string> up, down;  // the sites that say so, this one among them
  bool kept = false;                  // nothing was decided: `decided` is the present health
  // One other site may change `decided` at any moment: by another vote, by falling silent, by being heard again. How
  // long this site's own checks cannot change then says too much.
  bool close = false;
};

// What is promised of a close decision at most, in seconds: how long a site may be silent before that counts.
inline constexpr std::uint32_t close_stable_s = 5;

// One site's word on an endpoint.
struct Word {
  std::string site;
  probe::Health health = probe::Health::unknown;
  std::optional<Why> why;  // nothing: it is up, or nobody said
};

struct Standing {
  bool cut_off = false;
  bool beginning = false;       // cut off only for now: the peers had no time yet
  std::string reason;           // why, in words; empty otherwise
  std::set<std::string> heard;  // peers whose reports are fresh
};

class Council {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // `began`: peers are given Settings::fresh from then on to be heard at all.
  explicit Council(CouncilSettings settings, Time began = Time()) : settings_(std::move(settings)), began_(began) {}

  // What this site's own checks say, and why. True when the vote is news.
  bool vote(std::string const& endpoint, probe::Health observed, Why why = {});
  void forget(std::string const& endpoint);
  // A check of this site reached something that stands at another one.
  void reached(Time now) { reached_ = now; }
  // Whether something outside that needs no peer was reached (a witness); nothing: there is none.
  void witness(std::optional<bool> reached) { witness_ = reached; }

  // Takes a peer's report, `from` being the site its certificate names; true when it may change a decision. Failures:
  // those of errc; nothing changed then.
  base::Result<bool> take(Report report, std::string const& from, Time now, std::int64_t wall_ms);

  [[nodiscard]] Standing standing(Time now) const;
  [[nodiscard]] Ballot decide(Case const& which, Standing const& standing, Time now) const;

  // What each site that is heard says, this one among them, whether or not it counts.
  [[nodiscard]] std::vector<Word> words(std::string const& endpoint, Time now) const;

  [[nodiscard]] Votes const& votes() const { return own_; }
  [[nodiscard]] Whys const& whys() const { return whys_; }
  [[nodiscard]] std::set<std::string> heard(Time now) const;
  [[nodiscard]] CouncilSettings const& settings() const { return settings_; }

 private:
  struct Peer {
    Report last;
    Time came;
    Time known_since;  // heard without a gap or a restart from here on
  };
  [[nodiscard]] bool fresh(Peer const& peer, Time now) const { return now - peer.came <= settings_.fresh; }
  [[nodiscard]] bool alone_in_the_dark(Time now) const;
  [[nodiscard]] Time silent_since() const;
  [[nodiscard]] bool close(Case const& which, Ballot const& ballot, Time now) const;

  CouncilSettings settings_;
  Votes own_;
  Whys whys_;
  std::map<std::string, Peer> peers_;
  std::optional<bool> witness_;
  Time began_;
  std::optional<Time> reached_;  // something at another site; nothing: not since a vote turned down last
};

}  // namespace vantage

template <>
struct boost::system::is_error_code_enum<vantage::errc> : std::true_type {};
