// The DNS tables and everything that changes them: zones, RRsets, metadata, keys, pools, tenants, load balancers, edge
// readiness.
//
// A Change is all or nothing: it is checked against the snapshot's rules, written in one transaction, the revision
// rises, the touched zones' serials rise, the new snapshot is published, and only then does the caller hear of success.
// The same path runs on a replica, where changes come from the feed instead of a caller (apply_feed).
//
// After each publication listeners get the set of names whose answers may have changed (exact owners, a wildcard's
// subtree marked), from which the PowerDNS purge is made: switch first, purge second.
//
// Threads: coroutines may be awaited from any loop (the work runs on the store thread), except set_pools, put_steering,
// apply_steering and apply_feed, which give out slots of the HealthTable and so belong to the control loop, as open()
// does. Listeners run on the executor given to open(). published(), publication_us(), revision(), zones() and
// set_read_only() may be called from any thread.
// The Store must outlive every task that awaits it.
#pragma once

#include "base/net/task.hpp"
#include "base/store_thread/store_thread.hpp"
#include "dns-backend/dns/rrset.hpp"
#include "dns-backend/pool/health_table.hpp"
#include "dns-backend/snapshot/published.hpp"
#include "dns-backend/snapshot/snapshot.hpp"
#include "dns-backend/tables/rows/rows.hpp"
#include "dns-backend/writes/steering.hpp"
#include "dns-backend/writes/zones.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace store {

using database::Revision;

struct Position {
  Revision revision = 0;
  std::string history;
};

struct ZoneInfo {
  dns::Name apex;
  std::uint32_t serial = 0;
  std::string kind;
  std::size_t names = 0;
  bool secured = false;
  std::vector<std::string> masters = {};
  std::string account = {};
};

class Store {
 public:
  // Builds the first snapshot from the database before it returns (blocking; start-up only).
  static base::Result<std::unique_ptr<Store>> open(std::string const& url, std::vector<database::Schema> other_schemas,
                                                   pool::HealthTable& health, net::asio::any_io_executor listeners);
  ~Store();
  Store(Store const&) = delete;
  Store& operator=(Store const&) = delete;

  [[nodiscard]] Published<Snapshot> const& published() const;
  [[nodiscard]] std::int64_t publication_us() const;  // from the last commit to its snapshot
  // For modules that own tables of their own (acme): same database, same transaction rules.
  [[nodiscard]] database::StoreThread& thread();
  // Called once for every publication with what it touched (nothing, when only other modules' tables changed). Register
  // at start, on the listeners' loop or before it runs.
  void on_publish(std::function<void(Revision, std::vector<Touched>)> listener);

  // One transaction of whoever brings a body (dns-backend/tenants, dns-backend/domains): it sees the tables before it,
  // and is published before this returns. Failures as below, and the body's own.
  net::Task<base::Result<Revision>> write(Body body);
  // The same for one that brings rows of pools: `endpoints` are the names of all their origins. On the control loop;
  // refused when there is no room for their health, which is given back when nothing was written: after a failure, or
  // when `nothing` says so afterwards.
  net::Task<base::Result<Revision>> write(Body body, std::vector<std::string> endpoints,
                                          std::function<bool()> nothing = {});
  // A look at the tables and the database as one picture, on the store thread. `look` must own all it uses and be a
  // named local (see base/net/task.hpp).
  template <class T>
  net::Task<base::Result<T>> read(std::function<base::Result<T>(Model const&, database::Database&)> look) {
    std::function<base::Result<T>(database::Database&)> const work =
        [this, look = std::move(look)](database::Database& database) { return look(model(), database); };
    co_return co_await thread().run<T>(work);
  }

