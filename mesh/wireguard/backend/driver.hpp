// What differs between the kernel's WireGuard and wireguard-go; Backend does the rest the same way for both.
//
// Threads: as Backend.
#pragma once

#include "mesh/wireguard/backend/backend.hpp"
#include "mesh/wireguard/backend/service.hpp"
#include "mesh/wireguard/configuration.hpp"
#include "mesh/wireguard/kernel/netlink.hpp"

#include <map>
#include <optional>
#include <set>

namespace wireguard {

class Driver {
 public:
  virtual ~Driver() = default;
  [[nodiscard]] virtual char const* name() const = 0;
  // An interface of this name exists afterwards and takes configurations.
  virtual net::Task<base::Result<void>> create(std::string device) = 0;
  virtual net::Task<base::Result<void>> remove(std::string device) = 0;
  // Fills keys, port and peers and sets `wireguard`; leaves it false for an interface that is somebody else's. A
  // failure means a device that cannot be read now.
  virtual net::Task<base::Result<void>> read(ObservedDevice* device) = 0;
  virtual net::Task<base::Result<void>> set(Configuration configuration) = 0;
};

class KernelDriver : public Driver {
 public:
  explicit KernelDriver(Links links) : links_(std::move(links)) {}
  [[nodiscard]] char const* name() const override { return "kernel"; }
  net::Task<base::Result<void>> create(std::string device) override;
  net::Task<base::Result<void>> remove(std::string device) override;
  net::Task<base::Result<void>> read(ObservedDevice* device) override;
  net::Task<base::Result<void>> set(Configuration configuration) override;

 private:
  base::Result<netlink::KernelSocket*> socket();
  Links links_;
  std::unique_ptr<netlink::KernelSocket> socket_;  // opened with the first device: that loads the module
};

class UserspaceDriver : public Driver {
 public:
  // `services`: who runs the processes; without it, and where systemd refused a device's, they are children.
  UserspaceDriver(Links links, BackendSettings settings, std::optional<Services> services)
      : links_(std::move(links)), settings_(std::move(settings)), services_(std::move(services)) {}
  [[nodiscard]] char const* name() const override { return "wireguard-go"; }
  net::Task<base::Result<void>> create(std::string device) override;
  net::Task<base::Result<void>> remove(std::string device) override;
  net::Task<base::Result<void>> read(ObservedDevice* device) override;
  net::Task<base::Result<void>> set(Configuration configuration) override;

 private:
  [[nodiscard]] std::string socket_path(std::string const& device) const;
  [[nodiscard]] std::string log_path(std::string const& device) const;
  net::Task<base::Result<void>> start(std::string device);
  base::Result<void> start_child(std::string const& device);
  net::Task<base::Result<void>> stop(std::string device);
  // Whether systemd runs the device's process, as far as it has not refused.
  [[nodiscard]] bool is_service(std::string const& device) const;
  void give_up_service(std::string const& device, base::Failure const& refusal);
  Links links_;
  BackendSettings settings_;
  std::optional<Services> services_;
  std::set<std::string> refused_;  // devices whose units systemd refused to this user
  std::map<std::string, std::chrono::steady_clock::time_point> silent_;  // device -> when it was asked in vain
};

}  // namespace wireguard
