#include "mesh/doctor/observe.hpp"

#include "base/process/service.hpp"
#include "mesh/doctor/echoes/echo.hpp"
#include "mesh/doctor/underlay/addresses.hpp"
#include "mesh/doctor/underlay/route.hpp"
#include "mesh/wireguard/backend/backend.hpp"
#include "routing/bird/control.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

#include <linux/if_addr.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace doctor {
namespace {

constexpr std::size_t setting_size_limit = 4096;
constexpr std::size_t addresses_size_limit = 4U << 20U;

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  return text;
}

void read_settings(Sources const& sources, Facts& facts) {
  if (facts.plan == nullptr) {
    return;
  }
  for (auto const& wanted : facts.plan->sysctls) {
    auto const text = process::read_file(sources.proc_sys + "/" + wanted.path, setting_size_limit);
    if (text) {
      facts.sysctls[wanted.path] = trimmed(*text);
    }
  }
}

void read_machine(Sources const& sources, Facts& facts) {
  if (auto const addresses = process::read_file(sources.proc_net + "/if_inet6", addresses_size_limit)) {
    facts.deaf_to_routers = deaf_to_routers(*addresses, sources.proc_sys);
  }
  facts.kernel_has_wireguard = ::access("/sys/module/wireguard", F_OK) == 0;
  struct statvfs space {};
  if (!sources.state_directory.empty() && ::statvfs(sources.state_directory.c_str(), &space) == 0) {
    facts.state_free_bytes = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
  }
}

// Which of the two carries our devices is seen from the devices themselves.
net::Task<void> read_devices(Sources sources, Facts* facts) {
  facts->devices_seen = false;
  auto links = wireguard::Links::open();
  if (!links) {
    facts->blind.push_back("devices: " + links.error().what());
    co_return;
  }
  if (auto const lo = links->list("lo"); lo) {
    for (auto const& one : *lo) {
      if (one.name == "lo") {
        facts->loopback = one.addresses;
        facts->loopback_known = true;
      }
    }
  }
  auto const listed = links->list(plan::interface_prefix);
  if (!listed) {
    facts->blind.push_back("devices: " + listed.error().what());
    co_return;
  }
  bool const kernel = std::any_of(listed->begin(), listed->end(),
                                  [](wireguard::ObservedDevice const& one) { return one.kind == "wireguard"; });
  facts->backend = listed->empty() ? "" : kernel ? "kernel" : "wireguard-go";
  wireguard::BackendSettings settings;
  settings.socket_directory = sources.wireguard_sockets;
  settings.read_deadline = sources.device_deadline;
  auto backend = wireguard::Backend::reader(
      kernel ? wireguard::BackendChoice::kernel : wireguard::BackendChoice::userspace, settings);
  if (!backend) {
    facts->blind.push_back("devices: " + backend.error().what());
    co_return;
  }
  auto devices = co_await backend->observe(std::string(plan::interface_prefix));
  if (!devices) {
    facts->blind.push_back("devices: " + devices.error().what());
    co_return;
  }
  facts->devices = std::move(*devices);
  facts->devices_seen = true;
  for (auto& device : facts->devices) {
    device.private_key = {};
    // One that hangs is a finding of its own.
    if (device.unread && device.unread != net::errc::timed_out) {
      facts->blind.push_back("the sessions of " + device.name + ": " + device.unread.message());
    }
  }
}

void read_addresses(Facts& facts) {
  auto local = local_addresses();
  if (!local) {
    facts.blind.push_back("addresses: " + local.error().what());
    return;
  }
  facts.local_addresses = std::move(*local);
  for (auto const& [device, addresses] : facts.declared_of_device) {
    for (auto const& address : addresses) {
      auto const source = source_towards(address);
      if (source && std::find(facts.sources.begin(), facts.sources.end(), *source) == facts.sources.end()) {
        facts.sources.push_back(*source);
      }
    }
  }
}

void read_routes(Facts& facts) {
  for (auto const& device : facts.devices) {
    for (auto const& peer : device.peers) {
      if (!peer.peer.endpoint) {
        continue;
      }
      auto interface = interface_towards(peer.peer.endpoint->address);
      if (!interface) {
        facts.blind.push_back("routes: " + interface.error().what());
        return;
      }
      facts.endpoint_routes.push_back({device.name, *peer.peer.endpoint, std::move(*interface)});
    }
  }
}

net::Task<void> read_echoes(Sources sources, Facts* facts) {
  std::vector<EchoTarget> targets;
  for (auto const& device : facts->devices) {
    auto const target = facts->echo_target.find(device.name);
    if (device.wireguard && device.up && target != facts->echo_target.end()) {
      targets.push_back({device.name, device.index, target->second, device.mtu});
    }
  }
  if (targets.empty()) {
    co_return;
  }
  auto probes = co_await echo(std::move(targets), sources.echo_deadline);
  if (probes) {
    facts->probes = std::move(*probes);
  } else {
    facts->blind.push_back("echoes: " + probes.error().what());
  }
}

net::Task<void> read_bird(Sources sources, Facts* facts) {
  bird::Control const control(sources.bird_control);
  auto neighbors = co_await control.ospf_neighbors();
  facts->bird_running = neighbors.has_value();
  if (!neighbors) {
    facts->blind.push_back(std::string(blind_bird) + neighbors.error().what());
    co_return;
  }
  facts->neighbors = std::move(*neighbors);
  if (auto sessions = co_await control.bfd_sessions(); sessions) {
    facts->bfd = std::move(*sessions);
  }
  std::string own;
  if (auto const status = co_await control.command("show status"); status) {
    for (auto const& line : status->text()) {
      constexpr std::string_view label = "Router ID is ";
      if (auto const at = line.find(label); at != std::string::npos) {
        own = trimmed(line.substr(at + label.size()));
      }
    }
  }
  for (std::string const protocol : {"ospf4", "ospf6"}) {
    std::string const question = "show ospf state " + protocol;
    if (auto const state = co_await control.command(question); state) {
      auto const costs = link_costs(bird::parse_ospf_state(state->text()), protocol, own);
      facts->costs.insert(facts->costs.end(), costs.begin(), costs.end());
    }
  }
}

}  // namespace

std::vector<std::string> deaf_to_routers(std::string const& if_inet6, std::string const& proc_sys) {
  std::set<std::string> out;
  std::istringstream lines(if_inet6);
  std::string address, index, length, scope, flags, name;
  while (lines >> address >> index >> length >> scope >> flags >> name) {
    bool const permanent = (std::strtoul(flags.c_str(), nullptr, 16) & IFA_F_PERMANENT) != 0;
    auto const conf = proc_sys + "/net/ipv6/conf/" + name;
    auto const is_one = [&](char const* setting) {
      auto const text = process::read_file(conf + setting, setting_size_limit);
      return text && trimmed(*text) == "1";
    };
    if (scope == "00" && !permanent && is_one("/accept_ra") && is_one("/forwarding")) {
      out.insert(name);
    }
  }
  return {out.begin(), out.end()};
}

net::Task<void> observe(Sources sources, Facts* facts) {
  facts->now_s =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  read_settings(sources, *facts);
  read_machine(sources, *facts);
  co_await read_devices(sources, facts);
  read_addresses(*facts);
  read_routes(*facts);
  co_await read_bird(sources, facts);
  co_await read_echoes(sources, facts);
}

}  // namespace doctor
