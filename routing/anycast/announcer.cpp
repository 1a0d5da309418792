#include "routing/anycast/announcer.hpp"

#include "base/process/log.hpp"
#include "routing/anycast/backend_check.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <tuple>
#include <utility>

namespace anycast {

namespace {

constexpr char const* component = "anycast";

std::int64_t wall_clock_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bird::Family family(topology::Address const& address) {
  return address.is_v4() ? bird::Family::v4 : bird::Family::v6;
}

// One address of a service: its declaration, its verdict, and a flag that ends its loop.
struct Watched {
  Watched(topology::Service declared, topology::Address const& its_address, std::string const& domain)
      : service(std::move(declared)),
        check(check_of(service, its_address, domain)),
        announcement(bird::anycast_protocol(service.name, family(its_address)), thresholds(service)) {
    status.service = service.name;
    status.address = its_address.to_string();
    status.protocol = announcement.protocol();
  }

  topology::Service service;
  probe::Check check;
  Announcement announcement;
  AddressStatus status;
  bool stopped = false;
};

// What a change of makes the loop start anew; the nodes that serve it are not this node's business.
bool same_check(Watched const& a, Watched const& b) {
  auto const key = [](Watched const& each) {
    return std::tuple(each.status.protocol, each.check.address, each.check.port, each.check.qname, each.check.type,
                      each.check.timeout, each.service.interval_ms, each.service.rise, each.service.fall);
  };
  return key(a) == key(b);
}

probe::Type type_of(topology::MonitorType type) {
  switch (type) {
    case topology::MonitorType::tcp:
      return probe::Type::tcp;
    case topology::MonitorType::http:
      return probe::Type::http;
    case topology::MonitorType::https:
      return probe::Type::https;
    case topology::MonitorType::dns:
      return probe::Type::dns;
  }
  return probe::Type::tcp;
}

}  // namespace

probe::Check check_of(topology::Service const& service, topology::Address const& address, std::string const& domain) {
  probe::Check check;
  check.type = type_of(service.check);
  check.address = address.to_string();
  check.port = service.port;
  check.timeout = std::chrono::milliseconds(service.timeout_ms);
  check.qname = service.check_name.empty() ? domain : service.check_name;
  check.qtype = "SOA";
  return check;
}

struct Announcer::State {
  State(net::asio::any_io_executor its_executor, bird::Control its_control, Listener its_listener, Prober its_prober)
      : executor(std::move(its_executor)),
        control(std::move(its_control)),
        listener(std::move(its_listener)),
        prober(std::move(its_prober)) {}

  net::asio::any_io_executor executor;
  bird::Control control;
  Listener listener;
  Prober prober;
  std::map<std::string, std::shared_ptr<Watched>> watches;  // by BIRD's protocol name

