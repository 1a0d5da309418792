// Which of a name's certificates is the one to serve: what edges get, and what the issuer renews and shows.
//
// Threads: pure functions.
#pragma once

#include "acme/subjects/subjects.hpp"

#include <map>
#include <string_view>
#include <vector>

namespace acme {

// 2: clients take it; 1: it is revoked, which few of them find out; 0: it is expired, which all of them refuse.
[[nodiscard]] int worth(vault::CertificateRow const& row, crypto::Time now);

// Of the certificates that fit, the newest of those that are worth most. nullptr: none fits.
[[nodiscard]] vault::CertificateRow const* newest(Wanted const& wanted,
                                                  std::vector<vault::CertificateRow> const& certificates,
                                                  crypto::Time now);
// The same for many names of one tenant: by the name of the subject, so that each looks at its own alone.
using CertificatesByName = std::map<std::string_view, std::vector<vault::CertificateRow const*>>;
[[nodiscard]] CertificatesByName by_name(std::vector<vault::CertificateRow> const& certificates);
[[nodiscard]] vault::CertificateRow const* newest(Wanted const& wanted, CertificatesByName const& certificates,
                                                  crypto::Time now);

}  // namespace acme
