// One check of one target with one deadline: tcp, http, https and dns. The verdict is a value with a reason an
// operator understands ("connection refused", "status 503, expected 2xx", "no SOA for stream.example.").
//
// Bounds: the deadline covers name, connect, TLS, request and answer; at most 64 KiB of an answer are read.
//
// Threads: run on the calling loop; no shared state.
#pragma once

#include "base/net/task.hpp"

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace probe {

enum class Type { tcp, http, https, dns };

// Field names are Cloudflare's monitor object's.
struct Check {
  Type type = Type::tcp;
  std::string address;  // where to connect, an IP address: may differ from the one answered in DNS
  unsigned short port = 0;
  std::chrono::milliseconds timeout{1000};
  // http, https
  std::string method = "GET";
  std::string path = "/";
  std::string host;  // Host header and SNI; empty: the address
  std::map<std::string, std::string> header;
  std::string expected_codes = "2xx";  // "200", "2xx", "200,301-399": 100 to 599, at most 64 parts
  std::string expected_body;           // substring of the first 64 KiB; empty: the body is not even read
  bool allow_insecure = true;          // https: accept any certificate
  std::string ca_file;                 // https with allow_insecure = false
  // dns
  std::string qname;             // absolute
  std::string qtype = "SOA";     // the answer must carry this type, authoritative, NOERROR
  std::string expected_content;  // one rdata in presentation form that must be among the answers; empty: any
  bool tcp = false;              // ask over TCP instead of UDP; a cut answer is asked for again over TCP anyway

  bool operator==(Check const&) const = default;
};

struct Verdict {
  bool success = false;
  std::string reason;  // "ok" or why not
  std::chrono::microseconds elapsed{0};
};

net::Task<Verdict> run(Check check);

// "2xx", "200", "301-399", comma-separated. False for a pattern that is not one (then every code fails).
[[nodiscard]] bool code_matches(std::string const& expected_codes, int status);
[[nodiscard]] bool valid_codes(std::string const& expected_codes);

}  // namespace probe
