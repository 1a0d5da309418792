#include "acme/subjects/names.hpp"

#include <algorithm>
#include <cctype>

namespace acme {

void Names::add(domains::WantedCertificate const& wanted, std::int64_t subject_id) {
  if (!wanted.label.empty()) {
    by_name_[wanted.label] = subject_id;
  }
  for (std::string const& name : wanted.names) {
    by_name_[name] = subject_id;
  }
}

void Names::remove(domains::WantedCertificate const& wanted, std::int64_t subject_id) {
  auto const drop = [this, subject_id](std::string const& name) {
    if (auto const named = by_name_.find(name); named != by_name_.end() && named->second == subject_id) {
      by_name_.erase(named);
    }
  };
  drop(wanted.label);
  std::ranges::for_each(wanted.names, drop);
}

std::optional<std::int64_t> Names::find(std::string name) const {
  if (name.ends_with('.')) {
    name.pop_back();
  }
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  auto const found = by_name_.find(name);
  return found == by_name_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace acme
