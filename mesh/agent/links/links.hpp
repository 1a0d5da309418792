// Every link of this node with its session, adjacencies, round trip and cost. Pure.
//
// Threads: plain values and pure functions.
#pragma once

#include "mesh/round_trips/prober.hpp"
#include "mesh/wireguard/device.hpp"
#include "routing/bird/status.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace agent {

using RoundTrips = std::map<std::string, round_trips::LinkTime>;  // by device

struct Link {
  std::string name;    // topology::Link::name()
  std::string node;    // at the other end
  std::string device;  // a link has two while the key of an end changes
  bool up = false;     // the device
  std::uint32_t cost = 0;
  bool cost_measured = false;  // the cost follows round trips
  round_trips::Measured measured;
  std::int64_t handshake_s = 0;  // Unix time of the last; 0: never
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
  // By family, IPv4 and IPv6: the neighbour's state and that of its BFD session in BIRD's words; empty: there is none.
  std::string ospf4, ospf6;
  std::string bfd4, bfd6;
  [[nodiscard]] bool full() const { return ospf4 == "Full" && ospf6 == "Full"; }
  [[nodiscard]] bool bfd_up() const { return bfd4 == "Up" && bfd6 == "Up"; }
};

// By device. Devices without a target in `times` are left out.
std::vector<Link> links_of(std::vector<wireguard::ObservedDevice> const& devices,
                           std::vector<bird::Neighbor> const& neighbors, std::vector<bird::BfdSession> const& sessions,
                           RoundTrips const& times);

// [{"link","node","device","up","cost","cost_measured","rtt_us","rtt_least_us","loss_percent","handshake_age_s",
// "rx_bytes","tx_bytes","ospf4","ospf6","bfd4","bfd6"}]; null where nothing is known.
boost::json::array to_json(std::vector<Link> const& links, std::int64_t now_s);

// {"ann--bob": 1234}: the least round trips of the last ten seconds in microseconds, for the controller, which makes
// costs of them. Links that nothing came back from are left out.
boost::json::object report_of(RoundTrips const& times);

}  // namespace agent
