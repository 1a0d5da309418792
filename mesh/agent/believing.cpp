// Which world an agent uses.
#include "mesh/agent/state.hpp"

#include "base/process/log.hpp"
#include "base/process/service.hpp"
#include "mesh/agent/belief/changes_of_worlds.hpp"
#include "mesh/agent/belief/checks.hpp"
#include "mesh/enrolment/enroller.hpp"

#include <algorithm>
#include <utility>

namespace agent {
namespace {

// How long a start waits for the controller before a bare topology file will do.
constexpr std::chrono::seconds seed_patience{5};

Offer offer_of(Prepared const& of) {
  Offer out{of.world->revision, of.mark, of.neighbors};
  out.dead_time = std::chrono::seconds(of.world->topology.mesh.ospf.dead_s);
  return out;
}

}  // namespace

void Agent::State::use(InUse next) {
  in_use = std::move(next);
  world = in_use.world;
  status.revision = world->revision;
  status.source = in_use.source;
  reconciler->set_keys(identity.own(), identity.next());
  process::log::info("agent", "world of revision {} from {}", world->revision, name(in_use.source));
  settings.in_use(*world);
}

// The world when this node may believe it and can be planned from it. Whatever is wrong, nothing has changed.
base::Result<void> Agent::State::adopt(signed_world::SignedWorld candidate, Source source) {
  std::vector<std::string> struck;
  auto document = worlds.believe(candidate, wall_clock_s(), struck, source == Source::last_known);
  if (!document) {
    if (document.error().code == signed_world::errc::future && source != Source::controller) {
      second_look.owe(instant().now, wall_clock_s());
    }
    return document.error();
  }
  if (auto adopted = adopt_document(std::move(*document), std::move(candidate), source); !adopted) {
    return adopted.error();
  }
  for (auto const& node : struck) {
    refused("the key of '" + node + "' in revision " + std::to_string(status.revision) + " of " + name(source) +
            " was removed later: it stays removed");
  }
  return {};
}

base::Result<void> Agent::State::adopt_document(plan::WorldDocument document, signed_world::SignedWorld text,
                                                Source source) {
  if (world && document.revision < world->revision) {
    return base::fail(errc::older, "revision " + std::to_string(document.revision) + " is older than " +
                                       std::to_string(world->revision) + ", which is in use");
  }
  if (auto ours = check_for_us(document, settings.node, identity, source == Source::controller); !ours) {
    return ours.error();
  }
  auto prepared = prepare(document, std::string(name(source)) + " topology", settings.node, !settings.nft.empty());
  if (!prepared) {
    return prepared.error();
  }
  if (world && source == Source::controller) {
    if (auto linked = check_links(*world, *prepared->world, settings.node); !linked) {
      return linked.error();
    }
  }
  if (auto accepted = worlds.accept(document); !accepted) {
    return accepted.error();
  }
  auto const found = document.nodes.find(settings.node);
  bool on_trial = world && source == Source::controller;
  if (found != document.nodes.end() && found->second == identity.next_public()) {
    if (auto taken = identity.take_next(); !taken) {
      return taken.error();
    }
    status.public_key = identity.own_public();
    on_trial = on_trial && go_on_with_new_key(document);
  }
  take({prepared->world, std::move(document), std::move(text), source, source != Source::controller},
       offer_of(*prepared), on_trial);
  return {};
}

void Agent::State::take(InUse next, Offer offer, bool on_trial) {
  if (!on_trial) {
    changes.use(std::move(offer));
    use(std::move(next));
    forget_worlds();
    return;
  }
  offer.gone = routers_gone(*world, next.document);
  offer.urgent = takes_a_key_away(in_use.document, next.document);
  if (auto const& back = changes.taken_back()) {
    auto const before = known.find(back->offer.revision);
    offer.by_operator = before == known.end() || operator_changed(before->second.document, next.document);
  }
  auto const revision = offer.revision;
  known[world->revision] = in_use;
  known[revision] = next;
  if (!changes.trial()) {
    troubles_before = {status.last_pass.failures.begin(), status.last_pass.failures.end()};
  }
  auto reached_now = seen();
  // What brought this world was its answer, also when the follower does not call itself connected yet.
  reached_now.controller = reached_now.controller || next.source == Source::controller;
  auto const taken = changes.offer(std::move(offer), reached_now, instant());
  if (taken == Changes::Taken::later) {
    process::log::info("agent", "revision {} waits: {}", revision,
                       changes.trial() ? "another is on trial" : "it was taken back");
  } else {
    use(std::move(next));
    remember_what_was_taken_back();  // before the machine is changed
  }
  forget_worlds();
}

Seen Agent::State::seen() const {
  return {reached(status.last_pass.neighbors), follower->status().connected, follower->status().answered};
}

FollowerSettings::Newest Agent::State::newest() const {
  auto const* out = &in_use;
  for (auto const& [revision, one] : known) {
    out = !out->world || (one.world && one.world->revision > out->world->revision) ? &one : out;
  }
  return out->world ? FollowerSettings::Newest{out->world->revision, out->text} : FollowerSettings::Newest();
}

void Agent::State::forget_worlds() {
  std::erase_if(known, [this](auto const& entry) { return !changes.needs(entry.first); });
}

void Agent::State::refused(std::string const& what) {
  if (status.refused.empty() || status.refused.back().text != what) {
    process::log::warning("agent", "{}", what);
  }
  remember(status.refused, what, wall_clock_s());
}

void Agent::State::failed(std::string const& what) {
  if (status.failures.empty() || status.failures.back().text != what) {
    process::log::error("agent", "{}", what);
  }
  remember(status.failures, what, wall_clock_s());
  gauges.failures.add();
}

// A world that is refused may call keys removed all the same, and they are used no longer. Its own key a node keeps: a
// world that takes that away cuts it off. Where the world came from, whether it is kept and a trial of it stay.
void Agent::State::drop_removed_keys() {
  auto next = in_use;
  auto const struck = worlds.strike(next.document);
  if (!world || struck.empty() || !next.document.nodes.contains(settings.node)) {
    return;
  }
  refused("the key of '" + struck.front() + "' was removed by a world that is not used otherwise");
  auto prepared = prepare(next.document, "the world without a removed key", settings.node, !settings.nft.empty());
  auto const accepted = prepared ? worlds.accept(next.document) : prepared.error();
  if (!accepted) {
    failed("going on without a removed key: " + accepted.error().what());
    return;
  }
  changes.strike(offer_of(*prepared));
  next.world = std::move(prepared->world);
  use(std::move(next));
  notify();
}

bool Agent::State::go_on_with_new_key(plan::WorldDocument const& document) {
  auto next = in_use;
  change_key_in(next.document, document, settings.node);
  auto prepared = prepare(next.document, "the world with the new key", settings.node, !settings.nft.empty());
  if (!prepared) {
    refused("there is no way back from revision " + std::to_string(document.revision) +
            ", which has this node's new key: " + prepared.error().what());
    return false;
  }
  changes.strike(offer_of(*prepared));
  next.world = std::move(prepared->world);
  use(std::move(next));
  return true;
}

// The revision of what the controller said, unless it is not the controller's word or could not be kept here.
base::Result<std::int64_t> Agent::State::take_from_controller(signed_world::SignedWorld candidate) {
  auto const document = plan::parse_world_document(candidate.text);
  auto const revision = document ? document->revision : 0;
  auto const adopted = adopt(std::move(candidate), Source::controller);
  if (adopted) {
    notify();
    return revision;
  }
  refused("the controller's world of revision " + std::to_string(revision) + " is not used: " + adopted.error().what());
  drop_removed_keys();
  // What fails for a reason of this machine's (a full disk) is asked for again; what is wrong with a world stays wrong.
  auto const& category = adopted.error().code.category();
  bool const word = category != make_error_code(signed_world::errc::forged).category() &&
                    category != boost::system::generic_category();
  return word ? base::Result<std::int64_t>(revision) : adopted.error();
}

// What a file says, when there is one and it is believed.
void Agent::State::consider_file(std::string const& file, Source source) {
  auto const text = process::read_file(file);
  if (!text) {
    return;
  }
  auto parsed = signed_world::parse_signed_world(*text);
  auto const document = parsed ? plan::parse_world_document(parsed->text) : parsed.error();
  bool const newer = document && (!world || document->revision > world->revision);
  auto adopted = parsed ? base::Result<void>() : base::Result<void>(parsed.error());
  if (parsed && (newer || !document)) {
    adopted = adopt(std::move(*parsed), source);
  } else if (parsed) {
    std::vector<std::string> struck;
    // For what it says was removed.
    auto const believed = worlds.believe(*parsed, wall_clock_s(), struck, source == Source::last_known);
    adopted = believed ? base::Result<void>() : base::Result<void>(believed.error());
  }
  if (!adopted) {
    refused(file + " is not used: " + adopted.error().what());
  }
}

void Agent::State::consider_snapshots() {
  std::vector<std::string> passed_over;
  auto const accept = [this](signed_world::SignedWorld const& candidate) -> base::Result<void> {
    auto const document = plan::parse_world_document(candidate.text);
    bool const known_already = world && document && document->revision <= world->revision;
    return known_already ? base::Result<void>() : adopt(candidate, Source::last_known);
  };
  static_cast<void>(worlds.snapshots().newest(passed_over, accept));
  for (auto const& sentence : passed_over) {
    refused(sentence);
  }
}

// Worlds of the controller's are newer, and need no file.
void Agent::State::look_at_files_again() {
  if (status.source == Source::controller || !second_look.due(instant().now, wall_clock_s())) {
    return;
  }
  consider_snapshots();
  consider_file(enrolment::NodeFiles(settings.state_directory).joined_world, Source::last_known);
  consider_file(settings.state_directory + "/seed.json", Source::seed);
}

void Agent::State::load_first_world() {
  if (auto const text = process::read_file(settings.state_directory + "/taken_back")) {
    if (auto before = parse_taken_back(*text, instant())) {
      remembered = {before->offer.revision, before->tries, false};
      changes.remember(std::move(*before));
    }
  }
  // What the node was told when it joined, and what its operator put here, may know of removals that an older
  // snapshot does not; the highest revision that is believed wins.
  consider_file(enrolment::NodeFiles(settings.state_directory).joined_world, Source::last_known);
  auto joined = std::exchange(in_use, InUse{});  // a generation of its own once it was applied
  world.reset();
  consider_snapshots();
  if (joined.world && (!world || joined.world->revision > world->revision)) {
    if (adopt_document(std::move(joined.document), std::move(joined.text), Source::last_known)) {
      in_use.saved = false;
    }
  }
  consider_file(settings.state_directory + "/seed.json", Source::seed);
}

// A bare topology does not say which numbers the controller gave out, so it waits a while for the controller.
void Agent::State::consider_bare_seed() {
  bool const due = settings.controller_url.empty() || std::chrono::steady_clock::now() - started >= seed_patience;
  if (world || seed_tried || settings.seed_topology.empty() || !due) {
    return;
  }
  seed_tried = true;
  auto made = seed_of_topology(settings.seed_topology);
  // Without keys in it, it needs no signature: it brings nobody in.
  auto adopted = made ? adopt_document(std::move(*made), {}, Source::seed) : base::Result<void>(made.error());
  if (!adopted) {
    failed("the seed " + settings.seed_topology + " is not used: " + adopted.error().what());
  }
}

}  // namespace agent
