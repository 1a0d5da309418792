// Whether a site of which the primary hears nothing still answers. A link that is cut is no site that is dead: a CA
// reaches it all the same, and it answers from the revision it had.
//
// A silent site is asked for the SOA of our own zones by UDP, and then by TCP, until it is heard of again. It counts as
// out of service after two looks in a row that brought no authoritative answer: until then it is not known. Not asked
// for are challenges: a question that comes too early puts "no such name" into the site's caches. A name server without
// its backend (SERVFAIL) has nothing to say, as a dead one.
//
// Threads: belongs to the control loop; looks under way may end after it.
#pragma once

#include "acme/gate/dns01.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace acme {

struct PulseSettings {
  std::chrono::milliseconds interval{1000};
  std::chrono::milliseconds query_timeout{1000};
};

class Pulse {
 public:
  // `heard`: all sites, in service those of which something is heard. `zones`: apexes that sites have, absolute; each
  // look takes another one. Both are called on the control loop until this is destroyed.
  Pulse(net::asio::any_io_executor executor, std::function<std::vector<Site>()> heard,
        std::function<std::vector<std::string>()> zones, PulseSettings settings);
  ~Pulse();
  Pulse(Pulse const&) = delete;
  Pulse& operator=(Pulse const&) = delete;

  // The same sites, silent ones in service unless they are known not to answer.
  [[nodiscard]] std::vector<Site> judge(std::vector<Site> sites) const;

 private:
  struct State;
  static net::Task<void> watch(std::shared_ptr<State> state);
  static net::Task<void> look(std::shared_ptr<State> state, Site site, std::string zone);

  std::shared_ptr<State> state_;
};

}  // namespace acme
