#include "mesh/repair/repairer.hpp"

#include "base/process/log.hpp"

#include <sys/inotify.h>
#include <unistd.h>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

namespace repair {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds calm_look{5000};  // the log may be silent although sessions come and go: BIRD was restarted
constexpr milliseconds busy_look{250};
constexpr milliseconds open_again{5000};

// One address family of one device.
using Session = std::pair<std::string, bool>;  // device, IPv4

std::set<Session> up_sessions(std::vector<bird::BfdSession> const& all) {
  std::set<Session> out;
  for (auto const& one : all) {
    if (one.up()) {
      out.emplace(one.interface, one.address.find(':') == std::string::npos);
    }
  }
  return out;
}

struct Active {
  Route route;
  Session lost;
  Clock::time_point since;
  std::optional<Clock::time_point> moved;  // BIRD's own route goes another way since
};

net::Task<base::Result<void>> readable(net::asio::posix::stream_descriptor* descriptor) {
  boost::system::error_code error;
  co_await descriptor->async_wait(net::asio::posix::stream_descriptor::wait_read,
                                  net::asio::redirect_error(net::asio::use_awaitable, error));
  co_return error ? base::Result<void>(base::Failure{error, "waiting for BIRD's log"}) : base::Result<void>();
}

}  // namespace

struct Repairer::State {
  State(net::asio::any_io_executor its_executor, RepairSettings its_settings)
      : executor(its_executor),
        settings(std::move(its_settings)),
        control(settings.bird_control),
        events(its_executor) {}

  net::asio::any_io_executor executor;
  RepairSettings settings;
  bird::Control control;
  net::asio::posix::stream_descriptor events;
  std::optional<KernelRoutes> routes;
  Detours detours;
  std::set<Session> up;
  std::vector<Active> active;
  RepairStatus status;
  bool stopped = false;

  void failed(std::string const& what) {
    if (status.failure != what) {
      process::log::warning("repair", "{}", what);
    }
    status.failure = what;
  }

