// How the agent fares, as a value and as JSON.
//
// Threads: plain values and pure functions.
#pragma once

#include "mesh/agent/following/follower.hpp"
#include "mesh/agent/links/links.hpp"
#include "mesh/reconcile/reconciler.hpp"
#include "mesh/repair/repairer.hpp"
#include "routing/anycast/announcer.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace agent {

enum class Source { none, last_known, seed, controller };
[[nodiscard]] char const* name(Source source);

struct TimedText {
  std::int64_t at_s = 0;
  std::string text;
};

// A world that cost this node something, and was taken back.
struct TakenBackStatus {
  std::int64_t revision = -1;   // -1: none
  std::string missing;          // "the controller, 10.200.0.3"
  unsigned tries = 0;           // that failed
  std::int64_t next_try_s = 0;  // wall clock, at the latest
};

struct Status {
  static constexpr std::size_t history_limit = 20;

  std::string node;
  std::string public_key;
  std::string backend;         // "kernel" or "wireguard-go"
  std::int64_t revision = -1;  // -1: no world yet
  Source source = Source::none;
  std::string controller_url;
  FollowerStatus controller;
  reconcile::Pass last_pass;
  std::int64_t last_pass_s = 0;      // wall clock; 0: none yet
  std::vector<std::string> waiting;  // links whose other node has not joined
  std::vector<std::string> warnings;
  std::vector<anycast::AddressStatus> services;
  std::deque<TimedText> changes;  // newest last
  std::deque<TimedText> failures;
  std::deque<TimedText> refused;       // worlds that were not believed, not used, or taken back; newest last
  bool verified = false;               // worlds are held against the key that was pinned at the joining
  std::int64_t trial_revision = -1;    // on trial until controller and neighbours are seen again; -1: none
  std::int64_t waiting_revision = -1;  // waits for the one on trial; -1: none
  TakenBackStatus taken_back;
  repair::RepairStatus repair;
  RoundTrips round_trips;
  bool changing_key = false;                    // this node or a neighbour
  std::map<std::string, std::string> sections;  // name -> JSON
};

// Adds a line, or brings the last one up to date: the same failure every few seconds is one line, with the time it was
// last seen. At most Status::history_limit lines are kept.
void remember(std::deque<TimedText>& list, std::string const& text, std::int64_t now_s);

// Whether the world may become last-known: BIRD goes by it. Other failures may last, and newer worlds come meanwhile.
bool may_be_kept(Status const& status);
// Nothing differs and nothing failed in the last pass.
bool in_order(Status const& status);
// One sentence an operator can act upon; "ok" when in order.
std::string verdict(Status const& status);

std::string to_json(Status const& status, std::int64_t now_s);
// The short form that is sent to the controller.
std::string report_json(Status const& status);

}  // namespace agent
