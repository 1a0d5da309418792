#include "dns-backend/vantage/council.hpp"

#include "base/result/category.hpp"

#include <algorithm>

namespace vantage {

using probe::Health;

namespace {

// What so many votes decide; `otherwise`: neither has enough.
Health decided_by(std::size_t up, std::size_t down, std::uint32_t quorum, Health otherwise) {
  std::size_t const needed = quorum == 0 ? (up + down) / 2 + 1 : quorum;
  // With a quorum below one half both sides may have it: what is down for so many is down.
  if (down >= needed) {
    return Health::down;
  }
  return up >= needed ? Health::up : otherwise;
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("vantage", [](int value) {
    switch (static_cast<errc>(value)) {
      case errc::unknown_site:
        return "the report is of no site that may send one";
      case errc::replayed:
        return "the report is not newer than the last one";
      case errc::out_of_time:
        return "the report is dated too far from this clock";
      case errc::unconfirmed:
        return "the report refers to votes that never came";
      case errc::malformed:
        return "this is no report";
    }
    return "unknown vantage error";
  });
  return {static_cast<int>(code), category};
}

bool Council::vote(std::string const& endpoint, Health observed, Why why) {
  auto const [place, fresh] = own_.try_emplace(endpoint, observed);
  bool const news = fresh || place->second != observed;
  place->second = observed;
  if (observed != Health::down || why.reason.empty()) {
    whys_.erase(endpoint);
  } else if (news) {
    whys_[endpoint] = std::move(why);
  }
  // Were the uplink lost, votes would turn down one after another, and what was reached before would prove nothing.
  if (news && observed == Health::down) {
    reached_.reset();
  }
  return news;
}

void Council::forget(std::string const& endpoint) {
  own_.erase(endpoint);
  whys_.erase(endpoint);
}

base::Result<bool> Council::take(Report report, std::string const& from, Time now, std::int64_t wall_ms) {
  if (report.site != from || !settings_.peers.contains(from)) {
    return base::fail(errc::unknown_site, "'" + report.site + "' reported by '" + from + "'");
  }
  std::int64_t const off_ms = std::abs(wall_ms - report.at_ms);
  if (off_ms > settings_.tolerance.count()) {
    return base::fail(errc::out_of_time, from + " is " + std::to_string(off_ms / 1000) + " s away from this clock");
  }
  auto const found = peers_.find(from);
  if (found != peers_.end()) {
    Report const& last = found->second.last;
    bool const older =
        report.boot_ms < last.boot_ms || (report.boot_ms == last.boot_ms && report.sequence <= last.sequence);
    if (older) {
      return base::fail(errc::replayed, from + " sent report " + std::to_string(report.sequence) + " after " +
                                            std::to_string(last.sequence));
    }
  }
  if (!report.complete) {
    bool const known = found != peers_.end() && found->second.last.boot_ms == report.boot_ms &&
                       found->second.last.votes_of == report.votes_of;
    if (!known) {
      return base::fail(errc::unconfirmed, from + " refers to its report " + std::to_string(report.votes_of));
    }
    report.votes = std::move(found->second.last.votes);
    report.whys = std::move(found->second.last.whys);
    report.left_up_ms = std::move(found->second.last.left_up_ms);
  }
  bool const without_gap = found != peers_.end() && fresh(found->second, now);
  // Who restarted has to hear this site anew, like one that was silent.
  bool const same_life = without_gap && found->second.last.boot_ms == report.boot_ms;
  Time const since = same_life ? found->second.known_since : now;
  bool const news = !without_gap || report.complete || report.cut_off != found->second.last.cut_off ||
                    report.hears != found->second.last.hears;
  peers_[from] = Peer{std::move(report), now, since};
  return news;
}

std::set<std::string> Council::heard(Time now) const {
  std::set<std::string> out;
  for (auto const& [name, peer] : peers_) {
    if (fresh(peer, now)) {
      out.insert(name);
    }
  }
  return out;
}

// Every check of this site fails while another site's succeed: the fault is here.
bool Council::alone_in_the_dark(Time now) const {
  auto const is_up = [](auto const& vote) { return vote.second == Health::up; };
  bool const dark = own_.size() > 1 &&
                    std::all_of(own_.begin(), own_.end(), [](auto const& vote) { return vote.second == Health::down; });
  return dark && std::any_of(peers_.begin(), peers_.end(), [&](auto const& entry) {
           Peer const& peer = entry.second;
           return fresh(peer, now) && !peer.last.cut_off &&
                  std::any_of(peer.last.votes.begin(), peer.last.votes.end(), is_up);
         });
}

// When the last report of anybody grew too old, or will.
Council::Time Council::silent_since() const {
  Time last = began_;
  for (auto const& [name, peer] : peers_) {
    last = std::max(last, peer.came);
  }
  return last + settings_.fresh;
}

Standing Council::standing(Time now) const {
  Standing standing;
  standing.heard = heard(now);
  if (settings_.peers.empty() || witness_ == true) {
    return standing;
  }
  if (alone_in_the_dark(now)) {
    standing.cut_off = true;
    standing.reason = "every check of this site fails while those of others succeed";
    return standing;
  }
  // A peer that came up a moment ago cannot have heard this site yet.
  bool const heard_back = std::any_of(standing.heard.begin(), standing.heard.end(), [&](std::string const& name) {
    Peer const& peer = peers_.at(name);
    return peer.last.hears.contains(settings_.site) || now - peer.known_since < settings_.fresh;
  });
  if (!standing.heard.empty() && !heard_back) {
    standing.cut_off = true;
    standing.reason = "no peer hears this site";
    return standing;
  }
  if (heard_back) {
    return standing;
  }
  // Nobody is heard. The others may all be dead, or this site's uplink is: what it still reaches elsewhere tells.
  // Only since then, because it may have been lost a moment before the silence was noticed.
  if (!reached_ || *reached_ < silent_since()) {
    standing.beginning = peers_.empty() && now < silent_since();
    standing.cut_off = true;
    standing.reason = standing.beginning  ? "no peer is heard yet"
                      : witness_ == false ? "no peer is heard, no witness and nothing at other sites is reached"
                                          : "no peer is heard and nothing at other sites is reached";
  }
  return standing;
}

Ballot Council::decide(Case const& which, Standing const& standing, Time now) const {
  Ballot ballot;
  auto const count = [&ballot](std::string const& site, Health vote) {
    if (vote == Health::up) {
      ballot.up.push_back(site);
    } else if (vote == Health::down) {
      ballot.down.push_back(site);
    }
  };
  if (auto const own = own_.find(which.endpoint); own != own_.end() && !standing.cut_off) {
    count(settings_.site, own->second);
  }
  for (auto const& [name, peer] : peers_) {
    auto const vote = peer.last.votes.find(which.endpoint);
    if (fresh(peer, now) && !peer.last.cut_off && vote != peer.last.votes.end()) {
      count(name, vote->second);
    }
  }
  // Nothing was ever decided and this site knows no better: its own word is better than none.
  auto const own = own_.find(which.endpoint);
  bool const first = which.current == Health::unknown && own != own_.end();
  if (standing.cut_off && !first) {
    ballot.decided = which.current;
    ballot.kept = true;
    ballot.close = true;  // the others decide once they are heard
    return ballot;
  }
  ballot.decided = decided_by(ballot.up.size(), ballot.down.size(), which.quorum, Health::unknown);
  if (ballot.decided == Health::unknown) {
    ballot.decided = first ? own->second : which.current;
    ballot.kept = true;
  }
  ballot.close = close(which, ballot, now);
  return ballot;
}

std::vector<Word> Council::words(std::string const& endpoint, Time now) const {
  std::vector<Word> out;
  auto const add = [&](std::string const& site, Votes const& votes, Whys const& whys) {
    if (auto const vote = votes.find(endpoint); vote != votes.end()) {
      auto const why = whys.find(endpoint);
      out.push_back({site, vote->second, why == whys.end() ? std::nullopt : std::optional(why->second)});
    }
  };
  add(settings_.site, own_, whys_);
  for (auto const& [name, peer] : peers_) {
    if (fresh(peer, now)) {
      add(name, peer.last.votes, peer.last.whys);
    }
  }
  return out;
}

// Tries every single other site with every other word.
bool Council::close(Case const& which, Ballot const& ballot, Time now) const {
  std::size_t const up = ballot.up.size();
  std::size_t const down = ballot.down.size();
  auto const same = [&](std::size_t with_up, std::size_t with_down) {
    return decided_by(with_up, with_down, which.quorum, ballot.decided) == ballot.decided;
  };
  return std::any_of(settings_.peers.begin(), settings_.peers.end(), [&](std::string const& name) {
    auto const peer = peers_.find(name);
    bool const counts = peer != peers_.end() && fresh(peer->second, now) && !peer->second.last.cut_off;
    auto const vote = counts ? peer->second.last.votes.find(which.endpoint) : Votes::const_iterator();
    bool const said = counts && vote != peer->second.last.votes.end();
    if (said && vote->second == Health::up) {
      return !same(up - 1, down + 1) || !same(up - 1, down);
    }
    if (said && vote->second == Health::down) {
      return !same(up + 1, down - 1) || !same(up, down - 1);
    }
    return !same(up + 1, down) || !same(up, down + 1);
  });
}

}  // namespace vantage
