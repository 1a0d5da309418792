#include "mesh/wireguard/diff.hpp"

#include <algorithm>
#include <set>

namespace wireguard {
namespace {

std::vector<Network> sorted(std::vector<Network> networks) {
  std::sort(networks.begin(), networks.end());
  networks.erase(std::unique(networks.begin(), networks.end()), networks.end());
  return networks;
}

bool contains(std::vector<Network> const& list, Network const& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// Made and not yet configured, by us before a crash, by systemd, or by somebody who loses nothing.
bool is_blank(ObservedDevice const& one) {
  return one.wireguard && !one.unread && one.alias.empty() && !one.private_key.is_set() && one.peers.empty();
}

// Makes the changes of one device; every Change carries its name.
class DeviceDiff {
 public:
  DeviceDiff(Device const& wanted, ObservedDevice const* observed, std::int64_t now_s, std::vector<Change>& out)
      : wanted_(wanted), observed_(observed != nullptr ? *observed : ObservedDevice{}), now_s_(now_s), out_(out) {
    if (observed == nullptr) {
      make(Change::Kind::create_device).alias = wanted_.alias;
    } else if (is_blank(*observed) && !wanted_.alias.empty()) {
      make(Change::Kind::take_device).alias = wanted_.alias;
    }
  }

  void run() {
    if (wanted_.mtu != observed_.mtu) {
      make(Change::Kind::set_mtu).mtu = wanted_.mtu;
    }
    bool const read = !observed_.unread;
    if (read && wanted_.private_key.is_set() && !(wanted_.private_key == observed_.private_key)) {
      make(Change::Kind::set_private_key).private_key = wanted_.private_key;
    }
    if (read && wanted_.listen_port != observed_.listen_port) {
      make(Change::Kind::set_port).listen_port = wanted_.listen_port;
    }
    if (read) {
      peers();
    }
    addresses();
    if (!observed_.up) {
      make(Change::Kind::set_up);
    }
    remove_peers();
  }

 private:
  Change& make(Change::Kind kind) {
    Change change;
    change.kind = kind;
    change.device = wanted_.name;
    out_.push_back(std::move(change));
    return out_.back();
  }

  void peers() {
    for (auto const& peer : wanted_.peers) {
      auto const found = std::find_if(observed_.peers.begin(), observed_.peers.end(),
                                      [&](ObservedPeer const& one) { return one.peer.public_key == peer.public_key; });
      if (found == observed_.peers.end()) {
        auto& change = make(Change::Kind::add_peer);
        change.peer = peer;
        change.set_endpoint = peer.endpoint.has_value();
        change.set_allowed_ips = true;
        change.set_keepalive = peer.keepalive_s != 0;
      } else {
        update(peer, *found);
      }
    }
  }

  void update(Peer const& peer, ObservedPeer const& now) {
    bool const alive = now.last_handshake_s != 0 && now_s_ - now.last_handshake_s < session_life_s;
    bool const endpoint =
        peer.endpoint.has_value() && peer.endpoint != now.peer.endpoint && !(alive && now.peer.endpoint.has_value());
    bool const allowed = sorted(peer.allowed_ips) != sorted(now.peer.allowed_ips);
    bool const keepalive = peer.keepalive_s != now.peer.keepalive_s;
    if (endpoint || allowed || keepalive) {
      auto& change = make(Change::Kind::update_peer);
      change.peer = peer;
      change.set_endpoint = endpoint;
      change.set_allowed_ips = allowed;
      change.set_keepalive = keepalive;
    }
  }

  // Additions first: an interface that loses its last address on the way would lose its routes with it.
  void addresses() {
    for (auto const& address : wanted_.addresses) {
      if (!contains(observed_.addresses, address)) {
        make(Change::Kind::add_address).address = address;
      }
    }
    for (auto const& address : observed_.addresses) {
      if (!contains(wanted_.addresses, address)) {
        make(Change::Kind::remove_address).address = address;
      }
    }
  }

  void remove_peers() {
    for (auto const& now : observed_.peers) {
      bool const kept = std::any_of(wanted_.peers.begin(), wanted_.peers.end(),
                                    [&](Peer const& peer) { return peer.public_key == now.peer.public_key; });
      if (!kept) {
        make(Change::Kind::remove_peer).peer.public_key = now.peer.public_key;
      }
    }
  }

  Device const& wanted_;
  ObservedDevice observed_;
  std::int64_t now_s_;
  std::vector<Change>& out_;
};

std::string describe_peer(Change const& change) {
  std::string out = change.peer.public_key.to_base64();
  if (change.set_endpoint && change.peer.endpoint) {
    out += " endpoint " + change.peer.endpoint->text();
  }
  if (change.set_allowed_ips) {
    out += " allowed";
    for (auto const& network : change.peer.allowed_ips) {
      out += " " + network.text();
    }
  }
  if (change.set_keepalive) {
    out += " keepalive " + std::to_string(change.peer.keepalive_s) + " s";
  }
  return out;
}

}  // namespace

std::string Change::text() const {
  std::string const start = device + ": ";
  switch (kind) {
    case Kind::create_device:
      return start + "create" + (alias.empty() ? "" : " (" + alias + ")");
    case Kind::take_device:
      return start + "take over" + (alias.empty() ? "" : " (" + alias + ")");
    case Kind::set_mtu:
      return start + "set mtu " + std::to_string(mtu);
    case Kind::set_private_key:
      return start + "set the private key of " + public_key(private_key).to_base64();
    case Kind::set_port:
      return start + "listen on port " + std::to_string(listen_port);
    case Kind::add_peer:
      return start + "add peer " + describe_peer(*this);
    case Kind::update_peer:
      return start + "change peer " + describe_peer(*this);
    case Kind::add_address:
      return start + "add address " + address.text();
    case Kind::remove_address:
      return start + "remove address " + address.text();
    case Kind::set_up:
      return start + "set up";
    case Kind::remove_peer:
      return start + "remove peer " + peer.public_key.to_base64();
    case Kind::remove_device:
      return start + "remove";
  }
  return start + "?";
}

// The alias that we give, or our key, should somebody have taken the alias away.
bool is_ours(ObservedDevice const& one, std::vector<Device> const& wanted, Owner owner) {
  std::string const node(owner.node);
  bool const named = one.alias.starts_with(node + "--") || one.alias.ends_with("--" + node);
  return one.wireguard && (named || std::any_of(wanted.begin(), wanted.end(), [&one](Device const& device) {
                             return device.private_key.is_set() && device.private_key == one.private_key;
                           }));
}

std::vector<Change> diff(std::vector<Device> const& wanted, std::vector<ObservedDevice> const& observed, Owner owner,
                         std::int64_t now_s) {
  std::vector<Change> out;
  std::set<std::string> names;
  auto const blocked = conflicts(wanted, observed, owner);
  for (auto const& device : wanted) {
    names.insert(device.name);
    if (std::find(blocked.begin(), blocked.end(), device.name) != blocked.end()) {
      continue;
    }
    auto const found = std::find_if(observed.begin(), observed.end(),
                                    [&](ObservedDevice const& one) { return one.name == device.name; });
    DeviceDiff(device, found == observed.end() ? nullptr : &*found, now_s, out).run();
  }
  for (auto const& device : observed) {
    if (device.name.starts_with(owner.prefix) && !names.contains(device.name) && is_ours(device, wanted, owner)) {
      Change change;
      change.kind = Change::Kind::remove_device;
      change.device = device.name;
      out.push_back(std::move(change));
    }
  }
  return out;
}

std::vector<std::string> conflicts(std::vector<Device> const& wanted, std::vector<ObservedDevice> const& observed,
                                   Owner owner) {
  std::vector<std::string> out;
  for (auto const& device : wanted) {
    bool const taken = std::any_of(observed.begin(), observed.end(), [&](ObservedDevice const& one) {
      return one.name == device.name && !is_ours(one, wanted, owner) && !is_blank(one);
    });
    if (taken) {
      out.push_back(device.name);
    }
  }
  return out;
}

}  // namespace wireguard
