#include "mesh/agent/belief/second_look.hpp"

#include <cstdlib>

namespace agent {

void SecondLook::owe(Moment now, std::int64_t wall_s) {
  owed_ = Owed{now, wall_s};
}

bool SecondLook::due(Moment now, std::int64_t wall_s) {
  if (!owed_) {
    return false;
  }
  auto const passed_s = std::chrono::duration_cast<std::chrono::seconds>(now - owed_->at).count();
  bool const was_set = std::abs(wall_s - owed_->wall_s - passed_s) > step_s;
  bool const out = was_set || now - owed_->at >= interval;
  if (out) {
    owed_.reset();
  }
  return out;
}

}  // namespace agent
