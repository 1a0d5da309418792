// Wanted against observed devices: the shortest list of changes that turns one into the other. Pure.
//
// The order is safe to apply as it stands: new devices and peers come first, then changes in place, then removals, so
// that a caller can stop before the removals until routing has moved over (`Change::removes`). An interface whose name
// does not begin with our prefix is never mentioned, and no WireGuard device of somebody else whose name does. A device
// that is already right yields nothing.
//
// Of a device that could not be read (`unread`) only what rtnetlink tells is judged: its MTU, addresses and whether it
// is up. Whose it is then says its alias alone.
//
// An endpoint that differs is left alone while the session is alive (a handshake within `session_life_s`): the peer has
// roamed and WireGuard follows it by itself; putting the declared one back would cut a working link. Never noticed at
// all: the alias, but for a device that is blank, and the endpoint of a peer for which none is wanted.
//
// Threads: pure functions.
#pragma once

#include "mesh/wireguard/device.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace wireguard {

struct Change {
  enum class Kind {
    create_device,    // device: name, alias; everything else follows as changes of its own
    take_device,      // device, alias: it is there and blank, as a wireguard-go that systemd started again leaves it
    set_mtu,          // device, mtu
    set_private_key,  // device, private_key
    set_port,         // device, listen_port
    add_peer,         // device, peer complete
    update_peer,      // device, peer; only what `fields` names differs
    add_address,      // device, address
    remove_address,   // device, address
    set_up,           // device
    remove_peer,      // device, peer.public_key
    remove_device,    // device
  };
  Kind kind = Kind::create_device;
  std::string device;
  std::string alias;
  std::uint32_t mtu = 0;
  PrivateKey private_key;
  std::uint16_t listen_port = 0;
  Peer peer;
  bool set_endpoint = false;  // update_peer: which parts differ
  bool set_allowed_ips = false;
  bool set_keepalive = false;
  Network address;

  [[nodiscard]] bool removes() const { return kind == Kind::remove_device; }
  // "wg-ams: add peer abc...= endpoint 192.0.2.1:51820"; no secrets.
  [[nodiscard]] std::string text() const;
};

// A session that had no handshake for this long carries nothing any more (WireGuard's reject-after-time).
inline constexpr std::int64_t session_life_s = 180;

// `wanted` devices have set private keys, or unset ones when the key must be left alone (a plan for people).
// `owner` says whose devices they are. A foreign interface that has a wanted name is not in the list either;
// `conflicts` names those.
struct Owner {
  std::string_view prefix;  // what names of our devices begin with
  std::string_view node;    // one end of the link that the alias of each names
};
// Whether it is a device of a link of this node: its alias names one, or it runs with a private key of the wanted ones.
bool is_ours(ObservedDevice const& one, std::vector<Device> const& wanted, Owner owner);
std::vector<Change> diff(std::vector<Device> const& wanted, std::vector<ObservedDevice> const& observed, Owner owner,
                         std::int64_t now_s);
std::vector<std::string> conflicts(std::vector<Device> const& wanted, std::vector<ObservedDevice> const& observed,
                                   Owner owner);

}  // namespace wireguard
