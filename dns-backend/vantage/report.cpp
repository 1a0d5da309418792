#include "dns-backend/vantage/report.hpp"

#include <boost/json.hpp>

namespace vantage {
namespace {

namespace json = boost::json;
using probe::Health;

constexpr std::int64_t format = 1;

json::array names_voting(Votes const& votes, Health wanted) {
  json::array out;
  for (auto const& [endpoint, health] : votes) {
    if (health == wanted) {
      out.emplace_back(endpoint);
    }
  }
  return out;
}

base::Failure malformed(std::string const& why) {
  return base::fail(errc::malformed, why);
}

base::Result<std::int64_t> number(json::object const& object, char const* key) {
  json::value const* const found = object.if_contains(key);
  if (found == nullptr || !found->is_int64() || found->get_int64() < 0) {
    return malformed(std::string("'") + key + "' must be a whole number");
  }
  return found->get_int64();
}

base::Result<std::vector<std::string>> names(json::object const& object, char const* key) {
  json::value const* const found = object.if_contains(key);
  if (found == nullptr || !found->is_array()) {
    return malformed(std::string("'") + key + "' must be a list of names");
  }
  std::vector<std::string> out;
  for (json::value const& one : found->get_array()) {
    if (!one.is_string() || one.get_string().empty() || one.get_string().size() > endpoint_octets_max) {
      return malformed(std::string("'") + key + "' holds what is no name");
    }
    out.emplace_back(one.get_string());
  }
  return out;
}

base::Result<void> read_votes(json::object const& object, Report& report) {
  json::value const* const votes = object.if_contains("votes");
  report.complete = votes != nullptr;
  if (votes == nullptr) {
    return {};
  }
  if (!votes->is_object()) {
    return malformed("'votes' must be an object");
  }
  for (auto const& [key, health] : {std::pair{"up", Health::up}, std::pair{"down", Health::down}}) {
    auto const listed = names(votes->get_object(), key);
    if (!listed) {
      return listed.error();
    }
    for (std::string const& endpoint : *listed) {
      if (!report.votes.emplace(endpoint, health).second) {
        return malformed("'" + endpoint + "' has two votes");
      }
    }
  }
  return {};
}

// A reason holds whatever a target said, and JSON wants UTF-8.
std::string printable(std::string_view text) {
  std::string out(text.substr(0, reason_octets_max));
  for (char& c : out) {
    c = c < ' ' || c > '~' ? '?' : c;
  }
  return out;
}

json::object whys_of(Whys const& whys) {
  json::object out;
  for (auto const& [endpoint, why] : whys) {
    if (out.size() < whys_max) {
      out[endpoint] = json::array{why.at_ms, printable(why.reason)};
    }
  }
  return out;
}

json::object moments_of(std::map<std::string, std::int64_t, std::less<>> const& left_up_ms) {
  json::object out;
  for (auto const& [endpoint, at_ms] : left_up_ms) {
    if (out.size() < left_up_max) {
      out[endpoint] = at_ms;
    }
  }
  return out;
}

json::array pushes_of(std::vector<Push> const& pushed) {
  json::array out;
  for (Push const& one : pushed) {
    json::object push{{"endpoint", one.endpoint},
                      {"success", one.success},
                      {"reason", printable(one.reason)},
                      {"sequence", one.sequence},
                      {"at_ms", one.at_ms}};
    if (one.load_permille) {
      push["load"] = *one.load_permille;
    }
    out.emplace_back(std::move(push));
  }
  return out;
}

bool is_endpoint(std::string_view name) {
  return !name.empty() && name.size() <= endpoint_octets_max;
}

// The member as an object; nullptr: it is missing.
base::Result<json::object const*> members(json::object const& object, char const* key) {
  json::value const* const found = object.if_contains(key);
  if (found != nullptr && !found->is_object()) {
    return malformed(std::string("'") + key + "' must be an object");
  }
  return found == nullptr ? nullptr : &found->get_object();
}

base::Result<void> read_whys(json::object const& object, Report& report) {
  auto const whys = members(object, "why");
  if (!whys) {
    return whys.error();
  }
  for (auto const& [endpoint, value] : *whys == nullptr ? json::object() : **whys) {
    json::array const* const pair = value.if_array();
    bool const sound = is_endpoint(endpoint) && pair != nullptr && pair->size() == 2 && (*pair)[0].is_int64() &&
                       (*pair)[1].is_string() && report.whys.size() < whys_max;
    if (!sound) {
      return malformed("'why' must hold a time and a reason by endpoint");
    }
    report.whys[endpoint] = {(*pair)[0].get_int64(), printable((*pair)[1].get_string())};
  }
  return {};
}

base::Result<void> read_moments(json::object const& object, Report& report) {
  auto const moments = members(object, "left_up");
  if (!moments) {
    return moments.error();
  }
  for (auto const& [endpoint, value] : *moments == nullptr ? json::object() : **moments) {
    if (!is_endpoint(endpoint) || !value.is_int64() || value.get_int64() < 0 ||
        report.left_up_ms.size() >= left_up_max) {
      return malformed("'left_up' must hold a time by endpoint");
    }
    report.left_up_ms[endpoint] = value.get_int64();
  }
  return {};
}

std::optional<Push> push_of(json::value const& value) {
  json::object const* const object = value.if_object();
  if (object == nullptr) {
    return std::nullopt;
  }
  json::value const* const endpoint = object->if_contains("endpoint");
  json::value const* const success = object->if_contains("success");
  json::value const* const reason = object->if_contains("reason");
  json::value const* const load = object->if_contains("load");
  auto const sequence = number(*object, "sequence");
  auto const at_ms = number(*object, "at_ms");
  constexpr std::int64_t load_max = 60'000;
  bool const sound = endpoint != nullptr && endpoint->is_string() && is_endpoint(endpoint->get_string()) &&
                     success != nullptr && success->is_bool() && reason != nullptr && reason->is_string() && sequence &&
                     *sequence > 0 && at_ms &&
                     (load == nullptr || (load->is_int64() && load->get_int64() >= 0 && load->get_int64() <= load_max));
  if (!sound) {
    return std::nullopt;
  }
  Push push;
  push.endpoint = std::string(endpoint->get_string());
  push.success = success->get_bool();
  push.reason = printable(reason->get_string());
  push.sequence = static_cast<std::uint64_t>(*sequence);
  push.at_ms = *at_ms;
  if (load != nullptr) {
    push.load_permille = static_cast<std::uint32_t>(load->get_int64());
  }
  return push;
}

base::Result<void> read_pushed(json::object const& object, Report& report) {
  json::value const* const pushed = object.if_contains("pushed");
  if (pushed == nullptr) {
    return {};
  }
  if (!pushed->is_array() || pushed->get_array().size() > pushed_max) {
    return malformed("'pushed' must be a list of at most " + std::to_string(pushed_max) + " reports");
  }
  for (json::value const& one : pushed->get_array()) {
    auto push = push_of(one);
    if (!push) {
      return malformed("'pushed' holds what is no report of an endpoint");
    }
    report.pushed.push_back(std::move(*push));
  }
  return {};
}

}  // namespace

std::string to_json(Report const& report) {
  json::array hears;
  for (std::string const& site : report.hears) {
    hears.emplace_back(site);
  }
  json::object out{{"format", format},          {"site", report.site},
                   {"boot_ms", report.boot_ms}, {"sequence", report.sequence},
                   {"at_ms", report.at_ms},     {"votes_of", report.votes_of},
                   {"hears", std::move(hears)}, {"cut_off", report.cut_off}};
  if (report.complete) {
    out["votes"] = json::object{{"up", names_voting(report.votes, Health::up)},
                                {"down", names_voting(report.votes, Health::down)}};
    out["why"] = whys_of(report.whys);
    out["left_up"] = moments_of(report.left_up_ms);
  }
  if (!report.pushed.empty()) {
    out["pushed"] = pushes_of(report.pushed);
  }
  return json::serialize(out);
}

base::Result<Report> parse_report(std::string_view text) {
  if (text.size() > report_octets_max) {
    return malformed("more than " + std::to_string(report_octets_max) + " octets");
  }
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 4;
  json::value const document = json::parse(text, error, {}, options);
  if (error || !document.is_object()) {
    return malformed(error ? error.message() : "no JSON object");
  }
  json::object const& object = document.get_object();
  Report report;
  auto const version = number(object, "format");
  auto const boot = number(object, "boot_ms");
  auto const sequence = number(object, "sequence");
  auto const at = number(object, "at_ms");
  auto const votes_of = number(object, "votes_of");
  auto const hears = names(object, "hears");
  for (auto const* const field : {&version, &boot, &sequence, &at, &votes_of}) {
    if (!*field) {
      return field->error();
    }
  }
  if (!hears) {
    return hears.error();
  }
  if (*version != format) {
    return malformed("format " + std::to_string(*version) + " is not known here");
  }
  json::value const* const site = object.if_contains("site");
  if (site == nullptr || !site->is_string() || site->get_string().empty()) {
    return malformed("'site' must be a name");
  }
  report.site = std::string(site->get_string());
  report.boot_ms = *boot;
  report.sequence = static_cast<std::uint64_t>(*sequence);
  report.at_ms = *at;
  report.votes_of = static_cast<std::uint64_t>(*votes_of);
  report.hears.insert(hears->begin(), hears->end());
  json::value const* const cut_off = object.if_contains("cut_off");
  if (cut_off == nullptr || !cut_off->is_bool()) {
    return malformed("'cut_off' must be true or false");
  }
  report.cut_off = cut_off->get_bool();
  for (auto* const read : {read_votes, read_whys, read_moments, read_pushed}) {
    if (auto const done = read(object, report); !done) {
      return done.error();
    }
  }
  return report;
}

}  // namespace vantage
