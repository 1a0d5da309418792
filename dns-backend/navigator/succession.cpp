#include "dns-backend/navigator/succession.hpp"

#include "base/process/log.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>

namespace navigator {
namespace {

using namespace std::chrono_literals;

constexpr auto settle_deadline = 5s;  // for open transactions, and for a CA's answer to an order that is being placed
// How long a start waits for the first checks of endpoints of which nothing is known: while a predecessor answers, and
// while nobody does (PowerDNS gives a backend 2 s).
constexpr auto health_deadline = 5s;
constexpr auto cold_deadline = 1s;
constexpr auto leave_deadline = 1s;  // for requests and replies under way: PowerDNS waits 2 s by default

net::Task<void> make_room(Daemon& daemon) {
  if (daemon.remote != nullptr) {
    // A name for the result: g++ 12 makes a trap of a co_await behind && in a condition.
    bool const settled = co_await daemon.remote->settle(settle_deadline);
    if (!settled) {
      process::log::warning("navigator", "a transaction of PowerDNS is open for more than 5 s and is given up");
    }
  }
  if (daemon.issuer != nullptr) {  // while everything else goes on
    daemon.issuer->stop();
    co_await daemon.issuer->settle(settle_deadline);
  }
  stop_writers(daemon);
  daemon.leaving = true;
  co_await save_health(daemon);  // before the store is free, which is what a successor waits for
  daemon.store->close();
}

net::Task<handover::OpenSockets> take_sockets(Daemon& daemon) {
  handover::OpenSockets sockets;
  if (daemon.remote != nullptr) {
    sockets = co_await daemon.remote->hand_over(leave_deadline);
  }
  co_return sockets;
}

net::Task<void> begin_again(Daemon& daemon, net::asio::io_context& loop, handover::OpenSockets sockets, bool taken) {
  if (!taken) {
    sockets = co_await take_sockets(daemon);
  }
  daemon.ending = {0, true, std::move(sockets)};
  loop.stop();
}

}  // namespace

void stop_writers(Daemon& daemon) {
  if (daemon.self_service != nullptr) {
    daemon.self_service->stop();
  }
  if (daemon.issuer != nullptr) {
    daemon.issuer->stop();
    daemon.distribution->stop();
  }
  daemon.follower.reset();
  if (daemon.server != nullptr) {
    daemon.server->stop();
  }
}

net::Task<void> await_health(Daemon& daemon) {
  auto const end = std::chrono::steady_clock::now() + (daemon.predecessor ? health_deadline : cold_deadline);
  while (daemon.monitor->unknown_count() != 0 && std::chrono::steady_clock::now() < end) {
    co_await net::wait_for(10ms);
  }
}

base::Result<void> ask_predecessor(Daemon& daemon) {
  if (daemon.settings.handover.empty()) {
    return base::fail(net::errc::bad_message, "--replace needs the setting remote.handover (or remote.unix)");
  }
  auto predecessor = handover::Predecessor::ask(daemon.settings.handover, 30s);
  if (!predecessor) {
    return predecessor.error();
  }
  if (!*predecessor) {
    process::log::info("navigator", "nobody listens on {}: this is an ordinary start", daemon.settings.handover);
  }
  daemon.predecessor = std::move(*predecessor);
  return {};
}

base::Result<handover::OpenSockets> inherit(Daemon& daemon) {
  if (!daemon.predecessor) {
    return std::move(daemon.sockets);
  }
  auto taken = daemon.predecessor->take(30s);
  daemon.predecessor.reset();
  return taken;
}

base::Result<void> offer_succession(Daemon& daemon, net::asio::io_context& loop) {
  if (daemon.settings.handover.empty()) {
    return {};
  }
  handover::OfferSteps steps;
  steps.release = [&daemon] { return make_room(daemon); };
  steps.give = [&daemon] { return take_sockets(daemon); };
  steps.gone = [&loop] { loop.stop(); };
  steps.stay = [&daemon, &loop](handover::OpenSockets sockets) {
    bool const taken = !sockets.empty();
    net::spawn(daemon.executor, "a new beginning", begin_again(daemon, loop, std::move(sockets), taken));
  };
  auto offer = handover::Offer::open(daemon.executor, daemon.settings.handover, std::move(steps));
  if (!offer) {
    return offer.error();
  }
  daemon.offer = std::move(*offer);
  return {};
}

net::Task<void> leave_sockets_behind(Daemon& daemon) {
  if (daemon.remote == nullptr) {
    co_return;
  }
  // Everything slow comes first: from the moment the sockets are taken back until the next start nobody answers.
  co_await make_room(daemon);
  handover::OpenSockets const sockets = co_await take_sockets(daemon);
  auto const stored = handover::store_sockets(sockets, 5s);
  if (!stored) {
    process::log::warning("navigator", "PowerDNS must connect anew: {}", stored.error().what());
    co_return;
  }
  process::log::info("navigator", "{} sockets are left to the service manager", sockets.size());
}

}  // namespace navigator
