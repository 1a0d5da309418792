// A cursor over a JSON body that reports every mistake by field, as config::Reader does for files.
//
// Threads: plain value.
#pragma once

#include "base/result/problem.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace api {

class Body {
 public:
  // A text that is no JSON object is one problem; then every getter gives its fallback.
  explicit Body(std::string_view text);
  Body(boost::json::value const& value, std::string path, base::Problems& problems);

  std::string text(std::string_view key);  // required, not empty
  std::string text(std::string_view key, std::string fallback);
  std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most, std::int64_t fallback);
  std::vector<std::string> texts(std::string_view key, bool required);
  std::vector<Body> objects(std::string_view key);  // required list of objects
  // Somebody else reads this member.
  void note(std::string_view key) { known_.insert(std::string(key)); }
  [[nodiscard]] bool has(std::string_view key) const { return value_.get_object().contains(key); }

  void fail(std::string_view key, std::string message, std::string hint = {});
  // Unknown members are mistakes. Call last.
  void finish();
  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] base::Problems const& problems() const { return *problems_; }

 private:
  boost::json::value const* member(std::string_view key, bool required);
  [[nodiscard]] std::string path_of(std::string_view key) const;
  [[nodiscard]] std::string known() const;  // members, for a hint

  boost::json::value value_;
  std::string path_;
  std::shared_ptr<base::Problems> own_;
  base::Problems* problems_;
  bool broken_ = false;  // no object at all: complaints about missing members would only repeat that
  std::set<std::string, std::less<>> known_;
};

}  // namespace api
