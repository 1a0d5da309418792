#include "dns-backend/navigator/navigator.hpp"

#include "acme/keyring/keyring.hpp"
#include "acme/schema/schema.hpp"
#include "base/process/folders.hpp"
#include "base/process/log.hpp"
#include "base/process/secrets.hpp"
#include "base/process/service.hpp"
#include "dns-backend/api/health/health.hpp"
#include "dns-backend/api/steering/steering.hpp"
#include "dns-backend/daemon/daemon.hpp"
#include "dns-backend/invitations/invitations.hpp"
#include "dns-backend/navigator/own_certificates.hpp"
#include "dns-backend/navigator/succession.hpp"
#include "dns-backend/topology_pools/topology_pools.hpp"
#include "topology/load.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>

#include <poll.h>
#include <unistd.h>

namespace navigator {
namespace {

using base::Result;

void set_log_level(std::string const& level) {
  using process::log::Level;
  process::log::set_level(level == "debug"     ? Level::debug
                          : level == "warning" ? Level::warning
                          : level == "error"   ? Level::error
                                               : Level::info);
}

// 0, or the exit code after saying why.
int load_topology(Daemon& daemon) {
  if (daemon.settings.topology.empty()) {
    return 0;
  }
  auto const text = process::read_file(daemon.settings.topology);
  if (!text) {
    std::fprintf(stderr, "navigator: %s\n", text.error().what().c_str());
    return 1;
  }
  auto topology = topology::load_topology(*text, daemon.settings.topology);
  if (!topology) {
    std::fputs(base::text(topology.error()).c_str(), stderr);
    return 2;
  }
  daemon.topology = std::move(*topology);
  return 0;
}

net::Task<Result<void>> apply_topology(Daemon& daemon) {
  if (daemon.is_primary() && daemon.topology.has_value()) {
    auto const set = co_await daemon.store->set_pools(topology_pools::pools_of(*daemon.topology));
    if (!set) {
      co_return set.error();
    }
  }
  co_return Result<void>();
}

Result<void> open_remote(Daemon& daemon) {
  auto sockets = inherit(daemon);
  if (!sockets) {
    return sockets.error();
  }
  if (daemon.settings.remote_unix.empty() && daemon.settings.remote_http.empty()) {
    return {};
  }
  connector::ListenerSettings settings;
  settings.path = daemon.settings.remote_unix;
  settings.mode = daemon.settings.remote_unix_mode;
  settings.group = daemon.settings.remote_unix_group;
  settings.http = daemon.settings.remote_http;
  settings.loops = daemon.settings.remote_threads;
  settings.refuse_while_empty = !daemon.is_primary();
  auto const listed = [&daemon](store::Snapshot const& snapshot) { daemon.purger.zones_listed(snapshot); };
  connector::ListenerSources const sources{daemon.store->published(), daemon.health, daemon.store.get(), listed,
                                           &*daemon.surroundings};
  auto listener = connector::Listener::open(daemon.executor, settings, sources, daemon.metrics, std::move(*sockets));
  if (!listener) {
    return listener.error();
  }
  daemon.remote = std::move(*listener);
  // Only now can PowerDNS fetch anew what it forgets. What changed while this process did not run is not known.
  daemon.purger.purge_everything();
  return {};
}

void make_api(Daemon& daemon) {
  std::set<std::string> const admins(daemon.settings.api_admins.begin(), daemon.settings.api_admins.end());
  std::string const zone = daemon.topology ? daemon.topology->domain : std::string();
  daemon.api = std::make_unique<api::Dependencies>(
      api::Dependencies{*daemon.store, daemon.metrics, admins, daemon.settings.node, zone, daemon.primary.get()});
  daemon.api->primary_url = daemon.settings.replica ? daemon.settings.replica->primary : std::string();
  daemon.api->endpoints = [&daemon] { return daemon.monitor->status(); };
  add_status_sections(daemon, *daemon.api);
  add_health_sections(daemon, *daemon.api);
  api::add_routes(daemon.router, *daemon.api);
  api::add_steering_routes(daemon.router, *daemon.api);
  api::add_health_routes(daemon.router, *daemon.api);
  if (daemon.is_primary()) {
    std::set<std::string> followers;
    for (auto const& site : daemon.settings.sites) {
      followers.insert(site.node);
    }
    daemon.feed_server = std::make_unique<feed::FeedServer>(*daemon.store, followers, daemon.metrics);
    daemon.feed_server->add_routes(daemon.router);
  }
}

std::vector<steward::Site> stewards_sites(Daemon const& daemon) {
  std::vector<steward::Site> sites;
  for (acme::Site const& site : gate_sites(daemon)) {
    sites.push_back({site.name, site.in_service, site.acknowledged});
  }
  return sites;
}

Result<void> listen(Daemon& daemon) {
  net::HttpServerSettings limits;
  limits.body_limit = 2U << 20U;  // as PowerDNS's own API; the import of zones has its own limit
  daemon.server = std::make_unique<net::HttpServer>(daemon.executor, daemon.router, limits);
  if (auto made = process::make_folder_for(daemon.settings.api_unix, 0755, "the socket api.unix"); !made) {
    return made;
  }
  if (auto bound = daemon.server->listen_unix(daemon.settings.api_unix, 0660); !bound) {
    return bound.error();
  }
  if (daemon.settings.api_listen.empty()) {
    return {};
  }
  if (!daemon.settings.api_tls) {
    return daemon.server->listen_tcp(daemon.settings.api_listen);  // loopback, and the API key (settings.cpp)
  }
  TlsFiles const& files = *daemon.settings.api_tls;
  net::TlsServerSettings tls;
  tls.identity = {files.certificate, files.key};
  tls.client_ca_file = files.ca;
  tls.client_crl_file = files.crl;
  // A key or token is asked for where it is needed.
  tls.require_client_certificate = daemon.settings.api_key_file.empty() && !daemon.settings.tenants.self_service;
  return daemon.server->listen_tls(daemon.settings.api_listen, tls);
}

Result<void> make_primary_client(Daemon& daemon) {
  if (daemon.is_primary()) {
    return {};
  }
  net::HttpClientSettings settings;
  settings.tls = primary_tls(*daemon.settings.replica);
  daemon.primary = std::make_unique<net::HttpClient>(daemon.executor, settings);
  return {};
}

void start_following(Daemon& daemon) {
  if (daemon.is_primary()) {
    return;
  }
  feed::FollowerSettings settings;
  settings.primary_url = daemon.settings.replica->primary;
  daemon.store->set_read_only(true);
  daemon.follower =
      std::make_unique<feed::Follower>(daemon.executor, *daemon.store, *daemon.primary, settings, daemon.metrics);
}

net::Task<Result<void>> start(Daemon& daemon) {
  if (auto loaded = load_surroundings(daemon); !loaded) {
    co_return loaded.error();
  }
  if (auto started = start_health(daemon); !started) {
    co_return started.error();
  }
  if (auto made = make_flusher(daemon); !made) {
    co_return made.error();
  }
  connect_publication(daemon);
  if (auto applied = co_await apply_topology(daemon); !applied) {
    co_return applied.error();
  }
  co_await refresh_watches(daemon);
  net::spawn(daemon.executor, "what is known, saved", keep_health(&daemon, daemon.alive));
  net::spawn(daemon.executor, "purges at fail-back", purge_failbacks(&daemon, daemon.alive));
  co_await await_health(daemon);
  if (auto opened = open_remote(daemon); !opened) {
    co_return opened.error();
  }
  if (auto made = make_primary_client(daemon); !made) {
    co_return made.error();
  }
  make_api(daemon);
  daemon.self_service = std::make_unique<self_service::SelfService>(
      daemon.executor, *daemon.api, daemon.settings.tenants, [&daemon] { return stewards_sites(daemon); });
  if (auto begun = co_await daemon.self_service->start(daemon.router); !begun) {
    co_return begun.error();
  }
  if (auto added = add_powerdns_api(daemon); !added) {
    co_return added.error();
  }
  if (auto started = co_await start_certificates(daemon); !started) {
    co_return started.error();
  }
  if (auto bound = listen(daemon); !bound) {
    co_return bound.error();
  }
  start_following(daemon);
  net::spawn(daemon.executor, "certificates of this node", follow_certificates(&daemon, daemon.alive));
  co_return Result<void>();
}

void stop(Daemon& daemon) {
  stop_writers(daemon);
  daemon.offer.reset();
  stop_health(daemon);
  daemon.remote.reset();
  // What is queued on the store thread uses the vault's keys: it ends before the vault does.
  if (daemon.store != nullptr) {
    daemon.store->close();
  }
}

net::Task<void> reload(Daemon& daemon) {
  if (load_topology(daemon) != 0) {
    process::log::error("navigator", "the topology was not read again; the former one stays");
    co_return;
  }
  auto const applied = co_await apply_topology(daemon);
  if (auto const loaded = load_surroundings(daemon); !loaded) {
    process::log::error("navigator", "the maps of clients were not read again; the former ones stay: {}",
                        loaded.error().what());
  }
  process::log::info("navigator", "topology read again: {}", applied ? std::string("applied") : applied.error().what());
}

net::Task<void> run(Daemon& daemon, net::asio::io_context& loop) {
  process::Signals signals(daemon.executor);
  auto started = co_await start(daemon);
  if (started) {
    started = offer_succession(daemon, loop);
  }
  if (!started) {
    std::fprintf(stderr, "navigator: %s\n", started.error().what().c_str());
    daemon.ending.exit_code = 1;
  } else {
    process::log::info("navigator", "{} {} at revision {}, {} zones", process::version(),
                       daemon.is_primary() ? "primary" : "replica", daemon.store->revision(),
                       daemon.store->zones().size());
    process::notify_service_manager("READY=1");
    while (co_await signals.next() == SIGHUP) {
      co_await reload(daemon);
    }
    process::notify_service_manager("STOPPING=1");
    process::log::info("navigator", "stopping");
    daemon.offer.reset();
    daemon.leaving = true;
    co_await save_health(daemon);
    if (process::has_service_manager()) {
      co_await leave_sockets_behind(daemon);
    }
  }
  loop.stop();
}

// A successor that failed may still be on its way out with the store in its hands.
Result<std::unique_ptr<store::Store>> open_store(Daemon& daemon, std::chrono::steady_clock::time_point patience) {
  std::string const path = daemon.settings.store_url.substr(std::string_view("sqlite://").size());
  bool const there = path == ":memory:" || ::access(path.c_str(), F_OK) == 0;
  if (!there && !daemon.settings.store_create) {
    return base::fail(database::errc::cannot_open,
                      path +
                          " is not there and store.create is false; is its disk mounted? Serving an empty store "
                          "would make PowerDNS refuse every name");
  }
  for (;;) {
    auto store = store::Store::open(
        daemon.settings.store_url,
        {vault::schema(), keyring::schema(), transitions::schema(), overrides::schema(), invitations::schema()},
        daemon.health, daemon.executor);
    if (store && !there) {
      process::log::debug("navigator", "a new store was made path={}", path);
    }
    if (store || store.error().code != database::errc::locked || std::chrono::steady_clock::now() >= patience) {
      return store;
    }
    ::poll(nullptr, 0, 50);
  }
}

// One life: from the open store to the end. `before` is how the life before in this process ended.
Ending live(Settings const& settings, bool replace, Ending before) {
  net::asio::io_context loop(1);
  Daemon daemon(loop.get_executor(), settings);
  daemon.started_ms = wall_ms();
  if (int const failed = load_topology(daemon); failed != 0) {
    return {failed, false, {}};
  }
  daemon.sockets = std::move(before.sockets);
  if (replace && !before.again) {
    if (auto asked = ask_predecessor(daemon); !asked) {
      std::fprintf(stderr, "navigator: %s\n", asked.error().what().c_str());
      return {1, false, {}};
    }
  }
  auto const patience = std::chrono::steady_clock::now() + std::chrono::seconds(before.again ? 60 : 0);
  auto store = open_store(daemon, patience);
  if (!store) {
    std::fprintf(stderr, "navigator: %s\n", store.error().what().c_str());
    return {1, false, {}};
  }
  daemon.store = std::move(*store);
  net::spawn(loop.get_executor(), "navigator", run(daemon, loop));
  loop.run();
  stop(daemon);
  return std::move(daemon.ending);
}

}  // namespace

net::TlsClientSettings primary_tls(ReplicaSettings const& replica) {
  net::TlsClientSettings tls;
  tls.ca_file = replica.tls.ca;
  tls.identity = net::Identity{replica.tls.certificate, replica.tls.key};
  tls.server_name = replica.node;
  return tls;
}

int serve(Settings const& settings, bool replace) {
  set_log_level(settings.log_level);
  process::keep_memory_private();  // master key, certificates' keys, zones' keys
  Ending ending;
  ending.sockets = handover::passed_sockets();
  do {
    ending = live(settings, replace, std::move(ending));
  } while (ending.again);
  return ending.exit_code;
}

}  // namespace navigator
