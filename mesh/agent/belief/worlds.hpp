// What this node believes of the worlds that it is shown: the controller's signature, made with the key that was pinned
// when the node joined; the mesh and the date; and that no key comes back which is known to have been removed.
//
// Files of the state directory: controller.pin, removed (keys and the revisions that called them removed), worlds/.
//
// Threads: one object on one loop; calls block for the time of small files.
#pragma once

#include "mesh/agent/belief/snapshots.hpp"
#include "mesh/signed_world/removals.hpp"
#include "mesh/signed_world/signed_world.hpp"

#include <optional>
#include <string>
#include <vector>

namespace agent {

class Worlds {
 public:
  explicit Worlds(std::string const& state_directory);

  // signed_world::errc::bad_state: the pin is damaged; an agent that knows nobody to trust does not start.
  base::Result<void> open();

  // The document, without keys that were removed later than it; `struck` gets the names of their nodes. What it calls
  // removed is remembered from now on, on disk first. Errors of signed_world::open_world, or of writing.
  // `kept_here`: the world is from a file that this node wrote, and is not from the future when it was used here
  // before, whatever the clock says (a machine may start with one that is some minutes behind).
  base::Result<plan::WorldDocument> believe(signed_world::SignedWorld const& world, std::int64_t now_s,
                                            std::vector<std::string>& struck, bool kept_here = false);

  // Call before it is used, when nothing else is wrong with it: which keys it has is remembered, so that no older world
  // brings another one back. Errors of writing.
  base::Result<void> accept(plan::WorldDocument const& document);

  // Takes out of a world that was believed before what is known to have been removed since; names of nodes.
  std::vector<std::string> strike(plan::WorldDocument& document) const { return removals_.strike(document); }

  [[nodiscard]] bool verifies() const { return pin_.has_value(); }
  [[nodiscard]] Snapshots& snapshots() { return snapshots_; }

 private:
  base::Result<void> keep_removals();
  std::string pin_file_;
  std::string removed_file_;
  Snapshots snapshots_;
  std::optional<signed_world::Pin> pin_;
  signed_world::Removals removals_;
  bool owed_ = false;  // the file does not say yet what `removals_` holds
};

}  // namespace agent
