#include "dns-backend/purge/zone_flusher.hpp"

#include "base/net/backoff.hpp"
#include "base/process/log.hpp"

#include <set>

namespace purge {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

}  // namespace

// One PowerDNS. Its task keeps it alive until the ZoneFlusher has gone.
struct ZoneFlusher::Target {
  Target(net::asio::any_io_executor executor, ZoneFlusherSettings const& settings, ZoneFlusherSettings::Api const& one,
         process::Metrics& metrics, std::function<void(dns::Name const&)> told)
      : api(one),
        deadline(settings.deadline),
        flushed(std::move(told)),
        client(executor, {}),
        wake(executor),
        commands(
            metrics.counter("navigator_flush_commands_total", "Zones PowerDNS looked up anew", {{"api", one.url}})),
        failures(metrics.counter("navigator_flush_failures_total", "Zone flushes that failed", {{"api", one.url}})),
        waiting(metrics.gauge("navigator_flush_waiting", "Zones not flushed yet", {{"api", one.url}})) {
    status.api = one.url;
  }

  ZoneFlusherSettings::Api api;
  milliseconds deadline;
  std::function<void(dns::Name const&)> flushed;
  net::HttpClient client;
  std::set<dns::Name> zones;
  net::Signal wake;
  FlushStatus status;
  process::Counter commands, failures;
  process::Gauge waiting;
  net::Backoff backoff{milliseconds(250), milliseconds(5000)};
  bool stopped = false;

  static net::Task<void> run(std::shared_ptr<Target> self);
  net::Task<base::Result<void>> put(dns::Name zone);
  // The wait before the next try; zero after a success.
  net::Task<milliseconds> deliver(dns::Name zone);
};

net::Task<base::Result<void>> ZoneFlusher::Target::put(dns::Name zone) {
  net::HttpRequest request;
  request.method = "PUT";
  request.headers.set("X-API-Key", api.key);
  std::string const url = api.url + "/api/v1/servers/localhost/cache/flush?domain=" + net::percent_encode(zone.text());
  auto const answer = co_await client.send(url, std::move(request), deadline);
  if (!answer) {
    co_return answer.error();
  }
  if (answer->status != 200) {
    co_return base::fail(net::errc::bad_message,
                         api.url + " answered " + std::to_string(answer->status) + ": " + answer->body.substr(0, 100));
  }
  co_return base::Result<void>();
}

net::Task<milliseconds> ZoneFlusher::Target::deliver(dns::Name zone) {
  auto const done = co_await put(zone);
  if (done) {
    backoff.succeeded();
    status.commands += 1;
    if (!status.last_error.empty()) {
      process::log::info("purge", "{} takes flushes again", api.url);
      status.last_error.clear();
    }
    commands.add();
    if (!stopped) {
      flushed(zone);
    }
    co_return milliseconds(0);
  }
  if (done.error().what() != status.last_error) {
    process::log::warning("purge", "zone {} not flushed: {}", zone.text(), done.error().what());
  }
  status.last_error = done.error().what();
  status.failures += 1;
  failures.add();
  zones.insert(zone);
  co_return backoff.next(static_cast<std::uint32_t>(Clock::now().time_since_epoch().count()));
}

net::Task<void> ZoneFlusher::Target::run(std::shared_ptr<Target> self) {
  while (!self->stopped) {
    self->waiting.set(static_cast<double>(self->zones.size()));
    if (self->zones.empty()) {
      co_await self->wake.wait(milliseconds(60000));
      continue;
    }
    dns::Name const zone = *self->zones.begin();
    self->zones.erase(self->zones.begin());
    milliseconds const pause = co_await self->deliver(zone);
    Clock::time_point const until = Clock::now() + pause;
    // New zones may come meanwhile and do not hasten a PowerDNS that is not there.
    while (!self->stopped && Clock::now() < until) {
      co_await self->wake.wait(std::chrono::ceil<milliseconds>(until - Clock::now()));
    }
  }
}

ZoneFlusher::ZoneFlusher(net::asio::any_io_executor executor, ZoneFlusherSettings settings, process::Metrics& metrics,
                         std::function<void(dns::Name const&)> flushed) {
  for (ZoneFlusherSettings::Api const& api : settings.apis) {
    auto const target = std::make_shared<Target>(executor, settings, api, metrics, flushed);
    targets_.push_back(target);
    net::spawn(executor, "flush " + api.url, Target::run(target));
  }
}

ZoneFlusher::~ZoneFlusher() {
  for (auto const& target : targets_) {
    target->stopped = true;
    target->wake.notify();
  }
}

void ZoneFlusher::flush(std::vector<dns::Name> const& zones) {
  for (auto const& target : targets_) {
    target->zones.insert(zones.begin(), zones.end());
    if (target->zones.size() > zones_max) {
      process::log::error("purge", "{} zones wait for {}: they are left to its zone-cache-refresh-interval",
                          target->zones.size(), target->api.url);
      target->zones.clear();
    }
    target->waiting.set(static_cast<double>(target->zones.size()));
    target->wake.notify();
  }
}

std::vector<FlushStatus> ZoneFlusher::status() const {
  std::vector<FlushStatus> list;
  for (auto const& target : targets_) {
    FlushStatus one = target->status;
    one.waiting = target->zones.size();
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace purge
