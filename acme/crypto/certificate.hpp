// What a PEM chain says, and the checks it must pass before it is stored: the CA's answer is outside input.
//
// Threads: pure functions.
#pragma once

#include "acme/crypto/key.hpp"
#include "acme/crypto/time.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace crypto {

struct Certificate {
  std::string fingerprint;         // SHA-256 of the leaf's DER, lower-case hex
  std::vector<std::string> names;  // subject alternative DNS names of the leaf, lower case, sorted
  Time not_before;
  Time not_after;
  std::size_t chain_length = 0;  // certificates in the text, leaf included
  std::string top_issuer{};      // common name of the issuer of the last one in the text; empty when it has none
  std::string ari_id{};          // RFC 9773 section 4.1; empty when the leaf has no authority key identifier
  bool operator==(Certificate const&) const = default;
};

// Leaf first; at most 10 certificates and 256 KiB. bad_certificate with the reason.
[[nodiscard]] base::Result<Certificate> read_chain(std::string_view pem);

// The first certificate of a chain, DER: what a revocation names.
[[nodiscard]] base::Result<std::string> leaf_der(std::string_view pem);

// read_chain, and: the leaf's public key is ours; its names are exactly `names`; `now` lies in its window (an hour of
// clock difference is forgiven before its begin); it is no CA; each certificate is signed by the next one.
// bad_certificate says which check failed.
[[nodiscard]] base::Result<Certificate> check_issued(std::string_view pem, Key const& key,
                                                     std::vector<std::string> names, Time now);

}  // namespace crypto
