// One TCP connection to a name server (RFC 7766): messages out and in, each under a deadline.
//
// Threads: blocks; belongs to one thread.
#pragma once

#include "base/result/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace name_server {

class DnsConnection {
 public:
  // Failures of every call: errc::unreachable with the reason.
  static base::Result<DnsConnection> open(std::string const& address, std::uint16_t port,
                                          std::chrono::milliseconds deadline);
  DnsConnection(DnsConnection&& other) noexcept;
  DnsConnection& operator=(DnsConnection&& other) noexcept;
  ~DnsConnection();

  base::Result<void> send(std::string_view message, std::chrono::milliseconds deadline);
  base::Result<std::string> receive(std::chrono::milliseconds deadline);

 private:
  explicit DnsConnection(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace name_server
