// Questions to a name server over TCP: one RRset, or a whole zone (AXFR, RFC 5936) with or without TSIG (RFC 8945).
//
// Threads: blocks; belongs to one thread.
#pragma once

#include "dns-backend/migrate/dns_connection.hpp"
#include "dns-backend/migrate/source.hpp"
#include "dns-backend/migrate/transfer.hpp"

#include <optional>
#include <vector>

namespace migrate {

struct Reply {
  unsigned rcode = 0;  // RFC 1035 4.1.1
  bool authoritative = false;
  std::vector<dns::OwnedRRset> answer;
  std::vector<dns::OwnedRRset> authority;
};

class NameServer {
 public:
  NameServer(std::string address, std::uint16_t port) : address_(std::move(address)), port_(port) {}

  // A connection that the server closed meanwhile is opened anew, once.
  base::Result<Reply> ask(dns::Name const& name, dns::RRType type);

  // Every RRset of the zone. Failures: unreachable, and those of Assembly.
  base::Result<std::vector<dns::OwnedRRset>> transfer(dns::Name const& zone, Transfer const& how);

 private:
  base::Result<Reply> ask_once(dns::Name const& name, dns::RRType type);

  std::string address_;
  std::uint16_t port_;
  std::optional<DnsConnection> connection_;
};

// "axfr://host:port/zone": one zone, its kind "native".
base::Result<std::unique_ptr<Source>> open_axfr(std::string const& url, std::optional<store::TsigKey> key,
                                                std::function<void(std::size_t)> progress);

// By the form of `source`: axfr://..., a libpq conninfo (postgresql://..., "host=... dbname=..."), else the path of a
// gsqlite3 database, with or without sqlite://. The other arguments are for transfers.
base::Result<std::unique_ptr<Source>> open_source(std::string const& source, std::optional<store::TsigKey> key,
                                                  std::function<void(std::size_t)> progress);

}  // namespace migrate
