#include "mesh/privateer/edge_status.hpp"

#include <boost/json.hpp>

namespace privateer {

std::string edge_status_json(edge::AgentStatus const& status) {
  boost::json::array bundles;
  for (auto const& bundle : status.bundles) {
    boost::json::object object;
    object["id"] = bundle.id;
    object["tenant"] = bundle.tenant;
    object["fingerprint"] = bundle.fingerprint;
    object["acknowledged"] = bundle.acknowledged;
    bundles.push_back(std::move(object));
  }
  boost::json::object out;
  out["navigator"] = status.navigator;
  out["last_error"] = status.last_error;
  out["bundles"] = std::move(bundles);
  return boost::json::serialize(out);
}

}  // namespace privateer
