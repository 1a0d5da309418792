// RFC 8555's nouns as values, read from the CA's JSON with bounds, and what a problem document asks us to do.
//
// Bounds: 256 KiB a document, 32 levels, 8 KiB a string, 100 identifiers or authorizations, 20 challenges; URLs are
// http(s) without blanks. Unknown members are ignored, as the RFC demands; a missing or misshapen one that is needed
// is errc::bad_message with its name.
//
// Threads: plain values and pure functions.
#pragma once

#include "acme/crypto/time.hpp"
#include "acme/messages/errc.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace protocol {

using crypto::Time;

// RFC 8555 section 7.1.1.
struct Directory {
  std::string new_nonce, new_account, new_order;
  std::string renewal_info;                     // empty when the CA offers no ARI
  std::string key_change;                       // empty: the CA cannot change an account's key
  std::string revoke_cert;                      // empty: the CA revokes nothing
  std::string terms_of_service;                 // empty: none
  std::map<std::string, std::string> profiles;  // name -> what it is, in the CA's words
  std::vector<std::string> caa_identities;      // what a CAA record must name for this CA to issue
  bool external_account_required = false;
  bool operator==(Directory const&) const = default;
};

// One status set serves orders, authorizations and challenges; not every value is possible for each.
enum class Status { pending, ready, processing, valid, invalid, deactivated, expired, revoked };

// RFC 7807 and RFC 8555 section 6.7.
struct Problem {
  std::string type;    // what follows "urn:ietf:params:acme:error:", or the whole URN of another kind; may be empty
  std::string detail;  // for people
  int status = 0;      // of the HTTP answer
  std::vector<Problem> subproblems;
  std::string identifier;  // of a subproblem
  std::string instance;    // where a person must go (userActionRequired)
  bool operator==(Problem const&) const = default;
  // "rateLimited: too many certificates [www.example.org: caa: ...]"
  [[nodiscard]] std::string text() const;
};

struct Order {
  Status status = Status::pending;
  std::vector<std::string> names;  // dns identifiers, sorted; "*." kept
  std::vector<std::string> authorizations;
  std::string finalize;
  std::string certificate;  // empty unless valid
  std::optional<Time> expires;
  std::optional<Problem> error;
};

struct Challenge {
  std::string type;
  std::string url;  // empty: it cannot be used
  std::string token;
  Status status = Status::pending;
  std::optional<Problem> error;
  std::vector<std::string> issuers;  // of dns-persist-01: "issuer-domain-names", at least one
};

struct Authorization {
  Status status = Status::pending;
  std::string name;  // without "*." (RFC 8555 section 7.1.4)
  bool wildcard = false;
  std::vector<Challenge> challenges;
};

// When the CA would like a certificate to be renewed (RFC 9773 section 4.2).
struct RenewalWindow {
  Time start;
  Time end;
  std::string explanation_url;  // for people; empty: none
  bool operator==(RenewalWindow const&) const = default;
};

[[nodiscard]] base::Result<Directory> parse_directory(std::string_view body);
[[nodiscard]] base::Result<Order> parse_order(std::string_view body);
[[nodiscard]] base::Result<Authorization> parse_authorization(std::string_view body);
// A window that is empty or runs backwards is a bad_message.
[[nodiscard]] base::Result<RenewalWindow> parse_renewal_info(std::string_view body);
// Where an account's orders are listed (RFC 8555 section 7.1.2); empty: this CA lists none.
[[nodiscard]] std::string parse_orders_url(std::string_view account);
// One page of that list (section 7.1.2.1): the orders' URLs.
[[nodiscard]] base::Result<std::vector<std::string>> parse_order_list(std::string_view body);
// The URLs of one Link header whose relation is `relation` (RFC 8288; "alternate" in RFC 8555 section 7.4.2).
[[nodiscard]] std::vector<std::string> links(std::string_view header, std::string_view relation);
// Never fails: a body that is no problem document (a proxy's HTML) gives an empty type and a text made of the status.
[[nodiscard]] Problem parse_problem(std::string_view body, int status);

// Who must act, and when another try makes sense (the classes of RFC 8555's errors as clients meet them).
enum class FailureClass {
  none,
  transient,   // network, 5xx, serverInternal: soon, with backoff
  not_before,  // rateLimited: not before a time the CA names
  deferred,    // a site of ours was not ready; nothing was asked of the CA
  validation,  // the CA looked and did not see the proof: ladder of 1, 10, 100 minutes, then daily
  policy,      // caa, rejectedIdentifier, ...: the ladder too, but a person should look
  account,     // the account is not usable: a person must act
  ours,        // malformed, badCSR, an answer that cannot be right: a defect here or at the CA
};
[[nodiscard]] char const* name(FailureClass failure);
[[nodiscard]] FailureClass classify(Problem const& problem);

}  // namespace protocol
