// CAs that may issue for tenants' names: rows of which every tenant's CAA RRset is made (RFC 8659), beside nothing that
// the tenant has there himself.
//
// Threads: the store thread.
#pragma once

#include "dns-backend/writes/write.hpp"

#include <set>
#include <string>

namespace store {

// `value` is of the properties issue and issuewild, without quotes: "ca.example; accounturi=...". refused: it cannot
// stand in a CAA record. One that is there already changes nothing.
base::Result<void> set_caa_issuer(Write const& write, std::string const& directory_url, std::string const& value);
// Of every other CA: gone.
base::Result<void> keep_caa_issuers(Write const& write, std::set<std::string> const& directories);

}  // namespace store
