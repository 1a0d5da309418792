#include "dns-backend/purge/purge.hpp"

#include "base/net/backoff.hpp"
#include "base/process/log.hpp"
#include "dns-backend/purge/purge_queue.hpp"
#include "dns-backend/snapshot/leading.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace purge {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

base::Failure system_failure(boost::system::error_code const& error, std::string const& doing) {
  return base::fail_errno(error.value(), doing);
}

net::Task<base::Result<std::string>> converse(std::string path, std::string command) {
  constexpr std::size_t answer_max = 65536;
  if (path.size() > 107) {
    co_return base::fail_errno(ENAMETOOLONG, "connecting to " + path);
  }
  asio::any_io_executor const executor = co_await asio::this_coro::executor;
  asio::local::stream_protocol::socket socket(executor);
  boost::system::error_code error;
  co_await socket.async_connect(asio::local::stream_protocol::endpoint(path),
                                asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    co_return system_failure(error, "connecting to " + path);
  }
  co_await asio::async_write(socket, asio::buffer(command), asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    co_return system_failure(error, "writing to " + path);
  }
  std::string answer;
  std::array<char, 1024> piece{};
  for (;;) {
    std::size_t const count =
        co_await socket.async_read_some(asio::buffer(piece), asio::redirect_error(asio::use_awaitable, error));
    answer.append(piece.data(), count);
    if (error == asio::error::eof) {
      break;
    }
    if (error) {
      co_return system_failure(error, "reading from " + path);
    }
    if (answer.size() > answer_max) {
      co_return base::fail(net::errc::too_large, path + " answers without end");
    }
  }
  while (!answer.empty() && (answer.back() == '\n' || answer.back() == ' ')) {
    answer.pop_back();
  }
  co_return answer;
}

}  // namespace

net::Task<base::Result<std::string>> control(std::string socket, std::string command, milliseconds deadline) {
  base::Result<std::string> answer =
      co_await net::within<std::string>(deadline, converse(std::move(socket), std::move(command)));
  co_return answer;
}

// One PowerDNS. Its task keeps it alive until the Purger has gone.
struct Purger::Target {
  Target(asio::any_io_executor executor, PurgerSettings const& settings, std::string const& socket,
         process::Metrics& metrics)
      : path(socket),
        deadline(settings.deadline),
        queue(settings.echo),
        wake(executor),
        commands(metrics.counter("navigator_purge_commands_total", "Purge commands PowerDNS took", {{"socket", path}})),
        failures(metrics.counter("navigator_purge_failures_total", "Purge commands that failed", {{"socket", path}})),
        waiting(metrics.gauge("navigator_purge_waiting", "Names not purged yet", {{"socket", path}})) {
    status.socket = path;
  }

  std::string path;
  milliseconds deadline;
  PurgeQueue queue;
  net::Signal wake;
  PurgeStatus status;
  process::Counter commands, failures;
  process::Gauge waiting;
  net::Backoff backoff{milliseconds(250), milliseconds(5000)};
  bool stopped = false;

  static net::Task<void> run(std::shared_ptr<Target> self);
  net::Task<void> idle();
  // The wait before the next try; zero after a success.
  net::Task<milliseconds> deliver(PurgeBatch batch);
};

net::Task<milliseconds> Purger::Target::deliver(PurgeBatch batch) {
  base::Result<std::string> const answer = co_await control(path, batch.command(), deadline);
  std::uint64_t dropped = 0;
  bool const understood =
      answer && std::from_chars(answer->data(), answer->data() + answer->size(), dropped).ec == std::errc();
  if (understood) {
    queue.succeeded();
    backoff.succeeded();
    status.commands += 1;
    status.entries += dropped;
    if (!status.last_error.empty()) {
      process::log::info("purge", "{} takes purges again", path);
      status.last_error.clear();
    }
    commands.add();
    co_return milliseconds(0);
  }
  std::string const error = answer ? path + " answered '" + answer->substr(0, 100) + "'" : answer.error().what();
  if (error != status.last_error) {
    process::log::warning("purge", "{}", error);
  }
  status.last_error = error;
  status.failures += 1;
  failures.add();
  queue.failed(std::move(batch));
  co_return backoff.next(static_cast<std::uint32_t>(Clock::now().time_since_epoch().count()));
}

net::Task<void> Purger::Target::idle() {
  // Woken by purge(); without anything to do the wait has no meaning and is merely repeated.
  milliseconds wait(60000);
  if (auto const due = queue.next_due(Clock::now())) {
    wait = std::clamp(std::chrono::ceil<milliseconds>(*due - Clock::now()), milliseconds(0), wait);
  }
  if (wait > milliseconds(0)) {
    co_await wake.wait(wait);
  }
}

net::Task<void> Purger::Target::run(std::shared_ptr<Target> self) {
  while (!self->stopped) {
    std::optional<PurgeBatch> batch = self->queue.take(Clock::now());
    self->waiting.set(static_cast<double>(self->queue.waiting()));
    if (!batch) {
      co_await self->idle();
      continue;
    }
    milliseconds const pause = co_await self->deliver(std::move(*batch));
    Clock::time_point const until = Clock::now() + pause;
    // New names may come in meanwhile and do not hasten a PowerDNS that is not there.
    while (!self->stopped && Clock::now() < until) {
      co_await self->wake.wait(std::chrono::ceil<milliseconds>(until - Clock::now()));
    }
  }
}

Purger::Purger(asio::any_io_executor executor, PurgerSettings settings, process::Metrics& metrics) {
  for (std::string const& socket : settings.sockets) {
    auto const target = std::make_shared<Target>(executor, settings, socket, metrics);
    targets_.push_back(target);
    net::spawn(executor, "purge " + socket, Target::run(target));
  }
}

Purger::~Purger() {
  for (auto const& target : targets_) {
    target->stopped = true;
    target->wake.notify();
  }
}

void Purger::purge(std::vector<store::Touched> const& names) {
  for (auto const& target : targets_) {
    target->queue.add(names, Clock::now());
    target->waiting.set(static_cast<double>(target->queue.waiting()));
    target->wake.notify();
  }
}

void Purger::purge_everything() {
  for (auto const& target : targets_) {
    target->queue.add_everything();
    target->wake.notify();
  }
}

void Purger::zones_listed(store::Snapshot const& snapshot) {
  purge(store::with_leading(snapshot, arrivals_.listed(snapshot, Clock::now())));
}

std::vector<PurgeStatus> Purger::status() const {
  std::vector<PurgeStatus> list;
  for (auto const& target : targets_) {
    PurgeStatus one = target->status;
    one.waiting = target->queue.waiting();
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace purge
