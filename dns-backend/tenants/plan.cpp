#include "dns-backend/tenants/plan.hpp"

#include <algorithm>

namespace tenants {

Plan const* find_plan(Policy const& policy, std::string const& name) {
  static Plan const any;
  if (policy.plans.empty()) {
    return &any;
  }
  auto const found = std::ranges::find(policy.plans, name, &Plan::name);
  return found == policy.plans.end() ? nullptr : &*found;
}

std::string names_of_plans(Policy const& policy) {
  std::string text;
  for (Plan const& plan : policy.plans) {
    text += (text.empty() ? "" : ", ") + plan.name;
  }
  return text;
}

}  // namespace tenants
