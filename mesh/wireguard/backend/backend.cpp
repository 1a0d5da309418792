#include "mesh/wireguard/backend/backend.hpp"

#include "mesh/wireguard/backend/driver.hpp"

#include <unistd.h>

#include <optional>
#include <set>

namespace wireguard {
namespace {

// Creating a device is the only sure test: the module may be absent, built in, or load on demand.
base::Result<void> try_kernel(Links& links) {
  auto const name = "wgtry" + std::to_string(::getpid() % 1000000);
  if (auto created = links.create_wireguard(name); !created) {
    return created;
  }
  return links.remove(name);
}

}  // namespace

Backend::Backend(Links links, std::unique_ptr<Driver> driver) : links_(std::move(links)), driver_(std::move(driver)) {}
Backend::Backend(Backend&&) noexcept = default;
Backend& Backend::operator=(Backend&&) noexcept = default;
Backend::~Backend() = default;

char const* Backend::name() const {
  return driver_->name();
}

base::Result<Backend> Backend::choose(BackendSettings const& settings) {
  auto links = Links::open();
  if (!links) {
    return links.error();
  }
  auto own = Links::open();
  if (!own) {
    return own.error();
  }
  if (settings.choice != BackendChoice::userspace) {
    auto const tried = try_kernel(*links);
    if (tried) {
      return Backend(std::move(*links), std::make_unique<KernelDriver>(std::move(*own)));
    }
    if (settings.choice == BackendChoice::kernel || tried.error().code == errc::no_permission) {
      return tried.error();
    }
  }
  if (::access("/dev/net/tun", F_OK) != 0) {
    return base::fail(errc::no_tun, "this kernel has no WireGuard, and wireguard-go needs /dev/net/tun");
  }
  std::optional<Services> services;
  if (by_systemd(settings, look_for_systemd())) {
    services.emplace();
  }
  return Backend(std::move(*links), std::make_unique<UserspaceDriver>(std::move(*own), settings, std::move(services)));
}

base::Result<Backend> Backend::reader(BackendChoice choice, BackendSettings const& settings) {
  auto links = Links::open();
  auto own = Links::open();
  if (!links || !own) {
    return links ? own.error() : links.error();
  }
  if (choice == BackendChoice::kernel) {
    return Backend(std::move(*links), std::make_unique<KernelDriver>(std::move(*own)));
  }
  return Backend(std::move(*links), std::make_unique<UserspaceDriver>(std::move(*own), settings, std::nullopt));
}

net::Task<base::Result<std::vector<ObservedDevice>>> Backend::observe(std::string prefix) {
  auto devices = links_.list(prefix);
  if (!devices) {
    co_return devices.error();
  }
  for (auto& device : *devices) {
    auto const read = co_await driver_->read(&device);
    // A device that vanished meanwhile is simply not ours any more; the next look does not find it.
    if (!read && read.error().code != errc::no_device) {
      device.wireguard = true;  // only what is of this kind is read, and something of that kind is there
      device.unread = read.error().code;
    }
  }
  co_return std::move(*devices);
}

base::Result<void> Backend::change_link(Change const& change) {
  switch (change.kind) {
    case Change::Kind::set_mtu:
      return links_.set_mtu(change.device, change.mtu);
    case Change::Kind::add_address:
      return links_.add_address(change.device, change.address);
    case Change::Kind::remove_address:
      return links_.remove_address(change.device, change.address);
    case Change::Kind::set_up:
      return links_.set_up(change.device);
    case Change::Kind::take_device:
      return links_.prepare(change.device, change.alias);
    case Change::Kind::create_device:
    case Change::Kind::set_private_key:
    case Change::Kind::set_port:
    case Change::Kind::add_peer:
    case Change::Kind::update_peer:
    case Change::Kind::remove_peer:
    case Change::Kind::remove_device:
      break;
  }
  return {};
}

net::Task<base::Result<void>> Backend::change(Change change) {
  if (change.kind == Change::Kind::create_device) {
    auto const created = co_await driver_->create(change.device);
    if (!created) {
      co_return created;
    }
    co_return links_.prepare(change.device, change.alias);
  }
  if (change.kind == Change::Kind::remove_device) {
    auto const removed = co_await driver_->remove(change.device);
    co_return removed;
  }
  co_return change_link(change);
}

net::Task<std::vector<base::Failure>> Backend::apply(std::vector<Change> changes) {
  std::vector<base::Failure> failures;
  std::set<std::string> failed;
  // Consecutive key, port and peer changes of a device go out as one set.
  for (std::size_t i = 0; i < changes.size();) {
    auto const device = changes[i].device;
    Configuration configuration;
    configuration.device = device;
    auto const first = i;
    while (i < changes.size() && changes[i].device == device && merge(configuration, changes[i])) {
      ++i;
    }
    bool const is_set = i > first;
    if (!is_set) {
      ++i;
    }
    if (failed.contains(device)) {
      continue;
    }
    base::Result<void> result;
    if (is_set) {
      result = co_await driver_->set(std::move(configuration));
    } else {
      result = co_await change(changes[first]);
    }
    if (!result) {
      failed.insert(device);
      failures.push_back(result.error());
    }
  }
  co_return failures;
}

}  // namespace wireguard
