#include "mesh/twins/turns.hpp"

#include <algorithm>

namespace twins {

void Turns::saw(std::string const& who, std::string const& mark, std::string const& place, Time now) {
  auto& seen = seen_[who];
  std::erase_if(seen.marks, [&](auto const& one) { return !fresh(one.second.last, now); });
  std::erase_if(seen.returns, [&](Time at) { return !fresh(at, now); });
  if (seen.latest != mark && seen.marks.contains(mark)) {
    seen.returns.push_back(now);
  }
  if (seen.marks.size() >= marks_max && !seen.marks.contains(mark)) {
    return;
  }
  seen.latest = mark;
  seen.marks[mark] = {place, now};
}

std::vector<std::string> Turns::others(std::string const& who, std::string const& mark, Time now) const {
  std::vector<std::string> out;
  auto const seen = seen_.find(who);
  if (seen == seen_.end()) {
    return out;
  }
  auto const returned =
      std::count_if(seen->second.returns.begin(), seen->second.returns.end(), [&](Time at) { return fresh(at, now); });
  if (static_cast<unsigned>(returned) < returns_least_) {
    return out;
  }
  for (auto const& [other, how] : seen->second.marks) {
    if (other != mark && fresh(how.last, now)) {
      out.push_back(how.place);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> Turns::places(std::string const& who, Time now) const {
  return others(who, {}, now);
}

std::map<std::string, std::vector<std::string>> Turns::all(Time now) const {
  std::map<std::string, std::vector<std::string>> out;
  for (auto const& [who, seen] : seen_) {
    if (auto found = places(who, now); !found.empty()) {
      out[who] = std::move(found);
    }
  }
  return out;
}

void Turns::forget(Time now) {
  std::erase_if(seen_, [&](auto const& one) {
    return std::none_of(one.second.marks.begin(), one.second.marks.end(),
                        [&](auto const& mark) { return fresh(mark.second.last, now); });
  });
}

}  // namespace twins
