// What the tenants' certificates are and why, and what people order of them. They need the daemon.
//
// Threads: blocking; the command line only. Each gives back the exit code.
#pragma once

#include "dns-backend/commands/place.hpp"

#include <string>

namespace commands {

// `tenant`: empty for those of all.
int list_certificates(Place const& place, std::string const& tenant, bool due, Output output);
int explain_certificate(Place const& place, std::string const& name, Output output);
int order_certificate(Place const& place, std::string const& name, bool staging, Output output);
int revoke_certificate(Place const& place, std::string const& name, std::string const& reason);
// A certificate of the tenant's own for one of his names. `key_file` "-": the key is read from standard input; it is
// never an argument, since those are seen by everybody on the machine.
struct UploadWords {
  std::string tenant;
  std::string name;
  std::string chain_file;
  std::string key_file;
  bool fallback = true;
};
int upload_certificate(Place const& place, UploadWords const& words, Output output);
int remove_certificate(Place const& place, std::string const& tenant, std::string const& name);
// The keys that seal. `what`: master, tenant (then with its label), tenants or accounts.
int show_keys(Place const& place, Output output);
int rotate_keys(Place const& place, std::string const& what, std::string const& tenant, Output output);
int list_accounts(Place const& place, Output output);
// `word`: rekey or agree. An empty directory is the first CA's.
int change_account(Place const& place, std::string const& word, std::string const& directory);

}  // namespace commands
