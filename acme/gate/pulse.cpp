#include "acme/gate/pulse.hpp"

#include "base/probe/probe.hpp"
#include "base/process/log.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace acme {
namespace {

constexpr unsigned looks_until_dead = 2;  // a datagram and a connection may both be lost once

std::string key_of(Site const& site) {
  return site.name + " " + site.address + " " + std::to_string(site.port);
}

probe::Check soa_of(Site const& site, std::string const& zone, bool tcp, std::chrono::milliseconds timeout) {
  probe::Check check;
  check.type = probe::Type::dns;
  check.address = site.address;
  check.port = site.port;
  check.timeout = timeout;
  check.qname = zone;
  check.tcp = tcp;
  return check;
}

}  // namespace

struct Pulse::State {
  struct Silent {
    std::size_t looks = 0;
    unsigned unanswered = 0;  // of them, the last ones in a row
    bool looking = false;
  };
  State(net::asio::any_io_executor the_executor, PulseSettings wanted)
      : executor(the_executor), settings(wanted), stopped(the_executor) {}

  net::asio::any_io_executor executor;
  PulseSettings settings;
  std::function<std::vector<Site>()> heard;
  std::function<std::vector<std::string>()> zones;
  std::map<std::string, Silent> silent;
  net::Signal stopped;
  bool running = true;
};

Pulse::Pulse(net::asio::any_io_executor executor, std::function<std::vector<Site>()> heard,
             std::function<std::vector<std::string>()> zones, PulseSettings settings)
    : state_(std::make_shared<State>(executor, settings)) {
  state_->heard = std::move(heard);
  state_->zones = std::move(zones);
  net::spawn(executor, "acme pulse of silent sites", watch(state_));
}

Pulse::~Pulse() {
  state_->running = false;
  state_->stopped.notify();
}

std::vector<Site> Pulse::judge(std::vector<Site> sites) const {
  for (Site& site : sites) {
    if (site.in_service) {
      continue;
    }
    auto const known = state_->silent.find(key_of(site));
    site.silent = true;
    site.in_service = known == state_->silent.end() || known->second.unanswered < looks_until_dead;
  }
  return sites;
}

net::Task<void> Pulse::watch(std::shared_ptr<State> state) {
  while (state->running) {
    std::vector<Site> sites = state->heard();
    std::erase_if(sites, [](Site const& site) { return site.in_service; });
    std::erase_if(state->silent, [&sites](auto const& known) {
      return std::ranges::none_of(sites, [&known](Site const& site) { return key_of(site) == known.first; });
    });
    auto const zones = sites.empty() ? std::vector<std::string>() : state->zones();
    for (Site const& site : zones.empty() ? std::vector<Site>() : sites) {
      State::Silent& silent = state->silent[key_of(site)];
      if (!silent.looking) {
        silent.looking = true;
        std::string zone = zones[silent.looks++ % zones.size()];
        net::spawn(state->executor, "acme pulse of " + site.name, look(state, site, std::move(zone)));
      }
    }
    co_await state->stopped.wait(state->settings.interval);
  }
}

net::Task<void> Pulse::look(std::shared_ptr<State> state, Site site, std::string zone) {
  bool answered = false;
  for (int i = 0; i < 2 && !answered; ++i) {
    auto const check = soa_of(site, zone, i == 1, state->settings.query_timeout);
    auto const verdict = co_await probe::run(check);
    answered = verdict.success;
  }
  auto const known = state->silent.find(key_of(site));
  if (known == state->silent.end()) {
    co_return;  // it is heard of again
  }
  State::Silent& silent = known->second;
  silent.looking = false;
  bool const was_dead = silent.unanswered >= looks_until_dead;
  silent.unanswered = answered ? 0 : std::min(silent.unanswered + 1, looks_until_dead);
  if (was_dead && answered) {
    process::log::warning("acme", "a site that is cut off answers with what it had: orders wait for it site={}",
                          site.name);
  }
}

}  // namespace acme
