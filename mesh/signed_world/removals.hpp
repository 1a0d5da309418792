// The WireGuard keys that were taken out of the mesh, and the revision up to which that is known: what a node never
// forgets, so that an older world (a snapshot, a seed, a replayed answer) cannot bring a removed node back.
//
// An older world is better than none when everything newer is lost: it is used, without the keys that are known to have
// been removed later.
//
// Threads: plain values; `load` and `save` block for the time of a small file.
#pragma once

#include "mesh/plan/world.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace signed_world {

class Removals {
 public:
  static constexpr std::size_t limit = 100000;  // keys; beyond it those of the lowest revisions are forgotten

  // One "KEY REVISION" a line; lines that are none are skipped. Pure.
  static Removals parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  // Remembers what the document says was removed. True when something was new.
  bool learn(plan::WorldDocument const& document);

  // Takes keys out of the document that were removed at its revision or later; their nodes' names. A key that was
  // admitted again since is in a document of a higher revision, and stays.
  std::vector<std::string> strike(plan::WorldDocument& document) const;

  [[nodiscard]] std::size_t size() const { return revisions_.size(); }
  bool operator==(Removals const&) const = default;

 private:
  std::map<std::string, std::int64_t> revisions_;  // key in base64 -> highest revision that called it removed
};

}  // namespace signed_world
