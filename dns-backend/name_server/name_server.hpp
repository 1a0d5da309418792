// Questions to a name server over TCP: one RRset, or a whole zone (AXFR, RFC 5936) with or without TSIG (RFC 8945).
//
// Threads: blocks; belongs to one thread.
#pragma once

#include "dns-backend/name_server/dns_connection.hpp"
#include "dns-backend/name_server/transfer.hpp"

#include <optional>
#include <vector>

namespace name_server {

struct Reply {
  unsigned rcode = 0;  // RFC 1035 4.1.1
  bool authoritative = false;
  std::vector<dns::OwnedRRset> answer;
  std::vector<dns::OwnedRRset> authority;
};

class NameServer {
 public:
  // `recursive`: the questions ask for recursion (RFC 1035 4.1.1, RD), as a resolver wants it.
  NameServer(std::string address, std::uint16_t port, bool recursive = false)
      : address_(std::move(address)), port_(port), recursive_(recursive) {}

  // A connection that the server closed meanwhile is opened anew, once.
  base::Result<Reply> ask(dns::Name const& name, dns::RRType type);

  // Every RRset of the zone. Failures: unreachable, and those of Assembly.
  base::Result<std::vector<dns::OwnedRRset>> transfer(dns::Name const& zone, Transfer const& how);

 private:
  base::Result<Reply> ask_once(dns::Name const& name, dns::RRType type);

  std::string address_;
  std::uint16_t port_;
  bool recursive_;
  std::optional<DnsConnection> connection_;
};

}  // namespace name_server
