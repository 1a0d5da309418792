#include "mesh/settings/limits.hpp"

#include "mesh/wireguard/backend/service.hpp"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <filesystem>

namespace privateer {
namespace {

bool has_capability(unsigned number) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) {
    return false;
  }
  return (data.at(number / 32).effective >> (number % 32) & 1U) != 0;
}

// Whether a file may be made there: the folder itself, or the nearest one above that exists.
bool may_write(std::filesystem::path folder) {
  std::error_code error;
  while (!std::filesystem::exists(folder, error) && folder.has_relative_path()) {
    folder = folder.parent_path();
  }
  return ::access(folder.c_str(), W_OK | X_OK) == 0;
}

bool may_write_beside(std::string const& file) {
  return file.empty() || may_write(std::filesystem::path(file).parent_path());
}

}  // namespace

Privileges look_at_privileges(Settings const& settings) {
  Privileges out;
  out.root = ::geteuid() == 0;
  out.raw_sockets = has_capability(CAP_NET_RAW);
  constexpr char const* device = "/dev/net/tun";
  out.tun = ::access(device, F_OK) != 0 || ::access(device, R_OK | W_OK) == 0;
  out.wireguard_folder = may_write(settings.wireguard.socket_directory);
  out.hosts_folder = may_write_beside(settings.names_hosts);
  out.nginx_folder = !settings.edge || may_write_beside(settings.edge->nginx_file);
  out.haproxy_folder = !settings.edge || may_write_beside(settings.edge->haproxy_file);
  out.caddy_folder = !settings.edge || may_write_beside(settings.edge->caddy_file);
  out.edge_folder = !settings.edge || may_write(settings.edge->directory);
  out.wireguard_by_systemd = wireguard::by_systemd(settings.wireguard, wireguard::look_for_systemd());
  out.polkit = ::access("/usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service", F_OK) == 0;
  return out;
}

std::vector<std::string> limits(Settings const& settings, Privileges const& has) {
  std::vector<std::string> out;
  if (has.root) {
    return out;
  }
  if (!settings.bird_start.empty() && !has.raw_sockets) {
    out.emplace_back(
        "bird.start: a BIRD that this agent starts has no CAP_NET_RAW, which OSPF needs; leave bird.start out "
        "and let privateer-bird.service run it");
  }
  bool const userspace = settings.wireguard.choice != wireguard::BackendChoice::kernel;
  if (userspace && !has.tun) {
    out.emplace_back(
        "wireguard: /dev/net/tun is not this user's to open: chmod 666 /dev/net/tun, as udev has it, if this "
        "kernel has no WireGuard");
  }
  if (userspace && !has.wireguard_folder) {
    out.push_back("wireguard: " + settings.wireguard.socket_directory +
                  " is not this user's to write: RuntimeDirectory=wireguard makes it, if this kernel has no WireGuard");
  }
  if (userspace && has.wireguard_by_systemd && !has.polkit) {
    out.emplace_back(
        "wireguard.service: systemd lets this user start no unit without polkit, so each wireguard-go is the agent's "
        "own process, if this kernel has no WireGuard: install polkitd, or set it to child");
  }
  if (!has.hosts_folder) {
    out.push_back(
        "names.hosts: " + settings.names_hosts +
        " is replaced as a whole, and its folder is not this user's to write: name a file in a folder that is");
  }
  auto const include = [&](bool writable, char const* setting, std::string const& file, char const* server) {
    if (!writable) {
      out.push_back(std::string(setting) + ": the folder of " + file +
                    " is not this user's to write: give it a folder that " + server + " reads");
    }
  };
  if (settings.edge) {
    include(has.nginx_folder, "edge.nginx_file", settings.edge->nginx_file, "nginx");
    include(has.haproxy_folder, "edge.haproxy_file", settings.edge->haproxy_file, "HAProxy");
    include(has.caddy_folder, "edge.caddy_file", settings.edge->caddy_file, "Caddy");
  }
  if (settings.edge && !has.edge_folder) {
    out.push_back("edge.directory: " + settings.edge->directory + " is not this user's to write");
  }
  return out;
}

std::string reload_hint(Settings const& settings, Privileges const& has) {
  if (has.root || !settings.edge || settings.edge->reload.empty()) {
    return {};
  }
  return "edge.reload: " + settings.edge->reload.front() +
         " runs as this user: signalling a server of root's needs a rule of polkit or sudo";
}

}  // namespace privateer
