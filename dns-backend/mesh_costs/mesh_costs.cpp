#include "dns-backend/mesh_costs/mesh_costs.hpp"

#include "base/process/log.hpp"
#include "routing/bird/control.hpp"

#include <charconv>
#include <string_view>

namespace mesh_costs {
namespace {

constexpr std::string_view spaces = " \t";

std::string_view trimmed(std::string_view text) {
  std::size_t const first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

// "10.200.0.2/32" is the address alone; a shorter prefix only covers it.
bool is_host_route(std::string_view prefix, net::asio::ip::address const& address) {
  std::size_t const slash = prefix.find('/');
  if (slash == std::string_view::npos || prefix.substr(slash + 1) != (address.is_v4() ? "32" : "128")) {
    return false;
  }
  boost::system::error_code bad;
  auto const parsed = net::asio::ip::make_address(std::string(prefix.substr(0, slash)), bad);
  return !bad && parsed == address;
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool const whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

// nullopt within: no route.
net::Task<base::Result<std::optional<std::uint32_t>>> ask(bird::Control control, net::asio::ip::address address) {
  std::string const command = "show route for " + address.to_string() + " primary all";
  auto const reply = co_await control.command(command);
  if (!reply) {
    bool const no_route =
        reply.error().code == bird::errc::failed && reply.error().detail.find("Network not found") != std::string::npos;
    if (no_route) {
      co_return std::optional<std::uint32_t>();
    }
    co_return reply.error();
  }
  co_return cost_of(reply->text(), address);
}

net::Task<base::Result<geo::SiteCosts>> ask_all(MeshCostsSettings settings) {
  bird::Control const control(settings.bird, settings.deadline);
  geo::SiteCosts costs;
  if (!settings.own.empty()) {
    costs[settings.own] = 0;
  }
  for (Site const& site : settings.sites) {
    auto const cost = co_await ask(control, site.loopback);
    if (!cost) {
      co_return cost.error();
    }
    if (*cost) {
      costs[site.name] = **cost;
    }
  }
  co_return costs;
}

}  // namespace

//   10.200.0.2/32        unicast [ospf4 22:36:58.265] * I (150/20) [10.255.0.2]
//   	via 10.9.0.2 on va
//   	Type: OSPF univ
//   	OSPF.metric1: 20
std::optional<std::uint32_t> cost_of(bird::Lines const& lines, net::asio::ip::address const& address) {
  constexpr std::string_view type = "Type: ";
  constexpr std::string_view metric = "OSPF.metric1: ";
  bool here = false;
  bool ospf = false;
  for (std::string const& raw : lines) {
    std::string_view const line = trimmed(raw);
    std::string_view const head = line.substr(0, std::min(line.find_first_of(spaces), line.size()));
    if (line.starts_with(type)) {
      ospf = line.substr(type.size()).starts_with("OSPF");
    } else if (line.starts_with(metric)) {
      if (here && ospf) {
        return number(line.substr(metric.size()));
      }
    } else if (line.find(" [") != std::string_view::npos && line.find("] ") != std::string_view::npos) {
      // A route. Those after the first to one network do not repeat its prefix, and are not the best.
      here = is_host_route(head, address) && line.find("] * ") != std::string_view::npos;
      ospf = false;
    }
  }
  return std::nullopt;
}

struct MeshCosts::State {
  State(net::asio::any_io_executor executor, MeshCostsSettings wanted, Listener heard)
      : settings(std::move(wanted)), changed(std::move(heard)), wake(executor) {}

  void take(base::Result<geo::SiteCosts> const& found) {
    if (!found) {
      std::string const error = found.error().what();
      if (error != status.last_error) {
        process::log::warning("mesh", "BIRD does not tell the costs between sites, the last ones stay: {}", error);
        status.last_error = error;
      }
      return;
    }
    if (!status.last_error.empty()) {
      process::log::info("mesh", "BIRD tells the costs between sites again");
      status.last_error.clear();
    }
    if (status.costs == nullptr || *status.costs != *found) {
      status.costs = std::make_shared<geo::SiteCosts const>(*found);
      changed(status.costs);
    }
  }

  MeshCostsSettings settings;
  Listener changed;
  net::Signal wake;
  MeshCostsStatus status;
  bool running = true;
};

net::Task<void> MeshCosts::run(std::shared_ptr<State> state) {
  while (state->running) {
    auto const found = co_await ask_all(state->settings);
    if (!state->running) {
      co_return;
    }
    state->take(found);
    co_await state->wake.wait(state->settings.interval);
  }
}

MeshCosts::MeshCosts(net::asio::any_io_executor executor, MeshCostsSettings settings, Listener changed)
    : state_(std::make_shared<State>(executor, std::move(settings), std::move(changed))) {
  net::spawn(executor, "costs of the mesh", run(state_));
}

MeshCosts::~MeshCosts() {
  state_->running = false;
  state_->wake.notify();
}

MeshCostsStatus const& MeshCosts::status() const {
  return state_->status;
}

}  // namespace mesh_costs