  static net::Task<void> loop(std::shared_ptr<State> state, std::shared_ptr<Watched> watched);
  static net::Task<void> converge(std::shared_ptr<State> state, std::shared_ptr<Watched> watched);
  void count(Watched& watched, probe::Verdict const& verdict) const;
};

void Announcer::State::count(Watched& watched, probe::Verdict const& verdict) const {
  watched.status.reason = verdict.reason;
  auto const transition = watched.announcement.observe(verdict.success, std::chrono::steady_clock::now());
  watched.status.health = watched.announcement.health();
  if (!transition) {
    return;
  }
  watched.status.changed_at_ms = wall_clock_ms();
  process::log::info(component, "{} on {} is {} service={} reason=\"{}\"", watched.status.protocol,
                     watched.status.address, probe::name(transition->to), watched.status.service, verdict.reason);
  if (listener) {
    listener(watched.status);
  }
}

// Asks BIRD what it announces and tells it the difference. Failures are kept for status and tried again next time.
net::Task<void> Announcer::State::converge(std::shared_ptr<State> state, std::shared_ptr<Watched> watched) {
  auto const rows = co_await state->control.protocols();
  if (watched->stopped) {
    co_return;
  }
  std::string failure = rows ? "" : rows.error().what();
  if (rows) {
    watched->status.observed = observed(watched->status.protocol, *rows);
    auto const action = difference(watched->announcement.health(), watched->status.observed);
    base::Result<void> done;
    if (action == Action::enable) {
      done = co_await state->control.enable(watched->status.protocol);
    } else if (action == Action::disable) {
      done = co_await state->control.disable(watched->status.protocol);
    }
    if (!done) {
      failure = done.error().what();
    } else if (action != Action::none) {
      watched->status.observed = action == Action::enable ? Observed::enabled : Observed::disabled;
      process::log::info(component, "{} is now {}", watched->status.protocol, name(watched->status.observed));
    }
  }
  if (failure != watched->status.failure && !failure.empty()) {
    process::log::warning(component, "{} does not follow its checks: {}", watched->status.protocol, failure);
  }
  watched->status.failure = failure;
}

net::Task<void> Announcer::State::loop(std::shared_ptr<State> state, std::shared_ptr<Watched> watched) {
  auto const interval = std::chrono::milliseconds(std::max<std::uint32_t>(50, watched->service.interval_ms));
  while (!watched->stopped) {
    auto const began = std::chrono::steady_clock::now();
    auto const verdict = co_await state->prober(watched->check);
    if (watched->stopped) {
      break;
    }
    state->count(*watched, verdict);
    co_await converge(state, watched);
    auto const spent = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
    if (!co_await net::wait_for(std::max(std::chrono::milliseconds(10), interval - spent))) {
      break;
    }
  }
}

Announcer::Announcer(net::asio::any_io_executor executor, bird::Control control, Listener listener, Prober prober)
    : state_(std::make_shared<State>(std::move(executor), std::move(control), std::move(listener),
                                     prober ? std::move(prober) : Prober(check_service))) {}

Announcer::~Announcer() {
  for (auto const& [protocol, watched] : state_->watches) {
    watched->stopped = true;
  }
}

void Announcer::serve(std::vector<topology::Service> const& services, std::string const& domain) {
  std::map<std::string, std::shared_ptr<Watched>> wanted;
  for (auto const& service : services) {
    for (auto const& address : service.addresses) {
      auto const fresh = std::make_shared<Watched>(service, address, domain);
      auto const present = state_->watches.find(fresh->status.protocol);
      bool const unchanged = present != state_->watches.end() && same_check(*present->second, *fresh);
      wanted[fresh->status.protocol] = unchanged ? present->second : fresh;
      if (!unchanged) {
        net::spawn(state_->executor, "anycast check of " + fresh->status.protocol, State::loop(state_, fresh));
      }
    }
  }
  for (auto const& [protocol, watched] : state_->watches) {
    if (auto const kept = wanted.find(protocol); kept == wanted.end() || kept->second != watched) {
      watched->stopped = true;
    }
  }
  state_->watches = std::move(wanted);
}

net::Task<base::Result<void>> Announcer::withdraw() {
  auto const state = state_;
  auto const watched = std::exchange(state->watches, {});
  base::Result<void> result;
  for (auto const& [protocol, each] : watched) {
    each->stopped = true;
    auto const done = co_await state->control.disable(protocol);
    if (!done) {
      result = done.error();
    }
  }
  co_return result;
}

std::set<std::string> Announcer::announced() const {
  std::set<std::string> names;
  for (auto const& [protocol, watched] : state_->watches) {
    if (watched->status.observed == Observed::enabled) {
      names.insert(watched->status.service);
    }
  }
  return names;
}

std::vector<AddressStatus> Announcer::status() const {
  std::vector<AddressStatus> all;
  for (auto const& [protocol, watched] : state_->watches) {
    all.push_back(watched->status);
  }
  return all;
}

}  // namespace anycast
