#include "mesh/controller/controller.hpp"

#include "base/process/log.hpp"
#include "base/process/service.hpp"
#include "mesh/controller/behind.hpp"
#include "mesh/controller/own_certificate.hpp"
#include "mesh/controller/rotations.hpp"
#include "mesh/controller/state.hpp"
#include "mesh/enrolment/enroller.hpp"
#include "mesh/enrolment/registry.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

namespace controller {

namespace {

constexpr std::chrono::milliseconds listen_again{1000};

// Made once: two meshes are told apart by it even where one is a copy of the other's controller.
base::Result<std::string> load_or_make_mesh_name(std::string const& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    auto const made = enrolment::random_hex(8);
    if (auto written = process::write_file_atomically(file, made + "\n", 0644); !written) {
      return written.error();
    }
    return made;
  }
  auto text = process::read_file(file, 256);
  if (!text) {
    return text.error();
  }
  text->resize(std::min(text->size(), text->find('\n')));
  if (text->empty() || text->find(' ') != std::string::npos) {
    return base::fail(enrolment::errc::bad_state, file + " exists but holds no name; nothing was replaced");
  }
  return *text;
}

base::Result<void> load_identity(Controller::State& state) {
  std::string const& directory = state.settings.state;
  std::error_code made;
  std::filesystem::create_directories(directory, made);
  if (made) {
    return base::fail_errno(made.value(), "cannot make the state directory " + directory);
  }
  if (auto loaded = load_authority(state, now_seconds()); !loaded) {
    return loaded.error();
  }
  auto key = enrolment::load_or_make_wireguard_key(directory + "/x25519.key");
  if (!key) {
    return key.error();
  }
  state.x25519 = std::move(*key);
  auto world_key = signed_world::SigningKey::load_or_make(directory + "/world.key");
  auto mesh = load_or_make_mesh_name(directory + "/mesh.name");
  if (!world_key || !mesh) {
    return !world_key ? world_key.error() : mesh.error();
  }
  state.world_key = *world_key;
  state.mesh = std::move(*mesh);
  return {};
}

base::Result<void> load_store(Controller::State& state) {
  auto database = database::Database::open(
      "sqlite://" + state.settings.state + "/controller.db",
      {world_store::schema(), enrolment::schema(), link_costs::schema(), members::issued_schema()});
  if (!database) {
    return database.error();
  }
  if (!state.settings.topology_file.empty()) {
    auto text = process::read_file(state.settings.topology_file, 16U << 20U);
    if (!text) {
      return text.error();
    }
    auto const use = world_store::read_file_again(**database, *text, state.settings.topology_file, now_seconds());
    if (!use) {
      return use.error();
    }
    state.file_use = *use;
    if (auto const said = world_store::sentence(*use, state.settings.topology_file); !said.empty()) {
      process::log::warning("controller", "{}", said);
    }
  }
  auto world = world_store::read_world(**database);
  auto revoked = members::revoked(**database, now_seconds());
  if (!world || !revoked) {
    return world ? revoked.error() : world.error();
  }
  state.list_revoked(std::move(*revoked));
  state.take(std::move(*world));
  state.store = std::make_unique<database::StoreThread>(std::move(*database));
  return {};
}

// After a power cut the address may come later than this process.
net::Task<void> listen_later(Controller::State* state, std::shared_ptr<bool> stopped, net::TlsServerSettings tls,
                             std::string told) {
  for (;;) {
    bool const waited = co_await net::wait_for(listen_again);
    if (!waited || *stopped) {
      break;
    }
    auto const listening = state->nodes_server.listen_tls(state->settings.listen, tls);
    if (listening) {
      process::log::info("controller", "listening on {}", state->settings.listen);
      break;
    }
    if (auto const what = listening.error().what(); what != std::exchange(told, what)) {
      process::log::warning("controller", "not listening yet, and trying again: {}", what);
    }
  }
}

base::Result<void> listen(Controller::State& state) {
  add_node_routes(state);
  add_operator_routes(state);
  add_examination_routes(state);
  add_behind_routes(state);
  if (auto bound = state.operators_server.listen_unix(state.settings.unix_path, 0660); !bound) {
    return bound.error();
  }
  std::string const& directory = state.settings.state;
  net::TlsServerSettings tls;
  tls.identity = {directory + "/controller.crt", directory + "/controller.key"};
  tls.client_ca_file = directory + "/ca.crt";
  auto const listening = state.nodes_server.listen_tls(state.settings.listen, tls);
  if (!listening && listening.error().code == boost::system::errc::address_not_available) {
    process::log::warning("controller", "not listening yet, and trying again: {}", listening.error().what());
    net::spawn(state.executor, "listening", listen_later(&state, state.stopped, tls, listening.error().what()));
    return {};
  }
  return listening;
}

}  // namespace

