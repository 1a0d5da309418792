// The look at the machine: nothing is written.
#include "mesh/preview/preview.hpp"

#include "base/process/service.hpp"
#include "mesh/guard/strays.hpp"
#include "mesh/reconcile/reconciler.hpp"
#include "routing/bird/control.hpp"

#include <algorithm>
#include <chrono>

namespace preview {
namespace {

constexpr std::size_t setting_size_limit = 4096;

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  return text;
}

// Which of the two carries the devices is seen from them, since trying would make one.
base::Result<wireguard::Backend> reader(wireguard::BackendSettings const& settings,
                                        std::vector<wireguard::ObservedDevice> const& all) {
  bool const kernel = std::any_of(all.begin(), all.end(), [](wireguard::ObservedDevice const& one) {
    return one.kind == "wireguard" && one.name.starts_with(plan::interface_prefix);
  });
  return wireguard::Backend::reader(kernel ? wireguard::BackendChoice::kernel : wireguard::BackendChoice::userspace,
                                    settings);
}

void look_at_files(Sources const& sources, plan::NodePlan const& plan, Machine& out) {
  if (auto const owned = process::read_file(sources.state + "/loopback")) {
    out.owned = reconcile::parse_owned(*owned);
  }
  for (auto const& wanted : plan.sysctls) {
    if (auto const text = process::read_file(sources.proc_sys + "/" + wanted.path, setting_size_limit)) {
      out.sysctls[wanted.path] = trimmed(*text);
    }
  }
  auto bird = process::read_file(sources.bird_config);
  if (bird) {
    out.bird = std::move(*bird);
  } else if (bird.error().code != boost::system::errc::no_such_file_or_directory) {
    out.blind.push_back("BIRD's configuration: " + bird.error().what());
    out.bird = plan.bird;  // nothing is concluded from it
  }
}

void look_at_routes(plan::NodePlan const& plan, Machine& out) {
  auto strays = guard::Strays::open();
  auto const found = strays
                         ? strays->list(reconcile::mesh_devices(plan.devices, out.devices, reconcile::owner_of(plan)))
                         : base::Result<std::vector<std::string>>(strays.error());
  if (found) {
    out.strays = *found;
  } else {
    out.blind.push_back("routes: " + found.error().what());
  }
}

net::Task<void> look_at_rules(Sources sources, std::shared_ptr<plan::NodePlan const> plan, Machine* out) {
  if (sources.nft.empty() || plan->rules.empty()) {
    co_return;
  }
  guard::Rules rules(sources.nft, sources.state);
  auto const found = co_await rules.look(plan->rules);
  if (found) {
    out->rules = *found;
    out->rules_in_use = rules.in_use();
  } else {
    out->blind.push_back("rules: " + found.error().what());
  }
}

}  // namespace

net::Task<base::Result<Machine>> look(Sources sources, std::shared_ptr<plan::NodePlan const> plan) {
  Machine out;
  out.now_s =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  auto links = wireguard::Links::open();
  if (!links) {
    co_return links.error();
  }
  auto const all = links->list("");
  if (!all) {
    co_return all.error();
  }
  auto backend = reader(sources.wireguard, *all);
  if (!backend) {
    co_return backend.error();
  }
  auto observed = co_await backend->observe(std::string(plan::interface_prefix));
  if (!observed) {
    co_return observed.error();
  }
  out.devices = std::move(*observed);
  for (auto const& device : out.devices) {
    if (device.unread) {
      out.blind.push_back(device.name + ": its keys and peers cannot be read (" + device.unread.message() + ")");
    }
  }
  for (auto const& [index, name] : reconcile::renamed(plan->devices, *all, {})) {
    out.renamed.push_back(name);
  }
  for (auto const& one : *all) {
    if (one.name == "lo") {
      out.loopback = one.addresses;
      out.loopback_up = one.up;
    }
  }
  look_at_files(sources, *plan, out);
  look_at_routes(*plan, out);
  co_await look_at_rules(sources, plan, &out);
  bird::Control const control(sources.bird_control);
  auto const answer = co_await control.command("show status");
  out.bird_runs = answer.has_value();
  co_return out;
}

}  // namespace preview
