#include "mesh/agent/rotation/rotation.hpp"

#include "mesh/enrolment/token.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace agent {
namespace {

namespace json = boost::json;

std::size_t full_families(std::vector<bird::Neighbor> const& neighbors, std::string const& device) {
  return static_cast<std::size_t>(std::count_if(neighbors.begin(), neighbors.end(), [&](bird::Neighbor const& one) {
    return one.interface == device && one.full();
  }));
}

}  // namespace

bool Rotation::observe(plan::NodePlan const& plan, std::vector<bird::Neighbor> const& neighbors, Moment now,
                       bool may_leave) {
  auto const before = left;
  // Once left, always left: should the successor fail, the last resort still carries.
  std::erase_if(left, [&](std::string const& device) { return !plan.successors.contains(device); });
  std::erase_if(full_since_, [&](auto const& one) { return !plan.successors.contains(one.first); });
  bool all = !plan.successors.empty();
  bool any = false;
  for (auto const& [old, successor] : plan.successors) {
    if (full_families(neighbors, successor) < 2) {
      full_since_.erase(old);
    } else if (now - full_since_.try_emplace(old, now).first->second >= flooded && may_leave) {
      left.insert(old);
    }
    bool const carries = full_families(neighbors, old) > 0;  // a neighbour that is away anyway does not count
    any = any || carries;
    all = all && (!carries || left.contains(old));
  }
  running_ = !plan.successors.empty();
  if (!all || !any) {
    all_moved_ = false;
  } else if (!all_moved_ || left != before) {
    all_moved_ = true;
    moved_at_ = now;
  }
  return left != before;
}

Rotation::Step Rotation::step(plan::WorldDocument const& document, std::string const& node, Identity const& identity,
                              plan::NodePlan const& plan, Moment now, bool newest) {
  auto const next = document.next_keys.find(node);
  bool const asked = document.rotate.contains(node);
  Step wanted = Step::none;
  if (plan.revision != document.revision) {
    return wanted;  // the plan of another world says nothing of this one's devices
  }
  if (next != document.next_keys.end()) {
    bool const ours = next->second == identity.next_public();
    bool const moved = plan.successors.empty() || (all_moved_ && now - moved_at_ >= settle);
    wanted = ours && moved && newest ? Step::done : Step::none;
  } else if (asked) {
    wanted = Step::offer;
  } else if (identity.next().is_set() && newest) {
    wanted = Step::drop;
  }
  if (wanted == Step::none || (tried_ && now - *tried_ < pause)) {
    return Step::none;
  }
  tried_ = now;
  return wanted;
}

base::Result<std::string> offer_body(std::string_view greeting, std::string const& node, Identity const& identity) {
  boost::system::error_code bad;
  auto const value = json::parse(json::string_view(greeting.data(), greeting.size()), bad);
  auto const* shown = !bad && value.is_object() ? value.get_object().if_contains("x25519_public") : nullptr;
  auto const controller = shown != nullptr && shown->is_string()
                              ? wireguard::PublicKey::from_base64(std::string(shown->get_string()))
                              : base::Result<wireguard::PublicKey>(
                                    base::fail(enrolment::errc::refused, "the controller did not show its key"));
  if (!controller) {
    return controller.error();
  }
  auto const proof = enrolment::proof_of_possession(identity.next(), *controller, enrolment::rotation_proof, node,
                                                    identity.next_public());
  if (!proof) {
    return proof.error();
  }
  return json::serialize(json::object{{"next_key", identity.next_public()}, {"proof", *proof}});
}

net::Task<base::Result<void>> offer_next_key(Follower* controller, std::string node, Identity* identity) {
  if (auto made = identity->make_next(); !made) {
    co_return made.error();
  }
  auto const greeting = co_await controller->ask("GET", "/v1/join", "");
  if (!greeting) {
    co_return greeting.error();
  }
  auto const body = offer_body(*greeting, node, *identity);
  if (!body) {
    co_return body.error();
  }
  auto const told = co_await controller->ask("POST", "/v1/rotation", *body);
  co_return told ? base::Result<void>() : base::Result<void>(told.error());
}

}  // namespace agent
