// One check of one target with one deadline: tcp, http, https, dns and icmp. The verdict is a value with a reason an
// operator understands ("connection refused", "status 503, expected 2xx", "no SOA for stream.example.").
//
// Bounds: the deadline covers connect, TLS, request, redirects and answer of one attempt; at most 16 KiB of header and
// 64 KiB of body are read of each answer, at most 5 redirects are followed and at most 5 attempts repeated.
//
// Threads: run on the calling loop; no shared state. A Session belongs to one loop.
#pragma once

#include "base/net/task.hpp"
#include "base/probe/http/expected.hpp"

#include <chrono>
#include <compare>
#include <map>
#include <memory>
#include <string>

namespace probe {

// `push` is what the target reports by itself: there is nothing to run.
enum class Type { tcp, http, https, dns, icmp, push };

inline constexpr unsigned redirects_max = 5;
inline constexpr unsigned retries_max = 5;

// Field names are Cloudflare's monitor object's.
struct Check {
  Type type = Type::tcp;
  std::string address;  // where to connect, an IP address: may differ from the one answered in DNS
  unsigned short port = 0;
  std::chrono::milliseconds timeout{1000};  // of each attempt
  unsigned retries = 0;  // further attempts at once after a failed one, within the same check; at most retries_max
  // http, https
  std::string method = "GET";
  std::string path = "/";
  std::string host;  // Host header and SNI; empty: the address
  std::map<std::string, std::string> header;
  std::string expected_codes = "2xx";  // "200", "2xx", "200,301-399": 100 to 599, at most 64 parts
  std::string expected_body;           // substring of the first 64 KiB
  std::string expected_body_pattern;   // RE2 expression found in the first 64 KiB; both empty: the body does not matter
  // A redirect to another host changes the Host header, the SNI and the port; the connection still goes to `address`.
  bool follow_redirects = false;
  bool allow_insecure = true;  // https: accept any certificate
  std::string ca_file;         // https with allow_insecure = false; empty: the system's roots
  // dns
  std::string qname;             // absolute
  std::string qtype = "SOA";     // the answer must carry this type, authoritative, NOERROR
  std::string expected_content;  // one rdata in presentation form that must be among the answers; empty: any
  bool tcp = false;              // ask over TCP instead of UDP; a cut answer is asked for again over TCP anyway

  auto operator<=>(Check const&) const = default;
};

struct Verdict {
  bool success = false;
  std::string reason = {};               // "ok" or why not
  std::chrono::microseconds elapsed{0};  // of the attempt that decided
  // Something to act on though the check may be good: a certificate that expires within 14 days, or has expired.
  std::string warning = {};
};

// One check. Never fails otherwise than by its verdict.
net::Task<Verdict> run(Check check);

// The checks of one watch, one after another. With `keep_connection` an http(s) connection is kept for the next check
// (methods GET and HEAD, at most 5 minutes); should it turn out closed, the check goes on over a fresh one.
class Session {
 public:
  explicit Session(Check check, bool keep_connection = false);
  // A check under way ends by its own deadline and keeps nothing.
  ~Session();
  Session(Session const&) = delete;
  Session& operator=(Session const&) = delete;

  // One check; not while another one of this session runs. The Session may end before the task.
  [[nodiscard]] net::Task<Verdict> run();

 private:
  std::shared_ptr<struct Context> context_;
};

}  // namespace probe
