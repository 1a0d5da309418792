// Devices for the tests of this folder.
#pragma once

#include "mesh/wireguard/device.hpp"

#include <string>

namespace wireguard::samples {

inline PublicKey key(std::uint8_t number) {
  KeyBytes bytes{};
  bytes.fill(number);
  return PublicKey(bytes);
}

inline PrivateKey private_key(std::uint8_t number) {
  KeyBytes bytes{};
  bytes.fill(number);
  return PrivateKey(bytes);
}

inline Device device(std::string const& name = "wg-b") {
  Device out;
  out.name = name;
  out.alias = "a--b";
  out.private_key = private_key(9);
  out.listen_port = 51820;
  out.mtu = 1420;
  out.addresses = {parse_network("10.200.0.1/32").value(), parse_network("fe80::1:1/64").value()};
  Peer peer;
  peer.public_key = key(2);
  peer.endpoint = parse_endpoint("192.0.2.2:51821").value();
  peer.allowed_ips = {parse_network("0.0.0.0/0").value(), parse_network("::/0").value()};
  out.peers = {peer};
  return out;
}

// The device as it is observed when everything was applied.
inline ObservedDevice applied(Device const& wanted) {
  ObservedDevice out;
  out.name = wanted.name;
  out.index = 7;
  out.kind = "wireguard";
  out.wireguard = true;
  out.up = true;
  out.mtu = wanted.mtu;
  out.addresses = wanted.addresses;
  out.private_key = wanted.private_key;
  out.listen_port = wanted.listen_port;
  for (auto const& peer : wanted.peers) {
    out.peers.push_back(ObservedPeer{peer, 0, 0, 0});
  }
  return out;
}

}  // namespace wireguard::samples
