// Every part of the daemon as one object, in the order of construction, and the functions that connect them. For
// dns-backend/navigator alone, which says in which order they are called.
//
// Threads: the control loop.
#pragma once

#include "acme/administration/administration.hpp"
#include "acme/distribution/distribution.hpp"
#include "acme/gate/pulse.hpp"
#include "acme/issuer.hpp"
#include "acme/vault/vault.hpp"
#include "base/http_client/http_client.hpp"
#include "base/http_server/http_server.hpp"
#include "base/process/metrics.hpp"
#include "dns-backend/feed/feed_server.hpp"
#include "dns-backend/feed/follower.hpp"
#include "dns-backend/geo/locators.hpp"
#include "dns-backend/pool/health_table.hpp"
#include "dns-backend/powerdns/powerdns.hpp"
#include "dns-backend/connector/listener.hpp"
#include "dns-backend/handover/handover.hpp"
#include "dns-backend/mesh_costs/mesh_costs.hpp"
#include "dns-backend/monitor/monitor.hpp"
#include "dns-backend/monitor/saving.hpp"
#include "dns-backend/overrides/overrides.hpp"
#include "dns-backend/overview/overview.hpp"
#include "dns-backend/purge/purge.hpp"
#include "dns-backend/purge/zone_changes.hpp"
#include "dns-backend/purge/zone_flusher.hpp"
#include "dns-backend/self_service/self_service.hpp"
#include "dns-backend/store/store.hpp"
#include "dns-backend/transitions/transition_log.hpp"
#include "dns-backend/vantage/exchange.hpp"
#include "dns-backend/webhook/webhook.hpp"
#include "topology/topology.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace navigator {

purge::PurgerSettings purger_settings(Settings const& settings);

// How one life of the daemon ended.
struct Ending {
  int exit_code = 0;
  bool again = false;             // a successor failed: this process goes on, with these sockets
  handover::OpenSockets sockets;
};

struct Daemon {
  Daemon(net::asio::any_io_executor loop_executor, Settings const& wanted)
      : executor(loop_executor), settings(wanted), purger(executor, purger_settings(wanted), metrics) {}

  net::asio::any_io_executor executor;
  Settings const& settings;
  process::Metrics metrics;
  pool::HealthTable health;
  std::optional<topology::Topology> topology;
  purge::Purger purger;
  std::unique_ptr<purge::ZoneFlusher> flusher;
  std::optional<purge::ZoneChanges> zone_changes;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<monitor::Monitor> monitor;
  std::unique_ptr<overrides::Overrides> overrides;
  std::unique_ptr<vantage::Exchange> exchange;   // with other sites
  std::unique_ptr<transitions::TransitionLog> transitions;
  std::unique_ptr<webhook::Webhook> webhook;
  std::optional<store::Published<geo::Surroundings>> surroundings;
  std::unique_ptr<mesh_costs::MeshCosts> costs;  // with mesh.bird
  std::uint64_t events = 0;                      // told to webhooks
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  std::chrono::steady_clock::time_point const began = std::chrono::steady_clock::now();
  std::unique_ptr<connector::Listener> remote;
  std::unique_ptr<net::HttpClient> primary;      // replica
  std::unique_ptr<feed::FeedServer> feed_server;
  std::unique_ptr<acme::Pulse> pulse;            // primary with acme, as the next four
  std::unique_ptr<vault::Vault> vault;
  std::unique_ptr<acme::Issuer> issuer;
  std::unique_ptr<acme::Distribution> distribution;
  std::unique_ptr<acme::Administration> administration;
  std::unique_ptr<api::Dependencies> api;
  std::unique_ptr<self_service::SelfService> self_service;
  std::unique_ptr<powerdns::Dependencies> powerdns_api;
  net::Router router;
  std::unique_ptr<net::HttpServer> server;
  std::unique_ptr<feed::Follower> follower;      // replica
  monitor::Saving saving{std::chrono::steady_clock::now()};  // of what is known of the endpoints
  net::Signal save{executor};
  overview::Overview overview;                   // as of the last refresh
  std::set<std::string> shown;                   // endpoints that /metrics names
  net::Signal failback{executor};                // the overview or health changed
  bool leaving = false;                          // another process may have the store soon
  bool watches_stale = false;                    // a refresh is under way and must run once more
  bool watches_running = false;
  std::int64_t started_ms = 0;
  handover::OpenSockets sockets;                      // of the process before, until the listener has them
  std::optional<handover::Predecessor> predecessor;   // gives them when everything else is ready
  std::unique_ptr<handover::Offer> offer;             // to a successor
  Ending ending;

  [[nodiscard]] bool is_primary() const { return !settings.replica.has_value(); }
};

// Pools changed perhaps: reads them and tells the monitor; runs once at a time, and once more when asked meanwhile.
net::Task<void> refresh_watches(Daemon& daemon);
void connect_publication(Daemon& daemon);
// The keys of PowerDNS's APIs are read from their files here.
base::Result<void> make_flusher(Daemon& daemon);
// Monitors, the exchange between sites, the log of transitions and webhooks. Fails when a secret cannot be read.
base::Result<void> start_health(Daemon& daemon);
// The part of it that concerns other sites: nothing where there are none.
void start_sites(Daemon& daemon);
void stop_health(Daemon& daemon);
void add_health_sections(Daemon const& daemon, api::Dependencies& api);
void add_site_sections(Daemon const& daemon, api::Dependencies& api);
// The next start should know what this one knows now.
void unsaved(Daemon& daemon);
// PowerDNS forgets these names, and every name whose answer it made by way of one of them.
void forget(Daemon& daemon, std::vector<store::Touched> const& names);
// The same of every name that may answer this endpoint.
void forget_answers_of(Daemon& daemon, std::string const& endpoint);
// Where clients are: at the start, and again on SIGHUP. Fails with all problems of its files; what was known stays.
base::Result<void> load_surroundings(Daemon& daemon);
// What is known of the endpoints, for the next start: beside the store, nowhere when that is no file.
std::string warm_file(std::string const& store_url);
net::Task<void> save_health(Daemon& daemon);
// Purges the names whose pools fail back, when they do.
net::Task<void> purge_failbacks(Daemon* daemon, std::weak_ptr<bool> alive);
// Saves whenever daemon.saving says so. `alive` goes with the daemon's life.
net::Task<void> keep_health(Daemon* daemon, std::weak_ptr<bool> alive);

// Sites as the gate and the steward need them now: what each acknowledged, and whether anybody is led there.
std::vector<acme::Site> gate_sites(Daemon const& daemon);

// Vault, issuer and distribution of a primary with acme; needs the API, the feed's server and the router. Fails when
// the master key cannot be used.
net::Task<base::Result<void>> start_certificates(Daemon& daemon);
void add_certificate_sections(Daemon const& daemon, api::Dependencies& api);

// PowerDNS's API on the same router. Fails when the key cannot be read or is too short to be one.
base::Result<void> add_powerdns_api(Daemon& daemon);

// The parts of /v1/status that only the wiring knows: PowerDNS, followers or the primary, certificates.
void add_status_sections(Daemon const& daemon, api::Dependencies& api);

std::int64_t wall_ms();

}  // namespace navigator
