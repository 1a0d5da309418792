// The two daemons: wiring only.
#include "mesh/privateer/commands.hpp"

#include "acme/edge/agent.hpp"
#include "base/http_server/http_server.hpp"
#include "base/process/log.hpp"
#include "base/process/secrets.hpp"
#include "base/process/service.hpp"
#include "base/process/startup_code.hpp"
#include "mesh/agent/agent.hpp"
#include "mesh/bounded_logs/bounded_logs.hpp"
#include "mesh/controller/controller.hpp"
#include "mesh/enrolment/enroller.hpp"
#include "mesh/figures/figures.hpp"
#include "mesh/names/publisher.hpp"
#include "mesh/privateer/edge_status.hpp"
#include "mesh/privateer/looking.hpp"
#include "mesh/privateer/run.hpp"
#include "mesh/round_trips/prober.hpp"
#include "mesh/settings/limits.hpp"
#include "mesh/twins/turns.hpp"
#include "mesh/world_store/world_store.hpp"

#include <boost/json.hpp>

#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>

namespace privateer {
namespace {

agent::AgentSettings agent_settings(Settings const& settings) {
  agent::AgentSettings out;
  out.node = settings.node;
  out.state_directory = settings.state;
  out.seed_topology = settings.topology;
  out.controller_url = settings.controller_url;
  out.wireguard = settings.wireguard;
  out.bird.config_file = settings.bird_config;
  out.bird.control_socket = settings.bird_control;
  out.bird.start = settings.bird_start;
  out.nft = rules_command(settings);
  out.session_log = settings.bird_sessions;
  out.bird.log_file = bird_log(settings);
  return out;
}

edge::AgentSettings edge_settings(Settings const& settings, EdgeSettings const& edge) {
  enrolment::NodeFiles const files(settings.state);
  edge::AgentSettings out;
  out.navigators = edge.navigators;
  out.tls.ca_file = files.ca;
  out.tls.identity = net::Identity{files.certificate, files.tls_key};
  out.tls.server_name = edge.name;
  out.directory = edge.directory;
  out.nginx_file = edge.nginx_file;
  out.haproxy_file = edge.haproxy_file;
  out.caddy_file = edge.caddy_file;
  out.key_group = edge.key_group;
  out.reload = edge.reload;
  out.probe_address = edge.probe.address.to_string();
  out.probe_port = edge.probe.port;
  return out;
}

void make_folder_of(std::string const& file) {
  std::error_code ignored;  // what is done in it next fails with a better sentence
  std::filesystem::create_directories(std::filesystem::path(file).parent_path(), ignored);
}

net::Task<void> stop_at_signal(agent::Agent* agent) {
  for (;;) {
    int const number = co_await process::wait_for_signal();
    if (number != SIGHUP) {  // nothing to read again: the world comes by itself
      break;
    }
  }
  agent->stop();
}

// The edge reads its client certificate when it starts and when the agent renewed it.
net::Task<void> follow_identity(std::string certificate, edge::EdgeAgent* edge) {
  constexpr std::chrono::milliseconds look{30000};
  std::error_code ignored;
  auto seen = std::filesystem::last_write_time(certificate, ignored);
  for (;;) {
    bool const waited = co_await net::wait_for(look);
    if (!waited) {
      break;
    }
    auto const now = std::filesystem::last_write_time(certificate, ignored);
    if (now != seen) {
      seen = now;
      if (auto const loaded = edge->reload_identity(); !loaded) {
        process::log::warning("edge", "the renewed certificate does not load: {}", loaded.error().what());
      }
    }
  }
}

// Everything of the agent's process. It outlives the loop's last turn, because tasks refer to it.
struct AgentProcess {
  AgentProcess(net::asio::any_io_executor executor, Settings const& its_settings)
      : settings(its_settings),
        publisher(executor, {settings.names_navigator, settings.names_hosts}),
        prober(executor),
        agent(executor, with_listeners(agent_settings(settings)), metrics),
        figures(
            metrics, [this] { return agent.status(); }, settings.state),
        server(executor, router, {}),
        figures_server(executor, figures_router, {}) {
    agent.add_routes(router);
    auto const privileges = look_at_privileges(settings);
    auto const limited = limits(settings, privileges);
    for (auto const& sentence : limited) {
      process::log::warning("agent", "{}", sentence);
    }
    if (auto const hint = reload_hint(settings, privileges); !hint.empty()) {
      process::log::info("agent", "{}", hint);
    }
    agent.add_section("limits", [limited] { return boost::json::serialize(boost::json::value_from(limited)); });
    figures.add_routes(figures_router);
    agent.add_section("round_trips", [this] {
      return boost::json::serialize(boost::json::object{{"failure", prober.failure()}});
    });
    agent.add_section("flapping", [this] { return flapping_json(); });
    if (publishes()) {
      agent.add_section("names", [this] { return names::to_json(publisher.status()); });
    }
    if (settings.edge) {
      edge = std::make_unique<edge::EdgeAgent>(executor, edge_settings(settings, *settings.edge));
      agent.add_section("edge", [this] { return edge_status_json(edge->status()); });
    }
  }

