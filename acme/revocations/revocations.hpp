// Revocations that a CA is still to be told of (RFC 8555 section 7.6). Each has the pauses of its failures' class (a CA
// that is away: from a minute to an hour; one that refuses, or is in the settings no more: 1, 10, 100 minutes, then
// daily) and ends when the CA took it or the certificate expired.
//
// Threads: belongs to the control loop; it outlives the coroutines that use it.
#pragma once

#include "acme/authority/authority.hpp"
#include "acme/vault/vault.hpp"
#include "base/net/task.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace acme {

struct PendingRevocation {
  vault::CertificateRow certificate;
  unsigned failures = 0;   // in a row
  Time not_before{};       // of the next try
  std::string last_error;  // empty before the first
};

class Revocations {
 public:
  // `authority_of`: the CA of this directory, if it is in the settings.
  Revocations(vault::Vault& vault, std::function<Authority*(std::string const& directory_url)> authority_of,
              std::chrono::milliseconds first_retry);
  Revocations(Revocations const&) = delete;
  Revocations& operator=(Revocations const&) = delete;

  // Of a certificate whose revocation is written down; told as soon as tell() runs.
  void add(vault::CertificateRow certificate);
  void clear() { pending_.clear(); }

  // Whether one of this subject is pending: its rows are still needed.
  [[nodiscard]] bool holds(std::int64_t subject_id) const;
  // When tell() has something to do; nothing: nothing is pending, or it is at it.
  [[nodiscard]] std::optional<Time> next() const;
  [[nodiscard]] std::vector<PendingRevocation> list() const;  // by sequence

  // Tells the CAs what is due, one after the other. A second call while one is under way does nothing.
  net::Task<void> tell();

 private:
  net::Task<base::Result<void>> tell_one(vault::CertificateRow certificate);

  vault::Vault& vault_;
  std::function<Authority*(std::string const&)> authority_of_;
  std::chrono::milliseconds first_retry_;
  std::map<std::int64_t, PendingRevocation> pending_;  // by sequence
  bool telling_ = false;
};

}  // namespace acme
