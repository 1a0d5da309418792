// Where a command finds what it works on: the daemon's socket, the store, PowerDNS, or a Navigator elsewhere. And how
// it speaks to people.
//
// Threads: plain values; the command line only.
#pragma once

#include "base/database/database.hpp"
#include "base/net/tls.hpp"
#include "base/result/result.hpp"
#include "dns-backend/commands/remote/remote.hpp"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace commands {

struct Place {
  std::string api_unix;                    // the daemon's API socket
  std::string store_url;                   // opened in this process while no daemon runs
  std::vector<database::Schema> schemas;   // of other modules in the same database
  std::string primary_url;                 // on a replica: who takes every write; else empty
  net::TlsClientSettings primary_tls;      // how it is asked
  std::string pdns_address = "127.0.0.1";  // where this machine's PowerDNS answers, for `check`
  std::uint16_t pdns_port = 53;
  std::optional<Remote> remote;  // asked instead of this machine's daemon and store
  std::string token_file;        // where sign-up puts the token
};

struct Output {
  bool json = false;  // print the daemon's JSON as it is
};

// "navigator: sentence" on stderr; gives back `exit_code`.
inline int say(std::string const& sentence, int exit_code) {
  std::fprintf(stderr, "navigator: %s\n", sentence.c_str());
  return exit_code;
}

}  // namespace commands
