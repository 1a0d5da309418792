// Which nodes are linked, as a pure function of what they are and where they stand.
//
//   full    every pair
//   hub     the central members among themselves; every regional one to two of them; every edge to two regional ones,
//           or to two central ones where there are fewer than two regional ones
//   tiers   as hub, and the two regional members that an edge is linked to are linked to each other
//   cycles  every member in two or three cycles: the first a short tour of the sites (nearest neighbour, then 2-opt; in
//           a site by a hash of the names), each further one in the order of a hash of the names; and a chord beside
//           each link of a further cycle
//
// tiers and cycles put every link into a triangle, and their costs obey the triangle inequality strictly: a base, plus
// one for each 100 km where places are known. With S, E and N such a triangle, c(N,E) < c(N,S) + c(S,E), so whatever S
// sends over E, N can take: D(N,P) <= c(N,E) + D(E,P) < D(N,S) + D(S,P), which is the loop-free condition of RFC 5286.
//
// A member that comes or goes changes only its own links and, in cycles, splices the neighbours it had in each.
// Nothing here depends on the order in which members are given.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace shape {

enum class Form { full, hub, tiers, cycles };
enum class Rank { central, regional, edge };

struct Position {
  double latitude = 0;  // degrees
  double longitude = 0;
};

struct Site {
  std::string name;
  std::string provider;  // sites of one provider may fail together; never empty
  std::optional<Position> position;
};

struct Member {
  std::string name;
  std::uint32_t site = 0;  // index into Wish::sites
  Rank rank = Rank::edge;
  bool reach4 = false;  // others can open a session to it over IPv4
  bool reach6 = false;  // neither: it is behind NAT and opens sessions itself
};

struct Wish {
  Form form = Form::full;
  std::uint32_t cost = 10;  // between sites
  std::uint32_t cost_within_site = 5;
  std::uint32_t cycles = 2;
  std::string seed;
  std::vector<std::uint32_t> tour;  // cycles: sites in the order of the first; the others come in where it is short
  std::vector<Site> sites;
  std::vector<Member> members;
};

struct Line {
  std::uint32_t a;  // members, a before b in order of names
  std::uint32_t b;
  std::uint32_t cost;
};

// Where tiers put an edge: two regional members, the nearer one first.
struct Home {
  std::uint32_t edge;
  std::uint32_t first;
  std::uint32_t second;
};

struct Result {
  std::vector<Line> lines;  // by the names of a and b; each pair once
  std::vector<Home> homes;  // tiers only
};

// Both can be reached over one family, or exactly one of them can be reached at all.
bool can_link(Member const& a, Member const& b);

// Great-circle distance in whole kilometres; 0 when either place is unknown.
std::uint32_t distance_km(std::optional<Position> const& a, std::optional<Position> const& b);

// Costs of links in tiers and cycles, by the members' sites: a metric, strictly, whatever is known of the places.
class Costs {
 public:
  explicit Costs(Wish const& wish);
  [[nodiscard]] std::uint32_t between(std::uint32_t site_a, std::uint32_t site_b) const;

 private:
  Wish const& wish_;
  bool any_position_ = false;
};

// The sites that have members, as a short tour.
std::vector<std::uint32_t> tour_of_sites(Wish const& wish);

// The members in the order of the first cycle (order 1) or of a further one (2, 3).
std::vector<std::uint32_t> cycle(Wish const& wish, std::uint32_t order);

Result build(Wish const& wish);

}  // namespace shape
