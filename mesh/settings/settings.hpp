// privateer.yaml as a value: what this machine's agent, controller and command line need to know. Every key, its
// default and its meaning are in README.md beside this file.
//
// Threads: plain values and pure functions; load reads a file.
#pragma once

#include "base/result/problem.hpp"
#include "mesh/wireguard/backend/backend.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace privateer {

// The node's side of certificates: which Navigators are asked, and what is done with what they give.
struct EdgeSettings {
  std::vector<std::string> navigators;  // "https://198.51.100.10:18010"
  std::string name;                     // the name in their certificates; empty: the host of each URL
  std::string directory;                // certificates are installed below it
  std::string nginx_file;               // written when set, as are the next two
  std::string haproxy_file;
  std::string caddy_file;
  std::string key_group;            // may read the keys; empty: only their owner
  std::vector<std::string> reload;  // argv run after a change
  wireguard::Endpoint probe;        // "127.0.0.1:443": proves what is served
};

struct Settings {
  std::string node;  // this machine's name in the topology
  std::string state = "/var/lib/privateer";
  std::string topology;        // seed of the agent, input of plan, render and check, the controller's at start
  std::string controller_url;  // empty: no controller
  std::string agent_unix = "/run/privateer/agent.sock";
  std::string agent_metrics;  // "127.0.0.1:18013": where Prometheus reads; empty: at agent_unix alone
  wireguard::BackendSettings wireguard;
  std::string bird_config = "/etc/bird/bird.conf";
  std::string bird_control = "/run/bird/bird.ctl";
  std::vector<std::string> bird_start;
  std::string bird_sessions;  // BIRD tells of dead links here; default with bird.start: below `state`; empty: nowhere
  // Whether the agent keeps this node's table of packet-filter rules.
  enum class Rules { when_installed, always, never };
  Rules rules = Rules::when_installed;
  std::vector<std::string> rules_command{"nft"};
  std::optional<EdgeSettings> edge;
  std::string names_navigator;  // API socket of the Navigator that serves the mesh's names; empty: not this node's task
  std::string names_hosts;      // file with a block of them; empty: none
  std::string serve_listen;     // the controller's HTTPS address; empty: this machine is no controller
  std::string serve_unix = "/run/privateer/controller.sock";
  std::string serve_state;                // default: state + "/controller"
  std::int64_t serve_rotate_after_s = 0;  // nodes change their keys when these are so old; 0: only when asked
  bool serve_root_elsewhere = false;      // `serve.root: elsewhere`: this controller never makes a root
  std::int64_t serve_cost_hold_s = 300;   // a latency must have held for so long before a cost follows it
};

boost::system::result<Settings, base::Problems> parse_settings(std::string_view text, std::string const& source);
boost::system::result<Settings, base::Problems> load_settings(std::string const& path);

// Seconds of "90", "90s", "15m", "2h", "7d"; nullopt for anything else and for less than one second.
std::optional<std::int64_t> parse_duration_s(std::string_view text);

}  // namespace privateer
