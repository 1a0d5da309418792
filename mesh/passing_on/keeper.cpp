#include "mesh/passing_on/keeper.hpp"

#include "base/probe/health_state.hpp"
#include "base/process/log.hpp"

#include <boost/asio/ip/address.hpp>

namespace passing_on {

base::Result<void> Keeper::keep(std::vector<anycast::AddressStatus> const& services) {
  std::set<wireguard::Address> withdrawn;
  std::set<wireguard::Address> unknown;
  for (auto const& one : services) {
    boost::system::error_code bad;
    auto const address = boost::asio::ip::make_address(one.address, bad);
    // One that is about to be announced again is not passed on any more: BIRD's route for that is a blackhole, which
    // only the local table keeps from being found.
    if (!bad && one.observed == anycast::Observed::disabled && one.health != probe::Health::up) {
      withdrawn.insert(address);
    } else if (!bad && one.observed == anycast::Observed::absent) {
      unknown.insert(address);
    }
  }
  if (!rules_) {
    auto opened = KernelRules::open();
    if (!opened) {
      return opened.error();
    }
    rules_.emplace(std::move(*opened));
  }
  auto const present = rules_->list();
  if (!present) {
    return present.error();
  }
  for (auto const& step : steps(*present, withdrawn, unknown)) {
    if (auto done = rules_->apply(step); !done) {
      return done;
    }
    if (step.rule.to && step.rule.table == main_table) {
      process::log::info("agent", "what comes for {} {}", step.rule.to->to_string(),
                         step.add ? "passes on to its next instance" : "ends here again");
    }
  }
  return {};
}

}  // namespace passing_on