  bool open() {
    auto opened = KernelRoutes::open();
    if (!opened) {
      failed(opened.error().what());
      return false;
    }
    routes.emplace(std::move(*opened));
    if (auto const left = routes->list_detours()) {
      for (auto const& route : *left) {
        static_cast<void>(routes->remove(route));
      }
    }
    auto const folder = std::filesystem::path(settings.session_log).parent_path();
    int const fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0 || ::inotify_add_watch(fd, folder.c_str(), IN_MODIFY | IN_CREATE) < 0) {
      failed(base::fail_errno(errno, "watching " + folder.string()).what());
      if (fd >= 0) {
        ::close(fd);
      }
      return false;
    }
    events.assign(fd);
    status.watching = true;
    return true;
  }

  void drain() {
    std::array<char, 4096> buffer{};
    while (::read(events.native_handle(), buffer.data(), buffer.size()) > 0) {
    }
  }

  // A session that is gone from the list has ended too: OSPF drops it together with its neighbour.
  static net::Task<void> look(std::shared_ptr<State> self) {
    auto const sessions = co_await self->control.bfd_sessions();
    if (!sessions || self->stopped) {
      co_return;  // a BIRD that is gone leaves its routes; the agent starts it again
    }
    auto now_up = up_sessions(*sessions);
    std::set<Session> lost;
    std::set_difference(self->up.begin(), self->up.end(), now_up.begin(), now_up.end(),
                        std::inserter(lost, lost.end()));
    self->up = std::move(now_up);
    if (!lost.empty()) {
      self->go_around(lost);
    }
  }

  // False: there is none, or it is lost too.
  bool go_around(Route const& route, Session const& session) {
    auto const detour = detours.find({session.first, route.destination});
    if (detour == detours.end() || !up.contains({detour->second.device, session.second})) {
      return false;
    }
    if (auto const added = routes->add(detour->second); !added) {
      failed(added.error().what());
      return false;
    }
    // One that it had is replaced in the kernel too: its end must not take this one away.
    std::erase_if(active, [&](Active const& one) { return one.route.destination == route.destination; });
    active.push_back({detour->second, session, Clock::now(), std::nullopt});
    return true;
  }

  void go_around(std::set<Session> const& lost) {
    std::set<std::string> devices;
    for (auto const& session : lost) {
      devices.insert(session.first);
    }
    auto const present = routes->list(bird_protocol, devices);
    if (!present) {
      failed(present.error().what());
      return;
    }
    std::size_t switched = 0;
    for (auto const& route : *present) {
      for (auto const& session : lost) {
        if (session.second == route.destination.address.is_v4() && route.uses(session.first) &&
            go_around(route, session)) {
          ++switched;
          break;  // one detour a destination; of several legs that are lost any serves to find it
        }
      }
    }
    status.switched += switched;
    for (auto const& [device, v4] : lost) {
      process::log::info("repair", "{} lost its {} session: {} destinations go around", device, v4 ? "IPv4" : "IPv6",
                         switched);
    }
  }

  void end_detours() {
    std::set<std::string> devices;  // whose routes say where routing still goes as it did
    for (auto const& one : active) {
      devices.insert(one.lost.first);
    }
    auto const present = routes->list(bird_protocol, devices);
    if (!present) {
      failed(present.error().what());
      return;
    }
    auto const now = Clock::now();
    std::map<wireguard::Network, Route const*> ways;
    for (auto const& route : *present) {
      ways.emplace(route.destination, &route);
    }
    std::erase_if(active, [&](Active& one) {
      auto const way = ways.find(one.route.destination);
      bool const same_way = way != ways.end() && way->second->uses(one.lost.first);
      one.moved = same_way ? std::nullopt : std::optional(one.moved.value_or(now));
      DetourInUse seen;
      seen.back = same_way && up.contains(one.lost);
      seen.carries = up.contains({one.route.device, one.lost.second});
      seen.age = std::chrono::duration_cast<milliseconds>(now - one.since);
      if (one.moved) {
        seen.moved_for = std::chrono::duration_cast<milliseconds>(now - *one.moved);
      }
      bool const over = ends(seen);
      if (over) {
        if (auto const removed = routes->remove(one.route); !removed) {
          failed(removed.error().what());
          return false;  // it is still there, and its end is tried again
        }
      }
      return over;
    });
  }

  static net::Task<void> run(std::shared_ptr<State> self) {
    while (!self->open()) {  // the folder may be BIRD's service's to make
      bool const waited = co_await net::wait_for(open_again);
      if (!waited || self->stopped) {
        co_return;
      }
    }
    while (!self->stopped) {
      auto const wait = self->active.empty() ? calm_look : busy_look;
      static_cast<void>(co_await net::within(wait, readable(&self->events)));
      if (self->stopped) {
        break;
      }
      self->drain();
      co_await look(self);
      if (!self->stopped && !self->active.empty()) {
        self->end_detours();
      }
      self->status.active = self->active.size();
    }
  }
};

Repairer::Repairer(net::asio::any_io_executor executor, RepairSettings settings)
    : state_(std::make_shared<State>(std::move(executor), std::move(settings))) {}

Repairer::~Repairer() {
  state_->stopped = true;
  // Nobody would end them: a detour is right only as long as somebody looks.
  for (auto const& one : state_->active) {
    static_cast<void>(state_->routes->remove(one.route));
  }
  boost::system::error_code ignored;
  state_->events.close(ignored);
}

void Repairer::start() {
  if (!state_->settings.session_log.empty()) {
    // Before the first configuration names it: BIRD refuses one whose log it cannot open.
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(state_->settings.session_log).parent_path(), ignored);
    net::spawn(state_->executor, "switching to detours", State::run(state_));
  }
}

void Repairer::prepare(Detours detours) {
  state_->detours = std::move(detours);
  state_->status.detours = state_->detours.size();
}

RepairStatus const& Repairer::status() const {
  return state_->status;
}

}  // namespace repair
