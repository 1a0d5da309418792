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
  Body body = [state = state_.get(), slots = state_->slots_of(keys), object,
               outcome](Write const& write) -> base::Result<void> {
    state->builder.know_slots(slots);
    SteeringWish wish{write.model.steering(), false, true};
    steering::put(wish.objects, object);
    return set_steering(write, wish, *outcome);
  };
  auto const written = co_await state_->write(std::move(body));
  if (!written) {
    co_return written.error();
  }
  outcome->revision = *written;
  co_return *outcome;
}

net::Task<base::Result<Revision>> Store::write(Body body, std::vector<std::string> endpoints) {
  if (auto const room = state_->check_room(endpoints, State::tenants_reserve); !room) {
    co_return room.error();
  }
  Body known = [state = state_.get(), slots = state_->slots_of(endpoints), body = std::move(body)](Write const& write) {
    state->builder.know_slots(slots);
    return body(write);
  };
  co_return co_await state_->write(std::move(known));
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
  std::map<std::string, std::uint32_t> slots;
  if (!dry_run) {
    slots = state_->slots_of(keys);
  }
  Body body = [state = state_.get(), slots, wish, outcome](Write const& write) {
    state->builder.know_slots(slots);
    // The set is the operator's; what tenants have stays.
    for (steering::Object& object : steering::all(steering::of_tenants(write.model.steering()))) {
      steering::put(wish->objects, std::move(object));
    }
    return set_steering(write, *wish, *outcome);
  };
  auto const written = co_await state_->write(std::move(body));
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
