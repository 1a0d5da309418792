// The small tables in memory: everything but the RRsets, indexed the way building and checking ask for them.
//
// Rows come in one by one, from a first reading or from the changes of a commit, and say which names and zones they
// concern. Called by dns-backend/store alone.
//
// Threads: belongs to the store thread.
#pragma once

#include "base/database/database.hpp"
#include "dns-backend/snapshot/zone_builder.hpp"
#include "dns-backend/steering/build.hpp"
#include "dns-backend/tables/rows/rows.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace store {

// One zone's row; everything else about a zone is in other tables.
struct ZoneRow {
  std::int64_t id = 0;
  dns::Name apex;
  std::uint32_t serial = 0;
  std::uint32_t notified_serial = 0;
  std::string kind;
  std::vector<std::string> masters = {};
  std::string account = {};
  std::int64_t last_check_s = 0;
};

// What a batch of changes concerns.
struct Dirty {
  std::set<std::int64_t> zones;                        // zone row, metadata or keys
  std::set<std::int64_t> secured;                      // of these: metadata or keys, so that every signed answer moves
  std::set<dns::Name> names;                           // tenant, load balancer and challenge names
  std::map<std::int64_t, std::set<dns::Name>> owners;  // RRsets
  std::set<std::string> pools;                         // the topology's
  bool steering = false;                               // a pool or load balancer of an operator
  bool tsig = false;
  bool autoprimaries = false;
};

class Model {
 public:
  // Endpoint names and their slots in the HealthTable, which gives them out on another loop. Every endpoint must be
  // known before its row comes in. A name whose write was refused may come with another slot the next time.
  void know_slots(std::map<std::string, std::uint32_t> const& slots) {
    for (auto const& [endpoint, slot] : slots) {
      slots_[endpoint] = slot;
    }
  }

  // Takes every row of the small tables anew.
  base::Result<void> load(database::Database& database);
  // Takes one changed row. Rows that make no sense here (a newer program's) are logged and left out.
  void apply(database::Change const& change, Dirty& dirty);
  // After the last row of a batch: rebuilds the touched pools; the names of tenants and load balancers that answer
  // differently by that become dirty.
  void finish(Dirty& dirty);

  [[nodiscard]] std::map<std::int64_t, ZoneRow> const& zones() const { return zones_; }
  [[nodiscard]] ZoneRow const* zone(dns::Name const& apex) const;
  [[nodiscard]] ZoneRow const* enclosing(dns::Name const& name) const;
  // Metadata and keys into a zone under construction.
  void describe(ZoneRow const& row, Zone& zone) const;
  [[nodiscard]] std::vector<TsigKey> tsig_keys() const;
  [[nodiscard]] std::vector<Autoprimary> autoprimaries() const;
  [[nodiscard]] std::vector<PoolRow> pools() const;  // as they were set
  [[nodiscard]] std::map<std::int64_t, Tenant> const& tenants() const { return tenants_; }
  [[nodiscard]] Tenant const* tenant(std::string const& label) const;
  // The tenant whose name or wildcard `name` is, or that answers there with a pool of its own; by its present or a
  // former label, whatever its state.
  [[nodiscard]] Tenant const* tenant_at(dns::Name const& name) const;
  // The tenant that has the label now or had it before a rename whose overlap is not over.
  [[nodiscard]] Tenant const* tenant_by_any(std::string const& label) const;
  [[nodiscard]] std::map<std::int64_t, Domain> const& domains() const { return domains_; }
  // The verified domain of this name.
  [[nodiscard]] Domain const* domain_at(dns::Name const& name) const;
  // All of a tenant, claims too, by name.
  [[nodiscard]] std::map<std::string, std::int64_t> const& domain_ids_of(std::int64_t tenant) const;
  // The verified ones of a tenant, in the order of their names.
  [[nodiscard]] std::vector<Domain const*> domains_of(std::int64_t tenant) const;
  // The endpoints that proved to serve the tenant's certificate; nullptr: nothing restricts its answers.
  [[nodiscard]] std::vector<std::string> const* ready(std::int64_t tenant) const;
  [[nodiscard]] bool has_pool(std::string const& name) const { return pools_.contains(name); }
  // What a CA's row says of it; empty: it has none.
  [[nodiscard]] std::map<std::string, std::string> const& caa_issuers() const { return caa_issuers_; }
  [[nodiscard]] bool has_challenge(dns::Name const& name) const { return challenges_.contains(name); }
  [[nodiscard]] steering::Objects const& steering() const { return steering_; }
  // The load balancer whose name this is, enabled or not.
  [[nodiscard]] steering::Balancer const* balancer_at(dns::Name const& name) const;
  // Names of load balancers inside `apex`.
  [[nodiscard]] std::vector<dns::Name> balancer_names(dns::Name const& apex) const;
  // Names whose answers differ once `wanted` replaces the objects, given the topology's pools as they are. Every
  // endpoint must be known.
  [[nodiscard]] std::vector<dns::Name> names_changed_by(steering::Objects const& wanted) const;

  // Tenant, load balancer and challenge names inside `apex`.
  [[nodiscard]] std::set<dns::Name> derived_names(dns::Name const& apex) const;

  // Adds to what the RRset table holds at `name` what tenants, load balancers and challenges put there, and the zone's
  // serial.
  [[nodiscard]] Node compose(ZoneRow const& zone, dns::Name const& name, std::vector<dns::RRset> rrsets) const;

