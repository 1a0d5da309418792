// What the agent would change on this machine now, before anything happens: its own differences (mesh/reconcile,
// mesh/wireguard, mesh/guard) taken and told instead of done.
//
// Threads: `look` is a task on one loop, its netlink calls block for the time of a system call; the rest is pure.
#pragma once

#include "base/net/task.hpp"
#include "mesh/guard/rules.hpp"
#include "mesh/plan/plan.hpp"
#include "mesh/wireguard/backend/backend.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace preview {

// Where the agent keeps things, and how it looks at them.
struct Sources {
  wireguard::BackendSettings wireguard;
  std::string state;             // its directory: what it put on lo, the rules that it wrote last
  std::string bird_config;       // the file
  std::string bird_control;      // BIRD's socket
  std::vector<std::string> nft;  // command; empty: it keeps no rules
  std::string proc_sys = "/proc/sys";
};

struct Machine {
  std::int64_t now_s = 0;
  std::vector<wireguard::ObservedDevice> devices;  // of our prefix
  std::vector<std::string> renamed;                // devices that have another name now
  bool loopback_up = true;
  std::vector<wireguard::Network> loopback;
  std::vector<wireguard::Network> owned;       // which of these an agent put there
  std::map<std::string, std::string> sysctls;  // path -> value
  std::optional<std::string> bird;             // the file; nullopt: there is none
  bool bird_runs = true;
  std::optional<guard::Rules::Found> rules;  // nullopt: none are kept, or they were not seen
  std::string rules_in_use;                  // the text that the agent wrote last
  std::vector<std::string> strays;           // routes over mesh devices that are nobody's: "192.0.2.0/24 over wg-ams"
  std::vector<std::string> blind;            // what could not be seen, a sentence each
};

// errc of wireguard: the devices cannot be looked at. Whatever else cannot is in `blind`.
net::Task<base::Result<Machine>> look(Sources sources, std::shared_ptr<plan::NodePlan const> plan);

struct Preview {
  std::vector<std::string> conflicts;  // what is in the way and stays there: names of ours that others have
  std::vector<std::string> waiting;    // links whose other node has not joined: nothing is made for them
  std::vector<std::string> changes;    // in the order in which the agent makes them
  std::vector<std::string> blind;
};
Preview preview(plan::NodePlan const& plan, Machine const& machine);

// For people: a line each, and how many changes there are.
std::string to_text(Preview const& preview);
// {"node","revision","changes":[...],"conflicts":[...],"waiting":[...],"blind":[...]}
std::string to_json(plan::NodePlan const& plan, Preview const& preview);

}  // namespace preview
