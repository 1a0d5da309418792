// Tenants, status, certificates: what the daemon is asked and what is printed. They need the daemon.
//
// Exit codes: 0 done; 1 it failed, one sentence on stderr; 2 the input or the settings are wrong, every problem on
// stderr.
//
// Threads: blocking; the command line only.
#pragma once

#include "dns-backend/commands/place.hpp"

#include <string>
#include <vector>

namespace commands {

struct TenantRequest {
  std::string label;
  std::string plan;
  std::string primary;
  std::vector<std::string> backups;
  std::string zone;  // empty: the domain of the topology
};

int tenant_create(Place const& place, TenantRequest const& tenant, Output output);
int tenant_list(Place const& place, Output output);
int tenant_delete(Place const& place, std::string const& label);

int show_status(Place const& place, Output output);
int show_certificates(Place const& place, Output output);

}  // namespace commands
