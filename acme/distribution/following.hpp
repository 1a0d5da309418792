// Keeps the fleet and DNS's readiness at what the store and the vault say, by what changed.
//
//   store's log of changes, certificates, acknowledgments, time --> tenants to look at --> Fleet --> edges touched
//                                                                                     \--> Store::set_ready
//
// Everything is read once, at the start; afterwards a change costs its tenant. Whoever needs the present state calls
// catch_up(): one call does it for all who ask meanwhile. At the start what edges acknowledged is the picture "before":
// what they shall serve no longer stays until every site in service has the revision that the start found (DNS first).
//
// A full comparison guards the increments: whatever it finds that no change had told is logged as a defect and mended.
//
// Threads: belongs to the control loop.
#pragma once

#include "acme/distribution/facts.hpp"
#include "acme/fleet/fleet.hpp"
#include "acme/subjects/movements.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace acme {

class Following {
 public:
  // `everywhere`: the revision that every site in service has acknowledged. `touched` hears of edges whose lists
  // changed.
  Following(net::asio::any_io_executor executor, store::Store& store, vault::Vault& vault,
            std::function<store::Revision()> everywhere, std::function<void(Fleet::Edges const&)> touched);
  Following(Following const&) = delete;
  Following& operator=(Following const&) = delete;

  // The store was written, or a site acknowledged.
  void poke();
  // A certificate or an acknowledgment of the tenant was stored or went away.
  void poke(std::int64_t tenant_id);
  // Until stop(); spawn it once.
  net::Task<void> run();
  void stop();

  // The fleet knows of everything that was so when this was called.
  net::Task<base::Result<void>> catch_up();
  [[nodiscard]] Fleet const& fleet() const { return fleet_; }
  // The edge applied the list of this sequence: what it dropped by that is no longer acknowledged by it.
  net::Task<void> heard(std::string edge, std::int64_t applied);
  // The full comparison; how many defects it found.
  net::Task<base::Result<std::size_t>> compare();

  // How often catch_up() went and looked.
  [[nodiscard]] std::uint64_t looks() const { return making_->begun; }

 private:
  [[nodiscard]] bool is_current() const;
  net::Task<base::Result<void>> follow();
  // What is being read of some tenants; `states` is there once it is done.
  struct Reading {
    Reading(net::asio::any_io_executor executor, std::set<std::int64_t> tenants)
        : ids(std::move(tenants)), done(std::move(executor)) {}
    std::set<std::int64_t> ids;
    std::optional<base::Result<TenantStates>> states;
    net::Signal done;
  };
  std::shared_ptr<Reading> read(std::set<std::int64_t> tenants);
  static net::Task<void> fill(std::shared_ptr<Reading> reading, store::Store* store, vault::Vault* vault);
  net::Task<base::Result<void>> take(std::shared_ptr<Reading> reading);
  net::Task<base::Result<void>> take_pools();
  net::Task<base::Result<bool>> settle_readiness(TenantState state);
  net::Task<base::Result<std::size_t>> compare_some(std::set<std::int64_t> tenants);
  void recall(TenantState const& state, store::Revision revision, Fleet::Edges& touched);

  net::asio::any_io_executor executor_;
  store::Store& store_;
  vault::Vault& vault_;
  std::function<store::Revision()> everywhere_;
  std::function<void(Fleet::Edges const&)> touched_;
  Movements movements_;
  Fleet fleet_;
  std::set<std::int64_t> dirty_;  // tenants to look at
  bool loaded_ = false;           // everything was looked at once
  // One call looks for all who ask meanwhile; kept by whoever waits, since a handler may end after this object.
  struct Making {
    explicit Making(net::asio::any_io_executor executor) : done(std::move(executor)) {}
    bool now = false;
    std::uint64_t begun = 0;      // how many
    std::set<std::int64_t> rest;  // tenants that a look was ended before
    net::Signal done;
  };
  std::shared_ptr<Making> making_;
  std::uint64_t made_ = 0;  // the last that succeeded
  bool comparing_ = false;
  std::set<std::int64_t> taken_;  // while comparing
  bool pools_taken_ = false;
  net::Signal wake_;
  bool poked_ = false;
  bool stopped_ = false;
};

}  // namespace acme
