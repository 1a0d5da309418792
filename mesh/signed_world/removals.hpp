// The WireGuard keys that were taken out of the mesh, and the revision up to which that is known: what a node never
// forgets, so that an older world (a snapshot, a seed, a replayed answer) cannot bring a removed node back.
//
// An older world is better than none when everything newer is lost: it is used, without the keys that are known to have
// been removed later. Of the newest world that was ever used all keys are remembered: what an older one names beside
// them was removed in between, whoever has forgotten it since. So the list of removed keys may be short, and does not
// grow with the years.
//
// Threads: plain values; `load` and `save` block for the time of a small file.
#pragma once

#include "mesh/plan/world.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace signed_world {

class Removals {
 public:
  static constexpr std::size_t limit = 2000;  // removed keys; beyond it those of the lowest revisions are forgotten

  // "newest REVISION MESH", one "member KEY" a line and one "KEY REVISION" a line; lines that are none are skipped.
  // Pure.
  static Removals parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  // Remembers what the document calls removed. For every document that the mesh's controller signed, used or not: a key
  // that was removed stays removed. True when something was new.
  bool learn_removed(plan::WorldDocument const& document);
  // The same, and its keys when it is the newest. For documents that are used: what a refused one does not name was
  // not removed by that. True when something was new.
  bool learn(plan::WorldDocument const& document);

  // Takes keys out of the document that were removed at its revision or later, or that a newer one no longer had; their
  // nodes' names. A key that was admitted again since is in a document of a higher revision, and stays.
  std::vector<std::string> strike(plan::WorldDocument& document) const;

  [[nodiscard]] std::size_t size() const { return revisions_.size(); }
  [[nodiscard]] std::int64_t newest() const { return newest_; }  // revision; -1: none was believed yet
  // The same, as far as it is of this mesh.
  [[nodiscard]] std::int64_t newest_of(std::string_view mesh) const { return mesh == mesh_ ? newest_ : -1; }
  bool operator==(Removals const&) const = default;

 private:
  void parse_line(std::string_view line);

  std::map<std::string, std::int64_t> revisions_;  // key in base64 -> highest revision that called it removed
  std::int64_t newest_ = -1;                       // revision of the newest world
  std::string mesh_;                               // whose revision that is
  std::set<std::string> members_;                  // its keys in base64, also those that are about to be used
};

}  // namespace signed_world
