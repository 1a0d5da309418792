#include "mesh/controller/rotations.hpp"

#include "base/process/log.hpp"
#include "mesh/controller/state.hpp"
#include "mesh/members/turns.hpp"

namespace controller {
namespace {

constexpr std::chrono::milliseconds look{2000};

net::Task<void> end(Controller::State* state, std::string name, std::string why) {
  process::log::warning("controller", "'{}' keeps its key: {}", name, why);
  std::function<base::Result<void>(database::Database&)> const abandon = [name](database::Database& database) {
    return members::abandon_rotation(database, name);
  };
  auto const ended = co_await state->store->run<void>(abandon);
  if (!ended) {
    process::log::error("controller", "the change of the key of '{}' cannot be ended: {}", name, ended.error().what());
  }
}

net::Task<void> ask(Controller::State* state, std::string name) {
  process::log::info("controller", "the key of '{}' is due to be changed", name);
  std::function<base::Result<void>(database::Database&)> const begin = [name](database::Database& database) {
    return members::ask_for_rotation(database, name, now_seconds());
  };
  auto const asked = co_await state->store->run<void>(begin);
  if (!asked) {
    process::log::error("controller", "the key of '{}' cannot be changed: {}", name, asked.error().what());
  }
}

// Who was let since when; forgets who is done.
void note_let(Controller::State& state, std::int64_t now_s) {
  auto const& rotate = state.world.document.rotate;
  std::erase_if(state.rotating_since_s, [&](auto const& entry) { return !rotate.contains(entry.first); });
  for (auto const& name : rotate) {
    if (state.rotating_since_s.emplace(name, now_s).second) {
      state.rotation_rests.erase(name);
    }
  }
}

net::Task<bool> look_once(Controller::State* state, std::shared_ptr<bool> stopped) {
  auto const now_s = now_seconds();
  bool changed = false;
  note_let(*state, now_s);
  auto const let = state->rotating_since_s;
  for (auto const& [name, since_s] : let) {
    bool const offered = state->world.document.next_keys.contains(name);
    if (now_s - since_s >= (offered ? rotation_limit_s : rotation_offer_s)) {
      std::string const why = offered ? "not all its links run with the next one: see that firewalls let UDP through "
                                        "at each link's second port, 4096 further on"
                                      : "it offers no other";
      state->rotation_rests[name] = {now_s + rotation_rest_s, why};
      co_await end(state, name, why);
      changed = true;
    }
    if (*stopped) {
      co_return false;
    }
  }
  if (state->behind.newest(now_s)) {
    co_return changed;  // the book's keys may be of a former time
  }
  auto const due = members::overdue(state->world.rows, state->settings.rotate_after_s, now_s);
  for (auto const& name : due) {
    auto const rests = state->rotation_rests.find(name);
    if (rests != state->rotation_rests.end() && rests->second.until_s > now_s) {
      continue;
    }
    co_await ask(state, name);
    changed = true;
    if (*stopped) {
      co_return false;
    }
  }
  co_return changed;
}

}  // namespace

net::Task<void> watch_rotations(Controller::State* state, std::shared_ptr<bool> stopped) {
  for (;;) {
    bool const waited = co_await net::wait_for(look);
    if (!waited || *stopped) {
      break;
    }
    bool const changed = co_await look_once(state, stopped);
    if (*stopped) {
      break;
    }
    if (changed) {
      auto const read = co_await state->refresh();
      if (!read && !*stopped) {
        process::log::error("controller", "reading the world: {}", read.error().what());
      }
    }
  }
}

}  // namespace controller