  static constexpr std::uint32_t tenant_ttl = 30;
  static constexpr std::uint32_t challenge_ttl = 5;
  static constexpr std::uint32_t caa_ttl = 5;  // CAs alone ask, and wait for a change of it no longer

 private:
  using Columns = std::map<std::string, database::Value>;
  struct PoolState {
    std::int64_t position = 0;
    PoolRow row;  // without endpoints
    std::shared_ptr<pool::Pool const> shared;
  };
  struct EndpointState {
    std::int64_t position = 0;
    PoolRow::EndpointRow row;
  };

  bool take(std::string const& table, Columns const& key, Columns const& values, Dirty& dirty);
  bool take_zone(Columns const& key, Columns const& values, Dirty& dirty);
  bool take_metadata(Columns const& key, Columns const& values, Dirty& dirty);
  bool take_key(Columns const& key, Columns const& values, Dirty& dirty);
  bool take_rrset(Columns const& key, Columns const& values, Dirty& dirty);
  bool take_tsig(Columns const& key, Columns const& values, Dirty& dirty);
  bool take_autoprimary(Columns const& key, Columns const& values, Dirty& dirty);
  bool take_pool(Columns const& key, Columns const& values, Dirty& dirty);
  bool take_endpoint(Columns const& key, Columns const& values, Dirty& dirty);
  bool take_tenant(Columns const& key, Columns const& values, Dirty& dirty);
  bool take_former_label(Columns const& key, Columns const& values, Dirty& dirty);
  bool take_domain(Columns const& key, Columns const& values, Dirty& dirty);
  bool take_challenge(Columns const& key, Columns const& values, Dirty& dirty);
  bool take_caa_issuer(Columns const& key, Columns const& values, Dirty& dirty);
  bool take_readiness(Columns const& key, Columns const& values, Dirty& dirty);
  bool take_steering(Columns const& key, Columns const& values, Dirty& dirty);
  void rebuild_steering(Dirty& dirty);
  void forget_domain_id(Domain const& domain);
  class OwnPool;
  // Names that the tenant's own pools answer at, relative to its name, each with the pool.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> own_pools(std::int64_t tenant) const;
  // Of the tenant's pool that answers at the name; nullptr: none does.
  [[nodiscard]] std::shared_ptr<pool::LoadBalancer const> own_balancer(dns::Name const& name) const;
  [[nodiscard]] std::uint32_t slot_of(std::string const& endpoint) const;
  [[nodiscard]] steering::PoolValues topology_pools() const;
  void touch_tenant(std::int64_t id, Dirty& dirty) const;
  void index_tenant(Tenant const& tenant, bool add);
  void index_names(std::int64_t tenant, std::string const& label, std::string const& zone, bool add);
  [[nodiscard]] std::vector<EndpointState> endpoints_of(std::string const& pool) const;
  [[nodiscard]] std::shared_ptr<pool::Pool const> make_pool(PoolState const& state) const;
  [[nodiscard]] std::shared_ptr<pool::LoadBalancer const> balancer_of(Tenant const& tenant) const;
  void add_caa(Tenant const& tenant, dns::Name const& name, Node& node) const;

  std::map<std::string, std::uint32_t> slots_;
  std::map<std::int64_t, ZoneRow> zones_;
  std::map<dns::Name, std::int64_t> zone_ids_;
  std::map<std::int64_t, std::map<std::string, std::vector<std::string>>> metadata_;  // by zone
  std::map<std::int64_t, std::map<std::int64_t, Key>> keys_;                          // by zone and id
  std::map<std::int64_t, std::int64_t> zone_of_key_;
  std::map<std::string, TsigKey> tsig_;
  std::map<std::pair<std::string, std::string>, Autoprimary> autoprimaries_;  // by address and name server
  std::map<std::string, PoolState> pools_;
  std::map<std::string, std::map<std::string, EndpointState>> endpoints_;  // by pool and name
  std::map<std::int64_t, Tenant> tenants_;
  std::map<std::string, std::int64_t> labels_;
  std::map<dns::Name, std::int64_t> tenant_names_;
  std::map<dns::Name, std::string> own_names_;  // of tenant_names_: those that a pool of the tenant's own answers at
  struct FormerState {
    std::int64_t tenant = 0;
    FormerLabel row;
  };
  std::map<std::string, FormerState> former_;                        // by label
  std::map<std::int64_t, std::set<std::string>> former_of_tenants_;  // labels, of those
  std::map<std::int64_t, Domain> domains_;
  std::map<std::int64_t, std::map<std::string, std::int64_t>> domain_ids_;        // by tenant and name
  std::map<dns::Name, std::int64_t> domain_names_;                                // the verified ones
  std::map<std::int64_t, std::set<dns::Name>> names_of_tenants_;                  // of those
  std::map<dns::Name, std::map<std::string, std::set<std::string>>> challenges_;  // name -> value -> owners
  std::map<std::int64_t, std::vector<std::string>> ready_;
  std::map<std::string, std::string> caa_issuers_;  // value by directory
  steering::Objects steering_;
  steering::PoolValues steering_pools_;              // values of steering_.pools
  steering::BalancerValues balancers_;               // the enabled ones
  std::map<dns::Name, std::string> balancer_names_;  // all
};

}  // namespace store
