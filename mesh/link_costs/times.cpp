#include "mesh/link_costs/times.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace link_costs {
namespace {

namespace json = boost::json;

constexpr std::int64_t report_fresh_s = 60;

bool is_end(std::set<std::string> const& members, std::string const& node, std::string const& link) {
  return std::any_of(members.begin(), members.end(), [&](std::string const& other) {
    return link == node + "--" + other || link == other + "--" + node;
  });
}

}  // namespace

std::string times_json(std::map<std::string, json::value> const& reports, std::set<std::string> const& members,
                       std::int64_t now_s) {
  std::map<std::string, json::object> times;
  for (auto const& [node, report] : reports) {
    if (!report.is_object() ||
        now_s - report.get_object().at("reported_at_s").to_number<std::int64_t>() > report_fresh_s) {
      continue;
    }
    auto const* const said = report.get_object().if_contains("rtt_us");
    if (said == nullptr || !said->is_object()) {
      continue;
    }
    for (auto const& [link, time] : said->get_object()) {
      if (time.is_int64() && is_end(members, node, std::string(link))) {
        times[link][node] = time;
      }
    }
  }
  json::array links;
  for (auto& [link, by_node] : times) {
    links.push_back(json::object{{"link", link}, {"rtt_us", std::move(by_node)}});
  }
  return json::serialize(json::object{{"links", std::move(links)}});
}

}  // namespace link_costs
