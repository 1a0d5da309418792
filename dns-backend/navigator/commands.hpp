// The command line: what each subcommand asks of the daemon (or, for zones without a daemon, of the store) and prints.
//
// Exit codes: 0 done; 1 it failed, one sentence on stderr; 2 the input or the settings are wrong, every problem on stderr.
//
// Threads: blocking; the command line only.
#pragma once

#include "dns-backend/navigator/settings.hpp"

#include <string>
#include <vector>

namespace navigator {

struct Output {
  bool json = false;   // print the daemon's JSON as it is
};

struct TenantRequest {
  std::string label;
  std::string plan;
  std::string primary;
  std::vector<std::string> backups;
  std::string zone;    // empty: the domain of the topology
};

int zone_import(Settings const& settings, std::string const& zone, std::string const& file);
int zone_export(Settings const& settings, std::string const& zone);
int zone_list(Settings const& settings, Output output);
int zone_delete(Settings const& settings, std::string const& zone);

int tenant_create(Settings const& settings, TenantRequest const& tenant, Output output);
int tenant_list(Settings const& settings, Output output);
int tenant_delete(Settings const& settings, std::string const& label);

int show_status(Settings const& settings, Output output);
int show_health(Settings const& settings, Output output);
int show_pools(Settings const& settings, Output output);
int show_certificates(Settings const& settings, Output output);

}  // namespace navigator
