// The proofs of control in DNS that a CA may offer: what each is called, where its TXT record is and what it says.
//
//   dns-01          RFC 8555 section 8.4
//   dns-account-01  draft-ietf-acme-dns-account-label: the same value at a name of the account's own, so that several
//                   CAs and several platforms prove one name without sharing one CNAME
//   dns-persist-01  draft-ietf-acme-dns-persist: one record that names CA and account and stays
//
// Threads: plain values and pure functions.
#pragma once

#include "acme/crypto/time.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace protocol {

enum class ChallengeKind { dns01, dns_account01, dns_persist01 };
[[nodiscard]] char const* name(ChallengeKind kind);  // as in a challenge object's "type"
[[nodiscard]] std::optional<ChallengeKind> kind_of(std::string_view name);
// Whether its record stays when the order is over.
[[nodiscard]] inline bool is_standing(ChallengeKind kind) {
  return kind == ChallengeKind::dns_persist01;
}

struct TxtValue {
  std::string name;   // "_acme-challenge.tenant.example", no final dot
  std::string value;  // one TXT string
  auto operator<=>(TxtValue const&) const = default;
};

// What stands before the name that is proved. Empty: the account has no URL yet, and the label is made of it.
[[nodiscard]] std::string challenge_label(ChallengeKind kind, std::string_view account_url);

// "ca.example; accounturi=https://ca.example/acct/1; policy=wildcard; persistUntil=1893456000".
struct StandingProof {
  std::string issuer;  // one of the CA's issuer domain names
  std::string account_url;
  bool wildcard = false;  // for names below, too
  std::optional<crypto::Time> until;
};
[[nodiscard]] std::string standing_value(StandingProof const& proof);

// The end that a standing proof gets now, so that at least half of `life` is left and the value changes only every half
// of it. Nothing with a life of 0: it has no end of its own.
[[nodiscard]] std::optional<crypto::Time> standing_until(crypto::Time now, std::chrono::seconds life);

}  // namespace protocol