std::int64_t now_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void Controller::State::take(Stored stored) {
  stored.document.mesh = mesh;
  stored.document.issued_at_s = now_seconds();
  copies.set(signed_world::to_json(signed_world::sign(stored.document, world_key)));
  world = std::move(stored);
  auto const left = [this](auto const& entry) { return !world.members.contains(entry.first); };
  std::erase_if(reports, left);
  std::erase_if(heard_s, left);
  std::erase_if(rotation_rests, left);
  processes.forget(std::chrono::steady_clock::now());
  costs.follow(world.measured);
}

void Controller::State::list_revoked(std::vector<internal_ca::Revoked> revoked) {
  if (auto const renewed = revocations.renew(*issuer, std::move(revoked), std::chrono::system_clock::now()); !renewed) {
    process::log::error("controller", "the list of revoked certificates stays as it was: {}", renewed.error().what());
  }
}

net::Task<base::Result<void>> Controller::State::refresh() {
  using Read = std::pair<Stored, std::vector<internal_ca::Revoked>>;
  std::function<base::Result<Read>(database::Database&)> const read = [](auto& database) -> base::Result<Read> {
    auto stored = world_store::read_world(database);
    auto revoked = stored ? members::revoked(database, now_seconds()) : stored.error();
    return revoked ? Read(std::move(*stored), std::move(*revoked)) : base::Result<Read>(revoked.error());
  };
  auto const over = stopped;
  auto next = co_await store->run<Read>(read);
  if (*over) {
    co_return base::fail(net::errc::cancelled, "the controller was stopped");
  }
  if (!next) {
    co_return next.error();
  }
  list_revoked(std::move(next->second));
  take(std::move(next->first));
  changed.notify();
  co_return base::Result<void>();
}

base::Result<std::unique_ptr<Controller>> Controller::open(net::asio::any_io_executor executor,
                                                           ControllerSettings settings) {
  auto state = std::make_unique<State>(executor, std::move(settings));
  for (auto const step : {load_identity, load_store, listen}) {
    if (auto done = step(*state); !done) {
      return done.error();
    }
  }
  process::log::info("controller", "revision {}, {} nodes declared, {} joined{}", state->world.document.revision,
                     state->world.topology_nodes.size(), state->world.members.size(),
                     state->nodes_server.local_port() != 0 ? ", listening on " + state->settings.listen : "");
  net::spawn(executor, "changes of keys", watch_rotations(state.get(), state->stopped));
  net::spawn(executor, "costs", watch_costs(state.get(), state->stopped));
  net::spawn(executor, "authority", watch_authority(state.get(), state->stopped));
  return std::unique_ptr<Controller>(new Controller(std::move(state)));
}

Controller::Controller(std::unique_ptr<State> state) : state_(std::move(state)) {}
Controller::~Controller() {
  stop();
}

unsigned short Controller::port() const {
  return state_->nodes_server.local_port();
}

void Controller::stop() {
  *state_->stopped = true;
  state_->nodes_server.stop();
  state_->operators_server.stop();
  state_->changed.notify();
  state_->found.notify();
}

}  // namespace controller
