#include "mesh/looking/looking.hpp"

#include "base/http_client/http_client.hpp"
#include "mesh/agent/belief/snapshots.hpp"
#include "mesh/doctor/observe.hpp"
#include "mesh/graph/graph.hpp"
#include "mesh/looking/controller_call.hpp"
#include "mesh/looking/times.hpp"
#include "mesh/planning/worlds.hpp"
#include "routing/bird/control.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <filesystem>

namespace looking {
namespace {

constexpr std::chrono::milliseconds agent_deadline{1000};
constexpr std::chrono::milliseconds controller_deadline{2000};

std::int64_t wall_clock_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// When the file of this revision was written, by the file system's word; 0: there is none.
std::int64_t written_s(std::string const& directory, std::int64_t revision) {
  std::error_code error;
  auto const at = std::filesystem::last_write_time(directory + "/world-" + std::to_string(revision), error);
  if (error) {
    return 0;
  }
  auto const age = std::chrono::file_clock::now() - at;
  return wall_clock_s() - std::chrono::duration_cast<std::chrono::seconds>(age).count();
}

base::Result<plan::World> world_of(std::string const& text) {
  auto const document = plan::parse_world_document(text);
  return document ? plan::build_world(*document, "last-known topology") : document.error();
}

// What the agent answers, as JSON; empty when it does not, and then why is in `failure`.
net::Task<std::string> ask_agent(std::string socket, std::string path, std::string* failure) {
  auto const executor = co_await net::asio::this_coro::executor;
  net::HttpClient client(executor, {});
  net::HttpRequest request;
  request.method = "GET";
  std::string const target = "unix:" + socket + ":" + path;
  auto const answer = co_await client.send(target, std::move(request), agent_deadline);
  if (!answer) {
    *failure = answer.error().what();
    co_return std::string();
  }
  if (answer->status != 200) {
    *failure = "status " + std::to_string(answer->status);
    co_return std::string();
  }
  co_return answer->body;
}

doctor::Facts facts_at_hand(Place const& place) {
  KnownWorld const known = known_world(place);
  doctor::Facts facts;
  if (known.world) {
    auto made = doctor::facts_of(*known.world, place.node);
    if (made) {
      facts = std::move(*made);
    } else {
      facts.failures.push_back(made.error().what());
    }
  }
  facts.node = place.node;
  facts.kept_revision = facts.plan == nullptr ? -1 : facts.plan->revision;
  facts.snapshot_s = known.snapshot_s;
  facts.damaged_snapshots = known.damaged;
  return facts;
}

// The facts by the world that the agent goes by, where that is not the one on disk.
net::Task<void> follow_agent(Place place, doctor::Facts* facts) {
  if (facts->agent_revision < 0 || (facts->plan != nullptr && facts->plan->revision == facts->agent_revision)) {
    co_return;
  }
  std::string failure;
  std::string const path = "/v1/world";
  auto const text = co_await ask_agent(place.agent_socket, path, &failure);
  auto const signed_text = signed_world::parse_signed_world(text);
  auto const world = signed_text ? world_of(signed_text->text) : signed_text.error();
  auto made = world ? doctor::facts_of(*world, place.node) : world.error();
  if (made) {
    facts->take_world(std::move(*made));
  } else {
    facts->blind.push_back("the world that the agent goes by: " + (failure.empty() ? made.error().what() : failure));
  }
}

}  // namespace

KnownWorld known_world(Place const& place) {
  KnownWorld out;
  std::string const directory = place.state + "/worlds";
  if (auto const newest = agent::Snapshots(directory).newest(out.damaged)) {
    auto world = world_of(newest->text);
    if (world) {
      out.snapshot_s = written_s(directory, world->revision);
      out.world = std::move(*world);
      return out;
    }
    out.damaged.push_back("the newest snapshot: " + world.error().what());
  }
  if (place.seed_topology.empty()) {
    out.problem =
        "there is neither a snapshot in " + directory +
        " nor a topology file; an agent that has just joined keeps its world once it has held, in half a minute";
    return out;
  }
  planning::Sources sources;
  sources.topology = place.seed_topology;
  auto worlds = planning::load_worlds(sources, wall_clock_s());
  if (worlds) {
    out.world = std::move(worlds->wanted);
  } else {
    out.problem = worlds.error();
  }
  return out;
}

net::Task<Examined> examine(Place place) {
  doctor::Facts facts = facts_at_hand(place);
  std::string const path = "/v1/status";
  std::string const status = co_await ask_agent(place.agent_socket, path, &facts.agent_failure);
  if (!status.empty() && !doctor::add_agent_status(facts, status)) {
    facts.agent_failure = "what it says is no status";
  }
  co_await follow_agent(place, &facts);
  doctor::Sources sources;
  sources.wireguard_sockets = place.wireguard_sockets;
  sources.bird_control = place.bird_control;
  sources.state_directory = place.state;
  Examined out;
  co_await doctor::observe(sources, &facts);
  out.findings = doctor::examine(facts);
  out.blind = std::move(facts.blind);
  co_return out;
}

net::Task<std::string> examined_json(Place place) {
  std::string const node = place.node;
  auto const examined = co_await examine(std::move(place));
  co_return doctor::to_json(node, examined.findings, examined.blind);
}

net::Task<base::Result<std::string>> draw(Place place, Format format) {
  KnownWorld const known = known_world(place);
  if (!known.world) {
    co_return base::fail(plan::errc::bad_document, known.problem);
  }
  bird::Control const control(place.bird_control);
  auto const v4 = co_await control.command("show ospf state ospf4");
  if (!v4) {
    co_return v4.error();
  }
  auto const v6 = co_await control.command("show ospf state ospf6");
  if (!v6) {
    co_return v6.error();
  }
  graph::Observed observed;
  observed.node = place.node;
  observed.v4 = bird::parse_ospf_state(v4->text());
  observed.v6 = bird::parse_ospf_state(v6->text());
  std::string ignored;  // a drawing without times is one, too
  std::string const links = "/v1/links";
  if (auto const reported = co_await ask_controller(place, "GET", links, controller_deadline)) {
    observed.rtt = reported_times(*reported);
  }
  std::string const path = "/v1/status";
  std::string const status = co_await ask_agent(place.agent_socket, path, &ignored);
  for (auto const& [link, time] : own_times(status)) {
    observed.rtt[link] = time;
  }
  auto const picture = graph::picture(*known.world, observed);
  co_return format == Format::svg ? graph::to_svg(picture)
  : format == Format::dot         ? graph::to_dot(picture)
                                  : graph::to_json(picture) + "\n";
}

}  // namespace looking
