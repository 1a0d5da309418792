#include "mesh/wireguard/configuration.hpp"

namespace wireguard {

bool merge(Configuration& configuration, Change const& change) {
  PeerSetting setting;
  setting.peer = change.peer;
  switch (change.kind) {
    case Change::Kind::set_private_key:
      configuration.private_key = change.private_key;
      return true;
    case Change::Kind::set_port:
      configuration.listen_port = change.listen_port;
      return true;
    case Change::Kind::add_peer:
    case Change::Kind::update_peer:
      // A peer that vanished between observing and changing must not come back half-made.
      setting.update_only = change.kind == Change::Kind::update_peer;
      setting.set_endpoint = change.set_endpoint;
      setting.replace_allowed_ips = change.set_allowed_ips;
      setting.set_keepalive = change.set_keepalive;
      configuration.peers.push_back(std::move(setting));
      return true;
    case Change::Kind::remove_peer:
      setting.remove = true;
      configuration.peers.push_back(std::move(setting));
      return true;
    case Change::Kind::create_device:
    case Change::Kind::take_device:
    case Change::Kind::set_mtu:
    case Change::Kind::add_address:
    case Change::Kind::remove_address:
    case Change::Kind::set_up:
    case Change::Kind::remove_device:
      return false;
  }
  return false;
}

}  // namespace wireguard
