// A blocking client, as PowerDNS is one, with a deadline on every wait.
#pragma once

#include <cstring>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace test {

class Peer {
 public:
  explicit Peer(std::string const& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    if (::connect(fd_, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect to " + path);
    }
  }
  explicit Peer(int connected) : fd_(connected) {}
  Peer(Peer const&) = delete;
  Peer& operator=(Peer const&) = delete;
  ~Peer() { ::close(fd_); }

  void send(std::string const& text) const {
    if (::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
      throw std::runtime_error("cannot send");
    }
  }
  // Returns when the other side has read all that was sent; throws after 10 s.
  void wait_until_read() const {
    for (int attempt = 0; attempt < 10000; ++attempt) {
      int unread = 0;
      if (::ioctl(fd_, SIOCOUTQ, &unread) != 0 || unread == 0) {
        return;
      }
      ::poll(nullptr, 0, 1);
    }
    throw std::runtime_error("nobody reads");
  }
  // Up to and with the next newline; "" when the peer closed; throws after 10 s.
  std::string line() {
    for (;;) {
      std::size_t const end = buffer_.find('\n');
      if (end != std::string::npos) {
        std::string const out = buffer_.substr(0, end + 1);
        buffer_.erase(0, end + 1);
        return out;
      }
      pollfd waiting{fd_, POLLIN, 0};
      if (::poll(&waiting, 1, 10000) != 1) {
        throw std::runtime_error("no answer within 10 s");
      }
      char piece[4096];
      ssize_t const count = ::recv(fd_, piece, sizeof piece, 0);
      if (count <= 0) {
        return {};
      }
      buffer_.append(piece, static_cast<std::size_t>(count));
    }
  }
  std::string ask(std::string const& request) {
    send(request);
    return line();
  }

 private:
  int fd_;
  std::string buffer_;
};

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline std::uint16_t free_tcp_port() {
  int const probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  bool const bound = ::bind(probe, reinterpret_cast<sockaddr const*>(&address), size) == 0 &&
                     ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(probe);
  if (!bound) {
    throw std::runtime_error("no free port");
  }
  return ntohs(address.sin_port);
}

// A connection to "127.0.0.1:PORT".
inline int loopback_socket(std::string const& where) {
  int const connected = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in const address = loopback(static_cast<std::uint16_t>(std::stoi(where.substr(where.find(':') + 1))));
  if (::connect(connected, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect to " + where);
  }
  return connected;
}

}  // namespace test
