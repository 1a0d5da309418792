// Monitors, pools and load balancers: the way to the store thread.
#include "dns-backend/steering/reading/read.hpp"
#include "dns-backend/store/state.hpp"

namespace store {

namespace {

std::vector<std::string> keys_of(steering::Object const& object) {
  steering::Objects one;
  steering::put(one, object);
  return steering::endpoint_keys(one);
}

}  // namespace

std::vector<std::string> origins_in(std::string const& pool, std::string const& body) {
  auto const object = steering::read_json_row(body, steering::Kind::pool, pool);
  return object ? keys_of(*object) : std::vector<std::string>();
}

void add_endpoints(database::Change const& change, std::vector<std::string>& endpoints) {
  std::map<std::string, std::string> texts;
  for (auto const& columns : {change.values, change.key}) {
    for (auto const& [column, value] : columns) {
      if (std::holds_alternative<std::string>(value)) {
        texts[column] = database::text(value);
      }
    }
  }
  if (change.values.empty()) {
    return;
  }
  if (change.table == "endpoint") {
    endpoints.push_back(texts["name"]);
  } else if (change.table == "steering" && texts["kind"] == steering::word(steering::Kind::pool)) {
    auto const origins = origins_in(texts["name"], texts["body"]);
    endpoints.insert(endpoints.end(), origins.begin(), origins.end());
  }
}

net::Task<base::Result<steering::Objects>> Store::steering() {
  std::function<base::Result<steering::Objects>(database::Database&)> const work =
      [state = state_.get()](database::Database&) -> base::Result<steering::Objects> {
    return state->builder.model().steering();
  };
  co_return co_await state_->thread->run<steering::Objects>(work);
}

net::Task<base::Result<SteeringOutcome>> Store::put_steering(steering::Object object) {
  std::vector<std::string> const keys = keys_of(object);
  if (auto const room = state_->check_room(keys, State::operators_reserve); !room) {
    co_return room.error();
  }
  auto const outcome = std::make_shared<SteeringOutcome>();
  Body body = [object, outcome](Write const& write) -> base::Result<void> {
    SteeringWish wish{write.model.steering(), false, true};
    steering::put(wish.objects, object);
    return set_steering(write, wish, *outcome);
  };
  std::function<bool()> const nothing = [outcome] { return !outcome->problems.empty(); };
  std::set<std::string> names(keys.begin(), keys.end());
  auto const written = co_await state_->write_endpoints(std::move(body), std::move(names), nothing);
  if (!written) {
    co_return written.error();
  }
  outcome->revision = *written;
  co_return *outcome;
}

net::Task<base::Result<Revision>> Store::write(Body body, std::vector<std::string> endpoints,
                                               std::function<bool()> nothing) {
  if (auto const room = state_->check_room(endpoints, State::tenants_reserve); !room) {
    co_return room.error();
  }
  std::set<std::string> names(endpoints.begin(), endpoints.end());
  co_return co_await state_->write_endpoints(std::move(body), std::move(names), std::move(nothing));
}

net::Task<base::Result<SteeringOutcome>> Store::apply_steering(steering::Objects wanted, bool dry_run) {
  std::vector<std::string> const keys = steering::endpoint_keys(wanted);
  if (keys.size() > steering::origins_max) {
    co_return refused("more than " + std::to_string(steering::origins_max) + " origins");
  }
  if (auto const room = state_->check_room(keys, State::operators_reserve); !room) {
    co_return room.error();
  }
  auto const outcome = std::make_shared<SteeringOutcome>();
  auto const wish = std::make_shared<SteeringWish>(SteeringWish{std::move(wanted), dry_run, false});
  Body body = [wish, outcome](Write const& write) {
    // The set is the operator's; what tenants have stays.
    for (steering::Object& object : steering::all(steering::of_tenants(write.model.steering()))) {
      steering::put(wish->objects, std::move(object));
    }
    return set_steering(write, *wish, *outcome);
  };
  std::function<bool()> const nothing = [outcome] { return !outcome->problems.empty(); };
  std::set<std::string> names;
  if (!dry_run) {
    names.insert(keys.begin(), keys.end());
  }
  auto const written = co_await state_->write_endpoints(std::move(body), std::move(names), nothing);
  if (!written) {
    co_return written.error();
  }
  outcome->revision = *written;
  co_return *outcome;
}

net::Task<base::Result<Revision>> Store::delete_steering(steering::Kind kind, std::string name) {
  Body body = [kind, name](Write const& write) { return remove_steering(write, kind, name); };
  co_return co_await state_->write(std::move(body));
}

}  // namespace store