  // --- zones ---
  // Failures of every write: read_only on a replica, the database's own (full, failed, ...), and per call not_found (no
  // such zone, key, tenant, pool), exists (create_tenant) and refused, whose detail names every broken rule it found.
  //
  // Creates or replaces the whole zone; unchanged content changes nothing (idempotent). Serial: the file's SOA serial
  // if it is ahead of the present one, else present + 1; a "slave" zone takes the file's serial as it is.
  net::Task<base::Result<Revision>> import_zone(dns::Name apex, std::vector<dns::OwnedRRset> rrsets);
  // A new zone with its settings in one step; `exists` when there is one. Without RRsets it has no SOA yet: a secondary
  // before its first transfer.
  net::Task<base::Result<Revision>> create_zone(dns::Name apex, ZoneSettings settings,
                                                std::vector<dns::OwnedRRset> rrsets);
  net::Task<base::Result<Revision>> delete_zone(dns::Name apex);
  // Sets (or with empty contents deletes) RRsets; all or nothing. Contents are as dns::normalize_content made them. An
  // SOA among them may carry the serial to take, when it is ahead. The serial of a "slave" zone is its primary's: it
  // moves only with an SOA, to exactly that SOA's serial.
  net::Task<base::Result<Revision>> replace_rrsets(dns::Name apex, std::vector<dns::OwnedRRset> rrsets);
  // Settings, metadata, keys and what is known of notifications and checks are not content: the zone's serial stays.
  net::Task<base::Result<Revision>> set_zone_settings(dns::Name apex, ZoneSettings settings);
  net::Task<base::Result<Revision>> set_metadata(dns::Name apex, std::string kind, std::vector<std::string> values);
  // Yields the id: the key's own when it is above 0 and free, else a new one.
  net::Task<base::Result<std::int64_t>> add_key(dns::Name apex, Key key);
  net::Task<base::Result<Revision>> set_key_state(dns::Name apex, std::int64_t id, std::optional<bool> active,
                                                  std::optional<bool> published);
  net::Task<base::Result<Revision>> remove_key(dns::Name apex, std::int64_t id);
  net::Task<base::Result<Revision>> set_notified_serial(std::int64_t zone_id, std::uint32_t serial);
  // When the zone was last found equal to its primary (Unix time); 0: it must be compared again.
  net::Task<base::Result<Revision>> set_checked(std::int64_t zone_id, std::int64_t at_s);
  net::Task<base::Result<Revision>> set_kind(dns::Name apex, std::string kind);  // the other settings stay
  net::Task<base::Result<Revision>> set_tsig_key(TsigKey key);
  net::Task<base::Result<Revision>> delete_tsig_key(std::string name);
  // One row for each pair of address and name server; setting it again replaces the account.
  net::Task<base::Result<Revision>> set_autoprimary(Autoprimary autoprimary);
  net::Task<base::Result<Revision>> remove_autoprimary(std::string ip, std::string nameserver);
  [[nodiscard]] std::vector<ZoneInfo> zones() const;

  // --- pools and tenants ---
  // Unchanged pools change nothing. A tenant's primary pool cannot go, nor one that a load balancer or pool names.
  net::Task<base::Result<Revision>> set_pools(std::vector<PoolRow> wanted);
  net::Task<base::Result<std::vector<PoolRow>>> pools();
  // `id` of the argument is ignored; `created_at_ms` 0 means now.
  net::Task<base::Result<Tenant>> create_tenant(Tenant tenant);
  net::Task<base::Result<Revision>> delete_tenant(std::string label);
  net::Task<base::Result<std::vector<Tenant>>> tenants();

  // --- monitors, pools and load balancers of the operator (dns-backend/steering) ---
  net::Task<base::Result<steering::Objects>> steering();
  // One object, made or replaced. Problems, not a failure, when it cannot be; then nothing was written.
  net::Task<base::Result<SteeringOutcome>> put_steering(steering::Object object);
  // The whole set replaces the present one; equal: nothing is written. With `dry_run` nothing is written either way.
  net::Task<base::Result<SteeringOutcome>> apply_steering(steering::Objects wanted, bool dry_run = false);
  // not_found; refused, naming its users, while it is in use. `name` as steering::canonical_name() has it.
  net::Task<base::Result<Revision>> delete_steering(steering::Kind kind, std::string name);

  // --- challenges and readiness (acme) ---
  // An additive set: (name, value) rows served as TXT beside whatever the zone has; owner marks who may remove it.
  net::Task<base::Result<Revision>> add_challenges(std::vector<std::pair<dns::Name, std::string>> values,
                                                   std::string owner);
  net::Task<base::Result<Revision>> remove_challenges(std::string owner);
  // Of the owner and of every "owner/..."; of every "...INFIX/X" whose X is not among `keep`.
  net::Task<base::Result<Revision>> remove_challenges_below(std::string owner);
  net::Task<base::Result<Revision>> sweep_challenges(std::string infix, std::set<std::string> keep);
  // The owner has exactly these afterwards; when it had them already, nothing is written.
  net::Task<base::Result<Revision>> set_challenges(std::vector<std::pair<dns::Name, std::string>> values,
                                                   std::string owner);
  // CAs whose `value` is in every tenant's CAA RRset (dns-backend/writes/caa.hpp); of all but `directories` it goes.
  net::Task<base::Result<Revision>> set_caa_issuer(std::string directory_url, std::string value);
  net::Task<base::Result<Revision>> keep_caa_issuers(std::set<std::string> directories);
  // Replaces the set of endpoints that proved to serve the tenant's certificate; nullopt: no restriction.
  net::Task<base::Result<Revision>> set_ready(std::int64_t tenant_id,
                                              std::optional<std::vector<std::string>> endpoints);

  // --- feed ---
  [[nodiscard]] Revision revision() const;
  // Waits up to `wait` for a revision above `since`; then what changed (possibly nothing).
  // A `history` other than the database's yields a complete copy (base/database).
  net::Task<base::Result<database::Changes>> changes(Revision since, std::size_t rows_max,
                                                     std::chrono::milliseconds wait, std::string history = {});
  // What a follower asks with: the present revision and the history it belongs to.
  net::Task<base::Result<Position>> position();
  net::Task<base::Result<void>> apply_feed(database::Changes changes);
  void set_read_only(bool replica);

  // Closes the database, so that another process may open it: every later write fails, what is published stays. Waits
  // for what the store thread has in hand.
  void close();

 private:
  struct State;
  [[nodiscard]] Model const& model() const;  // the store thread
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace store
