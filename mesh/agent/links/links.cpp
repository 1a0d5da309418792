#include "mesh/agent/links/links.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>

namespace agent {
namespace {

namespace json = boost::json;

std::string bfd_of(bird::Neighbor const& neighbor, std::vector<bird::BfdSession> const& sessions) {
  auto const found = std::find_if(sessions.begin(), sessions.end(), [&](bird::BfdSession const& session) {
    return session.address == neighbor.address && session.interface == neighbor.interface;
  });
  return found == sessions.end() ? std::string() : found->state;
}

void add_routing(Link& link, std::vector<bird::Neighbor> const& neighbors,
                 std::vector<bird::BfdSession> const& sessions) {
  for (auto const& neighbor : neighbors) {
    if (neighbor.interface != link.device) {
      continue;
    }
    bool const v6 = neighbor.protocol == "ospf6";
    (v6 ? link.ospf6 : link.ospf4) = neighbor.state;
    (v6 ? link.bfd6 : link.bfd4) = bfd_of(neighbor, sessions);
  }
}

json::value microseconds(std::optional<round_trips::RoundTrip> const& time) {
  return time ? json::value(time->count()) : json::value(nullptr);
}

json::value or_null(std::string const& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

}  // namespace

std::vector<Link> links_of(std::vector<wireguard::ObservedDevice> const& devices,
                           std::vector<bird::Neighbor> const& neighbors, std::vector<bird::BfdSession> const& sessions,
                           RoundTrips const& times) {
  std::vector<Link> out;
  for (auto const& device : devices) {
    auto const found = times.find(device.name);
    if (!device.wireguard || found == times.end()) {
      continue;
    }
    auto const& target = found->second.target;
    Link link;
    link.name = target.link;
    link.node = target.node;
    link.device = device.name;
    link.up = device.up;
    link.cost = target.cost;
    link.cost_measured = target.measured;
    link.measured = found->second.measured;
    for (auto const& peer : device.peers) {
      link.handshake_s = std::max(link.handshake_s, peer.last_handshake_s);
      link.rx_bytes += peer.rx_bytes;
      link.tx_bytes += peer.tx_bytes;
    }
    add_routing(link, neighbors, sessions);
    out.push_back(std::move(link));
  }
  std::sort(out.begin(), out.end(), [](Link const& a, Link const& b) { return a.device < b.device; });
  return out;
}

json::array to_json(std::vector<Link> const& links, std::int64_t now_s) {
  json::array out;
  for (auto const& link : links) {
    json::object one;
    one["link"] = link.name;
    one["node"] = link.node;
    one["device"] = link.device;
    one["up"] = link.up;
    one["cost"] = link.cost;
    one["cost_measured"] = link.cost_measured;
    one["rtt_us"] = microseconds(link.measured.median);
    one["rtt_least_us"] = microseconds(link.measured.least);
    one["loss_percent"] =
        link.measured.sent == 0 ? json::value(nullptr) : json::value(std::lround(link.measured.loss * 100));
    one["handshake_age_s"] =
        link.handshake_s == 0 ? json::value(nullptr) : json::value(std::max<std::int64_t>(0, now_s - link.handshake_s));
    one["rx_bytes"] = link.rx_bytes;
    one["tx_bytes"] = link.tx_bytes;
    one["ospf4"] = or_null(link.ospf4);
    one["ospf6"] = or_null(link.ospf6);
    one["bfd4"] = or_null(link.bfd4);
    one["bfd6"] = or_null(link.bfd6);
    out.push_back(std::move(one));
  }
  return out;
}

json::object report_of(RoundTrips const& times) {
  std::map<std::string, round_trips::RoundTrip> least;  // of a link's two devices the quicker one
  for (auto const& [device, time] : times) {
    if (time.measured.least) {
      auto const [at, is_new] = least.emplace(time.target.link, *time.measured.least);
      at->second = std::min(at->second, *time.measured.least);
    }
  }
  json::object out;
  for (auto const& [link, time] : least) {
    out[link] = time.count();
  }
  return out;
}

}  // namespace agent
