// Pages of lists: ?limit= and ?cursor= of a request, and the part of a list that they ask for.
//
// A cursor is the key of the last item of the page before, as its `next` said. Keys are opaque to whoever asks; items
// that come and go meanwhile move no page.
//
// Threads: pure functions.
#pragma once

#include "base/http/http.hpp"
#include "base/result/problem.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace net {

struct Page {
  std::size_t limit = 100;  // items
  std::string cursor;       // the key after which it begins; empty: at the start
};

// `limit`: where none is asked for. A problem of the field "limit" when it is none of 1 to 1000.
[[nodiscard]] boost::system::result<Page, base::Problems> read_page(HttpRequest const& request, std::size_t limit);

// `items` by key, rising; {NAME: [the page], "next": KEY}, the latter when there is more.
[[nodiscard]] boost::json::object page_of(std::string const& name,
                                          std::vector<std::pair<std::string, boost::json::value>> items,
                                          Page const& page);
// The same of lists that are long: `make` is asked for the items of the page alone, by their places in `keys`.
[[nodiscard]] boost::json::object page_of(std::string const& name, std::vector<std::string> const& keys,
                                          std::function<boost::json::value(std::size_t)> const& make, Page const& page);

// A number as a key: such keys are in the numbers' order.
[[nodiscard]] std::string page_key(std::int64_t number);

}  // namespace net
