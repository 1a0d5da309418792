// Tenants and what is theirs: what the daemon is asked and what is printed. They need the daemon.
//
// Exit codes: 0 done; 1 it failed, one sentence on stderr; 2 the input is wrong, every problem on stderr.
//
// Threads: blocking; the command line only.
#pragma once

#include "dns-backend/commands/place.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace commands {

struct TenantRequest {
  std::string label;
  std::string plan;
  std::string primary;
  std::vector<std::string> backups;
  std::string zone;             // empty: the domain of the topology
  std::string new_label;        // of a rename
  std::int64_t overlap_s = -1;  // of a rename; below 0: as the settings say
  std::string state;
};

int tenant_create(Place const& place, TenantRequest const& tenant, Output output);
int tenant_list(Place const& place, Output output);
int tenant_status(Place const& place, std::string const& label, Output output);
int tenant_clusters(Place const& place, std::string const& label, Output output);
// What the request mentions: a new label, a state, a plan, or clusters.
int tenant_change(Place const& place, TenantRequest const& tenant, Output output);
int tenant_delete(Place const& place, std::string const& label);

struct PoolRequest {
  std::string tenant;
  std::string name;
  std::vector<std::string> origins;  // addresses
  std::vector<std::string> names;    // that it answers at: "@", "www"
  std::string type = "tcp";          // of the check
  std::int64_t port = 443;           // of the check
  std::string path = "/";            // of the check, http and https
};

int pool_list(Place const& place, std::string const& tenant, Output output);
int pool_put(Place const& place, PoolRequest const& pool, Output output);
int pool_delete(Place const& place, PoolRequest const& pool);

// What hosts of the tenant's registered by the protocol of acme-dns.
int registration_list(Place const& place, std::string const& tenant, Output output);
int registration_delete(Place const& place, std::string const& tenant, std::string const& subdomain);

struct RecordRequest {
  std::string tenant;
  std::string name;
  std::string type;
  std::vector<std::string> contents;
  std::int64_t ttl = 300;
};

int record_list(Place const& place, std::string const& tenant, Output output);
int record_set(Place const& place, RecordRequest const& record, Output output);
int record_delete(Place const& place, RecordRequest const& record);

int domain_list(Place const& place, std::string const& tenant, Output output);
int domain_claim(Place const& place, std::string const& tenant, std::string const& name, Output output);
int domain_verify(Place const& place, std::string const& tenant, std::string const& name, Output output);
int domain_remove(Place const& place, std::string const& tenant, std::string const& name);

struct TokenRequest {
  std::string tenant;  // empty: an administrator's
  std::string id;
  std::string note;
  std::int64_t expires_in_s = 0;  // 0: never
  std::vector<std::string> actions, zones, names, types;
};

int token_create(Place const& place, TokenRequest const& token, Output output);
int token_list(Place const& place, std::string const& tenant, Output output);
// With a tenant only one of its tokens.
int token_revoke(Place const& place, std::string const& tenant, std::string const& id);

int show_audit(Place const& place, std::string const& tenant, std::int64_t limit, Output output);

}  // namespace commands
