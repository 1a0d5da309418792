#include "mesh/wireguard/kernel/netlink.hpp"

#include "mesh/wireguard/kernel/netlink_socket.hpp"

#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <openssl/crypto.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace wireguard::netlink {
namespace {

// linux/netlink.h has them as signed expressions.
constexpr std::size_t attribute_header = sizeof(nlattr);
constexpr std::size_t aligned(std::size_t size) {
  return (size + 3U) & ~std::size_t{3U};
}

// Writes netlink attributes into growing bytes; `open` and `close` bracket nested ones.
class Writer {
 public:
  Writer(std::uint16_t family, std::uint8_t command, std::uint16_t flags) {
    bytes_.resize(NLMSG_HDRLEN + GENL_HDRLEN);
    nlmsghdr header{};
    header.nlmsg_type = family;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    std::memcpy(bytes_.data(), &header, sizeof header);
    genlmsghdr generic{};
    generic.cmd = command;
    generic.version = WG_GENL_VERSION;
    std::memcpy(bytes_.data() + NLMSG_HDRLEN, &generic, sizeof generic);
  }

  void put(int type, void const* data, std::size_t size) {
    head(type, size);
    auto const at = bytes_.size();
    bytes_.resize(at + aligned(size));
    std::memcpy(bytes_.data() + at, data, size);
  }
  template <class Value>
  void put(int type, Value const& value) {
    put(type, &value, sizeof value);
  }
  void put_text(int type, std::string const& text) { put(type, text.c_str(), text.size() + 1); }

  std::size_t open(int type) {
    auto const at = bytes_.size();
    head(type | NLA_F_NESTED, 0);
    return at;
  }
  void close(std::size_t at) {
    auto const size = static_cast<std::uint16_t>(bytes_.size() - at);
    std::memcpy(bytes_.data() + at, &size, sizeof size);
  }

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  Bytes take() {
    auto const size = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &size, sizeof size);  // nlmsg_len is the first member
    return std::move(bytes_);
  }

 private:
  void head(int type, std::size_t size) {
    nlattr attribute{};
    attribute.nla_len = static_cast<std::uint16_t>(attribute_header + size);
    attribute.nla_type = static_cast<std::uint16_t>(type);
    auto const at = bytes_.size();
    bytes_.resize(at + attribute_header);
    std::memcpy(bytes_.data() + at, &attribute, sizeof attribute);
  }

  Bytes bytes_;
};

void put_endpoint(Writer& out, Endpoint const& endpoint) {
  if (endpoint.address.is_v4()) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    auto const bytes = endpoint.address.to_v4().to_bytes();
    std::memcpy(&address.sin_addr, bytes.data(), bytes.size());
    out.put(WGPEER_A_ENDPOINT, address);
    return;
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(endpoint.port);
  auto const v6 = endpoint.address.to_v6();
  auto const bytes = v6.to_bytes();
  std::memcpy(&address.sin6_addr, bytes.data(), bytes.size());
  address.sin6_scope_id = static_cast<std::uint32_t>(v6.scope_id());
  out.put(WGPEER_A_ENDPOINT, address);
}

void put_allowed_ip(Writer& out, Network const& network) {
  auto const nest = out.open(0);
  if (network.address.is_v4()) {
    out.put(WGALLOWEDIP_A_FAMILY, static_cast<std::uint16_t>(AF_INET));
    out.put(WGALLOWEDIP_A_IPADDR, network.address.to_v4().to_bytes());
  } else {
    out.put(WGALLOWEDIP_A_FAMILY, static_cast<std::uint16_t>(AF_INET6));
    out.put(WGALLOWEDIP_A_IPADDR, network.address.to_v6().to_bytes());
  }
  out.put(WGALLOWEDIP_A_CIDR_MASK, network.length);
  out.close(nest);
}

// The most that one of these takes, padding and nesting included.
constexpr std::size_t peer_room = 128;
constexpr std::size_t allowed_ip_room = 48;

