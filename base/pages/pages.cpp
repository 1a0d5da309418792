#include "base/pages/pages.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace net {

namespace json = boost::json;

boost::system::result<Page, base::Problems> read_page(HttpRequest const& request, std::size_t limit) {
  constexpr std::size_t limit_max = 1000;
  Page page{limit, {}};
  if (auto const given = request.query.find("limit"); given != request.query.end()) {
    std::string const& text = given->second;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), page.limit);
    if (error != std::errc() || end != text.data() + text.size() || page.limit < 1 || page.limit > limit_max) {
      return base::Problems{{{"request", 0, 0}, "limit", "must be a whole number from 1 to 1000", "100"}};
    }
  }
  if (auto const given = request.query.find("cursor"); given != request.query.end()) {
    page.cursor = given->second;
  }
  return page;
}

json::object page_of(std::string const& name, std::vector<std::pair<std::string, json::value>> items,
                     Page const& page) {
  std::vector<std::string> keys;
  keys.reserve(items.size());
  std::ranges::transform(items, std::back_inserter(keys), [](auto const& item) { return item.first; });
  return page_of(
      name, keys, [&items](std::size_t at) { return std::move(items[at].second); }, page);
}

json::object page_of(std::string const& name, std::vector<std::string> const& keys,
                     std::function<json::value(std::size_t)> const& make, Page const& page) {
  auto const first = page.cursor.empty() ? keys.begin() : std::ranges::upper_bound(keys, page.cursor);
  auto at = static_cast<std::size_t>(first - keys.begin());
  std::size_t const end = std::min(keys.size(), at + page.limit);
  json::array list;
  for (; at < end; ++at) {
    list.push_back(make(at));
  }
  json::object body{{name, std::move(list)}};
  if (end < keys.size() && end > 0) {
    body["next"] = keys[end - 1];
  }
  return body;
}

std::string page_key(std::int64_t number) {
  constexpr std::size_t digits = 19;
  std::string const text = std::to_string(number);
  return std::string(digits - std::min(digits, text.size()), '0') + text;
}

}  // namespace net
