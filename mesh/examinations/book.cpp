#include "mesh/examinations/book.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace examinations {
namespace {

namespace json = boost::json;

json::array list(json::object const& object, char const* key) {
  auto const* const value = object.if_contains(key);
  return value != nullptr && value->is_array() ? value->get_array() : json::array();
}

json::object unreachable(std::int64_t heard_s, std::int64_t now_s) {
  auto const age_s = now_s - heard_s;
  json::object out{{"code", "node-unreachable"}, {"severity", "error"}, {"subject", ""}};
  if (heard_s == 0) {
    out["what"] = "the node has not asked for anything since the controller started, and does not answer it";
  } else if (age_s > heard_lately_s) {
    out["what"] = "the node was heard last " + std::to_string(age_s) + " s ago, and does not answer the controller";
  } else {
    out["what"] =
        "the node was heard a moment ago, but has not examined itself in time: its agent stopped, is older, or the "
        "machine is too busy";
  }
  out["fix"] =
      "run `privateer doctor` on it: its agent must run, and reach the controller (controller.url); if it is gone for "
      "good, `privateer node remove`";
  return out;
}

}  // namespace

std::int64_t Book::ask(std::int64_t now_s, Time now, Asker asker, std::set<std::string> const& expected) {
  // A moment longer than it is waited for: who waits has then read the report.
  bool const running = now - asked_ <= patience + std::chrono::seconds(1) && !complete(expected);
  auto const rest = asker == Asker::a_node ? rest_of_nodes : reuse;
  if (number_ == 0 || (!running && now - asked_ > rest)) {
    number_ = std::max(number_ + 1, now_s);
    asked_ = now;
    found_.clear();
  }
  return number_;
}

bool Book::take(std::int64_t number, std::string const& node, json::object found) {
  if (number != number_ || number_ == 0) {
    return false;
  }
  found_[node] = std::move(found);
  return true;
}

bool Book::complete(std::set<std::string> const& expected) const {
  return std::all_of(expected.begin(), expected.end(), [&](std::string const& node) { return found_.contains(node); });
}

std::string Book::report(std::map<std::string, std::int64_t> const& heard_s, std::int64_t now_s) const {
  json::array nodes;
  bool all_healthy = true;
  for (auto const& [node, last_s] : heard_s) {
    auto const found = found_.find(node);
    bool const answered = found != found_.end();
    json::array const findings = answered ? list(found->second, "findings") : json::array{unreachable(last_s, now_s)};
    all_healthy = all_healthy && findings.empty();
    nodes.push_back(json::object{{"node", node},
                                 {"answered", answered},
                                 {"healthy", findings.empty()},
                                 {"findings", findings},
                                 {"blind", answered ? list(found->second, "blind") : json::array()}});
  }
  return json::serialize(json::object{{"healthy", all_healthy}, {"nodes", std::move(nodes)}});
}

std::set<std::string> expected(std::map<std::string, std::int64_t> const& heard_s, std::int64_t now_s) {
  std::set<std::string> out;
  for (auto const& [node, last_s] : heard_s) {
    if (last_s != 0 && now_s - last_s <= heard_lately_s) {
      out.insert(node);
    }
  }
  return out;
}

}  // namespace examinations
