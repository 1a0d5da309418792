#include "dns-backend/feed/follower.hpp"

#include "base/net/backoff.hpp"
#include "base/process/log.hpp"
#include "dns-backend/feed/codec.hpp"

#include <charconv>
#include <random>

namespace feed {

struct Follower::State {
  State(net::asio::any_io_executor executor, store::Store& the_store, net::HttpClient& the_client,
        FollowerSettings wanted, process::Metrics& metrics)
      : store(the_store),
        client(the_client),
        settings(std::move(wanted)),
        backoff(settings.retry_first, settings.retry_limit),
        stopped(executor),
        connected(metrics.gauge("navigator_replica_connected", "1 while the primary can be followed")),
        revision(metrics.gauge("navigator_replica_revision", "Revision applied here")),
        lag(metrics.gauge("navigator_replica_lag_revisions", "How far the primary was ahead at the last contact")),
        failures(metrics.counter("navigator_replica_failures_total", "Polls of the primary that failed")) {}

  store::Store& store;
  net::HttpClient& client;
  FollowerSettings settings;
  net::Backoff backoff;
  std::minstd_rand random{std::random_device{}()};
  net::Signal stopped;  // wakes a backoff
  bool running = true;
  FollowStatus status;
  process::Gauge connected;
  process::Gauge revision;
  process::Gauge lag;
  process::Counter failures;

  void measure() const {
    connected.set(status.connected ? 1 : 0);
    revision.set(static_cast<double>(status.revision));
    lag.set(static_cast<double>(status.lag));
  }
};

namespace {

using StatePtr = std::shared_ptr<Follower::State>;
constexpr std::chrono::milliseconds answer_margin{10000};  // beyond the poll's own wait

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

database::Revision newest_of(net::HttpResponse const& answer, database::Revision otherwise) {
  std::string_view const text = answer.headers.get("Sovereign-Revision");
  database::Revision newest = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), newest);
  return newest;
}

// One question and its answer applied; true when there was something to apply.
net::Task<base::Result<bool>> poll_once(StatePtr state) {
  auto const position = co_await state->store.position();
  if (!position) {
    co_return position.error();
  }
  if (!state->running) {
    co_return false;  // the client may be gone by now
  }
  std::string const url = state->settings.primary_url + "/v1/changes?since=" + std::to_string(position->revision) +
                          "&history=" + position->history + "&wait_ms=" + std::to_string(state->settings.wait.count());
  net::HttpRequest const request;
  auto const answer = co_await state->client.send(url, request, state->settings.wait + answer_margin);
  if (!answer) {
    co_return answer.error();
  }
  if (answer->status != 200) {
    co_return base::fail(errc::bad_message, "the primary answered with status " + std::to_string(answer->status));
  }
  auto changes = parse_changes(answer->body);
  if (!changes) {
    co_return changes.error();
  }
  if (!state->running) {
    co_return false;
  }
  database::Revision const reached = changes->to;
  bool const news = changes->complete || reached > position->revision;
  if (news) {
    auto const applied = co_await state->store.apply_feed(std::move(*changes));
    if (!applied) {
      co_return applied.error();
    }
    ++state->status.batches;
  }
  state->status.lag = std::max<database::Revision>(0, newest_of(*answer, reached) - reached);
  co_return news;
}

void note_success(Follower::State& state) {
  if (!state.status.connected) {
    process::log::info("feed", "following {} at revision {}", state.settings.primary_url, state.status.revision);
  }
  state.status.connected = true;
  state.status.last_error.clear();
  state.status.last_contact_ms = wall_ms();
  state.backoff.succeeded();
}

// Said once for each outage, not at every try.
void note_failure(Follower::State& state, base::Failure const& failure) {
  if (state.status.connected || state.status.last_error.empty()) {
    process::log::warning("feed", "the primary cannot be followed, serving revision {}: {}", state.status.revision,
                          failure.what());
  }
  state.status.connected = false;
  state.status.last_error = failure.what();
  state.failures.add();
}

net::Task<void> follow(StatePtr state) {
  while (state->running) {
    auto const began = std::chrono::steady_clock::now();
    auto const polled = co_await poll_once(state);
    if (!state->running) {
      break;
    }
    state->status.revision = state->store.revision();
    if (polled) {
      note_success(*state);
    } else {
      note_failure(*state, polled.error());
    }
    state->measure();
    // After news, or after a long poll that ran its time, the next question follows at once. A primary that answers
    // "nothing" without waiting must not be asked in a busy loop.
    bool const hasty = polled && !*polled && std::chrono::steady_clock::now() - began < state->settings.wait / 2;
    if (!polled) {
      co_await state->stopped.wait(state->backoff.next(static_cast<std::uint32_t>(state->random())));
    } else if (hasty) {
      co_await state->stopped.wait(state->settings.retry_first);
    }
  }
}

}  // namespace

Follower::Follower(net::asio::any_io_executor executor, store::Store& store, net::HttpClient& client,
                   FollowerSettings settings, process::Metrics& metrics)
    : state_(std::make_shared<State>(executor, store, client, std::move(settings), metrics)) {
  state_->status.revision = store.revision();
  state_->measure();
  net::spawn(executor, "feed follower", follow(state_));
}

Follower::~Follower() {
  state_->running = false;
  state_->stopped.notify();
}

FollowStatus Follower::status() const {
  return state_->status;
}

}  // namespace feed
