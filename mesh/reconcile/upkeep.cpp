// What keeps the machine as it was made: names of devices, the table of packet-filter rules, no routes of strangers.
#include "mesh/reconcile/reconciler.hpp"

#include <algorithm>
#include <utility>

namespace reconcile {
namespace {

constexpr std::chrono::seconds routes_every{60};

}  // namespace

std::map<unsigned, std::string> renamed(std::vector<wireguard::Device> const& wanted,
                                        std::vector<wireguard::ObservedDevice> const& all,
                                        std::map<std::string, unsigned> const& index_of) {
  std::map<unsigned, std::string> out;
  auto const is_there = [&](std::string const& name) {
    return std::any_of(all.begin(), all.end(), [&](auto const& one) { return one.name == name; });
  };
  for (auto const& device : wanted) {
    if (is_there(device.name)) {
      continue;
    }
    auto const known = index_of.find(device.name);
    auto const same = std::find_if(all.begin(), all.end(), [&](wireguard::ObservedDevice const& one) {
      bool const kind = one.kind == "wireguard" || one.kind == "tun";
      bool const stranger = !one.name.starts_with(plan::interface_prefix) && !device.alias.empty();
      return kind && one.alias == device.alias && ((known != index_of.end() && known->second == one.index) || stranger);
    });
    if (same != all.end()) {
      out.try_emplace(same->index, device.name);
    }
  }
  return out;
}

bool Reconciler::restore_names(plan::NodePlan const& plan, Pass& pass) {
  bool const complete = std::all_of(plan.devices.begin(), plan.devices.end(), [&](wireguard::Device const& device) {
    return std::any_of(pass.devices.begin(), pass.devices.end(),
                       [&](auto const& one) { return one.name == device.name; });
  });
  if (complete) {
    return false;
  }
  auto const all = backend_.links().list("");
  if (!all) {
    return false;  // the look at the devices said the same
  }
  bool any = false;
  for (auto const& [index, name] : renamed(plan.devices, *all, index_of_)) {
    auto const done = backend_.links().rename(index, name);
    if (done) {
      any = true;
      note_change(pass, name + ": had another name");
      rewrites_owed_ = rewrites_per_loss;
    } else {
      pass.failures.push_back(done.error().what());
    }
  }
  return any;
}

void Reconciler::remember_devices(Pass const& pass) {
  for (auto const& device : pass.devices) {
    if (device.wireguard) {
      index_of_[device.name] = device.index;
    }
  }
}

net::Task<void> Reconciler::rules(std::shared_ptr<plan::NodePlan const> plan, Pass* pass) {
  if (!rules_ || plan->rules.empty()) {
    co_return;
  }
  // A device of ours that nobody wants any more carries until every other link does: its rules stay as long.
  auto const wanted = with_keys(*plan);
  std::set<std::string> departing;
  for (auto const& device : pass->devices) {
    bool const is_wanted = std::any_of(wanted.begin(), wanted.end(),
                                       [&](wireguard::Device const& one) { return one.name == device.name; });
    if (!is_wanted && wireguard::is_ours(device, wanted, owner_of(*plan))) {
      departing.insert(device.name);
    }
  }
  auto text = departing.empty() ? plan->rules : guard::with_departing(plan->rules, rules_->in_use(), departing);
  auto const written = co_await rules_->converge(std::move(text));
  if (!written) {
    pass->failures.push_back(written.error().what());
  } else if (*written) {
    note_change(*pass, std::string("rules: table inet ") + guard::Rules::table + " written");
  }
}

// A name alone makes no device ours: somebody's bridge, or WireGuard device, may be called like one.
std::set<std::string> mesh_devices(std::vector<wireguard::Device> const& wanted,
                                   std::vector<wireguard::ObservedDevice> const& seen, wireguard::Owner owner) {
  std::set<std::string> out;
  for (auto const& device : wanted) {
    out.insert(device.name);
  }
  for (auto const& device : seen) {
    if (wireguard::is_ours(device, wanted, owner)) {
      out.insert(device.name);
    }
  }
  for (auto const& name : wireguard::conflicts(wanted, seen, owner)) {
    out.erase(name);
  }
  return out;
}

wireguard::Owner owner_of(plan::NodePlan const& plan) {
  return {plan::interface_prefix, plan.node};
}

std::string without_interfaces(std::string bird, std::set<std::string> const& names) {
  constexpr std::string_view end = "\n    };\n";  // of the block, as bird::render indents it
  for (auto const& name : names) {
    auto const head = "    interface \"" + name + "\" {";
    for (auto at = bird.find(head); at != std::string::npos; at = bird.find(head, at)) {
      auto const last = bird.find(end, at);
      if (last == std::string::npos) {
        break;
      }
      bird.erase(at, last + end.size() - at);
    }
  }
  return bird;
}

plan::NodePlan without_devices(plan::NodePlan plan, std::set<std::string> const& names) {
  std::erase_if(plan.devices, [&](wireguard::Device const& device) { return names.contains(device.name); });
  std::erase_if(plan.sysctls, [&](plan::Sysctl const& sysctl) {
    return std::any_of(names.begin(), names.end(), [&](std::string const& name) {
      return sysctl.path.find("/" + name + "/") != std::string::npos;
    });
  });
  plan.bird = without_interfaces(std::move(plan.bird), names);
  plan.rules = guard::without_devices(std::move(plan.rules), names);
  return plan;
}

void Reconciler::strays(plan::NodePlan const& plan, Pass& pass) {
  auto const now = std::chrono::steady_clock::now();
  if (now < routes_due_) {
    return;
  }
  routes_due_ = now + routes_every;
  if (!strays_) {
    if (auto opened = guard::Strays::open()) {
      strays_.emplace(std::move(*opened));
    } else {
      pass.failures.push_back(opened.error().what());
      return;
    }
  }
  auto const removed = strays_->remove(mesh_devices(with_keys(plan), pass.devices, owner_of(plan)));
  if (!removed) {
    pass.failures.push_back(removed.error().what());
    return;
  }
  for (auto const& sentence : *removed) {
    note_change(pass, sentence);
  }
}

}  // namespace reconcile
