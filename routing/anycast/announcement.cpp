#include "routing/anycast/announcement.hpp"

#include <algorithm>

namespace anycast {

char const* name(Observed observed) {
  switch (observed) {
    case Observed::absent:
      return "absent";
    case Observed::disabled:
      return "withdrawn";
    case Observed::enabled:
      return "announced";
  }
  return "unknown";
}

Observed observed(std::string const& protocol, std::vector<bird::ProtocolRow> const& rows) {
  auto const row =
      std::find_if(rows.begin(), rows.end(), [&](bird::ProtocolRow const& each) { return each.name == protocol; });
  if (row == rows.end()) {
    return Observed::absent;
  }
  // "start" is on the way up, "stop" and "flush" on the way down: what was last ordered is what counts, otherwise the
  // same order would be given again every interval.
  return row->state == "up" || row->state == "start" ? Observed::enabled : Observed::disabled;
}

Action difference(probe::Health wanted, Observed observed) {
  if (wanted == probe::Health::up && observed == Observed::disabled) {
    return Action::enable;
  }
  if (wanted == probe::Health::down && observed == Observed::enabled) {
    return Action::disable;
  }
  return Action::none;
}

probe::Thresholds thresholds(topology::Service const& service) {
  return {std::max<unsigned>(1, service.rise), std::max<unsigned>(1, service.fall)};
}

}  // namespace anycast
