// The vault's rows as values; with keys where the member's name says so.
//
// Threads: plain values and pure functions.
#pragma once

#include "acme/crypto/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vault {

using crypto::Time;

// One name of one tenant. Its id is never given out twice.
struct SubjectRow {
  std::int64_t id = 0;
  std::int64_t tenant_id = 0;
  std::string name;  // without final dot
  Time since{};      // when it was wanted first
  bool operator==(SubjectRow const&) const = default;
};

struct CertificateRow {
  std::int64_t sequence = 0;  // rises with every stored certificate of any subject
  std::int64_t subject_id = 0;
  std::int64_t tenant_id = 0;
  std::string subject{};           // its name
  std::vector<std::string> names;  // sorted
  std::string fingerprint;
  Time not_before;
  Time not_after;
  std::string directory_url{};  // of the CA that issued it; empty: not known (stored before that was kept)
  std::string ari_id{};         // RFC 9773 section 4.1
  std::optional<std::int64_t> revoked_reason{};  // RFC 5280 section 5.3.1; wanted or done
  Time revoked_at{};                             // the CA's confirmation; the epoch: it is still to be told
  bool uploaded = false;                         // the tenant brought it
  bool fallback = true;                          // of an upload: one of our own is ordered before it ends
};

// Who may order certificates. A fence rises with each change of hands and never falls.
struct Lease {
  std::string holder;
  std::int64_t fence = 0;
  Time until;
  bool mine = false;  // until then
};

// How an attempt at a certificate ended; the newest few of each subject are kept.
struct Event {
  std::int64_t subject_id = 0;
  Time at;
  std::string directory_url;
  std::string outcome;  // "issued", or the class of the failure
  std::string detail;
};

// Of one of a CA's limits: when it allows all that it allows again.
struct Bucket {
  std::string directory_url;
  std::string scope;
  std::string key;
  Time full_at;
};

struct Bundle {
  CertificateRow row;
  std::string chain_pem;
  std::string key_pem;
};

// An order that was begun, one for each subject and CA; it exists from before the first request until after its TXT
// values are gone, or until the subject has a certificate.
struct OrderRow {
  std::int64_t subject_id = 0;
  std::vector<std::string> names;
  std::string directory_url;
  std::string order_url;  // empty until the CA answered newOrder
  std::string csr;        // DER
  std::string key_pem;    // sealed at rest
  bool begun = false;     // by an earlier run, which may have asked the CA for it without learning the URL
};

// One that is not gone on with, because the subject has its certificate or wants other names: its CA is still to be
// told that the authorizations are not needed.
struct DroppedOrder {
  std::string directory_url;
  std::string order_url;
  Time since;
};

struct Attempt {
  std::int64_t subject_id = 0;
  std::string directory_url;  // of the CA that refused; empty: holds for every CA
  unsigned failures = 0;      // in a row
  Time not_before;
  std::string detail;
};

struct Acknowledgment {
  std::int64_t subject_id = 0;
  std::string edge;
  std::int64_t sequence = 0;
  std::string fingerprint;
};

// What decides which edges serve a tenant's certificates; without keys.
struct Standing {
  std::vector<CertificateRow> certificates;  // newest last
  std::vector<Acknowledgment> acknowledgments;
};

struct Account {
  std::string key_pem;          // sealed at rest
  std::string url;              // empty: not registered yet
  std::string pending_key_pem;  // sealed at rest; of a change of key that was begun and not ended
};

// What the CA said of a certificate's renewal, and when to ask again.
struct SuggestionRow {
  std::int64_t sequence = 0;  // of the certificate
  Time start;
  Time end;
  Time at;
  std::string explanation_url;
  Time ask_again;
};

// Names as a column keeps them: with blanks between.
[[nodiscard]] std::string joined(std::vector<std::string> const& names);
[[nodiscard]] std::vector<std::string> split(std::string const& text);

}  // namespace vault
