// The Store's inside: what lives on the store thread and what leaves it. Private to dns-backend/store.
//
// Threads: builder, current, stale, failure and waiters belong to the store thread; the rest says so itself.
#pragma once

#include "dns-backend/tables/build.hpp"
#include "dns-backend/store/store.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <list>
#include <memory>
#include <optional>
#include <vector>

namespace store {

// What a write body sees: the transaction, and the tables as they were before it.
struct Write {
  database::Transaction& transaction;
  Model const& model;
  Snapshot const& snapshot;

  // One statement whose row count does not matter.
  base::Result<void> run(std::string_view sql, std::vector<database::Value> const& parameters) const;
  // One statement that must hit a row: `missing` when it hits none.
  base::Result<void> run_on_row(std::string_view sql, std::vector<database::Value> const& parameters,
                                base::Failure missing) const;
  base::Result<ZoneRow> zone(dns::Name const& apex) const;
  // The serial becomes `wanted` when that is ahead of it, else one more. A "slave" zone takes `wanted` as it is and
  // otherwise keeps its serial.
  base::Result<void> raise_serial(ZoneRow const& zone, std::optional<std::uint32_t> wanted = {}) const;
};

using Body = std::function<base::Result<void>(Write const&)>;

// A task of some loop that waits for the next revision. Its fields belong to that loop.
struct Waiter {
  explicit Waiter(net::asio::any_io_executor owner) : executor(owner), timer(owner) {}
  net::asio::any_io_executor executor;
  net::asio::steady_timer timer;
  bool notified = false;
};

struct Store::State {
  using Listeners = std::vector<std::function<void(Revision, std::vector<Touched>)>>;
  static constexpr std::size_t waiters_max = 1000;
  static constexpr Revision log_keep = 100000;  // revisions a follower may lag behind before it takes a complete copy

  State(Builder first_builder, Builder::SnapshotPtr first, pool::HealthTable& table,
        net::asio::any_io_executor listeners_executor)
      : health(table),
        published(first),
        revision(first->revision),
        builder(std::move(first_builder)),
        current(std::move(first)),
        executor(std::move(listeners_executor)) {}

  // After a commit, on the store thread: builds, publishes, wakes waiters, tells listeners.
  void publish(database::Database& database, database::Changes const& changes);
  net::Task<base::Result<Revision>> write(Body body);
  // On the control loop: the slots of endpoint names.
  [[nodiscard]] std::map<std::string, std::uint32_t> slots_of(std::vector<std::string> const& endpoints) const;
  // False when there are too many.
  bool add_waiter(std::shared_ptr<Waiter> const& waiter);
  // On the store thread, after a write: the failure to publish it, if any.
  base::Result<void> settle(database::Database& database);

  pool::HealthTable& health;                    // the control loop
  Published<Snapshot> published;                // any thread
  std::atomic<Revision> revision;               // any thread
  std::atomic<std::int64_t> publication_us{0};  // any thread
  std::atomic<bool> read_only{false};           // any thread
  Builder builder;
  Builder::SnapshotPtr current;
  bool stale = false;                    // a publication failed: the next one reads everything
  std::optional<base::Failure> failure;  // of the last publication
  std::list<std::weak_ptr<Waiter>> waiters;
  Revision trimmed_at = 0;
  net::asio::any_io_executor executor;
  std::shared_ptr<Listeners> listeners = std::make_shared<Listeners>();  // the listeners' loop
  std::unique_ptr<database::StoreThread> thread;  // last: it finishes its queue before anything above goes
};

// Against a rule of the tables; the detail says which.
inline base::Failure refused(std::string why) {
  return base::fail(errc::refused, std::move(why));
}

// The settings as they are stored, or everything that is wrong with them (refused).
base::Result<ZoneSettings> check_settings(ZoneSettings settings);

// Types that a balancer cannot stand beside: addresses, what replaces them, and what takes the name away.
bool takes_addresses(dns::RRType type);

// What tenants and challenges forbid at a name of `zone` that is to hold `rrsets`.
base::Result<void> check_derived(Write const& write, dns::Name const& name, std::vector<dns::RRset> const& rrsets);

}  // namespace store
