// A libnl socket with a deadline, for netlink.cpp and link.cpp: one request out, all its answers in, and the kernel's
// own errno instead of libnl's coarser code.
//
// Threads: one loop; `exchange` blocks for the time of a system call, at most two seconds.
#pragma once

#include "mesh/wireguard/error.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct nl_sock;
struct nl_msg;

namespace wireguard::netlink {

struct FreeSocket {
  void operator()(nl_sock* socket) const;
};

class Socket {
 public:
  static base::Result<Socket> open(int protocol);

  // Sends a complete message and reads until its acknowledgment or the end of the dump; `take` gets every message
  // between. 0, or the errno.
  int exchange(std::vector<std::uint8_t> const& message,
               std::function<void(std::span<std::uint8_t const>)> const& take);

  [[nodiscard]] nl_sock* get() const { return socket_.get(); }

 private:
  explicit Socket(std::unique_ptr<nl_sock, FreeSocket> socket) : socket_(std::move(socket)) {}
  std::unique_ptr<nl_sock, FreeSocket> socket_;
};

// An errno of the kernel as our Failure: EPERM, ENODEV, EADDRINUSE and EOPNOTSUPP have codes of their own.
base::Failure failure_of(int error_number, std::string const& doing);
// The same of a negative libnl code (rtnetlink calls that go through libnl-route).
base::Failure failure_of_libnl(int code, std::string const& doing);

}  // namespace wireguard::netlink
