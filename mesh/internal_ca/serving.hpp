// The certificate that the controller itself answers with: issued by its own authority, for one key that never
// changes, because that key's digest is what tokens pin.
//
// Threads: a function over files; it blocks.
#pragma once

#include "mesh/internal_ca/authority.hpp"

#include <cstdint>
#include <string>

namespace internal_ca {

// The name in it, which nodes ask for. No node may have it.
inline constexpr char const* controller_name = "controller";
inline constexpr std::int64_t serving_lifetime_s = 90LL * 24 * 3600;

struct Serving {
  std::string key_sha256;  // of its public key, lower-case hex: what tokens pin
  bool renewed = false;    // the file was written now
  std::string warning;     // why it was not renewed although that is due; empty: it is not
};

// Makes controller.crt for the key in `key_file`, or renews it: when half of its life is over, or when it is not by
// what issues now. A new one must be good for longer than the present one. Errors: files, errc::crypto.
base::Result<Serving> keep_serving_certificate(Authority const& authority, std::string const& key_file,
                                               std::string const& certificate_file, std::int64_t now_s);

}  // namespace internal_ca
