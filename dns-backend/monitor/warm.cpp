#include "dns-backend/monitor/warm.hpp"

#include "base/process/log.hpp"
#include "base/process/service.hpp"
#include "dns-backend/pool/health_table.hpp"

#include <boost/json.hpp>
#include <boost/system/system_error.hpp>

#include <optional>
#include <stdexcept>
#include <utility>

namespace monitor {
namespace {

namespace json = boost::json;
constexpr std::size_t size_max = 32U << 20U;
constexpr std::int64_t version = 1;
constexpr std::int64_t future_ms_max = 60'000;

struct File {
  std::int64_t saved_ms = 0;
  std::vector<Warm> endpoints;
};

std::optional<probe::Health> health_of(std::string_view word) {
  for (probe::Health const health : {probe::Health::up, probe::Health::down, probe::Health::unknown}) {
    if (word == probe::name(health)) {
      return health;
    }
  }
  return std::nullopt;
}

// Throws what Boost.JSON throws at a member that is missing or of another kind.
Warm endpoint_of(json::value const& value) {
  Warm out;
  out.endpoint = std::string(value.at("endpoint").as_string());
  out.since_ms = value.at("since_ms").to_number<std::int64_t>();
  out.reason = std::string(value.at("reason").as_string());
  out.sequence = value.at("sequence").to_number<std::uint64_t>();
  auto const health = health_of(value.at("health").as_string());
  // A program before these were kept left them out.
  json::object const& members = value.as_object();
  auto const* const decided = members.if_contains("decided");
  auto const judged = decided == nullptr ? std::optional(probe::Health::unknown) : health_of(decided->as_string());
  auto const* const left = members.if_contains("left_up_ms");
  out.left_up_ms = left == nullptr ? 0 : left->to_number<std::int64_t>();
  bool const nothing = health == probe::Health::unknown && judged == probe::Health::unknown;
  if (!health || !judged || nothing || out.endpoint.empty() || out.left_up_ms < 0 || out.since_ms < 0) {
    throw std::invalid_argument("an endpoint without a name, a health or a time");
  }
  out.observed = *health;
  out.decided = *judged;
  return out;
}

File file_of(std::string const& text) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;  // a reason holds whatever a target said
  json::value const value = json::parse(text, {}, options);
  if (value.at("version").to_number<std::int64_t>() != version) {
    throw std::invalid_argument("another version");
  }
  File out;
  out.saved_ms = value.at("saved_ms").to_number<std::int64_t>();
  json::array const& list = value.at("endpoints").as_array();
  if (list.size() > pool::HealthTable::slots_max) {
    throw std::invalid_argument("too many endpoints");
  }
  for (json::value const& one : list) {
    out.endpoints.push_back(endpoint_of(one));
  }
  return out;
}

}  // namespace

base::Result<void> save_warm(std::string const& path, std::vector<Warm> const& endpoints, std::int64_t now_ms) {
  json::array list;
  for (Warm const& one : endpoints) {
    list.push_back(json::object{{"endpoint", one.endpoint},
                                {"health", probe::name(one.observed)},
                                {"since_ms", one.since_ms},
                                {"reason", one.reason},
                                {"sequence", one.sequence},
                                {"decided", probe::name(one.decided)},
                                {"left_up_ms", one.left_up_ms}});
  }
  json::object const file{{"version", version}, {"saved_ms", now_ms}, {"endpoints", std::move(list)}};
  return process::write_file_atomically(path, json::serialize(file), 0600);
}

std::vector<Warm> load_warm(std::string const& path, std::int64_t now_ms) {
  auto const text = process::read_file(path, size_max);
  if (!text) {
    if (text.error().code != boost::system::errc::no_such_file_or_directory) {
      process::log::warning("health", "what was known before is not read: {}", text.error().what());
    }
    return {};
  }
  try {
    File file = file_of(*text);
    if (file.saved_ms < now_ms - warm_age_ms_max || file.saved_ms > now_ms + future_ms_max) {
      process::log::info("health", "{} is too old to count", path);
      return {};
    }
    return std::move(file.endpoints);
  } catch (boost::system::system_error const& problem) {
    process::log::warning("health", "{} cannot be understood and does not count: {}", path, problem.code().message());
    return {};
  } catch (std::exception const& problem) {
    process::log::warning("health", "{} cannot be understood and does not count: {}", path, problem.what());
    return {};
  }
}

}  // namespace monitor