// Splits one Configuration over as many messages as the limit asks for.
class SetWriter {
 public:
  SetWriter(Configuration const& configuration, std::uint16_t family, std::size_t limit)
      : configuration_(configuration), family_(family), limit_(limit) {
    begin();
    if (configuration.private_key.is_set()) {
      auto const key = configuration.private_key.bytes();
      out_->put(WGDEVICE_A_PRIVATE_KEY, key.data(), key.size());
    }
    if (configuration.listen_port) {
      out_->put(WGDEVICE_A_LISTEN_PORT, *configuration.listen_port);
    }
  }

  std::vector<Bytes> run() {
    for (auto const& setting : configuration_.peers) {
      if (out_->size() + peer_room > limit_) {
        finish();
        begin();
      }
      write(setting);
    }
    finish();
    return std::move(messages_);
  }

 private:
  void begin() {
    out_.emplace(family_, static_cast<std::uint8_t>(WG_CMD_SET_DEVICE), static_cast<std::uint16_t>(NLM_F_ACK));
    out_->put_text(WGDEVICE_A_IFNAME, configuration_.device);
    peers_.reset();
  }

  void finish() {
    if (peers_) {
      out_->close(*peers_);
    }
    messages_.push_back(out_->take());
  }

  std::size_t open_peer(PublicKey const& key, std::uint32_t flags) {
    if (!peers_) {
      peers_ = out_->open(WGDEVICE_A_PEERS);
    }
    auto const nest = out_->open(0);
    out_->put(WGPEER_A_PUBLIC_KEY, key.bytes());
    if (flags != 0) {
      out_->put(WGPEER_A_FLAGS, flags);
    }
    return nest;
  }

  void write(PeerSetting const& setting) {
    std::uint32_t flags = 0;
    flags |= setting.remove ? static_cast<std::uint32_t>(WGPEER_F_REMOVE_ME) : 0U;
    flags |= setting.update_only ? static_cast<std::uint32_t>(WGPEER_F_UPDATE_ONLY) : 0U;
    flags |= setting.replace_allowed_ips ? static_cast<std::uint32_t>(WGPEER_F_REPLACE_ALLOWEDIPS) : 0U;
    auto peer = open_peer(setting.peer.public_key, flags);
    if (!setting.remove) {
      if (setting.set_endpoint && setting.peer.endpoint) {
        put_endpoint(*out_, *setting.peer.endpoint);
      }
      if (setting.set_keepalive) {
        out_->put(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, setting.peer.keepalive_s);
      }
      if (setting.replace_allowed_ips) {
        peer = write_allowed_ips(setting.peer, peer);
      }
    }
    out_->close(peer);
  }

  // The nest of the peer that is open at the end: of a later message when the list was split.
  std::size_t write_allowed_ips(Peer const& value, std::size_t peer) {
    auto list = out_->open(WGPEER_A_ALLOWEDIPS);
    for (auto const& network : value.allowed_ips) {
      if (out_->size() + allowed_ip_room > limit_) {
        out_->close(list);
        out_->close(peer);
        finish();
        begin();
        // The peer exists since the message before; the list goes on and is not replaced again.
        peer = open_peer(value.public_key, static_cast<std::uint32_t>(WGPEER_F_UPDATE_ONLY));
        list = out_->open(WGPEER_A_ALLOWEDIPS);
      }
      put_allowed_ip(*out_, network);
    }
    out_->close(list);
    return peer;
  }

  Configuration const& configuration_;
  std::uint16_t family_;
  std::size_t limit_;
  std::optional<Writer> out_;
  std::optional<std::size_t> peers_;
  std::vector<Bytes> messages_;
};

base::Failure bad(char const* what) {
  return base::fail(errc::bad_message, std::string("the kernel's WireGuard message has ") + what);
}

template <class Value>
bool copy(nlattr const* attribute, Value& out) {
  if (nla_len(attribute) < static_cast<int>(sizeof out)) {
    return false;
  }
  std::memcpy(&out, nla_data(attribute), sizeof out);
  return true;
}

