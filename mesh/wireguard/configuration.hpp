// One "set" of a device: what both the kernel's netlink message and wireguard-go's text protocol can say.
//
// Threads: plain values.
#pragma once

#include "mesh/wireguard/diff.hpp"

#include <optional>
#include <string>
#include <vector>

namespace wireguard {

struct PeerSetting {
  Peer peer;
  bool remove = false;       // only peer.public_key counts
  bool update_only = false;  // do nothing when the peer is not there (never creates one)
  bool set_endpoint = false;
  bool replace_allowed_ips = false;
  bool set_keepalive = false;
};

struct Configuration {
  std::string device;
  PrivateKey private_key;                    // unset: left alone
  std::optional<std::uint16_t> listen_port;  // none: left alone
  std::vector<PeerSetting> peers;            // peers that are not named stay as they are
  [[nodiscard]] bool empty() const { return !private_key.is_set() && !listen_port && peers.empty(); }
};

// Adds a key, port or peer change to the set of its device. False for a change that concerns the link (addresses,
// MTU, creation, removal), which rtnetlink does.
bool merge(Configuration& configuration, Change const& change);

}  // namespace wireguard
