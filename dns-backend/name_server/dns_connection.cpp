#include "dns-backend/name_server/dns_connection.hpp"

#include "dns-backend/name_server/error.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace name_server {
namespace {

using Clock = std::chrono::steady_clock;

base::Failure failed(std::string const& doing, int error) {
  return base::fail(errc::unreachable, doing + ": " + std::strerror(error));
}

// Waits until the socket is ready; a failure at the deadline.
base::Result<void> wait_ready(int fd, short events, Clock::time_point until) {
  for (;;) {
    auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd entry{fd, events, 0};
    int const ready = left <= 0 ? 0 : ::poll(&entry, 1, static_cast<int>(left));
    if (ready > 0) {
      return {};
    }
    if (ready == 0) {
      return base::fail(errc::unreachable, "the name server did not answer in time");
    }
    if (errno != EINTR) {
      return failed("wait for the name server", errno);
    }
  }
}

base::Result<void> read_exactly(int fd, char* data, std::size_t size, Clock::time_point until) {
  while (size > 0) {
    if (auto const ready = wait_ready(fd, POLLIN, until); !ready) {
      return ready;
    }
    ssize_t const got = ::recv(fd, data, size, 0);
    if (got == 0) {
      return base::fail(errc::unreachable, "the name server closed the connection");
    }
    if (got < 0 && errno != EAGAIN && errno != EINTR) {
      return failed("read from the name server", errno);
    }
    if (got > 0) {
      data += got;
      size -= static_cast<std::size_t>(got);
    }
  }
  return {};
}

}  // namespace

base::Result<DnsConnection> DnsConnection::open(std::string const& address, std::uint16_t port,
                                                std::chrono::milliseconds deadline) {
  boost::system::error_code bad;
  boost::asio::ip::tcp::endpoint const endpoint(boost::asio::ip::make_address(address, bad), port);
  if (bad) {
    return base::fail(errc::bad_question, "'" + address + "' is not an IP address");
  }
  DnsConnection connection(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  std::string const doing = "connect to " + address + " port " + std::to_string(port);
  if (connection.fd_ < 0) {
    return failed(doing, errno);
  }
  if (::connect(connection.fd_, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 &&
      errno != EINPROGRESS) {
    return failed(doing, errno);
  }
  if (auto const ready = wait_ready(connection.fd_, POLLOUT, Clock::now() + deadline); !ready) {
    return ready.error();
  }
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(connection.fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
    return failed(doing, error == 0 ? errno : error);
  }
  return connection;
}

DnsConnection::DnsConnection(DnsConnection&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

DnsConnection& DnsConnection::operator=(DnsConnection&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

DnsConnection::~DnsConnection() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

base::Result<void> DnsConnection::send(std::string_view message, std::chrono::milliseconds deadline) {
  std::string bytes;
  bytes += static_cast<char>(message.size() >> 8U);
  bytes += static_cast<char>(message.size() & 0xffU);
  bytes += message;
  auto const until = Clock::now() + deadline;
  for (std::size_t at = 0; at < bytes.size();) {
    if (auto const ready = wait_ready(fd_, POLLOUT, until); !ready) {
      return ready;
    }
    ssize_t const sent = ::send(fd_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      return failed("write to the name server", errno);
    }
    at += sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  return {};
}

base::Result<std::string> DnsConnection::receive(std::chrono::milliseconds deadline) {
  auto const until = Clock::now() + deadline;
  unsigned char length[2] = {0, 0};  // NOLINT: two octets of the wire
  if (auto const got = read_exactly(fd_, reinterpret_cast<char*>(length), 2, until); !got) {
    return got.error();
  }
  std::string message((static_cast<std::size_t>(length[0]) << 8U) | length[1], '\0');
  if (auto const got = read_exactly(fd_, message.data(), message.size(), until); !got) {
    return got.error();
  }
  return message;
}

}  // namespace name_server
