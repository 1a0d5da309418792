// What checking many endpoints costs: TCP checks of 127.x.y.z against one listener in a child process. Prints the CPU
// of the monitor's process alone, how late the latest check began, and the memory of an endpoint.
//
//   dns-backend.monitor.bench [endpoints [seconds [interval_ms]]]
#include "dns-backend/monitor/monitor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

struct Load {
  std::size_t endpoints = 10'000;
  long seconds = 30;
  milliseconds interval{5000};
};

struct Cpu {
  double user_s;
  double system_s;
};

Cpu cpu() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  auto const seconds = [](timeval const& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {seconds(used.ru_utime), seconds(used.ru_stime)};
}

long resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  long pages = 0;
  long resident = 0;
  statm >> pages >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

// Accepts and closes until its parent ends.
[[noreturn]] void accept_for_ever(int listener) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) {
    int const accepted = ::accept(listener, nullptr, nullptr);
    if (accepted >= 0) {
      ::close(accepted);
    }
  }
}

void print_work(char const* when, monitor::Work const& work, std::uint64_t checks_before) {
  std::printf("%-14s %8llu checks, the latest began %.2f %% of its interval late, %zu waiting\n", when,
              static_cast<unsigned long long>(work.checks - checks_before),
              static_cast<double>(work.latest_start_permille) / 10, work.waiting);
}

net::Task<void> measure(Load load, monitor::Monitor* monitor, asio::io_context* loop, long resident_before) {
  co_await net::wait_for(load.interval);
  monitor::Work const first = monitor->work();
  print_work("first interval", first, 0);
  co_await net::wait_for(load.interval);
  monitor::Work const second = monitor->work();
  print_work("second", second, first.checks);
  auto const begin = std::chrono::steady_clock::now();
  Cpu const before = cpu();
  co_await net::wait_for(std::chrono::seconds(load.seconds));
  Cpu const after = cpu();
  std::chrono::duration<double> const passed = std::chrono::steady_clock::now() - begin;
  monitor::Work const settled = monitor->work();
  print_work("settled", settled, second.checks);
  double const checks = static_cast<double>(settled.checks - second.checks);
  double const user_s = after.user_s - before.user_s;
  double const system_s = after.system_s - before.system_s;
  std::printf(
      "CPU            %.1f %% of one core over %.0f s at %.0f checks/s; a check: %.0f us user, %.0f us system\n",
      100 * (user_s + system_s) / passed.count(), passed.count(), checks / passed.count(), 1e6 * user_s / checks,
      1e6 * system_s / checks);
  std::printf("memory         %ld bytes resident an endpoint\n",
              (resident_bytes() - resident_before) / static_cast<long>(load.endpoints));
  auto const all = monitor->status();
  auto const up =
      std::count_if(all.begin(), all.end(), [](auto const& one) { return one.effective == probe::Health::up; });
  std::printf("up             %td of %zu\n", up, all.size());
  loop->stop();
}

std::vector<monitor::Watch> watches(Load const& load, unsigned short port, pool::HealthTable& table) {
  std::vector<monitor::Watch> out;
  for (std::size_t i = 0; i < load.endpoints; ++i) {
    monitor::Watch watch;
    watch.endpoint = "edge-" + std::to_string(i);
    watch.slot = table.slot(watch.endpoint);
    watch.check.address = "127." + std::to_string(1 + i / 62'500) + "." + std::to_string(i / 250 % 250) + "." +
                          std::to_string(1 + i % 250);
    watch.check.port = port;
    watch.interval = load.interval;
    watch.thresholds = {2, 2};
    out.push_back(std::move(watch));
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  Load load;
  load.endpoints = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : load.endpoints;
  load.seconds = argc > 2 ? std::atol(argv[2]) : load.seconds;
  load.interval = argc > 3 ? milliseconds(std::atol(argv[3])) : load.interval;
  if (load.endpoints == 0 || load.endpoints > pool::HealthTable::slots_max || load.seconds <= 0 ||
      load.interval.count() <= 0) {
    std::fputs("usage: dns-backend.monitor.bench [endpoints [seconds [interval_ms]]]\n", stderr);
    return 2;
  }
  asio::io_context loop(1);
  asio::ip::tcp::acceptor listener(loop, asio::ip::tcp::endpoint(asio::ip::address_v4::any(), 0));
  listener.listen(4096);
  unsigned short const port = listener.local_endpoint().port();
  loop.notify_fork(asio::io_context::fork_prepare);
  pid_t const child = ::fork();
  if (child == 0) {
    accept_for_ever(listener.native_handle());
  }
  loop.notify_fork(asio::io_context::fork_parent);
  listener.close();
  pool::HealthTable table;
  long const resident_before = resident_bytes();
  {
    monitor::Monitor monitor(loop.get_executor(), table, nullptr);
    monitor.watch(watches(load, port, table));
    net::spawn(loop.get_executor(), "measure", measure(load, &monitor, &loop, resident_before));
    loop.run();
  }
  ::kill(child, SIGKILL);
  return 0;
}
