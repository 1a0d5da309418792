// wireguard-go as services of systemd's: one instance of privateer-wireguard@.service (packaging/systemd) a device,
// whose process belongs to no agent, so that it lives on whatever becomes of the agent. Asked by systemctl(1), which an
// agent that is not root may do by a rule of polkit (packaging/polkit).
//
// Threads: Services belongs to one loop and does not block it; the rest are pure functions and a look at files.
#pragma once

#include "base/net/task.hpp"
#include "mesh/wireguard/backend/backend.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace wireguard {

// What is known of this process and this machine, so that the decision is pure.
struct SystemdSigns {
  bool runs = false;        // systemd is this machine's init
  bool started_us = false;  // this very process is a service of its: a lab's agent shares the machine, not its network
  bool unit_installed = false;  // privateer-wireguard@.service
};
SystemdSigns look_for_systemd();
// `automatic`: with all of the signs and the command that the unit has, too. `systemd` and `child` are what they say.
bool by_systemd(BackendSettings const& settings, SystemdSigns const& signs);

// "privateer-wireguard@wg\x2dams\x7e.service" of "wg-ams~": escaped as systemd-escape(1) does, since a '~' is no
// character of a unit's name, and %I, which gives the device's name back, reads a bare '-' as '/'.
std::string unit_of(std::string_view device);
// Whether systemctl, which failed, says that the unit did not start or stop, and not that nobody may or can ask.
bool is_of_the_unit(std::string_view output);

class Services {
 public:
  // Without the agent's own line to systemd, which takes words of none but the agent.
  explicit Services(std::vector<std::string> systemctl = {"env", "-u", "NOTIFY_SOCKET", "systemctl"})
      : systemctl_(std::move(systemctl)) {}
  // Both are done when systemd is: the process runs, or has ended. errc::no_permission when systemd could not be asked
  // or refused (no bus, no polkit, no rule, no such unit), errc::no_program when the unit failed.
  net::Task<base::Result<void>> start(std::string device);
  net::Task<base::Result<void>> stop(std::string device);

 private:
  net::Task<base::Result<void>> ask(std::string verb, std::string device);
  std::vector<std::string> systemctl_;
};

}  // namespace wireguard
