// What the controller's parts share: settings, database thread, keys, the present world and who waits for the next.
// Private to this module.
//
// Threads: the controller's loop.
#pragma once

#include "base/http_server/http_server.hpp"
#include "base/store_thread/store_thread.hpp"
#include "mesh/capacity/capacity.hpp"
#include "mesh/controller/controller.hpp"
#include "mesh/controller/costs.hpp"
#include "mesh/examinations/book.hpp"
#include "mesh/handing_out/handing_out.hpp"
#include "mesh/internal_ca/authority.hpp"
#include "mesh/link_costs/costs.hpp"
#include "mesh/members/revocation_list.hpp"
#include "mesh/signed_world/signed_world.hpp"
#include "mesh/twins/turns.hpp"
#include "mesh/wireguard/key.hpp"
#include "mesh/world_store/catch_up.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace controller {

using world_store::FileUse;
using world_store::Stored;

struct Controller::State {
  State(net::asio::any_io_executor its_executor, ControllerSettings wanted)
      : executor(std::move(its_executor)),
        settings(std::move(wanted)),
        copies(executor),
        costs(cost::Settings::with_hold(std::chrono::seconds(settings.cost_hold_s))),
        found(executor),
        changed(executor),
        nodes_server(executor, nodes_router,
                     {.connections_max = capacity::connections_max(capacity::raise_descriptors_max()),
                      .strangers_max = capacity::strangers_max}),
        operators_server(executor, operators_router, {}) {}

  net::asio::any_io_executor executor;
  ControllerSettings settings;
  std::optional<internal_ca::Authority> issuer;  // of certificates; set from the start on
  std::string told_of_authority;                 // the last sentence about it in the log
  members::RevocationList revocations;
  wireguard::PrivateKey x25519;
  std::string key_sha256;  // of the own certificate's key: what tokens pin, with
  signed_world::SigningKey world_key;
  std::string mesh;  // the random name of the mesh
  std::unique_ptr<database::StoreThread> store;
  Stored world;
  handing_out::HandingOut copies;  // what members are given: `world` with mesh and date, as signed JSON
  std::map<std::string, std::int64_t> rotating_since_s;  // nodes that were let change their key
  struct Rest {
    std::int64_t until_s = 0;
    std::string why;
  };
  std::map<std::string, Rest> rotation_rests;  // nodes whose change failed, until the next one is let
  std::shared_ptr<bool> const stopped = std::make_shared<bool>(false);
  FileUse file_use = FileUse::taken;
  world_store::Claims behind;  // until a node showed what was forgotten (behind.hpp)
  std::shared_ptr<bool> const learning = std::make_shared<bool>(false);  // one shown world at a time
  link_costs::CostBook costs;
  examinations::Book examinations;
  twins::Turns processes{std::chrono::seconds(60), 1};  // of each node's agents: reports come every ten seconds
  std::map<std::string, std::int64_t> heard_s;          // when each node asked or said anything last
  net::Signal found;                                    // notified when a node said what it found
  net::Signal changed;                                  // notified when `world` was replaced
  std::map<std::string, boost::json::value> reports;    // last one of each node, an object with "reported_at_s"
  net::Router nodes_router;
  net::Router operators_router;
  net::HttpServer nodes_server;
  net::HttpServer operators_server;

  // Makes the list of revoked certificates when it is another one by these or by what issues now.
  void list_revoked(std::vector<internal_ca::Revoked> revoked);
  // Takes a world that was read, dated and signed.
  void take(Stored stored);
  // Reads the world again after a write and wakes the long polls. net::errc::cancelled: the controller was stopped, and
  // this object may be gone.
  net::Task<base::Result<void>> refresh();
  // Writes, then refreshes. It runs to its end also when who asked for it hangs up: what is written is told at once,
  // never with whatever is changed next. Errors of `work`, and those of refresh().
  template <class T>
  net::Task<base::Result<T>> change(std::function<base::Result<T>(database::Database&)> work);
};

template <class T>
net::Task<base::Result<T>> Controller::State::change(std::function<base::Result<T>(database::Database&)> work) {
  co_await net::asio::this_coro::reset_cancellation_state(net::asio::disable_cancellation());
  auto const over = stopped;
  auto written = co_await store->run<T>(std::move(work));
  if (!written) {
    co_return written.error();
  }
  if (*over) {
    co_return base::fail(net::errc::cancelled, "the controller was stopped");
  }
  auto const read = co_await refresh();
  if (!read) {
    co_return read.error();
  }
  co_return written;
}

std::int64_t now_seconds();
// Whether the request comes from who bears the name in its certificate now: a machine that bore it before has one too.
bool is_member(Controller::State const& state, net::HttpRequest const& request);
// A member that is no tenant's: who else looks at how other nodes fare would look into other segments.
bool is_platform_node(Controller::State const& state, net::HttpRequest const& request);
bool is_operator(Controller::State const& state, net::HttpRequest const& request);
void add_node_routes(Controller::State& state);
void add_operator_routes(Controller::State& state);
void add_examination_routes(Controller::State& state);

}  // namespace controller
