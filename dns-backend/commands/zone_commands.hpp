// Zones as the operator handles them. Every command works through the daemon, or on the store itself while none runs.
//
// Exit codes: 0 done; 1 it failed, one sentence on stderr; 2 the input or the settings are wrong, every problem on
// stderr.
//
// Threads: blocking; the command line only.
#pragma once

#include "dns-backend/commands/place.hpp"

#include <optional>
#include <string>
#include <vector>

namespace commands {

struct ZoneRequest {
  std::string name;
  std::optional<std::string> kind;  // native, master, slave
  std::optional<std::vector<std::string>> masters;
  std::optional<std::string> account;
  std::vector<std::string> nameservers;  // of a new zone
  std::string hostmaster;                // of a new zone; empty: hostmaster.NAME
};

int zone_create(Place const& place, ZoneRequest const& zone);
// Changes what `zone` mentions of kind, masters and account.
int zone_set(Place const& place, ZoneRequest const& zone);
int zone_export(Place const& place, std::string const& zone);
int zone_list(Place const& place, Output output);
int zone_delete(Place const& place, std::string const& zone);

// "/v1/zones/example.org."; nullopt after saying why the name is none.
std::optional<std::string> zone_path(std::string const& zone);

}  // namespace commands
