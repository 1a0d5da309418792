// The listening sockets PowerDNS connects to: made, or taken over from the process before, and let go.
//
// Threads: belongs to the control loop.
#pragma once

#include "base/net/task.hpp"
#include "base/process/descriptors.hpp"
#include "dns-backend/conversation/framing.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <string>

namespace connector {

// "127.0.0.1:18053" or "[::1]:18053". net::errc::bad_message for anything else and for an address that is not a
// loopback one: the protocol has no authentication, and whoever reaches it may write.
base::Result<boost::asio::ip::tcp::endpoint> parse_http_address(std::string const& text);

class Door {
 public:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

  Door(net::asio::any_io_executor executor, Framing framing, std::string address)
      : framing_(framing), address_(std::move(address)), acceptor_(std::move(executor)) {}

  // A unix socket at the address: makes the folder when it alone is missing, removes a stale socket (nobody listens
  // there), binds, sets mode and group. Without a group: "pdns" where there is one and it may be given, else this
  // process's. Failures: net::errc::in_use with the holder's pid, or the system's error with what to do.
  base::Result<void> open_unix(unsigned mode, std::string const& group);
  // A TCP socket at a loopback address. Failures: net::errc::in_use, bad_message, or the system's error.
  base::Result<void> open_http();
  // A socket that listens already. False, and the descriptor is closed, when it listens somewhere else.
  bool take_over(process::Descriptor descriptor);

  // The listening socket once more, for a successor. The socket file then stays when this Door closes.
  base::Result<process::Descriptor> hand_over();
  // hand_over came to nothing: the socket file is this Door's again.
  void keep() { handed_over_ = false; }
  // Closes, and removes the socket file unless it was handed over.
  void close();

  [[nodiscard]] Framing framing() const { return framing_; }
  Acceptor& acceptor() { return acceptor_; }

 private:
  base::Result<void> bind_unix(unsigned mode, std::string const& group);
  // True when it listens at the address, and a unix socket's file is still there.
  [[nodiscard]] bool is_ours(process::Descriptor const& descriptor) const;

  Framing framing_;
  std::string address_;  // path, or host and port
  Acceptor acceptor_;
  bool handed_over_ = false;
};

}  // namespace connector