// Calls `take(attribute)` for each attribute inside; `take` says whether it was well-formed.
template <class Take>
bool each_attribute(void const* data, std::size_t size, Take const& take) {
  auto const* position = static_cast<nlattr const*>(data);
  auto left = static_cast<int>(size);
  while (nla_ok(position, left) != 0) {
    if (!take(position)) {
      return false;
    }
    position = nla_next(position, &left);
  }
  return true;
}
template <class Take>
bool each_inside(nlattr const* nest, Take const& take) {
  return each_attribute(nla_data(nest), static_cast<std::size_t>(nla_len(nest)), take);
}

bool read_endpoint(nlattr const* attribute, Peer& peer) {
  sa_family_t family = 0;
  if (!copy(attribute, family)) {
    return false;
  }
  Endpoint endpoint;
  if (family == AF_INET) {
    sockaddr_in address{};
    if (!copy(attribute, address)) {
      return false;
    }
    endpoint.address = boost::asio::ip::address_v4(ntohl(address.sin_addr.s_addr));
    endpoint.port = ntohs(address.sin_port);
  } else if (family == AF_INET6) {
    sockaddr_in6 address{};
    if (!copy(attribute, address)) {
      return false;
    }
    boost::asio::ip::address_v6::bytes_type bytes{};
    std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
    endpoint.address = boost::asio::ip::address_v6(bytes, address.sin6_scope_id);
    endpoint.port = ntohs(address.sin6_port);
  } else {
    return true;  // no endpoint yet
  }
  peer.endpoint = endpoint;
  return true;
}

bool read_allowed_ip(nlattr const* nest, Peer& peer) {
  std::uint16_t family = 0;
  std::uint8_t length = 0;
  nlattr const* address = nullptr;
  auto const take = [&](nlattr const* attribute) {
    switch (nla_type(attribute)) {
      case WGALLOWEDIP_A_FAMILY:
        return copy(attribute, family);
      case WGALLOWEDIP_A_CIDR_MASK:
        return copy(attribute, length);
      case WGALLOWEDIP_A_IPADDR:
        address = attribute;
        return true;
      default:
        return true;
    }
  };
  if (!each_inside(nest, take) || address == nullptr) {
    return false;
  }
  Network network;
  network.length = length;
  if (family == AF_INET) {
    boost::asio::ip::address_v4::bytes_type bytes{};
    if (!copy(address, bytes) || length > 32) {
      return false;
    }
    network.address = boost::asio::ip::address_v4(bytes);
  } else {
    boost::asio::ip::address_v6::bytes_type bytes{};
    if (family != AF_INET6 || !copy(address, bytes) || length > 128) {
      return false;
    }
    network.address = boost::asio::ip::address_v6(bytes);
  }
  peer.allowed_ips.push_back(network);
  return true;
}

bool read_peer(nlattr const* nest, ObservedDevice& device) {
  ObservedPeer found;
  std::array<std::int64_t, 2> handshake{};  // struct __kernel_timespec
  auto const take = [&](nlattr const* attribute) {
    switch (nla_type(attribute)) {
      case WGPEER_A_PUBLIC_KEY: {
        KeyBytes bytes{};
        bool const good = copy(attribute, bytes);
        found.peer.public_key = PublicKey(bytes);
        return good;
      }
      case WGPEER_A_ENDPOINT:
        return read_endpoint(attribute, found.peer);
      case WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL:
        return copy(attribute, found.peer.keepalive_s);
      case WGPEER_A_LAST_HANDSHAKE_TIME:
        return copy(attribute, handshake);
      case WGPEER_A_RX_BYTES:
        return copy(attribute, found.rx_bytes);
      case WGPEER_A_TX_BYTES:
        return copy(attribute, found.tx_bytes);
      case WGPEER_A_ALLOWEDIPS:
        return each_inside(attribute, [&](nlattr const* inner) { return read_allowed_ip(inner, found.peer); });
      default:
        return true;
    }
  };
  if (!each_inside(nest, take) || !found.peer.public_key.is_set()) {
    return false;
  }
  found.last_handshake_s = handshake[0];
  if (!device.peers.empty() && device.peers.back().peer.public_key == found.peer.public_key) {
    // The kernel ran out of room in the middle of this peer's list: the rest came now.
    auto& list = device.peers.back().peer.allowed_ips;
    list.insert(list.end(), found.peer.allowed_ips.begin(), found.peer.allowed_ips.end());
    return true;
  }
  device.peers.push_back(std::move(found));
  return true;
}

}  // namespace

