#include "mesh/agent/links/gauges.hpp"

#include <utility>

namespace agent {
namespace {

double seconds(round_trips::RoundTrip time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

void LinkGauges::put(std::string const& name, std::string const& help, process::Labels const& labels, double value) {
  metrics_.gauge(name, help, labels).set(value);
  next_[name][labels.at("device")] = labels;
}

void LinkGauges::show(std::vector<Link> const& links, std::int64_t now_s) {
  next_.clear();
  for (auto const& link : links) {
    process::Labels const labels{{"link", link.name}, {"node", link.node}, {"device", link.device}};
    put("privateer_link_up", "1 while the link's device is up", labels, link.up ? 1 : 0);
    put("privateer_link_cost", "OSPF cost of the link from this side", labels, link.cost);
    put("privateer_link_full", "1 while OSPFv2 and OSPFv3 are Full", labels, link.full() ? 1 : 0);
    put("privateer_link_bfd_up", "1 while the BFD sessions of both families are Up", labels, link.bfd_up() ? 1 : 0);
    put("privateer_link_receive_bytes", "Bytes received since the device was made", labels,
        static_cast<double>(link.rx_bytes));
    put("privateer_link_transmit_bytes", "Bytes sent since the device was made", labels,
        static_cast<double>(link.tx_bytes));
    if (link.handshake_s != 0) {
      put("privateer_link_handshake_age_seconds", "Since WireGuard's last handshake", labels,
          static_cast<double>(now_s - link.handshake_s));
    }
    if (link.measured.median) {
      put("privateer_link_rtt_seconds", "Median round trip of the last minute", labels, seconds(*link.measured.median));
    }
    if (link.measured.least) {
      put("privateer_link_rtt_least_seconds", "Least round trip of the last ten seconds", labels,
          seconds(*link.measured.least));
    }
    if (link.measured.sent != 0) {
      put("privateer_link_loss_ratio", "Echoes of the last minute that were not answered", labels, link.measured.loss);
    }
  }
  for (auto const& [name, series] : shown_) {
    for (auto const& [device, labels] : series) {
      auto const found = next_.find(name);
      if (found == next_.end() || !found->second.contains(device) || found->second.at(device) != labels) {
        metrics_.forget(name, labels);
      }
    }
  }
  shown_ = std::exchange(next_, {});
}

}  // namespace agent
