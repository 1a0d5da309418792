// What the routes of PowerDNS's API work with.
//
// Threads: plain values; the functions are called on the control loop.
#pragma once

#include "dns-backend/api/api.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace powerdns {

struct Dependencies {
  api::Dependencies const& api;  // store, administrators, primary
  std::string key = {};          // of X-API-Key; empty: administrators only
  // One command of PowerDNS's control protocol ("NOTIFY example.org") to the pdns_server of this machine, and its
  // answer. Empty: there is none, and what needs it is refused.
  std::function<net::Task<base::Result<std::string>>(std::string)> control = {};
  // Makes PowerDNS forget a name and all below it; how many servers were told. May be empty.
  std::function<std::size_t(dns::Name)> flush = {};
  std::function<std::int64_t()> now_s = {};  // Unix time; empty: the system's clock
  std::int64_t started_s = 0;
};

}  // namespace powerdns
