// OSPF costs from measured latency, slowly on purpose.
//
// A cost that follows every millisecond moves traffic, which moves the latency, which moves the cost. So costs sit on a
// coarse ladder, and a link takes another rung only when
//   - the smoothed minimum of its round-trip times has left the present rung by a margin (hysteresis), and
//   - has asked for a change that way for `hold`, without a pause, and for no smaller one in the last four fifths of it
//     (a burst asks for more for a while, and gets no more), and
//   - the link has not changed within `link_pause`, and nothing at all within `round_pause`: what is due is changed
//     together, in one round, because a round is a new world for every node, and one router LSA of each (RFC 2328), and
//   - no adjacency of either node came or went within `quiet`: while OSPF converges, measurements mean nothing.
// A link that goes back where it came from is one whose traffic moves its latency: its pause doubles with each such
// change, up to `pauses_most` times, and is as before when the link has been left alone for two of them.
// Minimum, because queues only add; smoothed, because one quick packet proves little. Above the last rung all links
// are equally bad: a queue that drains must not pull the traffic back. Both ends measure, the worse one counts, so that
// a link has one cost in both directions.
//
// Threads: `Ladder` is a value; a `Costs` belongs to one thread. Time is a parameter and may not run backwards.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cost {

using Time = std::chrono::steady_clock::time_point;
using RoundTrip = std::chrono::microseconds;

struct Settings {
  RoundTrip first_rung{3000};  // round trips up to here cost lowest_cost
  double factor = 1.5;         // from rung to rung, of the latency and of the cost
  std::size_t rungs = 12;      // the last one holds from about 170 ms up
  std::uint32_t lowest_cost = 10;
  double margin = 0.15;  // of a rung's bound, before it counts as left

  std::chrono::seconds window{10};     // of which the minimum is taken
  std::chrono::seconds smoothing{20};  // time constant of the moving average of those minima
  std::chrono::seconds stale{60};      // an end that measured nothing for so long has no say
  std::chrono::seconds hold{300};
  std::chrono::seconds link_pause{600};
  unsigned pauses_most = 16;
  std::chrono::seconds round_pause{60};
  std::chrono::seconds quiet{60};

  // The same in proportion: a lasting step is adopted in one to 1.7 times `hold`.
  [[nodiscard]] static Settings with_hold(std::chrono::seconds hold);
};

class Ladder {
 public:
  explicit Ladder(Settings const& settings);

  // The lowest rung whose bound the latency does not exceed; the last one for everything beyond.
  [[nodiscard]] std::size_t rung(RoundTrip latency) const;
  // As above, but `present` is kept while the latency is within the margin around its bounds.
  [[nodiscard]] std::size_t rung_from(std::size_t present, RoundTrip latency) const;
  // OSPF cost of a rung, 1 to 65535.
  [[nodiscard]] std::uint32_t cost(std::size_t rung) const { return costs_[rung]; }
  [[nodiscard]] std::size_t size() const { return costs_.size(); }

 private:
  double margin_;
  std::vector<double> bounds_us_;
  std::vector<std::uint32_t> costs_;
};

// The latency of one end: minimum of each window, then a moving average of the minima.
class Latency {
 public:
  void observe(Settings const& settings, RoundTrip sample, Time now);
  // nullopt: no window is complete yet, or the last sample is older than settings.stale.
  [[nodiscard]] std::optional<RoundTrip> value(Settings const& settings, Time now) const;

 private:
  std::optional<double> average_us_;
  std::optional<RoundTrip> window_minimum_;
  Time window_start_{};
  Time average_at_{};
  Time last_sample_{};
};

struct Change {
  std::string link;  // topology::Link::name()
  std::uint32_t cost = 0;
};

// All links that one party decides about: the controller for the whole mesh (then a link is told to both ends at once).
class Costs {
 public:
  explicit Costs(Settings const& settings = {}) : settings_(settings), ladder_(settings) {}

  // Makes a link known with the cost it has now (that of the topology, or of the last decision before a restart, so
  // that a restart changes nothing). Known already: only its ends are brought up to date.
  void add(std::string const& link, std::string const& a, std::string const& b, std::uint32_t cost);
  void remove(std::string const& link);

  // A round trip measured by `end`, one of the link's two nodes. Unknown links and ends are ignored: reports of a link
  // that was removed may still be under way.
  void observe(std::string const& link, std::string const& end, RoundTrip sample, Time now);
  // An adjacency of this node came or went.
  void adjacency_changed(std::string const& node, Time now) { restless_[node] = now; }

  // The changes that are due, all together, which from now on count as made. To be called every few seconds.
  [[nodiscard]] std::vector<Change> decide(Time now);

  // nullopt: not known.
  [[nodiscard]] std::optional<std::uint32_t> cost(std::string const& link) const;
  // What the worse of its ends measured lately; nullopt: nobody did.
  [[nodiscard]] std::optional<RoundTrip> latency(std::string const& link, Time now) const;
  [[nodiscard]] std::vector<std::string> links() const;

 private:
  struct State {
    std::string a;
    std::string b;
    Latency from_a;
    Latency from_b;
    std::uint32_t cost = 0;
    std::optional<std::size_t> rung;    // empty until the first change: the cost is still the declared one
    std::optional<std::size_t> wanted;  // what the measurements ask for
    Time wanted_since{};                // since when they ask for a change that way, without a pause
    // The least change of each fifth of `hold`: what lies between two of them is a burst.
    std::array<std::optional<std::size_t>, 5> least;
    std::int64_t fifth = 0;  // since wanted_since
    std::optional<Time> changed;
    bool rose = false;    // the last change made it dearer
    unsigned pauses = 1;  // how many link_pause it rests
  };

  [[nodiscard]] std::optional<RoundTrip> latency(State const& state, Time now) const;
  void follow(State& state, Time now);
  void change(State& state, Time now);
  [[nodiscard]] bool due(State const& state, Time now) const;
  [[nodiscard]] bool rests(State const& state, Time now) const;

  Settings settings_;
  Ladder ladder_;
  std::map<std::string, State> links_;
  std::map<std::string, Time> restless_;  // nodes -> when an adjacency of theirs changed
  std::optional<Time> last_round_;
};

}  // namespace cost