std::vector<Bytes> encode_set(Configuration const& configuration, std::uint16_t family, std::size_t limit) {
  ASSERT(limit >= 1024);
  return SetWriter(configuration, family, limit).run();
}

Bytes encode_get(std::string const& device, std::uint16_t family) {
  Writer out(family, WG_CMD_GET_DEVICE, NLM_F_DUMP);
  out.put_text(WGDEVICE_A_IFNAME, device);
  return out.take();
}

base::Result<void> decode_get(std::span<std::uint8_t const> message, ObservedDevice& device) {
  std::size_t const start = NLMSG_HDRLEN + GENL_HDRLEN;
  nlmsghdr header{};
  if (message.size() < start) {
    return bad("no header");
  }
  std::memcpy(&header, message.data(), sizeof header);
  if (header.nlmsg_len < start || header.nlmsg_len > message.size()) {
    return bad("a length that is not its own");
  }
  auto const take = [&](nlattr const* attribute) {
    switch (nla_type(attribute)) {
      case WGDEVICE_A_IFINDEX:
        return copy(attribute, device.index);
      case WGDEVICE_A_PRIVATE_KEY: {
        KeyBytes bytes{};
        bool const good = copy(attribute, bytes);
        device.private_key = PrivateKey(bytes);
        OPENSSL_cleanse(bytes.data(), bytes.size());
        return good;
      }
      case WGDEVICE_A_LISTEN_PORT:
        return copy(attribute, device.listen_port);
      case WGDEVICE_A_PEERS:
        return each_inside(attribute, [&](nlattr const* peer) { return read_peer(peer, device); });
      default:
        return true;
    }
  };
  if (!each_attribute(message.data() + start, header.nlmsg_len - start, take)) {
    return bad("a malformed attribute");
  }
  return {};
}

struct KernelSocket::State {
  Socket socket;
  std::uint16_t family = 0;
};

KernelSocket::KernelSocket(std::unique_ptr<State> state) : state_(std::move(state)) {}
KernelSocket::KernelSocket(KernelSocket&&) noexcept = default;
KernelSocket& KernelSocket::operator=(KernelSocket&&) noexcept = default;
KernelSocket::~KernelSocket() = default;

base::Result<KernelSocket> KernelSocket::open() {
  auto socket = Socket::open(NETLINK_GENERIC);
  if (!socket) {
    return socket.error();
  }
  auto const family = genl_ctrl_resolve(socket->get(), WG_GENL_NAME);
  if (family < 0) {
    return base::fail(errc::not_supported, "the kernel answers to no netlink family 'wireguard'");
  }
  auto state = std::make_unique<State>(State{std::move(*socket), static_cast<std::uint16_t>(family)});
  return KernelSocket(std::move(state));
}

base::Result<void> KernelSocket::get(ObservedDevice& device) {
  device.peers.clear();
  device.private_key = PrivateKey();
  base::Result<void> decoded;
  auto const take = [&](std::span<std::uint8_t const> message) {
    if (decoded) {
      decoded = decode_get(message, device);
    }
  };
  auto const code = state_->socket.exchange(encode_get(device.name, state_->family), take);
  if (code != 0) {
    return failure_of(code, "reading " + device.name);
  }
  return decoded;
}

base::Result<void> KernelSocket::set(Configuration const& configuration) {
  for (auto& message : encode_set(configuration, state_->family)) {
    auto const code = state_->socket.exchange(message, {});
    OPENSSL_cleanse(message.data(), message.size());
    if (code != 0) {
      return failure_of(code, "setting " + configuration.device);
    }
  }
  return {};
}

}  // namespace wireguard::netlink
