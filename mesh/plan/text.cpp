#include "mesh/plan/plan.hpp"

#include <boost/json.hpp>

namespace plan {
namespace {

namespace json = boost::json;

json::array texts(std::vector<wireguard::Network> const& networks) {
  json::array out;
  for (auto const& network : networks) {
    out.emplace_back(network.text());
  }
  return out;
}

json::array texts(std::vector<std::string> const& lines) {
  json::array out;
  for (auto const& line : lines) {
    out.emplace_back(line);
  }
  return out;
}

json::object object_of(wireguard::Peer const& peer) {
  json::object out;
  out["public_key"] = peer.public_key.is_set() ? json::value(peer.public_key.to_base64()) : json::value(nullptr);
  out["endpoint"] = peer.endpoint ? json::value(peer.endpoint->text()) : json::value(nullptr);
  out["allowed_ips"] = texts(peer.allowed_ips);
  out["keepalive_s"] = peer.keepalive_s;
  return out;
}

json::object object_of(wireguard::Device const& device) {
  json::array peers;
  for (auto const& peer : device.peers) {
    peers.emplace_back(object_of(peer));
  }
  json::object out;
  out["name"] = device.name;
  out["link"] = device.alias;
  out["listen_port"] = device.listen_port;
  out["mtu"] = device.mtu;
  out["addresses"] = texts(device.addresses);
  out["peers"] = std::move(peers);
  return out;
}

json::object object_of(NodePlan const& plan) {
  json::array devices;
  for (auto const& device : plan.devices) {
    devices.emplace_back(object_of(device));
  }
  json::object sysctls;
  for (auto const& sysctl : plan.sysctls) {
    sysctls[sysctl.path] = sysctl.value;
  }
  json::array services;
  for (auto const& service : plan.services) {
    services.emplace_back(service.name);
  }
  json::object out;
  out["revision"] = plan.revision;
  out["node"] = plan.node;
  out["devices"] = std::move(devices);
  out["loopback"] = texts(plan.loopback);
  out["sysctls"] = std::move(sysctls);
  out["services"] = std::move(services);
  out["waiting"] = texts(plan.waiting);
  out["warnings"] = texts(plan.warnings);
  out["bird"] = plan.bird;
  return out;
}

std::string line_of(wireguard::Device const& device) {
  std::string out = "  " + device.name + "  (" + device.alias + ")  port " + std::to_string(device.listen_port) +
                    "  mtu " + std::to_string(device.mtu) + "\n";
  for (auto const& address : device.addresses) {
    out += "    address " + address.text() + "\n";
  }
  for (auto const& peer : device.peers) {
    out += "    peer " + (peer.public_key.is_set() ? peer.public_key.to_base64() : "(has not joined)");
    out += peer.endpoint ? " at " + peer.endpoint->text() : " speaks first";
    out += peer.keepalive_s != 0 ? ", keepalive " + std::to_string(peer.keepalive_s) + " s\n" : "\n";
  }
  return out;
}

}  // namespace

std::string to_json(NodePlan const& plan) {
  return json::serialize(object_of(plan));
}

std::string to_json(std::vector<NodePlan> const& plans) {
  json::array nodes;
  for (auto const& plan : plans) {
    nodes.emplace_back(object_of(plan));
  }
  json::object out;
  out["revision"] = plans.empty() ? 0 : plans.front().revision;
  out["nodes"] = std::move(nodes);
  return json::serialize(out);
}

std::string to_text(NodePlan const& plan) {
  std::string out = "node " + plan.node + "\n";
  out += "  lo\n";
  for (auto const& address : plan.loopback) {
    out += "    address " + address.text() + "\n";
  }
  for (auto const& device : plan.devices) {
    out += line_of(device);
  }
  for (auto const& service : plan.services) {
    out += "  announces " + service.name + " while it answers\n";
  }
  for (auto const& link : plan.waiting) {
    out += "  waiting: " + link + " (the other node has not joined)\n";
  }
  for (auto const& warning : plan.warnings) {
    out += "  warning: " + warning + "\n";
  }
  return out;
}

std::string to_text(std::vector<wireguard::Change> const& changes) {
  if (changes.empty()) {
    return "no changes\n";
  }
  std::string out;
  for (auto const& change : changes) {
    out += change.text() + "\n";
  }
  return out;
}

}  // namespace plan