  [[nodiscard]] bool publishes() const { return !settings.names_navigator.empty() || !settings.names_hosts.empty(); }
  agent::AgentSettings with_listeners(agent::AgentSettings wanted) {
    wanted.in_use = [this](plan::World const& world) {
      prober.follow(round_trips::targets_of(world, settings.node));
      if (publishes()) {
        publisher.publish(world);
      }
    };
    wanted.looked = [this](std::vector<wireguard::ObservedDevice> const& devices) { look_at_endpoints(devices); };
    wanted.examine = [this] { return looking::examined_json(place_of(settings)); };
    wanted.round_trips = [this] { return prober.measured(std::chrono::steady_clock::now()); };
    return wanted;
  }

  // By the key, so that another one of the same name begins anew.
  void look_at_endpoints(std::vector<wireguard::ObservedDevice> const& devices) {
    auto const now = std::chrono::steady_clock::now();
    for (auto const& device : devices) {
      for (auto const& one : device.peers) {
        if (one.peer.endpoint) {
          auto const from = one.peer.endpoint->text();
          endpoints.saw(device.name + " " + one.peer.public_key.to_base64(), from, from, now);
        }
      }
    }
    endpoints.forget(now);
  }

  // {"wg-ams": ["198.51.100.7:51820", "203.0.113.9:51820"]}: where a peer's packets come from in turns.
  [[nodiscard]] std::string flapping_json() const {
    boost::json::object out;
    for (auto const& [who, places] : endpoints.all(std::chrono::steady_clock::now())) {
      out[who.substr(0, who.find(' '))] = boost::json::value_from(places);
    }
    return boost::json::serialize(out);
  }

