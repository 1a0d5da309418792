// What the tenants' certificates are and why, and what people order of them. They need the daemon.
//
// Threads: blocking; the command line only. Each gives back the exit code.
#pragma once

#include "dns-backend/commands/place.hpp"

#include <string>

namespace commands {

int list_certificates(Place const& place, bool due, Output output);
int explain_certificate(Place const& place, std::string const& name, Output output);
int order_certificate(Place const& place, std::string const& name, bool staging, Output output);
int revoke_certificate(Place const& place, std::string const& name, std::string const& reason);
int list_accounts(Place const& place, Output output);
// `word`: rekey or agree. An empty directory is the first CA's.
int change_account(Place const& place, std::string const& word, std::string const& directory);

}  // namespace commands
