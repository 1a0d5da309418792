// The list of certificates that are revoked before their end (CRL, RFC 5280, section 5), signed by what issues:
// `openssl crl -in ca.crl -noout -text` shows it, and OpenSSL takes it (-crl_check).
//
// Leaves live for 72 hours at most, and so does what the list has to say: who is removed is named until his leaf has
// ended. A list without a newer one is therefore never wrong for long, and its `nextUpdate` is the end of what signed
// it: a controller that is away for days locks nobody out.
//
// Threads: pure functions.
#pragma once

#include "mesh/internal_ca/authority.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace internal_ca {

struct Revoked {
  std::string serial;     // hex, as certificate_serial() says it
  std::int64_t at_s = 0;  // since the epoch
  bool operator==(Revoked const&) const = default;
};

// Of the first certificate of a text, lower-case hex without leading zeros. errc::crypto.
base::Result<std::string> certificate_serial(std::string const& certificate_pem);

// The list, followed by what signed it unless that is the root. `number` must rise from list to list. errc::crypto.
base::Result<std::string> make_revocations(Authority const& authority, std::vector<Revoked> const& revoked,
                                           std::int64_t number, std::int64_t now_s);

// The number of a list that comes from the root, over what is behind it or directly. errc::untrusted, errc::crypto.
base::Result<std::int64_t> verify_revocations(std::string const& list_pem, std::string const& root_pem,
                                              std::int64_t now_s);
// The same of one that was verified before: nothing but its number is read. errc::crypto.
base::Result<std::int64_t> revocations_number(std::string const& list_pem);

}  // namespace internal_ca
