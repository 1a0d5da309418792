#include "mesh/looking/times.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace looking {
namespace {

namespace json = boost::json;

json::array links_of(std::string_view text) {
  boost::system::error_code error;
  auto const value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !value.is_object()) {
    return {};
  }
  auto const* const links = value.get_object().if_contains("links");
  return links != nullptr && links->is_array() ? links->get_array() : json::array();
}

template <class Take>
Times times_of(std::string_view text, Take const& take) {
  Times out;
  for (auto const& one : links_of(text)) {
    if (!one.is_object()) {
      continue;
    }
    auto const* const link = one.get_object().if_contains("link");
    auto const* const time = one.get_object().if_contains("rtt_us");
    if (link != nullptr && link->is_string() && time != nullptr) {
      take(out, std::string(link->get_string()), *time);
    }
  }
  return out;
}

void keep_worse(Times& out, std::string const& link, json::value const& time) {
  if (time.is_int64() && time.get_int64() >= 0) {
    auto const [at, is_new] = out.emplace(link, time.get_int64());
    at->second = std::max(at->second, std::chrono::microseconds(time.get_int64()));
  }
}

}  // namespace

Times own_times(std::string_view status_json) {
  return times_of(status_json, keep_worse);
}

Times reported_times(std::string_view links_json) {
  return times_of(links_json, [](Times& out, std::string const& link, json::value const& by_node) {
    if (by_node.is_object()) {
      for (auto const& [node, time] : by_node.get_object()) {
        keep_worse(out, link, time);
      }
    }
  });
}

}  // namespace looking
