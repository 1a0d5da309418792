#include "dns-backend/store/store.hpp"

#include "base/process/log.hpp"
#include "dns-backend/schema/schema.hpp"
#include "dns-backend/store/state.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>

namespace store {

namespace asio = boost::asio;

void Store::State::publish(database::Database& database, database::Changes const& changes) {
  auto const committed = std::chrono::steady_clock::now();
  database::Changes everything;
  everything.complete = true;
  everything.to = changes.to;
  auto update = builder.apply(database, *current, stale ? everything : changes);
  if (!update) {
    // What is served stays; the caller hears of it, and the next commit reads everything anew.
    stale = true;
    failure = update.error();
    process::log::error("store", "a commit could not be published revision={} error=\"{}\"", changes.to,
                        update.error().what());
    return;
  }
  stale = false;
  failure.reset();
  current = std::move(update->snapshot);
  published.publish(current);
  std::chrono::nanoseconds const took = std::chrono::steady_clock::now() - committed;
  publication_us.store(took.count() / 1000, std::memory_order_relaxed);
  revision.store(current->revision, std::memory_order_release);
  for (std::weak_ptr<Waiter> const& weak : waiters) {
    if (auto const waiter = weak.lock()) {
      asio::post(waiter->executor, [waiter] {
        waiter->notified = true;
        waiter->timer.cancel();
      });
    }
  }
  waiters.clear();
  asio::post(executor, [told = listeners, at = current->revision, touched = std::move(update->touched)] {
    for (auto const& listener : *told) {
      listener(at, touched);
    }
  });
}

base::Result<void> Store::State::settle(database::Database& database) {
  constexpr Revision trim_every = 1000;
  if (database.revision() >= trimmed_at + trim_every) {
    trimmed_at = database.revision();
    if (auto const trimmed = database.trim_log(log_keep); !trimmed) {
      process::log::warning("store", "the change log was not trimmed error=\"{}\"", trimmed.error().what());
    }
  }
  return failure ? base::Result<void>(*failure) : base::Result<void>();
}

net::Task<base::Result<Revision>> Store::State::write(Body body, std::shared_ptr<bool> committed) {
  std::function<base::Result<Revision>(database::Database&)> const work =
      [this, body = std::move(body), committed](database::Database& database) -> base::Result<Revision> {
    if (read_only.load(std::memory_order_acquire)) {
      return base::fail(errc::read_only, "nothing was written");
    }
    auto written = database.write([this, &body](database::Transaction& transaction) {
      return body(Write{transaction, builder.model(), *current});
    });
    if (!written) {
      return written;
    }
    if (committed != nullptr) {
      *committed = true;
    }
    auto const settled = settle(database);
    return settled ? written : settled.error();
  };
  co_return co_await thread->run<Revision>(work);
}

net::Task<base::Result<Revision>> Store::State::write_endpoints(Body body, std::set<std::string> names,
                                                                std::function<bool()> nothing) {
  Body known = [this, slots = reserve_slots(names), body = std::move(body)](Write const& write) {
    builder.know_slots(slots);
    return body(write);
  };
  auto const committed = std::make_shared<bool>(false);
  auto const written = co_await write(std::move(known), committed);
  settle_slots(names, *committed && !(nothing && nothing()));
  co_return written;
}

std::map<std::string, std::uint32_t> Store::State::reserve_slots(std::set<std::string> const& names) {
  std::map<std::string, std::uint32_t> slots;
  for (std::string const& endpoint : names) {
    slots[endpoint] = health.slot(endpoint);
    if (endpoints.insert(endpoint).second) {
      reserved[endpoint] = 0;
    }
    if (auto const found = reserved.find(endpoint); found != reserved.end()) {
      ++found->second;
    }
  }
  return slots;
}

void Store::State::settle_slots(std::set<std::string> const& names, bool written) {
  for (std::string const& endpoint : names) {
    auto const found = reserved.find(endpoint);
    if (found == reserved.end()) {
      continue;  // somebody else wrote it
    }
    bool const last = --found->second == 0;
    if (written || last) {
      reserved.erase(found);
    }
    if (!written && last) {
      endpoints.erase(endpoint);
      health.give_back(endpoint);
    }
  }
}

base::Result<void> Store::State::check_room(std::vector<std::string> const& names, std::size_t reserve) const {
  std::set<std::string> fresh(names.begin(), names.end());
  std::erase_if(fresh, [this](std::string const& name) { return endpoints.contains(name); });
  if (endpoints.size() + fresh.size() + reserve <= pool::HealthTable::slots_max) {
    return {};
  }
  return refused("this process has seen " + std::to_string(endpoints.size()) +
                 " names of endpoints and has no room for the health of more until it is restarted");
}

bool Store::State::add_waiter(std::shared_ptr<Waiter> const& waiter) {
  waiters.remove_if([](auto const& weak) { return weak.expired(); });
  if (waiters.size() >= waiters_max) {
    return false;
  }
  waiters.push_back(waiter);
  return true;
}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::~Store() = default;

base::Result<std::unique_ptr<Store>> Store::open(std::string const& url, std::vector<database::Schema> other_schemas,
                                                 pool::HealthTable& health, net::asio::any_io_executor listeners) {
  std::vector<database::Schema> schemas{schema()};
  std::move(other_schemas.begin(), other_schemas.end(), std::back_inserter(schemas));
  auto database = database::Database::open(url, schemas);
  if (!database) {
    return database.error();
  }
  auto names = (*database)->query("SELECT DISTINCT name FROM endpoint");
  if (!names) {
    return names.error();
  }
  std::map<std::string, std::uint32_t> slots;
  for (database::Row const& row : *names) {
    slots[database::text(row[0])] = health.slot(database::text(row[0]));
  }
  auto bodies = (*database)->query("SELECT name, body FROM steering WHERE kind = 'pool'");
  if (!bodies) {
    return bodies.error();
  }
  for (database::Row const& row : *bodies) {
    for (std::string const& key : origins_in(database::text(row[0]), database::text(row[1]))) {
      slots[key] = health.slot(key);
    }
  }
  Builder builder;
  builder.know_slots(slots);
  auto first = builder.load(**database);
  if (!first) {
    return first.error();
  }
  auto state = std::make_unique<State>(std::move(builder), std::move(*first), health, std::move(listeners));
  for (auto const& [endpoint, slot] : slots) {
    state->endpoints.insert(endpoint);
  }
  state->trimmed_at = (*database)->revision();
  (*database)->on_commit([inside = state.get(), opened = database->get()](database::Changes const& changes) {
    inside->publish(*opened, changes);
  });
  state->thread = std::make_unique<database::StoreThread>(std::move(*database));
  return std::unique_ptr<Store>(new Store(std::move(state)));
}

Published<Snapshot> const& Store::published() const {
  return state_->published;
}

Model const& Store::model() const {
  return state_->builder.model();
}

database::StoreThread& Store::thread() {
  return *state_->thread;
}

void Store::on_publish(std::function<void(Revision, std::vector<Touched>)> listener) {
  state_->listeners->push_back(std::move(listener));
}

std::int64_t Store::publication_us() const {
  return state_->publication_us.load(std::memory_order_relaxed);
}

Revision Store::revision() const {
  return state_->revision.load(std::memory_order_acquire);
}

void Store::close() {
  state_->thread->close();
}

void Store::set_read_only(bool replica) {
  state_->read_only.store(replica, std::memory_order_release);
}

net::Task<base::Result<database::Changes>> Store::changes(Revision since, std::size_t rows_max,
                                                          std::chrono::milliseconds wait, std::string history) {
  auto const executor = co_await asio::this_coro::executor;
  auto const waiter = std::make_shared<Waiter>(executor);
  // Looking and joining the waiters are one step on the store thread, so that no revision falls in between.
  auto const look = [state = state_.get(), since, rows_max, history](database::Database& database, bool join,
                                                                     std::shared_ptr<Waiter> const& joining) {
    auto changes = database.changes_since(since, rows_max, history);
    if (join && changes && !changes->complete && changes->to == since) {
      state->add_waiter(joining);
    }
    return changes;
  };
  bool const join = wait.count() > 0;
  std::function<base::Result<database::Changes>(database::Database&)> const first =
      [look, join, waiter](database::Database& database) { return look(database, join, waiter); };
  auto found = co_await state_->thread->run<database::Changes>(first);
  if (!join || !found || found->complete || found->to != since) {
    co_return found;
  }
  if (!waiter->notified) {
    waiter->timer.expires_after(wait);
    co_await waiter->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (!waiter->notified) {
    co_return found;
  }
  std::function<base::Result<database::Changes>(database::Database&)> const second =
      [look](database::Database& database) { return look(database, false, nullptr); };
  co_return co_await state_->thread->run<database::Changes>(second);
}

net::Task<base::Result<void>> Store::apply_feed(database::Changes changes) {
  std::vector<std::string> endpoints;
  for (database::Change const& change : changes.rows) {
    add_endpoints(change, endpoints);
  }
  if (auto const room = state_->check_room(endpoints, 0); !room) {
    process::log::error("store", "a step of the feed is not taken error=\"{}\"", room.error().what());
    co_return room.error();
  }
  std::set<std::string> const names(endpoints.begin(), endpoints.end());
  auto const slots = state_->reserve_slots(names);
  auto const committed = std::make_shared<bool>(false);
  auto const shared = std::make_shared<database::Changes const>(std::move(changes));
  std::function<base::Result<void>(database::Database&)> const work =
      [state = state_.get(), shared, slots, committed](database::Database& database) -> base::Result<void> {
    state->builder.know_slots(slots);
    if (auto const applied = database.apply_changes(*shared); !applied) {
      return applied;
    }
    *committed = true;
    return state->settle(database);
  };
  auto const applied = co_await state_->thread->run<void>(work);
  state_->settle_slots(names, *committed);
  co_return applied;
}

net::Task<base::Result<Position>> Store::position() {
  std::function<base::Result<Position>(database::Database&)> const work =
      [](database::Database& database) -> base::Result<Position> {
    return Position{database.revision(), database.history()};
  };
  co_return co_await state_->thread->run<Position>(work);
}

}  // namespace store
