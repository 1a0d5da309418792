#include "dns-backend/connector/listener.hpp"

#include "base/process/log.hpp"
#include "dns-backend/connector/door.hpp"
#include "dns-backend/connector/session.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include <sys/socket.h>

namespace connector {
namespace {

namespace asio = boost::asio;
using asio::generic::stream_protocol;

// A session that ended, and on which loop it lived: the socket it left, if it did.
using Ended = std::function<void(handover::OpenSocket)>;

// One lookup loop: a thread and the sessions that belong to it.
struct Loop {
  explicit Loop(Serving shared) : serving(std::move(shared)), work(asio::make_work_guard(context)) {}

  Serving serving;
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::set<std::shared_ptr<Session>> sessions;  // touched on the loop's thread only, as is `leaving`
  bool leaving = false;
  std::thread thread;
};

handover::SocketKind connection_kind(Framing framing) {
  return framing == Framing::line ? handover::SocketKind::unix_connection : handover::SocketKind::http_connection;
}

net::Task<void> serve(Loop& loop, std::shared_ptr<Session> session, handover::SocketKind kind, Ended ended) {
  process::Descriptor left = co_await Session::run(session);
  loop.sessions.erase(session);
  session.reset();
  ended({kind, std::move(left)});
}

void adopt(Loop& loop, process::Descriptor descriptor, Framing framing, Ended const& ended) {
  stream_protocol::socket socket(loop.context);
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  boost::system::error_code error = asio::error::bad_descriptor;
  if (::getsockname(descriptor.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0) {  // NOLINT
    socket.assign(stream_protocol(address.ss_family, 0), descriptor.get(), error);
  }
  if (error) {
    ended({connection_kind(framing), process::Descriptor()});
    return;
  }
  (void)descriptor.release();  // the socket's
  if (framing == Framing::http) {
    socket.set_option(asio::ip::tcp::no_delay(true), error);
  }
  auto const session = std::make_shared<Session>(std::move(socket), framing, loop.serving);
  loop.sessions.insert(session);
  if (loop.leaving) {
    session->leave();
  }
  net::spawn(loop.context.get_executor(), "remote session", serve(loop, session, connection_kind(framing), ended));
}

}  // namespace

struct Listener::State {
  State(asio::any_io_executor executor, ListenerSettings wanted, process::Metrics& metrics)
      : control(executor), settings(std::move(wanted)), meters(metrics), changed(executor) {}

  asio::any_io_executor control;
  ListenerSettings settings;
  Meters meters;
  net::Signal changed;  // a session ended
  std::vector<std::unique_ptr<Door>> doors;
  std::vector<std::unique_ptr<Loop>> loops;
  std::size_t next = 0;
  std::size_t connections = 0;
  handover::OpenSockets left;  // by sessions, since hand_over
  std::atomic<bool> leaving{false};
  std::atomic<std::size_t> transactions{0};
  bool accepting = true;
  std::size_t acceptors = 0;  // tasks that accept
  bool stopped = false;

