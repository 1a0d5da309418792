#include "dns-backend/cloudflare/sync.hpp"

#include "base/net/backoff.hpp"
#include "base/process/log.hpp"

#include <algorithm>
#include <map>
#include <random>

namespace cloudflare {

struct Sync::State {
  State(net::asio::any_io_executor executor, Client& the_client, Wanted provider, SyncSettings wished)
      : client(the_client),
        wanted(std::move(provider)),
        settings(std::move(wished)),
        backoff(settings.retry_first, settings.retry_limit),
        wake(std::move(executor)) {}

  Client& client;
  Wanted wanted;
  SyncSettings settings;
  net::Backoff backoff;
  net::Signal wake;
  std::minstd_rand random{std::random_device{}()};
  bool running = true;
  bool poked = true;  // the first run needs none
  std::uint64_t runs = 0;
  std::map<std::string, ZoneStatus> zones;  // by zone id
};

namespace {

using StatePtr = std::shared_ptr<Sync::State>;

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string text_of(Obstacle const& obstacle) {
  return obstacle.name.text() + " " + dns::to_text(obstacle.type) + ": " + obstacle.message;
}

std::string text_of(Batch const& batch, base::Failure const& why) {
  std::string what = "a deletion";
  for (auto const* const records : {&batch.patches, &batch.posts}) {
    if (!records->empty()) {
      what = records->front().name.text() + " " + dns::to_text(records->front().type);
    }
  }
  return what + ": " + why.what();
}

// Sends one batch; a rejected one is halved until the operations at fault stand alone in `obstacles`.
net::Task<base::Result<void>> apply_batch(StatePtr state, std::string zone_id, Batch batch) {
  std::vector<Batch> waiting{std::move(batch)};
  while (!waiting.empty()) {
    Batch const next = std::move(waiting.back());
    waiting.pop_back();
    auto const applied = co_await state->client.apply(zone_id, next);
    if (!state->running) {
      co_return base::fail(net::errc::cancelled, "stopped");
    }
    ZoneStatus& status = state->zones[zone_id];
    if (applied) {
      status.writes += next.size();
      continue;
    }
    if (applied.error().code != errc::rejected) {
      co_return applied.error();
    }
    if (next.size() == 1) {
      status.obstacles.push_back(text_of(next, applied.error()));
      continue;
    }
    auto [first, second] = halves(next);
    waiting.push_back(std::move(second));  // deletes come first, also across the halves
    waiting.push_back(std::move(first));
  }
  co_return base::Result<void>();
}

net::Task<base::Result<void>> publish(StatePtr state, WantedZone const zone) {
  auto observed = co_await state->client.list(zone.zone_id);
  if (!observed) {
    co_return observed.error();
  }
  if (!state->running) {
    co_return base::fail(net::errc::cancelled, "stopped");
  }
  Plan const changes = plan(zone.records, *observed, state->settings.mark);
  ZoneStatus& status = state->zones[zone.zone_id];
  status.records = zone.records.size();
  status.obstacles.clear();
  for (auto const* const obstacles : {&zone.obstacles, &changes.obstacles}) {
    for (Obstacle const& obstacle : *obstacles) {
      status.obstacles.push_back(text_of(obstacle));
    }
  }
  for (Batch const& batch : pack(changes.names, state->settings.operations_max)) {
    auto applied = co_await apply_batch(state, zone.zone_id, batch);
    if (!applied) {
      co_return applied;
    }
  }
  co_return base::Result<void>();
}

// True when every zone is published.
net::Task<bool> run_once(StatePtr state) {
  std::vector<WantedZone> const zones = state->wanted();
  std::erase_if(state->zones, [&](auto const& entry) {
    return std::none_of(zones.begin(), zones.end(),
                        [&](WantedZone const& zone) { return zone.zone_id == entry.first; });
  });
  bool complete = true;
  for (WantedZone const& zone : zones) {
    auto const published = co_await publish(state, zone);
    if (!state->running) {
      co_return false;
    }
    ZoneStatus& status = state->zones[zone.zone_id];
    status.zone_id = zone.zone_id;
    status.apex = zone.apex;
    if (published) {
      status.last_error.clear();
      status.published_at_ms = wall_ms();
      continue;
    }
    complete = false;
    if (status.last_error.empty()) {
      process::log::warning("cloudflare", "zone {} is not published: {}", zone.apex.text(), published.error().what());
    }
    status.last_error = published.error().what();
    if (published.error().code == errc::rate_limited) {
      break;  // the limit is the account's: the next zone would be refused as well
    }
  }
  ++state->runs;
  co_return complete;
}

// Waits the whole time unless the object ends; `until_poked` ends it with a poke.
net::Task<void> pause(StatePtr state, std::chrono::milliseconds duration, bool until_poked) {
  auto const end = std::chrono::steady_clock::now() + duration;
  while (state->running && !(until_poked && state->poked)) {
    auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      break;
    }
    co_await state->wake.wait(left);
  }
}

net::Task<void> keep_published(StatePtr state) {
  while (state->running) {
    co_await pause(state, state->settings.coalesce, false);
    state->poked = false;
    if (!state->running) {
      break;
    }
    bool const complete = co_await run_once(state);
    if (!state->running) {
      break;
    }
    if (complete) {
      state->backoff.succeeded();
    } else {
      co_await pause(state, state->backoff.next(static_cast<std::uint32_t>(state->random())), false);
    }
    if (!state->running) {
      break;
    }
    co_await pause(state, state->client.pause(std::chrono::steady_clock::now()), false);
    if (complete) {
      co_await pause(state, state->settings.look_again, true);
    }
  }
}

}  // namespace

Sync::Sync(net::asio::any_io_executor executor, Client& client, Wanted wanted, SyncSettings settings)
    : state_(std::make_shared<State>(executor, client, std::move(wanted), std::move(settings))) {
  ASSERT(!state_->settings.mark.empty() && state_->settings.mark.size() <= 100);
  net::spawn(executor, "cloudflare", keep_published(state_));
}

Sync::~Sync() {
  state_->running = false;
  state_->wake.notify();
}

void Sync::poke() {
  state_->poked = true;
  state_->wake.notify();
}

std::vector<ZoneStatus> Sync::status() const {
  std::vector<ZoneStatus> out;
  for (auto const& [id, status] : state_->zones) {
    out.push_back(status);
  }
  return out;
}

std::uint64_t Sync::runs() const {
  return state_->runs;
}

}  // namespace cloudflare
