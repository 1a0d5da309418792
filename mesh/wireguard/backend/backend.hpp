// The real devices of this machine: what is there, and doing a list of changes to it.
//
// The kernel's own WireGuard where it has one, else wireguard-go: one process a device, a service of systemd's
// (service.hpp) or started in a session of its own; it outlives the agent either way, and is met again by its control
// socket. A TUN is ours when that socket answers. After a kill -9 the kernel removes the TUN and a dead socket file
// stays: the device is then simply created again.
//
// Threads: one object on one loop. Netlink calls block for the time of a system call, talk with wireguard-go does not.
#pragma once

#include "base/net/task.hpp"
#include "mesh/wireguard/diff.hpp"
#include "mesh/wireguard/kernel/link.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wireguard {

enum class BackendChoice { automatic, kernel, userspace };
// Whose process a wireguard-go is: systemd's, or a detached one that this process started.
enum class ServiceChoice { automatic, systemd, child };

struct BackendSettings {
  BackendChoice choice = BackendChoice::automatic;
  ServiceChoice service = ServiceChoice::automatic;
  std::vector<std::string> command{"wireguard-go"};     // "-f NAME" is appended; a service's is in its unit
  std::string socket_directory = "/var/run/wireguard";  // compiled into wireguard-go
  std::string log_directory;                            // NAME.log of each process; empty: /dev/null
  std::chrono::milliseconds read_deadline{2000};        // for what a wireguard-go says of its device
};

class Driver;

class Backend {
 public:
  // automatic: creates and removes a device of the kernel's; where that is not supported, wireguard-go it is.
  // errc::no_permission, not_supported (choice kernel), no_tun (userspace).
  static base::Result<Backend> choose(BackendSettings const& settings);
  // For observe() alone: nothing is tried, so that nothing on the machine moves. `choice` is kernel or userspace.
  static base::Result<Backend> reader(BackendChoice choice, BackendSettings const& settings);
  Backend(Backend&&) noexcept;
  Backend& operator=(Backend&&) noexcept;
  ~Backend();

  [[nodiscard]] char const* name() const;  // "kernel" or "wireguard-go"

  // Interfaces whose name begins with `prefix`, complete but for those that are `unread`: a wireguard-go that hangs
  // hides its own device only, and is asked again after ten seconds.
  net::Task<base::Result<std::vector<ObservedDevice>>> observe(std::string prefix);

  // In order. A failure skips the remaining changes of its device only; all failures are returned.
  net::Task<std::vector<base::Failure>> apply(std::vector<Change> changes);

  [[nodiscard]] Links& links() { return links_; }

 private:
  Backend(Links links, std::unique_ptr<Driver> driver);
  base::Result<void> change_link(Change const& change);
  net::Task<base::Result<void>> change(Change change);
  Links links_;
  std::unique_ptr<Driver> driver_;
};

}  // namespace wireguard