  Settings settings;
  twins::Turns endpoints{std::chrono::seconds(60), 2};  // of each peer
  process::Metrics metrics;
  names::Publisher publisher;
  round_trips::Prober prober;
  agent::Agent agent;
  std::unique_ptr<edge::EdgeAgent> edge;
  figures::Figures figures;
  net::Router router, figures_router;
  net::HttpServer server, figures_server;
};

// The node's own mesh address is one to listen on, and it is there when the agent has put it there.
net::Task<void> serve_figures(std::string address, net::HttpServer* server) {
  constexpr std::chrono::milliseconds again{2000};
  for (bool waited = true, told = false; waited;) {
    auto const listening = server->listen_tcp(address);
    if (listening) {
      process::log::info("agent", "figures are served on {}", address);
      break;
    }
    if (!told) {
      process::log::warning("agent", "not listening on {} yet: {}", address, listening.error().what());
      told = true;
    }
    waited = co_await net::wait_for(again);
  }
}

// By then the world is loaded, devices are made and BIRD runs: what comes is small changes.
net::Task<void> let_go_once_started() {
  constexpr std::chrono::seconds started{30};
  if (co_await net::wait_for(started)) {
    process::let_go_of_startup_code();
  }
}

net::Task<int> agent_main(net::asio::any_io_executor executor, AgentProcess* parts) {
  auto const& settings = parts->settings;
  if (auto const listening = parts->server.listen_unix(settings.agent_unix, 0660); !listening) {
    std::cerr << "privateer: cannot listen on " << settings.agent_unix << ": " << listening.error().what() << "\n";
    co_return exit_failed;
  }
  if (!settings.agent_metrics.empty()) {
    net::spawn(executor, "metrics", serve_figures(settings.agent_metrics, &parts->figures_server));
  }
  net::spawn(executor, "signals", stop_at_signal(&parts->agent));
  net::spawn(executor, "memory", let_go_once_started());
  net::spawn(executor, "logs", bounded_logs::keep_bounded(settings.wireguard.log_directory));
  if (parts->edge) {
    net::spawn(executor, "edge", parts->edge->run());
    net::spawn(executor, "edge identity",
               follow_identity(enrolment::NodeFiles(settings.state).certificate, parts->edge.get()));
  }
  parts->prober.start();
  parts->figures.start(executor);
  auto const result = co_await parts->agent.run();
  parts->server.stop();
  parts->figures_server.stop();
  if (parts->edge) {
    parts->edge->stop();
  }
  if (!result) {
    std::cerr << "privateer: " << result.error().what() << "\n";
    co_return exit_failed;
  }
  co_return exit_done;
}

net::Task<int> refuse(base::Failure failure) {
  std::cerr << "privateer: " << failure.what() << "\n";
  co_return failure.code == world_store::errc::bad_topology ? exit_bad_input : exit_failed;
}

net::Task<int> controller_main(controller::Controller* controller) {
  process::notify_service_manager("READY=1");
  for (;;) {
    int const number = co_await process::wait_for_signal();
    if (number != SIGHUP) {
      break;
    }
  }
  process::notify_service_manager("STOPPING=1");
  controller->stop();
  co_return exit_done;
}

}  // namespace

int run_agent(Settings const& settings) {
  process::keep_memory_private();
  std::error_code ignored;
  std::filesystem::create_directories(settings.wireguard.log_directory, ignored);
  make_folder_of(settings.agent_unix);
  return run_until_done("agent", [&](net::asio::any_io_executor executor, Keep& keep) {
    auto const parts = std::make_shared<AgentProcess>(executor, settings);
    keep = parts;
    return agent_main(executor, parts.get());
  });
}

int run_controller(Settings const& settings) {
  process::keep_memory_private();
  if (settings.serve_listen.empty()) {
    std::cerr << "privateer: this machine is no controller: the settings have no 'serve' section\n";
    return exit_bad_input;
  }
  make_folder_of(settings.serve_unix);
  std::error_code ignored;
  std::filesystem::create_directories(settings.serve_state, ignored);
  controller::ControllerSettings wanted;
  wanted.state = settings.serve_state;
  wanted.topology_file = settings.topology;
  wanted.listen = settings.serve_listen;
  wanted.unix_path = settings.serve_unix;
  wanted.root_elsewhere = settings.serve_root_elsewhere;
  wanted.rotate_after_s = settings.serve_rotate_after_s;
  wanted.cost_hold_s = settings.serve_cost_hold_s;
  return run_until_done("controller", [&](net::asio::any_io_executor executor, Keep& keep) {
    auto opened = controller::Controller::open(executor, std::move(wanted));
    if (!opened) {
      return refuse(opened.error());
    }
    std::shared_ptr<controller::Controller> const controller = std::move(*opened);
    keep = controller;
    return controller_main(controller.get());
  });
}

}  // namespace privateer
