#include "mesh/wireguard/backend/driver.hpp"

#include "base/process/log.hpp"
#include "base/process/service.hpp"
#include "mesh/wireguard/backend/uapi.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace wireguard {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds ask_deadline{2000};
constexpr milliseconds start_deadline{5000};
constexpr milliseconds stop_deadline{2000};
constexpr milliseconds look_again{20};
constexpr std::chrono::seconds leave_alone{10};  // a process that hangs: a pass looks several times

}  // namespace

base::Result<netlink::KernelSocket*> KernelDriver::socket() {
  if (!socket_) {
    auto opened = netlink::KernelSocket::open();
    if (!opened) {
      return opened.error();
    }
    socket_ = std::make_unique<netlink::KernelSocket>(std::move(*opened));
  }
  return socket_.get();
}

net::Task<base::Result<void>> KernelDriver::create(std::string device) {
  co_return links_.create_wireguard(device);
}

net::Task<base::Result<void>> KernelDriver::remove(std::string device) {
  co_return links_.remove(device);
}

net::Task<base::Result<void>> KernelDriver::read(ObservedDevice* device) {
  if (device->kind != "wireguard") {
    co_return base::Result<void>();
  }
  auto const kernel = socket();
  if (!kernel) {
    co_return kernel.error();
  }
  auto const read = (*kernel)->get(*device);
  device->wireguard = read.has_value();
  co_return read;
}

net::Task<base::Result<void>> KernelDriver::set(Configuration configuration) {
  auto const kernel = socket();
  if (!kernel) {
    co_return kernel.error();
  }
  co_return (*kernel)->set(configuration);
}

std::string UserspaceDriver::socket_path(std::string const& device) const {
  return settings_.socket_directory + "/" + device + ".sock";
}

std::string UserspaceDriver::log_path(std::string const& device) const {
  return settings_.log_directory.empty() ? "/dev/null" : settings_.log_directory + "/" + device + ".log";
}

base::Result<void> UserspaceDriver::start_child(std::string const& device) {
  if (::mkdir(settings_.socket_directory.c_str(), 0755) != 0 && errno != EEXIST) {
    return base::fail_errno(errno, "making the folder " + settings_.socket_directory);
  }
  auto argv = settings_.command;
  argv.emplace_back("-f");
  argv.push_back(device);
  auto const started = process::start_detached(argv, log_path(device));
  if (!started) {
    return base::fail(errc::no_program, "starting " + settings_.command.front() + ": " + started.error().what());
  }
  process::log::info("wireguard", "started {} for {} pid={}", settings_.command.front(), device, *started);
  return {};
}

bool UserspaceDriver::is_service(std::string const& device) const {
  return services_ && !refused_.contains(device);
}

// A mesh whose devices end with the agent's unit is better than none. Told as an error once: what refused one refuses
// all, as a rule; yet each is asked for, so that no name takes the others with it.
void UserspaceDriver::give_up_service(std::string const& device, base::Failure const& refusal) {
  bool const told = !refused_.empty();
  refused_.insert(device);
  if (told) {
    process::log::info("wireguard", "{} is the agent's own, too: {}", device, refusal.what());
    return;
  }
  process::log::error("wireguard",
                      "systemd does not run wireguard-go for this user: {}; until the agent is started again such "
                      "processes are the agent's own. Install packaging/polkit/privateer.rules and polkitd, or set "
                      "wireguard.service: child",
                      refusal.what());
}

net::Task<base::Result<void>> UserspaceDriver::start(std::string device) {
  if (is_service(device)) {
    auto const started = co_await services_->start(device);
    if (started) {
      process::log::info("wireguard", "started {}", unit_of(device));
      co_return started;
    }
    if (started.error().code != errc::no_permission) {
      co_return started;
    }
    give_up_service(device, started.error());
  }
  co_return start_child(device);
}

net::Task<base::Result<void>> UserspaceDriver::create(std::string device) {
  if (::access("/dev/net/tun", F_OK) != 0) {
    co_return base::fail(errc::no_tun, "wireguard-go needs /dev/net/tun; load the tun module or create the device");
  }
  silent_.erase(device);
  auto const started = co_await start(device);
  if (!started) {
    co_return started;
  }
  auto const until = std::chrono::steady_clock::now() + start_deadline;
  auto const path = socket_path(device);
  while (std::chrono::steady_clock::now() < until) {
    ObservedDevice seen;
    seen.name = device;
    auto const answer = co_await uapi::get(path, &seen, ask_deadline);
    if (answer) {
      co_return base::Result<void>();
    }
    bool const waited = co_await net::wait_for(look_again);
    if (!waited) {
      break;
    }
  }
  auto const log = is_service(device) ? "journalctl -u '" + unit_of(device) + "'" : log_path(device);
  co_return base::fail(errc::no_program, settings_.command.front() + " for " + device + " did not open " + path +
                                             " within 5 s; see " + log);
}

// A process of systemd's ends by its unit, so that it is not started again; a child of earlier times by its TUN.
net::Task<base::Result<void>> UserspaceDriver::stop(std::string device) {
  if (is_service(device)) {
    auto const stopped = co_await services_->stop(device);
    if (!stopped && stopped.error().code == errc::no_permission) {
      give_up_service(device, stopped.error());
    } else if (!stopped) {
      co_return stopped;
    }
  }
  co_return links_.remove(device);  // nothing is left of it where its process was ended
}

// The process ends by itself when its TUN goes. Its last act is to unlink the socket path, so a successor of the same
// name may only start after that: wait until nobody accepts there.
net::Task<base::Result<void>> UserspaceDriver::remove(std::string device) {
  auto const removed = co_await stop(device);
  if (!removed) {
    co_return removed;
  }
  auto const until = std::chrono::steady_clock::now() + stop_deadline;
  auto const path = socket_path(device);
  while (std::chrono::steady_clock::now() < until) {
    ObservedDevice seen;
    seen.name = device;
    auto const answer = co_await uapi::get(path, &seen, ask_deadline);
    if (!answer && answer.error().code == errc::unreachable) {
      break;
    }
    bool const waited = co_await net::wait_for(look_again);
    if (!waited) {
      break;
    }
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    co_return base::fail_errno(errno, "removing " + path);
  }
  co_return base::Result<void>();
}

net::Task<base::Result<void>> UserspaceDriver::read(ObservedDevice* device) {
  if (device->kind != "tun") {
    co_return base::Result<void>();
  }
  auto const now = std::chrono::steady_clock::now();
  auto const silent = silent_.find(device->name);
  if (silent != silent_.end() && now - silent->second < leave_alone) {
    co_return base::fail(net::errc::timed_out, "it did not answer a moment ago");
  }
  auto const answer = co_await uapi::get(socket_path(device->name), device, settings_.read_deadline);
  device->wireguard = answer.has_value();
  bool const hangs = !answer && answer.error().code == net::errc::timed_out;
  if (hangs && silent == silent_.end()) {
    process::log::warning("wireguard", "the wireguard-go of {} does not answer: its device is left as it is",
                          device->name);
  }
  if (hangs) {
    silent_[device->name] = std::chrono::steady_clock::now();
  } else {
    silent_.erase(device->name);
  }
  // A TUN without a listener is another program's, which is no failure of ours.
  if (!answer && answer.error().code != errc::unreachable) {
    co_return answer;
  }
  co_return base::Result<void>();
}

net::Task<base::Result<void>> UserspaceDriver::set(Configuration configuration) {
  auto const path = socket_path(configuration.device);
  auto const result = co_await uapi::set(path, std::move(configuration), ask_deadline);
  co_return result;
}

}  // namespace wireguard
