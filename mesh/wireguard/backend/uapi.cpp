#include "mesh/wireguard/backend/uapi.hpp"

#include <openssl/crypto.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <cerrno>
#include <charconv>
#include <optional>

namespace wireguard::uapi {
namespace {

namespace asio = boost::asio;

base::Failure bad(std::string_view line) {
  // The value may be a key: only the name is told.
  return base::fail(
      errc::bad_message,
      "wireguard-go sent the line '" + std::string(line.substr(0, std::min<std::size_t>(line.find('='), 40))) + "'");
}

template <class Number>
bool number(std::string_view text, Number& out) {
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// Calls `take(key, value, line)` for each line up to the empty one or the end; stops at the first failure.
template <class Take>
base::Result<void> each_line(std::string_view text, Take const& take) {
  while (!text.empty()) {
    auto const end = text.find('\n');
    auto const line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty()) {
      break;
    }
    auto const equals = line.find('=');
    if (equals == std::string_view::npos) {
      return bad(line);
    }
    if (auto taken = take(line.substr(0, equals), line.substr(equals + 1), line); !taken) {
      return taken;
    }
  }
  return {};
}

base::Result<void> errno_result(int code, std::string_view doing) {
  if (code == 0) {
    return {};
  }
  auto const positive = code < 0 ? -code : code;
  auto const text = boost::system::error_code(positive, boost::system::generic_category()).message();
  return base::fail(positive == EADDRINUSE ? errc::port_in_use : errc::rejected, std::string(doing) + ": " + text);
}

class Reply {
 public:
  explicit Reply(ObservedDevice& device) : device_(device) {}

  base::Result<void> take(std::string_view key, std::string_view value, std::string_view line) {
    if (key == "private_key") {
      return take_private_key(value);
    }
    if (key == "listen_port") {
      return number(value, device_.listen_port) ? base::Result<void>() : bad(line);
    }
    if (key == "errno") {
      int code = 0;
      if (!number(value, code)) {
        return bad(line);
      }
      errno_ = code;
      return {};
    }
    if (key == "public_key") {
      return take_peer(value);
    }
    return device_.peers.empty() ? base::Result<void>() : take_of_peer(device_.peers.back(), key, value, line);
  }

  [[nodiscard]] std::optional<int> error() const { return errno_; }

 private:
  base::Result<void> take_private_key(std::string_view value) {
    if (value == std::string(2 * key_size, '0')) {
      device_.private_key = PrivateKey();
      return {};
    }
    auto key = PrivateKey::from_hex(value);
    if (!key) {
      return key.error();
    }
    device_.private_key = std::move(*key);
    return {};
  }

  base::Result<void> take_peer(std::string_view value) {
    if (device_.peers.size() >= peers_limit) {
      return base::fail(errc::bad_message, "a device has more than " + std::to_string(peers_limit) + " peers");
    }
    auto key = PublicKey::from_hex(value);
    if (!key) {
      return key.error();
    }
    device_.peers.emplace_back().peer.public_key = *key;
    return {};
  }

  static base::Result<void> take_of_peer(ObservedPeer& peer, std::string_view key, std::string_view value,
                                         std::string_view line) {
    bool good = true;
    if (key == "endpoint") {
      auto endpoint = parse_endpoint(value);
      good = endpoint.has_value();
      if (good) {
        peer.peer.endpoint = *endpoint;
      }
    } else if (key == "allowed_ip") {
      auto network = parse_network(value);
      good = network.has_value();
      if (good) {
        peer.peer.allowed_ips.push_back(*network);
      }
    } else if (key == "persistent_keepalive_interval") {
      good = number(value, peer.peer.keepalive_s);
    } else if (key == "last_handshake_time_sec") {
      good = number(value, peer.last_handshake_s);
    } else if (key == "rx_bytes") {
      good = number(value, peer.rx_bytes);
    } else if (key == "tx_bytes") {
      good = number(value, peer.tx_bytes);
    }
    return good ? base::Result<void>() : bad(line);
  }

