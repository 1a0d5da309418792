// What a scripted CA does when it is told to, and what it counts.
//
// Threads: plain values.
#pragma once

#include "acme/crypto/time.hpp"
#include "tests/support/scripted_caa.hpp"
#include "tests/support/scripted_limits.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace test {

struct ScriptedKnobs {
  int bad_nonces = 0;    // so many signed requests are refused with badNonce
  int processing = 0;    // so many polls after finalize still say "processing"
  std::chrono::milliseconds processing_for{0};  // and no less than this
  std::string processing_retry_after;           // of those answers
  int rate_limited = 0;  // so many newOrders are refused with Retry-After: 120
  std::map<std::string, int>
      lose;  // kind ("order", "challenge", "finalize", ...) -> so many are done but answered with 503
  std::map<std::string, int> refuse_after;  // so many are done and answered as unauthorized
  std::map<std::string, int> refuse;        // so many are not done and answered so
  std::string eab_kid, eab_key;  // demanded when set
  std::chrono::seconds lifetime{90 * 86400};
  bool deny = false;  // every validation fails
  std::optional<std::pair<crypto::Time, crypto::Time>> window;  // what renewalInfo suggests; offered only when set
  std::string retry_after;                                      // of renewalInfo's answers
  std::string refuse_replaces;         // the problem's type that orders with `replaces` get; empty: they are taken
  std::set<std::string> profiles;      // offered; an order for another one is refused
  bool refuse_profiles = false;        // offered, and refused all the same
  std::string account_mark;  // at the end of URLs of accounts that are made from now on
  std::string caa_identity;            // in the directory; empty: none
  bool alternate = false;              // a second chain, up to "Other Root"
  bool new_terms = false;              // orders get userActionRequired until the account agrees once more
  std::vector<std::string> challenges{"dns-01"};  // offered for each name
  ScriptedLimits limits;               // none unless set
  CaaAnswers caa;                      // asked before a name is held to be proved; empty: CAA is not looked at
  std::set<std::string> silent;        // kinds of requests that are acted on and never answered
  std::size_t orders_a_page = 2;       // of the account's list of orders; 0: the CA has none, as Boulder
};
struct ScriptedCounters {
  int accounts = 0, orders = 0, challenges = 0, finalizes = 0, certificates = 0, bad_requests = 0, deactivations = 0;
  int bindings = 0;  // newAccount calls that carried a good external account binding
  int key_changes = 0, renewal_infos = 0, agreements = 0, limited = 0, polls = 0, caa_refusals = 0, invalid = 0;
  std::map<std::string, int> begun;  // challenges, by type
  std::vector<std::int64_t> revocations;        // their reasons
  std::vector<std::string> replaces, profiles;  // of the orders that carried one
};

}  // namespace test
