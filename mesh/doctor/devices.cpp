#include "base/net/task.hpp"
#include "mesh/doctor/examination.hpp"
#include "mesh/wireguard/diff.hpp"

#include <algorithm>

namespace doctor {
namespace {

using wireguard::Device;
using wireguard::Network;
using wireguard::ObservedDevice;
using wireguard::ObservedPeer;

bool is_link_local(Network const& network) {
  return network.address.is_v6() && network.address.to_v6().is_link_local();
}

bool among(Network const& one, std::vector<Network> const& all) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

void addresses(Examination& examination, Device const& wanted, ObservedDevice const& found) {
  for (auto const& address : wanted.addresses) {
    if (among(address, found.addresses)) {
      continue;
    }
    if (is_link_local(address)) {
      examination.explain(wanted.name);
      examination.error(
          "link-local-missing", wanted.name,
          examination.link(wanted.name) + " has no address " + address.text() + ": OSPFv3 and BFD need it",
          "ip -6 address add " + address.text() + " dev " + wanted.name);
    } else {
      examination.error("address-missing", wanted.name, wanted.name + " lacks the address " + address.text(),
                        "ip address add " + address.text() + " dev " + wanted.name);
    }
  }
  for (auto const& address : found.addresses) {
    if (!among(address, wanted.addresses)) {
      examination.warning("address-foreign", wanted.name,
                          wanted.name + " has the address " + address.text() + ", which the plan does not know",
                          "ip address del " + address.text() + " dev " + wanted.name);
    }
  }
}

void session(Examination& examination, Device const& wanted, ObservedPeer const& peer) {
  std::int64_t const now_s = examination.facts().now_s;
  if (peer.last_handshake_s > now_s + clock_tolerance_s) {
    examination.error("clock-skew", wanted.name, "the last handshake of " + wanted.name + " lies in the future",
                      "the clock was set back: run an NTP client");
    return;
  }
  bool const alive = peer.last_handshake_s != 0 && now_s - peer.last_handshake_s <= wireguard::session_life_s;
  if (alive) {
    return;
  }
  examination.explain(wanted.name);
  std::string const since = peer.last_handshake_s == 0
                                ? "never had a handshake"
                                : "had its last handshake " + std::to_string(now_s - peer.last_handshake_s) + " s ago";
  if (!peer.peer.endpoint) {
    examination.error(
        "no-handshake", wanted.name, examination.link(wanted.name) + " " + since + ": the other end has to come first",
        "see that the other node runs and may send UDP to port " + std::to_string(wanted.listen_port) + " here");
    return;
  }
  bool const deaf = peer.tx_bytes != 0 && peer.rx_bytes == 0;
  examination.error(
      deaf ? "port-blocked" : "no-handshake", wanted.name,
      examination.link(wanted.name) + " " + since + (deaf ? ": packets go out and none ever came back" : ""),
      "open UDP " + std::to_string(wanted.listen_port) + " here and " + peer.peer.endpoint->text() +
          " there, in firewalls on both machines and between them, and see that the other node runs");
}

void peers(Examination& examination, Device const& wanted, ObservedDevice const& found) {
  for (auto const& peer : wanted.peers) {
    auto const same = std::find_if(found.peers.begin(), found.peers.end(),
                                   [&](ObservedPeer const& one) { return one.peer.public_key == peer.public_key; });
    if (same == found.peers.end()) {
      examination.explain(wanted.name);
      examination.error("peer-missing", wanted.name, wanted.name + " does not know the key of its other end",
                        "the agent puts it back; if it does not stay, another program writes to " + wanted.name);
      continue;
    }
    if (same->peer.allowed_ips != peer.allowed_ips) {
      examination.error(
          "allowed-ips", wanted.name,
          wanted.name + " lets other addresses through than 0.0.0.0/0 and ::/0: WireGuard drops what OSPF routes",
          "the agent puts them back; find what changed them (wg set? wg-quick?)");
    }
    session(examination, wanted, *same);
  }
  for (auto const& one : found.peers) {
    bool const known = std::any_of(wanted.peers.begin(), wanted.peers.end(),
                                   [&](wireguard::Peer const& peer) { return peer.public_key == one.peer.public_key; });
    if (!known) {
      examination.error("peer-foreign", wanted.name, wanted.name + " has a peer that is no member of the mesh",
                        "wg set " + wanted.name + " peer " + one.peer.public_key.to_base64() + " remove");
    }
  }
}

void packet_size(Examination& examination, Device const& wanted, ObservedDevice const& found) {
  if (found.mtu != wanted.mtu) {
    examination.error("mtu-differs", wanted.name,
                      wanted.name + " has MTU " + std::to_string(found.mtu) + ", the plan says " +
                          std::to_string(wanted.mtu) + ": OSPF's exchange hangs when the ends differ",
                      "ip link set " + wanted.name + " mtu " + std::to_string(wanted.mtu));
    return;
  }
  for (auto const& probe : examination.facts().probes) {
    if (probe.device == wanted.name && probe.small_answered && !probe.full_answered) {
      examination.error(
          "mtu-black-hole", wanted.name,
          examination.link(wanted.name) + " carries small packets and loses those of " + std::to_string(probe.size) +
              " octets",
          "the path below is narrower: set mtu: 1280 on this link in the topology (both ends change together), "
          "or let ICMP \"fragmentation needed\" through");
    }
  }
}

// By the agent's last minute and by what was sent now: a link that is well again is not blamed for what was.
void loss(Examination& examination, Device const& wanted) {
  constexpr int told_from_percent = 5;
  auto const& lost = examination.facts().loss_percent;
  auto const minute = lost.find(wanted.name);
  for (auto const& probe : examination.facts().probes) {
    if (probe.device == wanted.name && probe.small_answered && probe.small_lost > 0 && minute != lost.end() &&
        minute->second >= told_from_percent) {
      examination.warning("lossy-link", wanted.name,
                          examination.link(wanted.name) + " lost " + std::to_string(minute->second) +
                              " % of the echoes of the last minute, and " + std::to_string(probe.small_lost) + " of " +
                              std::to_string(echo_tries) + " now",
                          "look at the line below it (errors of the interface, a full queue, the provider); "
                          "`privateer node drain` keeps traffic away meanwhile");
    }
  }
}

void route_to_endpoint(Examination& examination, Device const& wanted) {
  for (auto const& route : examination.facts().endpoint_routes) {
    if (route.device != wanted.name) {
      continue;
    }
    if (route.interface.empty()) {
      examination.explain(wanted.name);
      examination.error("endpoint-unroutable", wanted.name,
                        "there is no route to " + route.endpoint.text() + ", the other end of " + wanted.name,
                        "see the default route and the endpoint in the topology");
    } else if (route.interface.starts_with(plan::interface_prefix)) {
      examination.explain(wanted.name);
      examination.error(
          "endpoint-through-mesh", wanted.name,
          "packets for " + route.endpoint.text() + ", the other end of " + wanted.name + ", leave through " +
              route.interface + ": the tunnel would carry itself",
          "take the prefix that covers the endpoint out of what the mesh announces, or give the node another "
          "endpoint");
    }
  }
}

void loopback(Examination& examination) {
  Facts const& facts = examination.facts();
  if (!facts.loopback_known) {
    return;
  }
  for (auto const& address : facts.plan->loopback) {
    if (!among(address, facts.loopback)) {
      examination.error("loopback-missing", address.text(), "lo lacks " + address.text() + ", an address of this node",
                        "ip address add " + address.text() + " dev lo");
    }
  }
}

// Nothing but its link is known. Where that is for want of rights, `blind` says so once for all.
void unread(Examination& examination, Device const& wanted, ObservedDevice const& found) {
  if (found.unread == net::errc::timed_out) {
    examination.explain(wanted.name);
    examination.error("device-hangs", wanted.name,
                      "the wireguard-go of " + wanted.name + " does not answer: its peers cannot be seen or repaired",
                      "find that process (ss -xlp | grep " + wanted.name +
                          ".sock) and end it (kill -9 PID); the agent starts another one");
  }
  addresses(examination, wanted, found);
  packet_size(examination, wanted, found);
}

}  // namespace

void examine_devices(Examination& examination) {
  Facts const& facts = examination.facts();
  if (facts.plan == nullptr) {
    return;
  }
  loopback(examination);
  if (!facts.devices_seen) {
    return;
  }
  for (auto const& wanted : facts.plan->devices) {
    auto const* const found = examination.observed(wanted.name);
    if (found == nullptr) {
      examination.explain(wanted.name);
      examination.error("device-missing", wanted.name, examination.link(wanted.name) + " has no device",
                        "the agent makes it: see its log and `privateer status`");
      continue;
    }
    if (!found->wireguard) {
      examination.explain(wanted.name);
      examination.error("device-foreign", wanted.name,
                        wanted.name + " exists and is no WireGuard device of ours" +
                            (found->kind.empty() ? "" : " (" + found->kind + ")"),
                        "ip link del " + wanted.name + "; the agent then makes its own");
      continue;
    }
    if (!found->up) {
      examination.explain(wanted.name);
      examination.error("device-down", wanted.name, wanted.name + " is down", "ip link set " + wanted.name + " up");
      continue;
    }
    if (found->unread) {
      unread(examination, wanted, *found);
      continue;
    }
    if (found->listen_port != wanted.listen_port) {
      examination.explain(wanted.name);
      examination.error("port-differs", wanted.name,
                        wanted.name + " listens at " + std::to_string(found->listen_port) + ", the plan says " +
                            std::to_string(wanted.listen_port),
                        "wg set " + wanted.name + " listen-port " + std::to_string(wanted.listen_port) +
                            "; if that port is taken, find by whom: ss -lunp");
    }
    route_to_endpoint(examination, wanted);
    addresses(examination, wanted, *found);
    peers(examination, wanted, *found);
    packet_size(examination, wanted, *found);
    loss(examination, wanted);
  }
  // A name alone makes no device ours: a tunnel of the operator's own may be called like one.
  wireguard::Owner const owner{plan::interface_prefix, facts.node};
  for (auto const& found : facts.devices) {
    bool const wanted = std::any_of(facts.plan->devices.begin(), facts.plan->devices.end(),
                                    [&](Device const& device) { return device.name == found.name; });
    if (!wanted && wireguard::is_ours(found, facts.plan->devices, owner)) {
      examination.warning("device-stale", found.name, found.name + " belongs to no link of the plan",
                          "the agent removes it once all links are Full; by hand: ip link del " + found.name);
    }
  }
}

}  // namespace doctor
