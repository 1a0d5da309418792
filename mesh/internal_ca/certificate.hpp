// Makes an X.509 version 3 certificate (RFC 5280). Private to this module.
//
// Threads: pure functions.
#pragma once

#include "mesh/internal_ca/credentials.hpp"
#include "mesh/internal_ca/openssl.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace internal_ca {

// Clocks of two machines that are both right differ by less than this: what is made now is valid that long since.
inline constexpr std::int64_t clock_skew_s = 300;

struct Extension {
  int nid;
  std::string value;  // as in openssl.cnf
};

struct Wanted {
  std::string subject;         // common name
  X509* issuer = nullptr;      // null: itself
  EVP_PKEY* key = nullptr;     // what is certified, the public half
  EVP_PKEY* signer = nullptr;  // the issuer's
  Validity validity;
  std::vector<Extension> extensions;
};
base::Result<std::string> make_certificate(Wanted const& wanted);  // PEM; errc::crypto

}  // namespace internal_ca
