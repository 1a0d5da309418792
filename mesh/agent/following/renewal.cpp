#include "mesh/agent/following/renewal.hpp"

#include <algorithm>
#include <utility>

namespace agent {

namespace {

constexpr std::int64_t least_pause_s = 60;

}  // namespace

Renewal::Step Renewal::due(internal_ca::Validity const& present, bool pinned, std::int64_t now_s) const {
  bool const ended = now_s >= present.until_s;
  bool const half = present.until_s - now_s <= (present.until_s - present.from_s) / 2;
  if (!ended && !half && pinned) {
    return Step::none;
  }
  std::int64_t const pause_s = ended ? std::min(pause_s_, least_pause_s) : pause_s_;
  bool const clock_went_back = now_s < tried_s_;
  if (now_s - tried_s_ < pause_s && !clock_went_back) {
    return Step::none;
  }
  return ended ? Step::by_keys : Step::by_certificate;
}

void Renewal::succeeded(std::int64_t now_s) {
  backoff_.succeeded();
  tried_s_ = now_s;
  pause_s_ = least_pause_s;
  failure_.clear();
}

void Renewal::failed(std::string what, std::int64_t now_s, std::uint32_t random) {
  failure_ = std::move(what);
  tried_s_ = now_s;
  pause_s_ = std::chrono::ceil<std::chrono::seconds>(backoff_.next(random)).count();
}

}  // namespace agent
