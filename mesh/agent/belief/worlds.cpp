#include "mesh/agent/belief/worlds.hpp"

#include "base/process/service.hpp"
#include "mesh/enrolment/enroller.hpp"

namespace agent {

Worlds::Worlds(std::string const& state_directory)
    : pin_file_(enrolment::NodeFiles(state_directory).pin),
      removed_file_(state_directory + "/removed"),
      snapshots_(state_directory + "/worlds") {}

base::Result<void> Worlds::open() {
  auto pin = signed_world::read_pin(pin_file_);
  if (!pin) {
    return pin.error();
  }
  pin_ = std::move(*pin);
  if (auto const text = process::read_file(removed_file_)) {
    removals_ = signed_world::Removals::parse(*text);
  }
  return {};
}

base::Result<plan::WorldDocument> Worlds::believe(signed_world::SignedWorld const& world, std::int64_t now_s,
                                                  std::vector<std::string>& struck, bool kept_here) {
  if (!pin_) {  // a node that joined before there were pins gets one when its certificate is renewed
    auto pin = signed_world::read_pin(pin_file_);
    if (!pin) {
      return pin.error();
    }
    pin_ = std::move(*pin);
  }
  auto const used = kept_here && pin_ ? removals_.newest_of(pin_->mesh) : -1;
  auto document = signed_world::open_world(world, pin_, now_s, used);
  if (!document) {
    return document;
  }
  owed_ = removals_.learn_removed(*document) || owed_;
  if (auto kept = keep_removals(); !kept) {
    return kept.error();
  }
  struck = removals_.strike(*document);
  return document;
}

base::Result<void> Worlds::accept(plan::WorldDocument const& document) {
  owed_ = removals_.learn(document) || owed_;
  return keep_removals();
}

base::Result<void> Worlds::keep_removals() {
  if (owed_) {
    if (auto written = process::write_file_atomically(removed_file_, removals_.text(), 0640); !written) {
      return written.error();
    }
    owed_ = false;
  }
  return {};
}

}  // namespace agent
