// The certificate signing request of an order: subject alternative names only, empty subject (RFC 8555 section 7.4).
//
// Threads: pure functions.
#pragma once

#include "acme/crypto/key.hpp"

#include <string>
#include <vector>

namespace crypto {

// DER. `names` are lower-case A-labels without a final dot, "*." in front allowed; bad_name for others, for none and
// for more than 100 (no CA takes more).
[[nodiscard]] base::Result<std::string> make_csr(Key const& key, std::vector<std::string> const& names);

// Lower-case host name, at most 253 octets, labels of letters, digits, '-' and '_', one leading "*." allowed.
[[nodiscard]] bool is_certificate_name(std::string_view name);

}  // namespace crypto
