#include "dns-backend/daemon/daemon.hpp"

#include "base/process/service.hpp"
#include "dns-backend/snapshot/leading.hpp"

#include <boost/json.hpp>

#include <chrono>

namespace navigator {
namespace {

namespace json = boost::json;

json::object follows(Daemon const& daemon) {
  auto const status = daemon.follower == nullptr ? feed::FollowStatus() : daemon.follower->status();
  return {{"primary", daemon.settings.replica->primary},
          {"connected", status.connected},
          {"revision", status.revision},
          {"batches", status.batches},
          {"last_contact_ms", status.last_contact_ms},
          {"last_error", status.last_error}};
}

json::array purges_of(Daemon const& daemon) {
  json::array out;
  for (auto const& target : daemon.purger.status()) {
    out.push_back(json::object{{"socket", target.socket},
                               {"commands", target.commands},
                               {"failures", target.failures},
                               {"waiting", target.waiting},
                               {"last_error", target.last_error}});
  }
  for (auto const& target : daemon.flusher->status()) {
    out.push_back(json::object{{"api", target.api},
                               {"commands", target.commands},
                               {"failures", target.failures},
                               {"waiting", target.waiting},
                               {"last_error", target.last_error}});
  }
  return out;
}

}  // namespace

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

base::Result<void> make_flusher(Daemon& daemon) {
  purge::ZoneFlusherSettings settings;
  for (PowerDnsApi const& api : daemon.settings.powerdns_api) {
    std::string key = api.key;
    if (key.empty()) {
      auto text = process::read_file(api.key_file, 4096);
      if (!text) {
        return text.error();
      }
      key = text->substr(0, text->find_first_of("\r\n"));
    }
    settings.apis.push_back({api.url, key});
  }
  auto const flushed = [&daemon](dns::Name const& zone) { forget(daemon, {{zone, true}}); };
  daemon.flusher = std::make_unique<purge::ZoneFlusher>(daemon.executor, settings, daemon.metrics, flushed);
  return {};
}

void connect_publication(Daemon& daemon) {
  daemon.zone_changes.emplace(*daemon.store->published().copy());
  auto const published = [&daemon, before = daemon.store->published().copy()](
                             store::Revision, std::vector<store::Touched> const& touched) mutable {
    auto const snapshot = daemon.store->published().copy();
    constexpr std::size_t followed_max = 4000;
    daemon.purger.purge(store::with_leading(*snapshot, touched, followed_max, before.get()));
    before = snapshot;
    daemon.flusher->flush(daemon.zone_changes->published(*snapshot, touched));
    net::spawn(daemon.executor, "refresh of the monitors", refresh_watches(daemon));
    if (daemon.self_service != nullptr) {
      daemon.self_service->poke();
    }
    if (daemon.issuer != nullptr) {
      daemon.issuer->poke();
      daemon.distribution->poke();
    }
  };
  daemon.store->on_publish(published);
}

purge::PurgerSettings purger_settings(Settings const& settings) {
  purge::PurgerSettings out;
  out.sockets = settings.powerdns_control;
  return out;
}

void add_status_sections(Daemon const& daemon, api::Dependencies& api) {
  api.sections["uptime_ms"] = [&daemon] { return json::value(wall_ms() - daemon.started_ms); };
  // Why who was removed from the mesh may not be known here; empty: he is.
  api.sections["revocations_failure"] = [&daemon] {
    return json::value(daemon.server == nullptr ? std::string() : daemon.server->revocations_failure());
  };
  api.sections["powerdns"] = [&daemon] { return json::value(purges_of(daemon)); };
  api.sections["powerdns_connections"] = [&daemon] {
    return json::value(daemon.remote == nullptr ? 0 : daemon.remote->connections());
  };
  if (daemon.is_primary()) {
    api.sections["followers"] = [&daemon] { return json::value(daemon.feed_server->describe()); };
  } else {
    api.sections["follows"] = [&daemon] { return json::value(follows(daemon)); };
  }
  add_certificate_sections(daemon, api);
}

}  // namespace navigator