  static base::Result<void> open_doors(std::shared_ptr<State> const& self, handover::OpenSockets& sockets);
  static void deal(std::shared_ptr<State> const& self, process::Descriptor descriptor, Framing framing);
  static void session_ended(std::weak_ptr<State> const& self, handover::OpenSocket socket);
  static net::Task<void> accept(std::shared_ptr<State> state, Door& door);
  static void start_accepting(std::shared_ptr<State> const& self);
  static void take_connections(std::shared_ptr<State> const& self, handover::OpenSockets sockets);
  // Runs on each loop: tells its sessions to leave, to close, or (loop.leaving) what to tell those to come.
  void tell_loops(bool leave, bool close);
  net::Task<void> until_no_connection(std::chrono::steady_clock::time_point end);
  // Carries a listing from a lookup loop to the control loop, unless the listener stopped meanwhile.
  static std::function<void(std::shared_ptr<store::Snapshot const>)> telling(
      std::weak_ptr<State> state, asio::any_io_executor control, std::function<void(store::Snapshot const&)> listed);
};

void Listener::State::deal(std::shared_ptr<State> const& self, process::Descriptor descriptor, Framing framing) {
  if (self->connections >= self->settings.connections_max) {
    self->meters.refused.add();
    process::log::warning("remote", "connection refused: {} are open", self->settings.connections_max);
    return;  // the descriptor closes itself
  }
  self->meters.connections.set(static_cast<double>(++self->connections));
  Loop& loop = *self->loops[self->next++ % self->loops.size()];
  std::weak_ptr<State> const weak = self;
  Ended const ended = [weak, control = self->control](handover::OpenSocket socket) {
    asio::post(control, [weak, kind = socket.kind, left = std::move(socket.descriptor)]() mutable {
      session_ended(weak, {kind, std::move(left)});
    });
  };
  asio::post(loop.context, [&loop, ended, framing, taken = std::move(descriptor)]() mutable {
    adopt(loop, std::move(taken), framing, ended);
  });
}

void Listener::State::session_ended(std::weak_ptr<State> const& weak, handover::OpenSocket socket) {
  auto const self = weak.lock();
  if (self == nullptr || self->stopped) {
    return;
  }
  self->meters.connections.set(static_cast<double>(--self->connections));
  if (socket.descriptor.open()) {
    self->left.push_back(std::move(socket));
  }
  self->changed.notify();
}

net::Task<void> Listener::State::accept(std::shared_ptr<State> state, Door& door) {
  while (state->accepting && !state->stopped) {
    boost::system::error_code error;
    stream_protocol::socket socket =
        co_await door.acceptor().async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted || state->stopped) {
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
    process::Descriptor descriptor(socket.release(error));
    if (!error) {
      deal(state, std::move(descriptor), door.framing());
    }
  }
  --state->acceptors;
  state->changed.notify();
}

void Listener::State::start_accepting(std::shared_ptr<State> const& self) {
  self->accepting = true;
  for (auto const& door : self->doors) {
    ++self->acceptors;
    net::spawn(self->control, "remote acceptor", accept(self, *door));
  }
}

void Listener::State::take_connections(std::shared_ptr<State> const& self, handover::OpenSockets sockets) {
  for (handover::OpenSocket& socket : sockets) {
    if (socket.kind == handover::SocketKind::unix_connection) {
      deal(self, std::move(socket.descriptor), Framing::line);
    } else if (socket.kind == handover::SocketKind::http_connection) {
      deal(self, std::move(socket.descriptor), Framing::http);
    }
  }
}

base::Result<void> Listener::State::open_doors(std::shared_ptr<State> const& self, handover::OpenSockets& sockets) {
  auto const taken = [&sockets](Door& door, handover::SocketKind kind) {
    for (handover::OpenSocket& socket : sockets) {
      if (socket.kind == kind && socket.descriptor.open() && door.take_over(std::move(socket.descriptor))) {
        return true;
      }
    }
    return false;
  };
  ListenerSettings const& settings = self->settings;
  if (!settings.path.empty()) {
    auto door = std::make_unique<Door>(self->control, Framing::line, settings.path);
    if (!taken(*door, handover::SocketKind::unix_listener)) {
      if (auto opened = door->open_unix(settings.mode, settings.group); !opened) {
        return opened;
      }
    }
    self->doors.push_back(std::move(door));
  }
  if (!settings.http.empty()) {
    auto door = std::make_unique<Door>(self->control, Framing::http, settings.http);
    if (!taken(*door, handover::SocketKind::http_listener)) {
      if (auto opened = door->open_http(); !opened) {
        return opened;
      }
    }
    self->doors.push_back(std::move(door));
  }
  return {};
}

void Listener::State::tell_loops(bool leave, bool close) {
  for (auto const& loop : loops) {
    asio::post(loop->context, [raw = loop.get(), leave, close] {
      raw->leaving = leave;
      for (auto const& session : raw->sessions) {
        if (close) {
          session->close();
        } else if (leave) {
          session->leave();
        }
      }
    });
  }
}

net::Task<void> Listener::State::until_no_connection(std::chrono::steady_clock::time_point end) {
  while ((connections > 0 || acceptors > 0) && std::chrono::steady_clock::now() < end) {
    auto const wait = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    co_await changed.wait(wait);
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
                                                       ListenerSources sources, process::Metrics& metrics,
                                                       handover::OpenSockets sockets) {
  ASSERT(settings.loops > 0);
  auto const state = std::make_shared<State>(control, std::move(settings), metrics);
  auto listener = std::unique_ptr<Listener>(new Listener(state));  // NOLINT: the constructor is private
  if (base::Result<void> opened = State::open_doors(state, sockets); !opened) {
    return opened.error();
  }
  for (unsigned i = 0; i < state->settings.loops; ++i) {
    Serving serving{store::Reader<store::Snapshot>(sources.published),
                    sources.health,
                    sources.store,
                    state->meters,
                    state->settings.refuse_while_empty,
                    state->leaving,
                    state->transactions,
                    {}};
    if (sources.surroundings != nullptr) {
      serving.surroundings.emplace(*sources.surroundings);
    }
    if (sources.listed) {
      serving.listed = State::telling(state, control, sources.listed);
    }
    auto loop = std::make_unique<Loop>(std::move(serving));
    Loop* const raw = loop.get();
    loop->thread = std::thread([raw] { raw->context.run(); });
    state->loops.push_back(std::move(loop));
  }
  State::take_connections(state, std::move(sockets));
  State::start_accepting(state);
  return listener;
}

Listener::Listener(std::shared_ptr<State> state) : state_(std::move(state)) {}

Listener::~Listener() {
  stop();
}

net::Task<bool> Listener::settle(std::chrono::milliseconds deadline) {
  state_->leaving.store(true);
  auto const end = std::chrono::steady_clock::now() + deadline;
  while (state_->transactions.load() > 0) {
    if (std::chrono::steady_clock::now() >= end) {
      co_return false;
    }
    // Rare and short: a look every few milliseconds costs less than a bell in every conversation.
    co_await net::wait_for(std::chrono::milliseconds(5));
  }
  co_return true;
}

net::Task<handover::OpenSockets> Listener::hand_over(std::chrono::milliseconds deadline) {
  auto const state = state_;
  state->leaving.store(true);
  state->accepting = false;
  boost::system::error_code ignored;
  for (auto const& door : state->doors) {
    door->acceptor().cancel(ignored);
  }
  state->tell_loops(true, false);
  auto const end = std::chrono::steady_clock::now() + deadline;
  co_await state->until_no_connection(end);
  if (state->connections > 0) {
    process::log::warning("remote", "{} connections are closed: they did not come to the end of a request in time",
                          state->connections);
    state->tell_loops(true, true);
    co_await state->until_no_connection(end + deadline);
  }
  handover::OpenSockets sockets = std::move(state->left);
  state->left.clear();
  for (auto const& door : state->doors) {
    auto copy = door->hand_over();
    if (!copy) {
      process::log::error("remote", "{}", copy.error().what());
      continue;
    }
    bool const line = door->framing() == Framing::line;
    sockets.push_back(
        {line ? handover::SocketKind::unix_listener : handover::SocketKind::http_listener, std::move(*copy)});
  }
  co_return sockets;
}

void Listener::go_on(handover::OpenSockets sockets) {
  state_->tell_loops(false, false);
  state_->leaving.store(false);
  for (auto const& door : state_->doors) {
    door->keep();
  }
  State::take_connections(state_, std::move(sockets));
  if (!state_->accepting) {
    State::start_accepting(state_);
  }
}

void Listener::stop() {
  if (state_->stopped) {
    return;
  }
  state_->stopped = true;
  state_->connections = 0;
  for (auto const& door : state_->doors) {
    door->close();
  }
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
  return state_->connections;
}

}  // namespace connector
