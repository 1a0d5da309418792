// TSIG keys and zone metadata, through the daemon or on the store itself while none runs.
//
// Exit codes: 0 done; 1 it failed, one sentence on stderr; 2 the input or the settings are wrong.
//
// Threads: blocking; the command line only.
#pragma once

#include "dns-backend/commands/place.hpp"

#include <string>
#include <vector>

namespace commands {

struct TsigRequest {
  std::string name;
  std::string algorithm = "hmac-sha256";
  std::string secret;  // base64; empty: a new one
};

int tsig_list(Place const& place, Output output);
// Prints the secret.
int tsig_create(Place const& place, TsigRequest const& key);
int tsig_show(Place const& place, std::string const& name);
int tsig_delete(Place const& place, std::string const& name);

// "KIND value" lines; with a kind only that one.
int metadata_get(Place const& place, std::string const& zone, std::string const& kind);
// No values: the kind goes.
int metadata_set(Place const& place, std::string const& zone, std::string const& kind,
                 std::vector<std::string> const& values);

}  // namespace commands
