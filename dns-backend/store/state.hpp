// The Store's inside: what lives on the store thread and what leaves it. Private to dns-backend/store.
//
// Threads: builder, current, stale, failure and waiters belong to the store thread; the rest says so itself.
#pragma once

#include "dns-backend/store/store.hpp"
#include "dns-backend/tables/build.hpp"
#include "dns-backend/writes/rules.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace store {

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
  // Of the slots of the health table: the topology may need so many when the load balancers' pools have the rest, and
  // the operator's pools as many again when tenants have.
  static constexpr std::size_t operators_reserve = 10000;
  static constexpr std::size_t tenants_reserve = operators_reserve + steering::origins_max;
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
  // `committed`: set when the transaction was, whatever became of its publication.
  net::Task<base::Result<Revision>> write(Body body, std::shared_ptr<bool> committed = {});
  // As write(), for one that brings rows of these endpoints. On the control loop, where their slots are taken, and
  // given back when nothing was written (`nothing`: the body's own word for that, beside a failure).
  net::Task<base::Result<Revision>> write_endpoints(Body body, std::set<std::string> names,
                                                    std::function<bool()> nothing = {});
  // On the control loop: the slots of endpoint names, for the write of their rows; settle_slots() when that is over.
  [[nodiscard]] std::map<std::string, std::uint32_t> reserve_slots(std::set<std::string> const& names);
  void settle_slots(std::set<std::string> const& names, bool written);
  // Slots of names that were written are never given back, so a process that has seen too many names refuses further
  // ones instead of ending. `reserve`: slots that must be left for others.
  [[nodiscard]] base::Result<void> check_room(std::vector<std::string> const& endpoints, std::size_t reserve) const;
  // False when there are too many.
  bool add_waiter(std::shared_ptr<Waiter> const& waiter);
  // On the store thread, after a write: the failure to publish it, if any.
  base::Result<void> settle(database::Database& database);

  pool::HealthTable& health;                    // the control loop
  std::set<std::string> endpoints;              // that have a slot; the control loop
  std::map<std::string, unsigned> reserved;     // of those: not written yet, by so many writes; the control loop
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

// The settings as they are stored, or everything that is wrong with them (refused).
base::Result<ZoneSettings> check_settings(ZoneSettings settings);

// Names under which health is kept: of the origins in a stored pool, and of what a change brings.
std::vector<std::string> origins_in(std::string const& pool, std::string const& body);
void add_endpoints(database::Change const& change, std::vector<std::string>& endpoints);

}  // namespace store
