#include "acme/challenge/challenge.hpp"

#include "acme/crypto/encoding.hpp"

#include <cstddef>
#include <cstdint>

namespace protocol {
namespace {

constexpr std::size_t account_octets = 10;  // of the digest; 16 letters

// RFC 4648 section 6 in lower case; 5 octets are 8 letters, so that ten need no padding.
std::string base32(std::string_view octets) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  unsigned bits = 0;
  unsigned count = 0;
  for (char const octet : octets) {
    bits = (bits << 8U) | static_cast<unsigned char>(octet);
    for (count += 8; count >= 5; count -= 5) {
      text += letters[(bits >> (count - 5)) & 31U];
    }
    bits &= (1U << count) - 1;
  }
  return text;
}

}  // namespace

char const* name(ChallengeKind kind) {
  switch (kind) {
    case ChallengeKind::dns_account01:
      return "dns-account-01";
    case ChallengeKind::dns_persist01:
      return "dns-persist-01";
    case ChallengeKind::dns01:
      break;
  }
  return "dns-01";
}

std::optional<ChallengeKind> kind_of(std::string_view text) {
  for (auto const kind : {ChallengeKind::dns01, ChallengeKind::dns_account01, ChallengeKind::dns_persist01}) {
    if (text == name(kind)) {
      return kind;
    }
  }
  return std::nullopt;
}

std::string challenge_label(ChallengeKind kind, std::string_view account_url) {
  switch (kind) {
    case ChallengeKind::dns_account01:
      return account_url.empty()
                 ? std::string()
                 : "_" + base32(crypto::sha256(account_url).substr(0, account_octets)) + "._acme-challenge";
    case ChallengeKind::dns_persist01:
      return "_validation-persist";
    case ChallengeKind::dns01:
      break;
  }
  return "_acme-challenge";
}

std::string standing_value(StandingProof const& proof) {
  std::string text = proof.issuer + "; accounturi=" + proof.account_url;
  if (proof.wildcard) {
    text += "; policy=wildcard";
  }
  if (proof.until) {
    text += "; persistUntil=" + std::to_string(crypto::to_ms(*proof.until) / 1000);
  }
  return text;
}

std::optional<crypto::Time> standing_until(crypto::Time now, std::chrono::seconds life) {
  std::int64_t const half = life.count() / 2;
  if (half <= 0) {
    return std::nullopt;
  }
  std::int64_t const at = (crypto::to_ms(now) / 1000 / half + 2) * half;
  return crypto::Time(std::chrono::milliseconds(at * 1000));
}

}  // namespace protocol
