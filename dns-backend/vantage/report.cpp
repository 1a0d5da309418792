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
  if (auto const read = read_votes(object, report); !read) {
    return read.error();
  }
  return report;
}

}  // namespace vantage
