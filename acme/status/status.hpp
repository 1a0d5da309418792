// What the issuer says of itself: of each subject, of each CA, and of who issues.
//
// Threads: plain data; json_of is a pure function.
#pragma once

#include "acme/schedule/planner.hpp"
#include "acme/vault/vault.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace acme {

struct SubjectStatus {
  std::int64_t subject_id = 0;
  std::int64_t tenant_id = 0;
  std::string tenant;  // its present label
  std::string kind;    // "own", "former", "domain"
  std::string name;    // of the subject, without final dot
  // "waiting", "ordering", "valid", "revoked", "renewing", "failed", "expired", "unwanted"
  std::string state;
  std::vector<std::string> names;  // wanted
  std::string challenge_at;        // name of the TXT record of its proof at the CA that is asked first
  std::string challenge_name;      // that this is delegated to; empty: the values are there
  std::string fingerprint;         // of the present certificate; empty without one
  std::string authority;           // directory URL of the CA that issued it; empty: not known
  std::int64_t not_after_ms = 0;
  std::int64_t renew_at_ms = 0;      // 0 without a certificate
  std::string renew_why;             // "lifetime", or "suggested by the CA" with its explanation's URL when it gave one
  std::string last_error;            // empty after a success
  std::int64_t next_attempt_ms = 0;  // 0 while an order is in flight
  bool alarm = false;                // a fifth of its life or less is left, or
  bool missing = false;              // it never came, and should have long ago
  bool revoked = false;
  bool failing = false;  // a domain that did not lead here at the last look
  std::string source;    // "acme", "upload"; empty without a certificate
  bool fallback = true;  // of an upload: one of our own is ordered before it ends
};

// Who issues, as far as this Navigator knows.
struct IssuerStatus {
  bool leads = false;
  std::string holder;
  std::int64_t fence = 0;
  std::size_t in_flight = 0, waiting = 0;
  std::size_t alarms = 0;   // certificates of whose life a fifth or less is left
  std::size_t missing = 0;  // names without their first one for too long
};

// Everything known of why one subject has its certificate or has none.
struct Explanation {
  SubjectStatus status;
  std::vector<std::pair<std::string, Hindrance>> hindrances;  // with the CA's directory; empty: all
  std::vector<vault::Event> events;                           // newest first
};

struct AuthorityStatus {
  std::string directory_url;
  std::string account_url;                    // empty: not registered, or not looked for since the start
  std::string state;                          // "asked", "resting", "trying" (one order, after a rest)
  unsigned failures = 0;                      // in a row that were the CA's own
  std::string last_error;                     // of the last failure that was the CA's own; empty after an answer
  std::int64_t resting_until_ms = 0;          // 0: it is asked
  std::string action_required;                // where a person must go (userActionRequired); empty: nowhere
  std::vector<std::string> caa_identities{};  // what it answers to in CAA records; empty: not known
  std::string method{};                       // "dns-01", as CAA records name it
};

// As lists, the status and the tenants' own routes show it.
[[nodiscard]] boost::json::object json_of(SubjectStatus const& status);

}  // namespace acme
