#include "mesh/controller/costs.hpp"

#include "base/process/log.hpp"
#include "mesh/controller/state.hpp"
#include "mesh/link_costs/times.hpp"

namespace controller {
namespace {

constexpr std::chrono::milliseconds look{2000};

net::Task<void> look_once(Controller::State* state, std::shared_ptr<bool> stopped) {
  auto const changes = state->costs.decide(std::chrono::steady_clock::now());
  if (changes.empty()) {
    co_return;
  }
  for (auto const& change : changes) {
    process::log::info("controller", "link {} costs {} from now on, by its round trips", change.link, change.cost);
  }
  std::function<base::Result<database::Revision>(database::Database&)> const write =
      [changes](database::Database& database) { return link_costs::write_costs(database, changes); };
  auto const written = co_await state->store->run<database::Revision>(write);
  if (*stopped) {
    co_return;
  }
  if (!written) {
    process::log::error("controller", "the costs cannot be kept, nothing changes: {}", written.error().what());
    state->costs.forget(changes);
    state->costs.follow(state->world.measured);
    co_return;
  }
  auto const read = co_await state->refresh();
  if (!read && !*stopped) {
    process::log::error("controller", "reading the world: {}", read.error().what());
  }
}

}  // namespace

net::Task<void> watch_costs(Controller::State* state, std::shared_ptr<bool> stopped) {
  for (;;) {
    bool const waited = co_await net::wait_for(look);
    if (!waited || *stopped) {
      break;
    }
    co_await look_once(state, stopped);
    if (*stopped) {
      break;
    }
  }
}

std::string links_json(Controller::State const& state, std::int64_t now_s) {
  return link_costs::times_json(state.reports, state.world.members, now_s);
}

}  // namespace controller
