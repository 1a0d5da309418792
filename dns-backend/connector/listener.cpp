#include "dns-backend/connector/listener.hpp"

#include "base/process/log.hpp"
#include "dns-backend/connector/door.hpp"
#include "dns-backend/connector/line_session.hpp"
#include "dns-backend/connector/lookup_loop.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <vector>

namespace connector {
namespace {

namespace asio = boost::asio;
using asio::generic::stream_protocol;

// How long a session on a thread may miss its call to leave (line_session.hpp).
constexpr std::chrono::milliseconds call_again{2};

}  // namespace

struct Listener::State {
  State(asio::any_io_executor executor, ListenerSettings wanted, process::Metrics& metrics)
      : control(executor), settings(std::move(wanted)), meters(metrics), changed(executor) {}

  asio::any_io_executor control;
  ListenerSettings settings;
  Meters meters;
  net::Signal changed;  // a session ended
  std::vector<std::unique_ptr<Door>> doors;
  std::vector<std::unique_ptr<LookupLoop>> loops;
  std::size_t next = 0;
  std::map<std::uint64_t, std::unique_ptr<LineSession>> threads;  // of unix connections
  std::uint64_t next_thread = 0;
  std::function<Serving()> make_serving;
  std::size_t connections = 0;
  handover::OpenSockets left;  // by sessions, since hand_over
  std::atomic<bool> leaving{false};
  std::atomic<std::size_t> transactions{0};
  bool accepting = true;
  std::size_t acceptors = 0;  // tasks that accept
  bool stopped = false;

  static base::Result<void> open_doors(std::shared_ptr<State> const& self, handover::OpenSockets& sockets);
  static void deal(std::shared_ptr<State> const& self, process::Descriptor descriptor, Framing framing);
  static void start_thread(std::shared_ptr<State> const& self, process::Descriptor descriptor);
  static void thread_ended(std::weak_ptr<State> const& self, std::uint64_t number);
  static void session_ended(std::weak_ptr<State> const& self, handover::OpenSocket socket);
  static net::Task<void> accept(std::shared_ptr<State> state, Door& door);
  static void start_accepting(std::shared_ptr<State> const& self);
  static void take_connections(std::shared_ptr<State> const& self, handover::OpenSockets sockets);
  void call_threads() const;
  void close_sessions() const;
  // Calls the threads until then.
  net::Task<void> until_no_connection(std::chrono::steady_clock::time_point end);
  // What each loop and each session on a thread serves from.
  static std::function<Serving()> serving_of(std::weak_ptr<State> const& weak, ListenerSources const& sources);
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
  std::weak_ptr<State> const weak = self;
  if (framing == Framing::line && self->threads.size() < self->settings.threads_max) {
    start_thread(self, std::move(descriptor));
    return;
  }
  auto const ended = [weak, control = self->control](handover::OpenSocket socket) {
    asio::post(control, [weak, kind = socket.kind, left = std::move(socket.descriptor)]() mutable {
      session_ended(weak, {kind, std::move(left)});
    });
  };
  self->loops[self->next++ % self->loops.size()]->adopt(std::move(descriptor), framing, ended);
}

void Listener::State::start_thread(std::shared_ptr<State> const& self, process::Descriptor descriptor) {
  std::uint64_t const number = self->next_thread++;
  std::weak_ptr<State> const weak = self;
  auto const ended = [weak, control = self->control, number] {
    asio::post(control, [weak, number] { thread_ended(weak, number); });
  };
  auto session = LineSession::start(std::move(descriptor), self->make_serving(), ended);
  if (!session) {
    process::log::error("remote", "connection closed: {}", session.error().what());
    session_ended(self, {handover::SocketKind::unix_connection, process::Descriptor()});
    return;
  }
  self->threads.emplace(number, std::move(*session));
}

void Listener::State::thread_ended(std::weak_ptr<State> const& weak, std::uint64_t number) {
  auto const self = weak.lock();
  if (self == nullptr || self->stopped) {
    return;
  }
  auto const found = self->threads.extract(number);
  session_ended(self, {handover::SocketKind::unix_connection, found.mapped()->take_socket()});
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

void Listener::State::call_threads() const {
  for (auto const& [number, session] : threads) {
    session->leave();
  }
}

void Listener::State::close_sessions() const {
  for (auto const& loop : loops) {
    loop->close_sessions();
  }
  for (auto const& [number, session] : threads) {
    session->close();
  }
}

net::Task<void> Listener::State::until_no_connection(std::chrono::steady_clock::time_point end) {
  while ((connections > 0 || acceptors > 0) && std::chrono::steady_clock::now() < end) {
    call_threads();
    auto const wait = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    co_await changed.wait(threads.empty() ? wait : std::min(wait, call_again));
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

std::function<Serving()> Listener::State::serving_of(std::weak_ptr<State> const& weak, ListenerSources const& sources) {
  return [weak, sources] {
    // Sessions end before the State does.
    auto const self = weak.lock();
    ASSERT(self != nullptr);
    Serving serving{sources.published,
                    sources.health,
                    sources.store,
                    self->meters,
                    self->settings.refuse_while_empty,
                    self->leaving,
                    self->transactions,
                    {},
                    sources.surroundings};
    if (sources.listed) {
      serving.listed = telling(weak, self->control, sources.listed);
    }
    return serving;
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
  if (base::Result<void> prepared = LineSession::prepare_process(); !prepared) {
    return prepared.error();
  }
  state->make_serving = State::serving_of(state, sources);
  for (unsigned i = 0; i < state->settings.loops; ++i) {
    state->loops.push_back(std::make_unique<LookupLoop>(state->make_serving()));
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
  for (auto const& loop : state->loops) {
    loop->tell(true);
  }
  auto const end = std::chrono::steady_clock::now() + deadline;
  co_await state->until_no_connection(end);
  if (state->connections > 0) {
    process::log::warning("remote", "{} connections are closed: they did not come to the end of a request in time",
                          state->connections);
    state->close_sessions();
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
  for (auto const& loop : state_->loops) {
    loop->tell(false);
  }
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
    loop->stop();
  }
  state_->close_sessions();
  state_->threads.clear();
  state_->loops.clear();
}

std::size_t Listener::connections() const {
  return state_->connections;
}

}  // namespace connector
