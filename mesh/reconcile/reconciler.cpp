#include "mesh/reconcile/reconciler.hpp"

#include "base/process/log.hpp"
#include "base/process/service.hpp"

#include <algorithm>

namespace reconcile {
namespace {

constexpr std::string_view loopback_name = "lo";
// After an adjacency is Full: what its neighbour had to send has come by then.
constexpr std::chrono::seconds settled{3};

bool is_full(std::string const& device, std::vector<bird::Neighbor> const& neighbors) {
  return std::any_of(neighbors.begin(), neighbors.end(),
                     [&](bird::Neighbor const& one) { return one.interface == device && one.full(); });
}

std::int64_t wall_clock_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

void note_change(Pass& pass, std::string text) {
  process::log::info("agent", "{}", text);
  pass.changes.push_back(std::move(text));
}

bool loses_routes(wireguard::Change const& change) {
  using Kind = wireguard::Change::Kind;
  return change.kind == Kind::create_device || change.kind == Kind::set_up || change.kind == Kind::add_address ||
         change.kind == Kind::remove_address;
}

bool others_carry(plan::NodePlan const& plan, std::vector<bird::Neighbor> const& neighbors, bool patient) {
  auto const full = std::count_if(plan.devices.begin(), plan.devices.end(), [&](wireguard::Device const& device) {
    // Both instances, OSPFv2 and OSPFv3.
    return std::count_if(neighbors.begin(), neighbors.end(),
                         [&](bird::Neighbor const& one) { return one.interface == device.name && one.full(); }) >= 2;
  });
  return full > 0 && (!patient || full == std::ssize(plan.devices));
}

bool nobody_calculates(wireguard::ObservedDevice const& device, plan::NodePlan const& plan, plan::World const& world,
                       std::vector<bird::Neighbor> const& neighbors) {
  auto const router = router_of(device, world);
  return !is_full(device.name, neighbors) || !router ||
         std::any_of(plan.neighbors.begin(), plan.neighbors.end(),
                     [&](auto const& entry) { return entry.second == *router; });
}

std::set<std::string> adjacencies(std::vector<bird::Neighbor> const& neighbors,
                                  std::vector<bird::BfdSession> const& sessions) {
  std::set<std::string> out;
  for (auto const& neighbor : neighbors) {
    if (neighbor.full()) {
      out.insert(neighbor.protocol + " " + neighbor.interface);
    }
  }
  for (auto const& session : sessions) {
    if (session.up()) {
      auto const up = session.address + " " + session.interface + " up";
      out.insert(up);
      // BIRD says the time of day, and after some twenty hours the day alone: then it has not just come. It counts the
      // time back from now at each question, so that parts of a second flicker.
      if (session.since.find(':') != std::string::npos) {
        out.insert(up + " since " + session.since.substr(0, session.since.find('.')));
      }
    }
  }
  return out;
}

std::vector<wireguard::ObservedDevice> without_inner_sessions(std::vector<wireguard::ObservedDevice> devices,
                                                              std::vector<wireguard::Network> const& mesh_prefixes) {
  for (auto& device : devices) {
    for (auto& one : device.peers) {
      bool const inner =
          one.peer.endpoint && std::any_of(mesh_prefixes.begin(), mesh_prefixes.end(), [&](auto const& prefix) {
            return wireguard::contains(prefix, one.peer.endpoint->address);
          });
      one.last_handshake_s = inner ? 0 : one.last_handshake_s;
    }
  }
  return devices;
}

bool is_orphan(wireguard::ObservedDevice const& device, plan::World const& world) {
  auto const holds = [](std::map<std::string, wireguard::PublicKey> const& keys, wireguard::PublicKey const& key) {
    return std::any_of(keys.begin(), keys.end(), [&](auto const& entry) { return entry.second == key; });
  };
  return std::none_of(device.peers.begin(), device.peers.end(), [&](wireguard::ObservedPeer const& one) {
    return holds(world.keys, one.peer.public_key) || holds(world.next_keys, one.peer.public_key);
  });
}

Reconciler::Reconciler(wireguard::Backend backend, BirdSettings bird, std::vector<std::string> nft,
                       std::string const& state_directory)
    : backend_(std::move(backend)),
      bird_(std::move(bird), state_directory + "/bird.applied"),
      owned_file_(state_directory + "/loopback") {
  if (!nft.empty()) {
    rules_.emplace(std::move(nft), state_directory);
  }
}

void Reconciler::set_keys(wireguard::PrivateKey own, wireguard::PrivateKey next) {
  given_own_ = std::move(own);
  given_next_ = std::move(next);
}

net::Task<Pass> Reconciler::run(std::shared_ptr<plan::NodePlan const> plan, std::shared_ptr<plan::World const> world,
                                std::string live_bird, std::uint64_t trial) {
  // One pass goes by one plan and the keys that belong to it, whatever comes meanwhile.
  own_key_ = given_own_;
  next_key_ = given_next_;
  Pass pass;
  auto const taken = co_await devices(plan, world, &pass);
  auto const whole = plan;  // what is looked at again and removed goes by all names
  if (!taken.empty()) {
    plan = std::make_shared<plan::NodePlan const>(without_devices(*whole, taken));
    live_bird = without_interfaces(std::move(live_bird), taken);
  }
  if (!departing_.empty()) {
    auto const before = process::read_file(bird_.config_file());
    auto kept = *plan;
    kept.bird = with_departing(std::move(kept.bird), before ? *before : std::string(), departing_);
    live_bird = with_departing(std::move(live_bird), kept.bird, departing_);
    plan = std::make_shared<plan::NodePlan const>(std::move(kept));
  }
  std::optional<std::string> wait;
  if (trial != 0) {
    auto const before = process::read_file(bird_.config_file());
    wait = waits_for_handshake(before ? *before : std::string(), *plan, pass.devices, wall_clock_s());
  }
  // After the devices: their own settings exist with them only.
  settings(*plan, pass);
  loopback(*plan, pass);
  co_await rules(plan, &pass);
  if (wait) {
    pass.failures.push_back(std::move(*wait));
    co_await look_at_routing(&pass);
  } else {
    co_await routing(plan, std::move(live_bird), trial, &pass);
  }
  strays(*plan, pass);
  co_await removals(whole, world, trial != 0, &pass);
  co_await verify(whole, &pass);
  for (auto& device : pass.devices) {
    device.private_key = wireguard::PrivateKey();
  }
  co_return pass;
}

std::vector<wireguard::Device> Reconciler::with_keys(plan::NodePlan const& plan) const {
  auto devices = plan.devices;
  for (auto& device : devices) {
    device.private_key = plan.with_next_key.contains(device.name) ? next_key_ : own_key_;
  }
  return devices;
}

net::Task<base::Result<std::vector<wireguard::Change>>> Reconciler::difference(
    std::shared_ptr<plan::NodePlan const> plan, Pass* pass) {
  auto observed = co_await backend_.observe(std::string(plan::interface_prefix));
  if (!observed) {
    co_return observed.error();
  }
  auto wanted = with_keys(*plan);
  // Without its key a device would come up under no identity at all.
  std::erase_if(wanted, [](wireguard::Device const& device) { return !device.private_key.is_set(); });
  pass->devices = std::move(*observed);
  auto const judged = without_inner_sessions(pass->devices, plan->mesh_prefixes);
  co_return wireguard::diff(wanted, judged, owner_of(*plan), wall_clock_s());
}

net::Task<void> Reconciler::apply(std::vector<wireguard::Change> changes, Pass* pass) {
  if (changes.empty()) {
    co_return;
  }
  for (auto const& change : changes) {
    note_change(*pass, change.text());
    rewrites_owed_ = loses_routes(change) ? rewrites_per_loss : rewrites_owed_;
  }
  auto const failures = co_await backend_.apply(std::move(changes));
  for (auto const& failure : failures) {
    pass->failures.push_back(failure.what());
  }
}

net::Task<std::set<std::string>> Reconciler::devices(std::shared_ptr<plan::NodePlan const> plan,
                                                     std::shared_ptr<plan::World const> world, Pass* pass) {
  auto changes = co_await difference(plan, pass);
  bool const renamed = changes && restore_names(*plan, *pass);
  if (renamed) {
    changes = co_await difference(plan, pass);
  }
  if (!changes) {
    pass->failures.push_back("looking at the devices: " + changes.error().what());
    co_return std::set<std::string>();
  }
  auto const conflicts = wireguard::conflicts(with_keys(*plan), pass->devices, owner_of(*plan));
  for (auto const& name : conflicts) {
    pass->failures.push_back("interface " + name + " exists and is not ours: remove or rename it");
  }
  departing_.clear();
  for (auto const& device : pass->devices) {
    bool const goes = std::any_of(changes->begin(), changes->end(), [&](wireguard::Change const& change) {
      return change.removes() && change.device == device.name;
    });
    if (goes && !is_orphan(device, *world)) {
      auto const known = departures_.find(device.name);
      departing_.emplace(device.name, known != departures_.end() && known->second.last_resort.has_value());
    }
  }
  for (auto const& device : pass->devices) {
    if (device.unread && wireguard::is_ours(device, with_keys(*plan), owner_of(*plan))) {
      pass->failures.push_back(device.name + ": its peers cannot be read or repaired: " + device.unread.message());
    }
  }
  std::erase_if(*changes, [](wireguard::Change const& change) { return change.removes(); });
  remember_devices(*pass);
  co_await apply(std::move(*changes), pass);
  co_return std::set<std::string>(conflicts.begin(), conflicts.end());
}

net::Task<void> Reconciler::removals(std::shared_ptr<plan::NodePlan const> plan,
                                     std::shared_ptr<plan::World const> world, bool trial, Pass* pass) {
  auto changes = co_await difference(plan, pass);
  if (!changes) {
    co_return;  // told by devices() in this pass or the next
  }
  std::erase_if(*changes, [](wireguard::Change const& change) { return !change.removes(); });
  if (changes->empty()) {
    departures_.clear();
    co_return;
  }
  auto const now = std::chrono::steady_clock::now();
  std::map<std::string, Departure> departures;
  std::set<std::string> stays;
  auto const own = topology::loopback4(world->topology, world->allocation, plan->node).to_string();
  // A way through another area is in no database here.
  bool const areas = std::any_of(world->topology.nodes.begin(), world->topology.nodes.end(),
                                 [&](auto const& node) { return node.area != world->topology.nodes.front().area; });
  std::optional<std::vector<bird::OspfState>> states;  // asked for once, and not where nobody wants to know
  for (auto const& change : *changes) {
    auto const device = std::find_if(pass->devices.begin(), pass->devices.end(),
                                     [&](auto const& one) { return one.name == change.device; });
    if (device == pass->devices.end() || is_orphan(*device, *world)) {
      continue;
    }
    auto const known = departures_.find(change.device);
    auto departure = known != departures_.end() ? known->second : Departure{now};
    auto const other = router_of(*device, *world);
    bool const alone = nobody_calculates(*device, *plan, *world, pass->neighbors);
    // While a change is on trial BIRD takes no other.
    bool const carry = !trial && others_carry(*plan, pass->neighbors, departure.patient(now));
    if (carry && !alone && !states) {
      states = co_await link_states();
    }
    auto const both = [&](auto judge) {
      return states && states->size() == 2 &&
             std::all_of(states->begin(), states->end(), [&](auto const& one) { return judge(one, own, *other); });
    };
    if (!trial && alone && !departure.last_resort) {
      departure.last_resort = now;
    } else if (!trial) {
      departure.look(carry && !alone && both(another_way), areas || (states && states->empty()), now);
    }
    bool ready = carry && departure.last_resort && (alone || !departure.awaits_other_end(now) || both(left_there));
    if (ready) {
      ready = co_await has_another_way(*device, world, pass);
    }
    if (!departure.may_go(ready, now)) {
      stays.insert(change.device);
      pass->waiting_removals.push_back(change.device);
    }
    departures.emplace(change.device, departure);
  }
  departures_ = std::move(departures);
  std::erase_if(*changes, [&](wireguard::Change const& change) { return stays.contains(change.device); });
  co_await apply(std::move(*changes), pass);
}

net::Task<std::vector<bird::OspfState>> Reconciler::link_states() {
  std::vector<bird::OspfState> out;
  for (std::string const command : {"show ospf state ospf4", "show ospf state ospf6"}) {
    auto const state = co_await bird_.control().command(command);
    if (!state) {
      co_return std::vector<bird::OspfState>();
    }
    out.push_back(bird::parse_ospf_state(state->text()));
  }
  co_return out;
}

// Whoever is Full over a device that goes may have no other neighbour.
net::Task<bool> Reconciler::has_another_way(wireguard::ObservedDevice device, std::shared_ptr<plan::World const> world,
                                            Pass const* pass) {
  auto const router = router_of(device, *world);
  if (!is_full(device.name, pass->neighbors) || !router) {
    co_return true;
  }
  auto const command = "show route for " + *router + " primary";
  auto const routes = co_await bird_.control().command(command);
  co_return routes&& leads_elsewhere(routes->text(), departing_);
}

net::Task<void> Reconciler::routing(std::shared_ptr<plan::NodePlan const> plan, std::string live_bird,
                                    std::uint64_t trial, Pass* pass) {
  auto const done = co_await bird_.converge(plan->bird, std::move(live_bird), trial);
  pass->bird_took = done.has_value();
  if (!done) {
    pass->failures.push_back(done.error().what());
  } else if (*done) {
    note_change(*pass, "bird: configuration of revision " + std::to_string(plan->revision) + " taken");
  }
  auto const enabled = co_await bird_.enable_protocols(plan->bird);
  if (!enabled) {
    pass->failures.push_back(enabled.error().what());
  } else {
    std::for_each(enabled->begin(), enabled->end(), [pass](auto const& one) { note_change(*pass, one); });
  }
  if (done && rewrites_owed_ > 0) {
    --rewrites_owed_;
    auto const rewritten = co_await bird_.rewrite_routes();
    if (!rewritten) {
      pass->failures.push_back(rewritten.error().what());
    }
  }
  co_await look_at_routing(pass);
}

net::Task<void> Reconciler::look_at_routing(Pass* pass) {
  auto neighbors = co_await bird_.control().ospf_neighbors();
  pass->bird_running = neighbors.has_value();
  if (neighbors) {
    pass->neighbors = std::move(*neighbors);
  }
  auto sessions = co_await bird_.control().bfd_sessions();
  if (sessions) {
    pass->bfd = std::move(*sessions);
  }
  co_await recalculate_when_due(pass);
}

net::Task<void> Reconciler::recalculate_when_due(Pass* pass) {
  auto come = adjacencies(pass->neighbors, pass->bfd);
  auto const now = std::chrono::steady_clock::now();
  if (!std::includes(come_before_.begin(), come_before_.end(), come.begin(), come.end())) {
    recalculate_at_ = now + settled;
  }
  come_before_ = std::move(come);
  if (!recalculate_at_ || now < *recalculate_at_) {
    co_return;
  }
  recalculate_at_.reset();
  auto const done = co_await bird_.recalculate();
  if (!done) {
    pass->failures.push_back(done.error().what());
  }
}

// A pass that changed something looks again; what still differs then is reported and tried again by the next pass.
net::Task<void> Reconciler::verify(std::shared_ptr<plan::NodePlan const> plan, Pass* pass) {
  if (pass->changes.empty()) {
    co_return;
  }
  auto const changes = co_await difference(plan, pass);
  if (!changes) {
    pass->failures.push_back("looking at the devices again: " + changes.error().what());
    co_return;
  }
  for (auto const& change : *changes) {
    if (!change.removes()) {
      pass->remaining.push_back(change.text());
    }
  }
}

void Reconciler::loopback(plan::NodePlan const& plan, Pass& pass) {
  auto const links = backend_.links().list(loopback_name);
  if (!links) {
    pass.failures.push_back("looking at lo: " + links.error().what());
    return;
  }
  auto const lo = std::find_if(links->begin(), links->end(), [](auto const& one) { return one.name == loopback_name; });
  if (lo == links->end()) {
    pass.failures.emplace_back("there is no interface lo");
    return;
  }
  if (!lo->up) {
    if (auto up = backend_.links().set_up(std::string(loopback_name)); !up) {
      pass.failures.push_back(up.error().what());
    } else {
      note_change(pass, "lo: set up");
    }
  }
  auto const before = process::read_file(owned_file_);
  auto owned = parse_owned(before ? *before : std::string());
  auto const changes = loopback_changes(plan.loopback, lo->addresses, owned);
  // Written before anything is added: an address we added and forgot would stay for ever.
  owned.insert(owned.end(), plan.loopback.begin(), plan.loopback.end());
  std::sort(owned.begin(), owned.end());
  owned.erase(std::unique(owned.begin(), owned.end()), owned.end());
  std::erase_if(owned, [&](wireguard::Network const& one) {
    bool const wanted = std::find(plan.loopback.begin(), plan.loopback.end(), one) != plan.loopback.end();
    bool const there = std::find(lo->addresses.begin(), lo->addresses.end(), one) != lo->addresses.end();
    return !wanted && !there;
  });
  auto const after = owned_text(owned);
  if (!before || *before != after) {
    if (auto written = process::write_file_atomically(owned_file_, after, 0644); !written) {
      pass.failures.push_back(written.error().what());
      return;
    }
  }
  rewrites_owed_ = changes.add.empty() ? rewrites_owed_ : rewrites_per_loss;
  for (auto const& address : changes.add) {
    auto const added = backend_.links().add_address(std::string(loopback_name), address);
    added ? note_change(pass, "lo: add address " + address.text()) : pass.failures.push_back(added.error().what());
  }
  for (auto const& address : changes.remove) {
    auto const removed = backend_.links().remove_address(std::string(loopback_name), address);
    removed ? note_change(pass, "lo: remove address " + address.text())
            : pass.failures.push_back(removed.error().what());
  }
}

void Reconciler::settings(plan::NodePlan const& plan, Pass& pass) {
  auto const ours = mesh_devices(with_keys(plan), pass.devices, owner_of(plan));
  for (auto const& sysctl : plan.sysctls) {
    auto const applied = apply_sysctl(sysctl, ours);
    if (!applied) {
      pass.failures.push_back(applied.error().what());
    } else if (*applied) {
      note_change(pass, "set " + sysctl.path + " to " + sysctl.value);
    }
  }
}

}  // namespace reconcile