  ObservedDevice& device_;
  std::optional<int> errno_;
};

void wipe(std::string& text) {
  OPENSSL_cleanse(text.data(), text.size());
}

asio::awaitable<base::Result<std::string>> exchange(std::string path, std::shared_ptr<std::string> request) {
  auto const executor = co_await asio::this_coro::executor;
  asio::local::stream_protocol::socket socket(executor);
  boost::system::error_code error;
  co_await socket.async_connect(asio::local::stream_protocol::endpoint(path),
                                asio::redirect_error(asio::use_awaitable, error));
  if (error == asio::error::access_denied || error == asio::error::no_permission) {
    co_return base::fail(errc::no_permission, path + ": " + error.message());
  }
  if (error) {
    co_return base::fail(errc::unreachable, path + ": " + error.message());
  }
  co_await asio::async_write(socket, asio::buffer(*request), asio::redirect_error(asio::use_awaitable, error));
  if (error == asio::error::not_connected) {  // its queue is full of callers that it has not taken
    co_return base::fail(net::errc::timed_out, path + ": nobody takes the connection");
  }
  if (error) {
    co_return base::fail(errc::unreachable, path + ": " + error.message());
  }
  std::string reply;
  co_await asio::async_read_until(socket, asio::dynamic_buffer(reply, reply_limit), "\n\n",
                                  asio::redirect_error(asio::use_awaitable, error));
  if (error && (error != asio::error::eof || reply.empty())) {
    wipe(reply);
    co_return base::fail(errc::unreachable, path + ": " + error.message());
  }
  co_return reply;
}

net::Task<base::Result<std::string>> ask(std::string path, std::string request, std::chrono::milliseconds deadline) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    co_return base::fail(errc::unreachable, "the socket path " + path + " is too long");
  }
  auto held = std::make_shared<std::string>(std::move(request));
  auto reply = co_await net::within(deadline, exchange(std::move(path), held));
  wipe(*held);
  co_return reply;
}

}  // namespace

std::string encode_set(Configuration const& configuration) {
  std::string out = "set=1\n";
  if (configuration.private_key.is_set()) {
    out += "private_key=" + configuration.private_key.hex() + "\n";
  }
  if (configuration.listen_port) {
    out += "listen_port=" + std::to_string(*configuration.listen_port) + "\n";
  }
  for (auto const& setting : configuration.peers) {
    out += "public_key=" + setting.peer.public_key.hex() + "\n";
    if (setting.remove) {
      out += "remove=true\n";
      continue;
    }
    if (setting.update_only) {
      out += "update_only=true\n";
    }
    if (setting.set_endpoint && setting.peer.endpoint) {
      out += "endpoint=" + setting.peer.endpoint->text() + "\n";
    }
    if (setting.set_keepalive) {
      out += "persistent_keepalive_interval=" + std::to_string(setting.peer.keepalive_s) + "\n";
    }
    if (setting.replace_allowed_ips) {
      out += "replace_allowed_ips=true\n";
      for (auto const& network : setting.peer.allowed_ips) {
        out += "allowed_ip=" + network.text() + "\n";
      }
    }
  }
  return out + "\n";
}

base::Result<void> decode_get(std::string_view reply, ObservedDevice& device) {
  device.private_key = PrivateKey();
  device.listen_port = 0;
  device.peers.clear();
  Reply reader(device);
  auto const take = [&reader](std::string_view key, std::string_view value, std::string_view line) {
    return reader.take(key, value, line);
  };
  if (auto read = each_line(reply, take); !read) {
    return read;
  }
  if (!reader.error()) {
    return base::fail(errc::bad_message, "wireguard-go's answer ends without errno");
  }
  return errno_result(*reader.error(), "reading " + device.name);
}

base::Result<void> decode_set(std::string_view reply) {
  ObservedDevice ignored;
  Reply reader(ignored);
  auto const take = [&reader](std::string_view key, std::string_view value, std::string_view line) {
    return reader.take(key, value, line);
  };
  if (auto read = each_line(reply, take); !read) {
    return read;
  }
  if (!reader.error()) {
    return base::fail(errc::bad_message, "wireguard-go's answer ends without errno");
  }
  return errno_result(*reader.error(), "wireguard-go");
}

net::Task<base::Result<void>> get(std::string path, ObservedDevice* device, std::chrono::milliseconds deadline) {
  auto reply = co_await ask(std::move(path), "get=1\n\n", deadline);
  if (!reply) {
    co_return reply.error();
  }
  auto const result = decode_get(*reply, *device);
  wipe(*reply);
  co_return result;
}

net::Task<base::Result<void>> set(std::string path, Configuration configuration, std::chrono::milliseconds deadline) {
  auto const device = configuration.device;
  auto const port = configuration.listen_port;
  auto const reply = co_await ask(std::move(path), encode_set(configuration), deadline);
  if (!reply) {
    co_return reply.error();
  }
  auto const result = decode_set(*reply);
  if (!result && result.error().code == errc::port_in_use) {
    co_return base::fail(errc::port_in_use, device + ": another program holds UDP port " +
                                                std::to_string(port.value_or(0)) +
                                                "; stop it or change mesh.port_base");
  }
  co_return result;
}

}  // namespace wireguard::uapi
