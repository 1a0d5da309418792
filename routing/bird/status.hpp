// Readers of what BIRD prints: `show protocols`, `show ospf neighbors`, `show bfd sessions`.
//
// Input is the text of a reply (see Control), any bytes: lines that do not look like a row are left out, nothing is
// ever half-read. Checked against BIRD 2.0.12.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

namespace bird {

using Lines = std::vector<std::string>;

struct ProtocolRow {
  std::string name;   // "anycast_dns_4"
  std::string kind;   // "Static", "OSPF", "BGP", "Kernel", ...
  std::string table;  // "master4" or "---"
  std::string state;  // "up", "down", "start", "stop", "flush"
  std::string info;   // "Running", "Established", ...; may be empty
  bool operator==(ProtocolRow const&) const = default;
};

struct Neighbor {
  std::string protocol;  // "ospf4", "ospf6"
  std::string router_id;
  std::string state;  // "Full", "ExStart", "Init", ...
  std::string interface;
  std::string address;  // its address on the link: IPv4 for OSPFv2, link-local for OSPFv3
  double dead_s = 0;    // seconds until it counts as dead
  bool operator==(Neighbor const&) const = default;
  [[nodiscard]] bool full() const { return state == "Full"; }
};

struct BfdSession {
  std::string address;
  std::string interface;  // "---" for multihop
  std::string state;      // "Up", "Down", "Init", "AdminDown"
  double interval_s = 0;
  double timeout_s = 0;
  std::string since = {};  // its state, in BIRD's words
  bool operator==(BfdSession const&) const = default;
  [[nodiscard]] bool up() const { return state == "Up"; }
};

[[nodiscard]] std::vector<ProtocolRow> parse_protocols(Lines const& lines);
[[nodiscard]] std::vector<Neighbor> parse_ospf_neighbors(Lines const& lines);
[[nodiscard]] std::vector<BfdSession> parse_bfd_sessions(Lines const& lines);

// OSPF does not wait for BFD: an adjacency is Full although its BFD session never came up (UDP 3784 filtered, say), and
// then a silent loss costs the dead interval. These are such neighbours.
[[nodiscard]] std::vector<Neighbor> full_without_bfd(std::vector<Neighbor> const& neighbors,
                                                     std::vector<BfdSession> const& sessions);

}  // namespace bird
