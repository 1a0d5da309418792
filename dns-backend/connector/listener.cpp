#include "dns-backend/connector/listener.hpp"

#include "base/process/log.hpp"
#include "dns-backend/connector/session.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <cerrno>
#include <set>
#include <thread>
#include <vector>

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

namespace connector {
namespace {

namespace asio = boost::asio;
using Protocol = asio::local::stream_protocol;
using Acceptor = Protocol::acceptor;

// One lookup loop: a thread and the sessions that belong to it.
struct Loop {
  Loop(ListenerSources const& sources, Meters const& meters, bool refuse_while_empty, std::atomic<std::size_t>& count)
      : serving{store::Reader<store::Snapshot>(sources.published), sources.health, sources.store, meters,
                refuse_while_empty, {}},
        connections(count),
        work(asio::make_work_guard(context)) {}

  Serving serving;
  std::atomic<std::size_t>& connections;
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::set<std::shared_ptr<Session>> sessions;  // touched on the loop's thread only
  std::thread thread;
};

net::Task<void> serve(Loop& loop, std::shared_ptr<Session> session) {
  co_await Session::run(session);
  loop.sessions.erase(session);
  loop.serving.meters.connections.set(static_cast<double>(loop.connections.fetch_sub(1) - 1));
}

void adopt(Loop& loop, int descriptor) {
  Protocol::socket socket(loop.context);
  boost::system::error_code error;
  socket.assign(Protocol(), descriptor, error);
  if (error) {
    ::close(descriptor);
    loop.connections.fetch_sub(1);
    return;
  }
  auto const session = std::make_shared<Session>(std::move(socket), loop.serving);
  loop.sessions.insert(session);
  net::spawn(loop.context.get_executor(), "remote session", serve(loop, session));
}

// True when the file is a socket that somebody answers on.
base::Result<bool> somebody_listens(Protocol::endpoint const& endpoint) {
  asio::io_context probe{1};
  Protocol::socket socket(probe);
  boost::system::error_code error;
  socket.connect(endpoint, error);
  if (!error) {
    return true;
  }
  // A listener whose backlog is full is alive as well.
  return error == asio::error::try_again || error == asio::error::would_block;
}

base::Result<void> clear_the_way(std::string const& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? base::Result<void>() : base::fail_errno(errno, "looking at " + path);
  }
  if (!S_ISSOCK(status.st_mode)) {
    return base::fail(net::errc::in_use, path + " exists and is no socket");
  }
  base::Result<bool> const alive = somebody_listens(Protocol::endpoint(path));
  if (alive && *alive) {
    return base::fail(net::errc::in_use, "another process listens on " + path);
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return base::fail_errno(errno, "removing the stale socket " + path);
  }
  return {};
}

base::Result<void> set_access(ListenerSettings const& settings) {
  if (::chmod(settings.path.c_str(), settings.mode) != 0) {
    return base::fail_errno(errno, "setting the mode of " + settings.path);
  }
  if (settings.group.empty()) {
    return {};
  }
  struct group entry {};
  struct group* found = nullptr;
  std::vector<char> buffer(16384);
  if (::getgrnam_r(settings.group.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return base::fail_errno(ENOENT, "looking up the group '" + settings.group + "'");
  }
  if (::chown(settings.path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0) {
    return base::fail_errno(errno, "giving " + settings.path + " to the group '" + settings.group + "'");
  }
  return {};
}

base::Result<void> bind_and_listen(Acceptor& acceptor, ListenerSettings const& settings) {
  constexpr std::size_t path_max = 107;  // sockaddr_un
  if (settings.path.empty() || settings.path.size() > path_max) {
    return base::fail_errno(ENAMETOOLONG, "listening on '" + settings.path + "'");
  }
  if (base::Result<void> cleared = clear_the_way(settings.path); !cleared) {
    return cleared;
  }
  boost::system::error_code error;
  acceptor.open(Protocol(), error);
  if (!error) {
    acceptor.bind(Protocol::endpoint(settings.path), error);
  }
  if (error) {
    return base::fail_errno(error.value(), "binding " + settings.path);
  }
  // The mode is set before anybody can connect.
  if (base::Result<void> access = set_access(settings); !access) {
    ::unlink(settings.path.c_str());
    return access;
  }
  acceptor.listen(Acceptor::max_listen_connections, error);
  if (error) {
    ::unlink(settings.path.c_str());
    return base::fail_errno(error.value(), "listening on " + settings.path);
  }
  return {};
}

}  // namespace

struct Listener::State {
  State(asio::any_io_executor control, ListenerSettings wanted, process::Metrics& metrics)
      : settings(std::move(wanted)), meters(metrics), acceptor(control) {}

  ListenerSettings settings;
  Meters meters;
  Acceptor acceptor;
  std::atomic<std::size_t> connections{0};
  std::vector<std::unique_ptr<Loop>> loops;
  std::size_t next = 0;
  bool stopped = false;

  void deal(Protocol::socket socket);
  static net::Task<void> accept(std::shared_ptr<State> state);
  // Carries a listing from a lookup loop to the control loop, unless the listener stopped meanwhile.
  static std::function<void(std::shared_ptr<store::Snapshot const>)> telling(
      std::weak_ptr<State> state, asio::any_io_executor control, std::function<void(store::Snapshot const&)> listed);
};

void Listener::State::deal(Protocol::socket socket) {
  if (connections.load() >= settings.connections_max) {
    meters.refused.add();
    process::log::warning("remote", "connection refused: {} are open", settings.connections_max);
    return;  // the socket closes itself
  }
  boost::system::error_code error;
  int const descriptor = socket.release(error);
  if (error) {
    return;
  }
  meters.connections.set(static_cast<double>(connections.fetch_add(1) + 1));
  Loop& loop = *loops[next++ % loops.size()];
  asio::post(loop.context, [&loop, descriptor] { adopt(loop, descriptor); });
}

net::Task<void> Listener::State::accept(std::shared_ptr<State> state) {
  while (!state->stopped) {
    boost::system::error_code error;
    Protocol::socket socket = co_await state->acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (state->stopped || error == asio::error::operation_aborted) {
      break;
    }
    if (error) {
      // Out of descriptors or memory: others may give some back meanwhile.
      process::log::error("remote", "accepting failed: {}", error.message());
      if (!co_await net::wait_for(std::chrono::milliseconds(100))) {
        break;
      }
      continue;
    }
    state->deal(std::move(socket));
  }
}

std::function<void(std::shared_ptr<store::Snapshot const>)> Listener::State::telling(
    std::weak_ptr<State> state, asio::any_io_executor control, std::function<void(store::Snapshot const&)> listed) {
  return [state = std::move(state), control, listed = std::move(listed)](std::shared_ptr<store::Snapshot const> what) {
    asio::post(control, [state, listed, snapshot = std::move(what)] {
      std::shared_ptr<State> const alive = state.lock();
      if (alive && !alive->stopped) {
        listed(*snapshot);
      }
    });
  };
}

base::Result<std::unique_ptr<Listener>> Listener::open(asio::any_io_executor control, ListenerSettings settings,
                                                       ListenerSources sources, process::Metrics& metrics) {
  ASSERT(settings.loops > 0);
  auto const state = std::make_shared<State>(control, std::move(settings), metrics);
  if (base::Result<void> bound = bind_and_listen(state->acceptor, state->settings); !bound) {
    return bound.error();
  }
  for (unsigned i = 0; i < state->settings.loops; ++i) {
    auto loop = std::make_unique<Loop>(sources, state->meters, state->settings.refuse_while_empty, state->connections);
    if (sources.listed) {
      loop->serving.listed = State::telling(state, control, sources.listed);
    }
    Loop* const raw = loop.get();
    loop->thread = std::thread([raw] { raw->context.run(); });
    state->loops.push_back(std::move(loop));
  }
  net::spawn(control, "remote acceptor", State::accept(state));
  return std::unique_ptr<Listener>(new Listener(state));  // NOLINT: the constructor is private
}

Listener::Listener(std::shared_ptr<State> state) : state_(std::move(state)) {}

Listener::~Listener() {
  stop();
}

void Listener::stop() {
  if (state_->stopped) {
    return;
  }
  state_->stopped = true;
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  ::unlink(state_->settings.path.c_str());
  for (auto const& loop : state_->loops) {
    // Each session ends by itself once its socket is closed; a write in the store's hands is waited for, because its
    // completion comes back to this loop.
    asio::post(loop->context, [raw = loop.get()] {
      for (auto const& session : raw->sessions) {
        session->close();
      }
      raw->work.reset();
    });
  }
  for (auto const& loop : state_->loops) {
    loop->thread.join();
  }
}

std::size_t Listener::connections() const {
  return state_->connections.load();
}

}  // namespace connector
